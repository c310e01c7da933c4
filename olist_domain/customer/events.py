"""The events of customers, and the milestones by which a history shows that they happened.

What belongs here: past-tense facts about persons. What does not: how they are stored and numbered (the
event store does that).

An event says nothing that a later order would change (an address, a rank, a number of days): made again by
a later run, it is the same event.
"""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from olist_domain.customer.derivations import CHURN_DAYS, customer_segment, is_churned, segment_of
from olist_domain.customer.facts import OrderStepFacts, PersonFacts
from olist_domain.kernel.events import DomainEvent, Milestone
from olist_domain.kernel.facts import Fact


class CustomerEvent(DomainEvent):
    """Something that happened to one person."""

    context: ClassVar[str] = "customer"
    aggregate_type: ClassVar[str] = "customer"
    identity: ClassVar[str] = "customer_unique_id"

    customer_unique_id: str


class CustomerRegistered(CustomerEvent):
    """A person placed a first order."""


class CustomerSegmentChanged(CustomerEvent):
    """A person moved from one segment to another."""

    previous_segment: str
    customer_segment: str


class CustomerChurned(CustomerEvent):
    """A person had not ordered for more than 180 days; `customer_segment` is whom the business lost."""

    customer_segment: str


CHURNED_AFTER = timedelta(days=CHURN_DAYS + 1)
"""The first day on which a person counts as churned, from the last order."""


def changes_segment(step: OrderStepFacts) -> Fact[bool]:
    """Whether an order moved its person to another segment; a first order registers and moves nobody."""
    before = segment_of(step.previous_orders, step.previous_spent)
    return (step.previous_orders > 0) & (before != segment_of(step.total_orders, step.total_spent))


REGISTERED = Milestone[PersonFacts](
    CustomerRegistered,
    when=lambda person: ~person.first_order_at.is_null(),
    occurred_at=lambda person: person.first_order_at,
    says={"customer_unique_id": lambda person: person.customer_unique_id},
)

SEGMENT_CHANGED = Milestone[OrderStepFacts](
    CustomerSegmentChanged,
    when=changes_segment,
    occurred_at=lambda step: step.order_purchase_timestamp,
    says={
        "customer_unique_id": lambda step: step.customer_unique_id,
        "previous_segment": lambda step: segment_of(step.previous_orders, step.previous_spent),
        "customer_segment": lambda step: segment_of(step.total_orders, step.total_spent),
    },
)

CHURNED = Milestone[PersonFacts](
    CustomerChurned,
    when=is_churned,
    occurred_at=lambda person: person.last_order_at + CHURNED_AFTER,
    says={
        "customer_unique_id": lambda person: person.customer_unique_id,
        "customer_segment": customer_segment,
    },
)
