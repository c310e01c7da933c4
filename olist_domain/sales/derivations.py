"""The derivations of sales: the attributes that the business computes of an order and an item.

What belongs here: one function for each attribute. What does not: invariants (see `rules`), and plain
totals of parts (see the roll-ups in `facts`).
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from olist_domain.kernel.facts import Fact, choose
from olist_domain.kernel.rules import Derivation, derivation
from olist_domain.sales.facts import NO_MONEY, OrderFacts, OrderItemFacts, PaymentFacts
from olist_domain.sales.status import LOST_SALES, OrderStatus

PAYMENT_TOLERANCE = Decimal("0.01")
"""Totals further apart than this do not match (guide, step 1.2)."""


class OrderValidity(StrEnum):
    """The label that the warehouse gives to an order."""

    VALID = "VALID"
    INVALID_NO_ITEMS = "INVALID_NO_ITEMS"
    INVALID_PAYMENT_MISMATCH = "INVALID_PAYMENT_MISMATCH"


@derivation(name="total_amount", replaces=("stg_order_items.total_amount", "fact_order_items.total_amount"))
def item_total_amount(item: OrderItemFacts) -> Fact[Decimal]:
    """What one item costs the customer: its price and its freight."""
    return item.price + item.freight_value


@derivation(replaces=("int_orders_enriched.total_amount",))
def total_amount(order: OrderFacts) -> Fact[Decimal]:
    """What the order costs the customer: the prices and freights of its items."""
    return order.total_price + order.total_freight


@derivation(replaces=("int_orders_enriched.has_payment_mismatch", "fact_orders.has_payment_mismatch"))
def has_payment_mismatch(order: OrderFacts) -> Fact[bool]:
    """Whether payments and items add up to different totals."""
    return abs(total_amount(order) - order.total_payment) > PAYMENT_TOLERANCE


def is_empty(order: OrderFacts) -> Fact[bool]:
    """Whether the order has no items."""
    return order.total_items == 0


def is_approved_unpaid(order: OrderFacts) -> Fact[bool]:
    """Whether the order is approved although it is not paid as it costs."""
    return (order.order_status == OrderStatus.APPROVED.value) & has_payment_mismatch(order)


@derivation(replaces=("int_orders_enriched.order_validity", "fact_orders.order_validity"))
def order_validity(order: OrderFacts) -> Fact[str]:
    """Whether the order is valid, and if not, the first reason."""
    return choose(
        (is_empty(order), OrderValidity.INVALID_NO_ITEMS.value),
        (is_approved_unpaid(order), OrderValidity.INVALID_PAYMENT_MISMATCH.value),
        default=OrderValidity.VALID.value,
    )


@derivation(replaces=("int_orders_enriched.is_multivendor",))
def is_multivendor(order: OrderFacts) -> Fact[bool]:
    """Whether more than one seller serves the order."""
    return order.num_sellers > 1


@derivation(
    replaces=(
        "int_orders_enriched.is_delivered",
        "fact_orders.is_delivered",
        "mart_executive_dashboard.delivered_orders",
    )
)
def is_delivered(order: OrderFacts) -> Fact[bool]:
    """Whether the order reached its customer."""
    return order.order_status == OrderStatus.DELIVERED.value


@derivation(
    replaces=(
        "int_orders_enriched.is_canceled",
        "fact_orders.is_canceled",
        "int_sellers.canceled_orders",
        "mart_executive_dashboard.canceled_orders",
    )
)
def is_canceled(order: OrderFacts) -> Fact[bool]:
    """Whether the order was cancelled."""
    return order.order_status == OrderStatus.CANCELED.value


@derivation(
    replaces=(
        "int_orders_enriched.is_sale",
        "int_customers.is_sale",
        "int_sellers.sale_orders",
        "mart_executive_dashboard.sale_orders",
        "mart_geographic_analysis.sale_orders",
        "mart_product_performance.sale_items",
    )
)
def is_sale(order: OrderFacts) -> Fact[bool]:
    """Whether the order counts as a sale: neither cancelled nor unavailable."""
    return ~order.order_status.is_in([status.value for status in LOST_SALES])


@derivation(
    replaces=(
        "int_orders_enriched.revenue",
        "fact_orders.revenue",
        "int_customers.revenue",
        "int_sellers.revenue",
        "mart_cohort_analysis.revenue",
        "mart_executive_dashboard.revenue",
        "mart_geographic_analysis.revenue",
        "mart_product_performance.revenue",
    )
)
def revenue(order: OrderFacts) -> Fact[Decimal]:
    """What the order brings in: its total where it counts as a sale, else nothing."""
    return choose((is_sale(order), total_amount(order)), default=NO_MONEY)


@derivation(
    replaces=(
        "fact_payments.is_instalment",
        "mart_executive_dashboard.instalment_payments",
        "mart_executive_dashboard.instalment_payment_share",
    )
)
def is_instalment(payment: PaymentFacts) -> Fact[bool]:
    """Whether the payment is made in more than one instalment."""
    return payment.payment_installments > 1


def paid_at(order: OrderFacts) -> Fact[datetime]:
    """When the order's payments count as received: its approval, else its purchase."""
    return choose((~order.order_approved_at.is_null(), order.order_approved_at), default=order.order_purchase_timestamp)


ORDER_DERIVATIONS: tuple[Derivation[OrderFacts], ...] = (
    total_amount,
    order_validity,
    has_payment_mismatch,
    is_multivendor,
    is_delivered,
    is_canceled,
    is_sale,
    revenue,
)


ORDER_ITEM_DERIVATIONS: tuple[Derivation[OrderItemFacts], ...] = (item_total_amount,)


PAYMENT_DERIVATIONS: tuple[Derivation[PaymentFacts], ...] = (is_instalment,)
