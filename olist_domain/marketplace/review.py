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

from olist_domain.kernel.aggregate import Entity
from olist_domain.kernel.review_score import ReviewScore
from olist_domain.marketplace.events import REVIEW_HISTORY
from olist_domain.marketplace.facts import ReviewFacts, review_facts
from olist_domain.marketplace.records import ReviewRecord
from olist_domain.marketplace.rules import REVIEW_RULES


@dataclass(frozen=True, eq=False)
class Review(Entity):
    """A review; two reviews are the same when review id and order are, for one id may stand on several orders.

    `purchased_at` is the purchase of the order, None where it is not known; `orders_of_review` is the number
    of orders that the id stands on.
    """

    record: ReviewRecord
    purchased_at: datetime | None = None
    orders_of_review: int = 1

    rules = REVIEW_RULES
    milestones = REVIEW_HISTORY
    identity = ("review_id", "order_id")

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

        Raises RulesBroken with every rule that it would break, flagging ones included, and ValueError for an answer
        that comes before its question.
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
        review.refuse_caused()
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
    def subject(self) -> str:
        """What a violation calls the review."""
        return f"review {self.review_id} of order {self.order_id}"

    @property
    def score(self) -> ReviewScore:
        """The stars given."""
        return ReviewScore(self.record.review_score)

    def facts(self) -> ReviewFacts:
        """Return the facts of the review."""
        return review_facts(self.record, self.purchased_at, self.orders_of_review)
