"""The facts of sales: what its rules and derivations read of an order, an item and a payment.

What belongs here: the names and types of facts, and how an object's facts are gathered. What does not: the
rules themselves. A fact has the name of its column, so the same dataclass describes a frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from olist_domain.kernel.facts import Fact, scalars
from olist_domain.kernel.rules import Aggregation, Rollup
from olist_domain.sales.records import OrderItemRecord, OrderRecord, PaymentRecord


@dataclass(frozen=True, eq=False)
class OrderItemFacts:
    """What is read of one item. Money is in BRL, exact."""

    price: Fact[Decimal]
    freight_value: Fact[Decimal]
    seller_id: Fact[str]


@dataclass(frozen=True, eq=False)
class PaymentFacts:
    """What is read of one payment. Money is in BRL, exact.

    `received_at` is the order's approval, or its purchase while it is not approved: the source does not say
    when a payment arrived.
    """

    order_id: Fact[str]
    payment_sequential: Fact[int]
    payment_type: Fact[str]
    payment_installments: Fact[int]
    payment_value: Fact[Decimal]
    received_at: Fact[datetime]


@dataclass(frozen=True, eq=False)
class OrderFacts:
    """What is read of one order: its record, and what its items and payments add up to."""

    order_id: Fact[str]
    customer_id: Fact[str]
    order_status: Fact[str]
    order_purchase_timestamp: Fact[datetime]
    order_approved_at: Fact[datetime]
    order_delivered_carrier_date: Fact[datetime]
    order_delivered_customer_date: Fact[datetime]
    total_items: Fact[int]
    num_sellers: Fact[int]
    total_price: Fact[Decimal]
    total_freight: Fact[Decimal]
    total_payments: Fact[int]
    total_payment: Fact[Decimal]


NO_MONEY = Decimal("0.00")

ITEM_ROLLUPS: tuple[Rollup[OrderItemFacts], ...] = (
    Rollup("total_items", Aggregation.COUNT, lambda item: item.price, empty=0),
    Rollup("num_sellers", Aggregation.DISTINCT, lambda item: item.seller_id, empty=0),
    Rollup("total_price", Aggregation.SUM, lambda item: item.price, empty=NO_MONEY),
    Rollup("total_freight", Aggregation.SUM, lambda item: item.freight_value, empty=NO_MONEY),
)

PAYMENT_ROLLUPS: tuple[Rollup[PaymentFacts], ...] = (
    Rollup("total_payments", Aggregation.COUNT, lambda payment: payment.payment_value, empty=0),
    Rollup("total_payment", Aggregation.SUM, lambda payment: payment.payment_value, empty=NO_MONEY),
)


def item_facts(item: OrderItemRecord) -> OrderItemFacts:
    """Return the facts of one item."""
    return scalars(OrderItemFacts, dict(item))


def payment_facts(payment: PaymentRecord, received_at: datetime | None) -> PaymentFacts:
    """Return the facts of one payment of an order that was paid at `received_at`."""
    return scalars(PaymentFacts, {**dict(payment), "received_at": received_at})


def order_facts(order: OrderRecord, items: Sequence[OrderItemFacts], payments: Sequence[PaymentFacts]) -> OrderFacts:
    """Return the facts of one order with its parts."""
    totals = {rollup.name: rollup.over(items) for rollup in ITEM_ROLLUPS}
    paid = {rollup.name: rollup.over(payments) for rollup in PAYMENT_ROLLUPS}
    return scalars(OrderFacts, {**dict(order), **totals, **paid})
