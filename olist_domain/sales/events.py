"""The events of sales, and the milestones by which a record shows that they happened.

What belongs here: past-tense facts about orders and payments. What does not: how they are stored and
numbered (the event store does that).
"""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from olist_domain.kernel.events import DomainEvent, Milestone
from olist_domain.kernel.facts import choose
from olist_domain.sales.derivations import is_canceled, total_amount
from olist_domain.sales.facts import OrderFacts, PaymentFacts


class OrderEvent(DomainEvent):
    """Something that happened to one order."""

    context: ClassVar[str] = "sales"
    aggregate_type: ClassVar[str] = "order"
    identity: ClassVar[str] = "order_id"

    order_id: str


class OrderPlaced(OrderEvent):
    """A customer placed an order."""

    customer_id: str
    total_items: int
    total_amount: Decimal


class PaymentReceived(OrderEvent):
    """A payment for an order arrived."""

    payment_sequential: int
    payment_type: str
    payment_value: Decimal


class OrderApproved(OrderEvent):
    """The payment of an order was approved."""

    total_amount: Decimal


class OrderShipped(OrderEvent):
    """An order was handed to the carrier."""


class OrderDelivered(OrderEvent):
    """An order reached its customer."""


class OrderCancelled(OrderEvent):
    """An order was cancelled."""

    reason: str


class OrderRejected(OrderEvent):
    """An order broke rules that keep it out of the warehouse."""

    rules: list[str]


CANCELLED_IN_SOURCE = "cancelled in the source system"
"""The reason of a cancellation that is read from a record: the source gives none."""

PLACED = Milestone[OrderFacts](
    OrderPlaced,
    when=lambda order: ~order.order_purchase_timestamp.is_null(),
    occurred_at=lambda order: order.order_purchase_timestamp,
    says={
        "order_id": lambda order: order.order_id,
        "customer_id": lambda order: order.customer_id,
        "total_items": lambda order: order.total_items,
        "total_amount": total_amount,
    },
)

RECEIVED = Milestone[PaymentFacts](
    PaymentReceived,
    when=lambda payment: ~payment.received_at.is_null(),
    occurred_at=lambda payment: payment.received_at,
    says={
        "order_id": lambda payment: payment.order_id,
        "payment_sequential": lambda payment: payment.payment_sequential,
        "payment_type": lambda payment: payment.payment_type,
        "payment_value": lambda payment: payment.payment_value,
    },
)

APPROVED = Milestone[OrderFacts](
    OrderApproved,
    when=lambda order: ~order.order_approved_at.is_null(),
    occurred_at=lambda order: order.order_approved_at,
    says={"order_id": lambda order: order.order_id, "total_amount": total_amount},
)

SHIPPED = Milestone[OrderFacts](
    OrderShipped,
    when=lambda order: ~order.order_delivered_carrier_date.is_null(),
    occurred_at=lambda order: order.order_delivered_carrier_date,
    says={"order_id": lambda order: order.order_id},
)

DELIVERED = Milestone[OrderFacts](
    OrderDelivered,
    when=lambda order: ~order.order_delivered_customer_date.is_null(),
    occurred_at=lambda order: order.order_delivered_customer_date,
    says={"order_id": lambda order: order.order_id},
)

CANCELLED = Milestone[OrderFacts](
    OrderCancelled,
    when=is_canceled,
    occurred_at=lambda order: choose(
        (~order.order_delivered_customer_date.is_null(), order.order_delivered_customer_date),
        (~order.order_delivered_carrier_date.is_null(), order.order_delivered_carrier_date),
        (~order.order_approved_at.is_null(), order.order_approved_at),
        default=order.order_purchase_timestamp,
    ),
    says={"order_id": lambda order: order.order_id, "reason": CANCELLED_IN_SOURCE},
)

ORDER_HISTORY: tuple[Milestone[OrderFacts], ...] = (PLACED, APPROVED, SHIPPED, DELIVERED, CANCELLED)
"""The milestones of an order's own record. Payments (`RECEIVED`) come between placing and approval."""
