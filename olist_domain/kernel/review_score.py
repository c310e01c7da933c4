"""ReviewScore: one to five stars.

What belongs here: the scale and its reading, whoever reads it. What does not: the review itself (marketplace).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import cast

from olist_domain.kernel.facts import Fact, Scalar, choose, value_of

LOWEST, HIGHEST = 1, 5
MOST_NEGATIVE, LEAST_POSITIVE = 2, 4


class Sentiment(StrEnum):
    """How a score is read: 4 and 5 are positive, 3 is neutral, 1 and 2 are negative."""

    POSITIVE = "positive"
    NEUTRAL = "neutral"
    NEGATIVE = "negative"


def is_score(score: Fact[int]) -> Fact[bool]:
    """A score lies between one and five stars."""
    return (score >= LOWEST) & (score <= HIGHEST)


def is_positive(score: Fact[float]) -> Fact[bool]:
    """Whether a score, or a mean of scores, speaks for the seller."""
    return score >= LEAST_POSITIVE


def is_negative(score: Fact[float]) -> Fact[bool]:
    """Whether a score, or a mean of scores, speaks against the seller."""
    return score <= MOST_NEGATIVE


def sentiment_of(score: Fact[int]) -> Fact[str]:
    """How a score is read; unknown where it is missing."""
    return choose(
        (score.is_null(), None),
        (is_positive(score), Sentiment.POSITIVE.value),
        (is_negative(score), Sentiment.NEGATIVE.value),
        default=Sentiment.NEUTRAL.value,
    )


@dataclass(frozen=True, order=True)
class ReviewScore:
    """A whole number of stars. Raises ValueError outside 1..5."""

    stars: int

    def __post_init__(self) -> None:
        if not value_of(is_score(Scalar(self.stars))):
            raise ValueError(f"Review score must lie between {LOWEST} and {HIGHEST}: {self.stars}")

    @property
    def sentiment(self) -> Sentiment:
        """The reading of the score."""
        return Sentiment(cast(str, value_of(sentiment_of(Scalar(self.stars)))))
