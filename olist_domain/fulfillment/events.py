"""The events of fulfillment, and the milestones by which a record shows that they happened.

What belongs here: past-tense facts about deliveries. What does not: how they are stored and numbered (the
event store does that).
"""

from __future__ import annotations

from typing import ClassVar

from olist_domain.fulfillment.derivations import is_delivered, is_late
from olist_domain.fulfillment.facts import DeliveryFacts
from olist_domain.kernel.events import DomainEvent, Milestone


class DeliveryEvent(DomainEvent):
    """Something that happened to the delivery of one order."""

    context: ClassVar[str] = "fulfillment"
    aggregate_type: ClassVar[str] = "delivery"
    identity: ClassVar[str] = "order_id"

    order_id: str


class DeliveryDispatched(DeliveryEvent):
    """The carrier got a delivery."""


class DeliveryCompleted(DeliveryEvent):
    """A delivery arrived; `was_late` says whether after the promised date."""

    was_late: bool


DISPATCHED = Milestone[DeliveryFacts](
    DeliveryDispatched,
    when=lambda delivery: ~delivery.order_delivered_carrier_date.is_null(),
    occurred_at=lambda delivery: delivery.order_delivered_carrier_date,
    says={"order_id": lambda delivery: delivery.order_id},
)

COMPLETED = Milestone[DeliveryFacts](
    DeliveryCompleted,
    when=is_delivered,
    occurred_at=lambda delivery: delivery.order_delivered_customer_date,
    says={"order_id": lambda delivery: delivery.order_id, "was_late": is_late},
)

DELIVERY_HISTORY: tuple[Milestone[DeliveryFacts], ...] = (DISPATCHED, COMPLETED)
"""The milestones of a delivery's own record."""
