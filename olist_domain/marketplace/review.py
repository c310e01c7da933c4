"""Review: what a customer says of an order.

What belongs here: the entity, its identity, how it comes to be and what its record tells. What does not: how
a score is read (see `ReviewScore` in the kernel).

    >>> from datetime import datetime
    >>> review = Review.submit(
    ...     review_id="r1",
    ...     order_id="o1",
    ...     score=ReviewScore(5),
    ...     message="Chegou antes do prazo.",
    ...     purchased_at=datetime(2018, 1, 2, 10, 30),
    ...     asked_at=datetime(2018, 1, 10),
    ...     at=datetime(2018, 1, 11, 9),
    ... )
    >>> review.derived()["sentiment"], review.derived()["response_hours"]
    ('positive', 33)
    >>> [type(event).__name__ for event in review.history()]
    ['ReviewSubmitted']
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from olist_domain.kernel.events import DomainEvent, history
from olist_domain.kernel.review_score import ReviewScore
from olist_domain.kernel.rules import RulesBroken, Violation
from olist_domain.marketplace.events import REVIEW_HISTORY
from olist_domain.marketplace.facts import ReviewFacts, review_facts
from olist_domain.marketplace.records import ReviewRecord
from olist_domain.marketplace.rules import REVIEW_RULES


@dataclass(frozen=True, eq=False)
class Review:
    """A review; two reviews are the same when review id and order are, for one id may stand on several orders.

    `purchased_at` is the purchase of the order, None where it is not known; `orders_of_review` is the number
    of orders that the id stands on. Raises RulesBroken with every rejecting rule that the record breaks.
    """

    record: ReviewRecord
    purchased_at: datetime | None = None
    orders_of_review: int = 1

    def __post_init__(self) -> None:
        REVIEW_RULES.admit(self.facts(), self._name)

    @classmethod
    def submit(
        cls,
        *,
        review_id: str,
        order_id: str,
        score: ReviewScore,
        purchased_at: datetime,
        asked_at: datetime,
        at: datetime,
        title: str | None = None,
        message: str | None = None,
    ) -> Review:
        """Return a new review, given `at` a time to a question that was `asked_at` another.

        Raises RulesBroken with every rule that it would break, flagging ones included: a flag forgives what
        the source tells of the past, a behaviour may not cause it. Raises ValueError for an answer that
        comes before its question.
        """
        if at < asked_at:
            raise ValueError(f"review {review_id} cannot be answered at {at}, before it is asked for at {asked_at}")
        record = ReviewRecord(
            review_id=review_id,
            order_id=order_id,
            review_score=score.stars,
            review_comment_title=title,
            review_comment_message=message,
            review_creation_date=asked_at,
            review_answer_timestamp=at,
        )
        review = cls(record, purchased_at)
        if review.flags:
            raise RulesBroken(review.flags)
        return review

    @property
    def review_id(self) -> str:
        """One half of the review's identity."""
        return self.record.review_id

    @property
    def order_id(self) -> str:
        """The order that is reviewed, the other half of the review's identity."""
        return self.record.order_id

    @property
    def score(self) -> ReviewScore:
        """The stars given."""
        return ReviewScore(self.record.review_score)

    @property
    def flags(self) -> tuple[Violation, ...]:
        """The flagging rules that the review breaks."""
        return REVIEW_RULES.flags(self.facts(), self._name)

    def facts(self) -> ReviewFacts:
        """Return the facts of the review."""
        return review_facts(self.record, self.purchased_at, self.orders_of_review)

    def derived(self) -> dict[str, Any]:
        """Return the derived attributes of the review, by name."""
        return REVIEW_RULES.derived(self.facts())

    def history(self) -> list[DomainEvent]:
        """Return the events that the record tells of."""
        return history(REVIEW_HISTORY, self.facts())

    @property
    def _name(self) -> str:
        return f"review {self.review_id} of order {self.order_id}"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Review):
            return NotImplemented
        return (self.review_id, self.order_id) == (other.review_id, other.order_id)

    def __hash__(self) -> int:
        return hash((self.review_id, self.order_id))
