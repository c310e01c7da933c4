"""The facts of customers: what rules and derivations read of an address, an order of the past and a person.

What belongs here: the names and types of facts, and how an object's facts are gathered. What does not: the
rules themselves. A fact has the name of its column, so the same dataclass describes a frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from olist_domain.customer.published import PublishedOrder, PublishedReview
from olist_domain.customer.records import CustomerRecord
from olist_domain.kernel.facts import Fact, choose, scalars
from olist_domain.kernel.rules import Aggregation, Rollup

NO_MONEY = Decimal("0.00")


@dataclass(frozen=True, eq=False)
class AddressFacts:
    """What is read of the customer of one order."""

    customer_zip_code_prefix: Fact[str]
    customer_state: Fact[str]


@dataclass(frozen=True, eq=False)
class PurchaseFacts:
    """What is read of one accepted order beside the others of its person: its purchase, and the first one of all."""

    order_purchase_timestamp: Fact[datetime]
    first_order_at: Fact[datetime]


@dataclass(frozen=True, eq=False)
class PastOrderFacts:
    """What is read of one order of a person's history. Money is in BRL, exact."""

    order_id: Fact[str]
    is_sale: Fact[bool]
    revenue: Fact[Decimal]


@dataclass(frozen=True, eq=False)
class PastReviewFacts:
    """What is read of one review that a person wrote."""

    review_score: Fact[int]


@dataclass(frozen=True, eq=False)
class PersonFacts:
    """What is read of one person: the latest address, what the history adds up to, and the day that counts as today.

    `total_orders` counts all orders that sales accepted, cancelled ones included; `sale_orders` counts those that
    are sales. `total_spent` is the revenue of the sales, freight included, in BRL; what is cancelled or unavailable
    brings nothing. `total_reviews` and `total_review_score` are the number and the sum of the scores that the
    accepted reviews of these orders give. `first_order_at` and `last_order_at` are the least and the greatest
    purchase; unknown without orders. `as_of` is the day that counts as today, for the warehouse the day of the last
    purchase in landing.

    The ranks count persons with orders from 1, see `RANKED_BY`; `ranked_persons` is their number. Ranks are
    unknown for a person without orders, and for one who is looked at alone.
    """

    customer_unique_id: Fact[str]
    state: Fact[str]
    total_orders: Fact[int]
    sale_orders: Fact[int]
    total_spent: Fact[Decimal]
    total_reviews: Fact[int]
    total_review_score: Fact[int]
    first_order_at: Fact[datetime]
    last_order_at: Fact[datetime]
    as_of: Fact[date]
    recency_rank: Fact[int]
    frequency_rank: Fact[int]
    monetary_rank: Fact[int]
    ranked_persons: Fact[int]


@dataclass(frozen=True, eq=False)
class OrderStepFacts:
    """One order as a step of its person's history: what the history adds up to with it and before it.

    Steps follow each other by purchase, then by order id.
    """

    customer_unique_id: Fact[str]
    order_purchase_timestamp: Fact[datetime]
    total_orders: Fact[int]
    total_spent: Fact[Decimal]
    previous_orders: Fact[int]
    previous_spent: Fact[Decimal]


@dataclass(frozen=True)
class Standing:
    """Where a person stands among all persons with orders, counted from 1; None where that is unknown."""

    recency_rank: int | None = None
    frequency_rank: int | None = None
    monetary_rank: int | None = None
    ranked_persons: int | None = None


RANKED_BY = {"recency_rank": "last_order_at", "frequency_rank": "total_orders", "monetary_rank": "total_spent"}
"""What each rank orders persons with orders by, the least first; equals go by `customer_unique_id`."""

ORDER_ROLLUPS: tuple[Rollup[PastOrderFacts], ...] = (
    Rollup("total_orders", Aggregation.COUNT, lambda order: order.order_id, empty=0),
    Rollup(
        "sale_orders", Aggregation.COUNT, lambda order: choose((order.is_sale, order.order_id), default=None), empty=0
    ),
    Rollup("total_spent", Aggregation.SUM, lambda order: order.revenue, empty=NO_MONEY),
)

REVIEW_ROLLUPS: tuple[Rollup[PastReviewFacts], ...] = (
    Rollup("total_reviews", Aggregation.COUNT, lambda review: review.review_score, empty=0),
    Rollup("total_review_score", Aggregation.SUM, lambda review: review.review_score, empty=0),
)


def address_facts(customer: CustomerRecord) -> AddressFacts:
    """Return the facts of one order's customer."""
    return scalars(AddressFacts, dict(customer))


def purchase_facts(order: PublishedOrder, orders: Sequence[PublishedOrder]) -> PurchaseFacts:
    """Return the facts of an accepted order beside all accepted `orders` of its person, of which it is one."""
    first = min(other.order_purchase_timestamp for other in orders)
    return scalars(PurchaseFacts, {**dict(order), "first_order_at": first})


def person_facts(
    person: CustomerRecord,
    orders: Sequence[PublishedOrder],
    reviews: Sequence[PublishedReview],
    as_of: date | None,
    standing: Standing,
) -> PersonFacts:
    """Return the facts of the person whose latest record is `person`, as of the day `as_of`."""
    past_reviews = [scalars(PastReviewFacts, dict(review)) for review in reviews]
    purchases = [order.order_purchase_timestamp for order in orders]
    return scalars(
        PersonFacts,
        {
            "customer_unique_id": person.customer_unique_id,
            "state": person.customer_state,
            **_order_totals(orders),
            **{rollup.name: rollup.over(past_reviews) for rollup in REVIEW_ROLLUPS},
            "first_order_at": min(purchases, default=None),
            "last_order_at": max(purchases, default=None),
            "as_of": as_of,
            **vars(standing),
        },
    )


def order_steps(person: CustomerRecord, orders: Sequence[PublishedOrder]) -> list[OrderStepFacts]:
    """Return the orders as steps of the person's history, oldest first."""
    ordered = sorted(orders, key=lambda order: (order.order_purchase_timestamp, order.order_id))
    return [_order_step(person, order, ordered[:past]) for past, order in enumerate(ordered)]


def _order_step(person: CustomerRecord, order: PublishedOrder, past: Sequence[PublishedOrder]) -> OrderStepFacts:
    now, before = _order_totals([*past, order]), _order_totals(past)
    previous = {"previous_orders": before["total_orders"], "previous_spent": before["total_spent"]}
    return scalars(OrderStepFacts, {**dict(person), **dict(order), **now, **previous})


def _order_totals(orders: Sequence[PublishedOrder]) -> dict[str, Any]:
    facts = [scalars(PastOrderFacts, dict(order)) for order in orders]
    return {rollup.name: rollup.over(facts) for rollup in ORDER_ROLLUPS}
