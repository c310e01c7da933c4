"""ReviewScore: one to five stars.

What belongs here: the scale and its reading. What does not: the review itself (marketplace).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

LOWEST, HIGHEST = 1, 5


class Sentiment(StrEnum):
    """How a score is read: 4 and 5 are positive, 3 is neutral, 1 and 2 are negative."""

    POSITIVE = "positive"
    NEUTRAL = "neutral"
    NEGATIVE = "negative"


@dataclass(frozen=True, order=True)
class ReviewScore:
    """A whole number of stars. Raises ValueError outside 1..5."""

    stars: int

    def __post_init__(self) -> None:
        if not LOWEST <= self.stars <= HIGHEST:
            raise ValueError(f"Review score must lie between {LOWEST} and {HIGHEST}: {self.stars}")

    @property
    def sentiment(self) -> Sentiment:
        """The reading of the score."""
        if self.stars >= 4:
            return Sentiment.POSITIVE
        return Sentiment.NEUTRAL if self.stars == 3 else Sentiment.NEGATIVE
