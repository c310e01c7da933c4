"""The rules of sales, each with its one definition, and the rulebooks of order, item and payment.

What belongs here: business invariants. What does not: structure (missing or unparseable cells, duplicate
keys, orphans), which intake validates before a record exists.
"""

from __future__ import annotations

from olist_domain.kernel.facts import Fact
from olist_domain.kernel.money import is_not_negative
from olist_domain.kernel.rules import Rulebook, Severity, rule
from olist_domain.sales.derivations import (
    ORDER_DERIVATIONS,
    ORDER_ITEM_DERIVATIONS,
    PAYMENT_DERIVATIONS,
    has_payment_mismatch,
    is_approved_unpaid,
    is_canceled,
    is_empty,
    is_instalment,
)
from olist_domain.sales.facts import OrderFacts, OrderItemFacts, PaymentFacts
from olist_domain.sales.status import SINGLE_INSTALMENT_TYPES, OrderStatus, PaymentType

MOST_INSTALMENTS = 24


@rule(
    "ORDER_WITHOUT_ITEMS",
    Severity.REJECT,
    replaces=("int_orders_enriched.order_validity", "fact_orders.order_validity"),
)
def has_items(order: OrderFacts) -> Fact[bool]:
    """An order has at least one item."""
    return ~is_empty(order)


@rule(
    "APPROVED_ORDER_PAYMENT_MISMATCH",
    Severity.REJECT,
    replaces=("int_orders_enriched.order_validity", "fact_orders.order_validity"),
)
def approved_order_is_paid(order: OrderFacts) -> Fact[bool]:
    """The payments of an approved order equal its total, within 0.01."""
    return ~is_approved_unpaid(order)


@rule("ORDER_DELIVERED_BEFORE_PURCHASE", Severity.REJECT, replaces=("stg_orders.validated_delivery_date",))
def is_delivered_after_purchase(order: OrderFacts) -> Fact[bool]:
    """An order is not delivered before it is purchased."""
    return order.order_delivered_customer_date >= order.order_purchase_timestamp


@rule("ORDER_STATUS_UNKNOWN", Severity.REJECT, replaces=("stg_orders.order_status",))
def has_known_status(order: OrderFacts) -> Fact[bool]:
    """The status of an order is one of the eight that the business knows."""
    return order.order_status.is_in([status.value for status in OrderStatus])


@rule(
    "PAYMENT_MISMATCH",
    Severity.FLAG,
    replaces=("int_orders_enriched.has_payment_mismatch", "fact_orders.has_payment_mismatch"),
)
def is_paid_exactly(order: OrderFacts) -> Fact[bool]:
    """The payments of an order equal its total, within 0.01, whatever its status."""
    return ~has_payment_mismatch(order)


@rule("ORDER_WITHOUT_PAYMENT", Severity.FLAG)
def has_payment(order: OrderFacts) -> Fact[bool]:
    """An order has at least one payment."""
    return order.total_payments > 0


@rule("CANCELLED_AFTER_DELIVERY", Severity.FLAG)
def is_not_cancelled_after_delivery(order: OrderFacts) -> Fact[bool]:
    """A delivered order is not cancelled."""
    return ~is_canceled(order) | order.order_delivered_customer_date.is_null()


@rule("NEGATIVE_AMOUNT", Severity.REJECT, replaces=("stg_order_items.price", "stg_order_items.freight_value"))
def item_amounts_are_not_negative(item: OrderItemFacts) -> Fact[bool]:
    """Price and freight of an item are not negative."""
    return is_not_negative(item.price) & is_not_negative(item.freight_value)


@rule(
    "NEGATIVE_AMOUNT",
    Severity.REJECT,
    replaces=("stg_order_payments.payment_value", "stg_order_payments.is_valid_payment"),
)
def payment_is_not_negative(payment: PaymentFacts) -> Fact[bool]:
    """The value of a payment is not negative."""
    return is_not_negative(payment.payment_value)


@rule("PAYMENT_TYPE_UNDEFINED", Severity.FLAG, replaces=("stg_order_payments.is_valid_payment",))
def has_defined_payment_type(payment: PaymentFacts) -> Fact[bool]:
    """A payment is made by credit card, boleto, voucher or debit card."""
    return payment.payment_type.is_in([kind.value for kind in PaymentType])


@rule("PAYMENT_VALUE_ZERO", Severity.FLAG)
def has_value(payment: PaymentFacts) -> Fact[bool]:
    """The value of a payment is not zero."""
    return payment.payment_value != 0


@rule("INSTALMENTS_OUT_OF_RANGE", Severity.FLAG)
def has_possible_instalments(payment: PaymentFacts) -> Fact[bool]:
    """A payment is made in 1 to 24 instalments."""
    return (payment.payment_installments >= 1) & (payment.payment_installments <= MOST_INSTALMENTS)


@rule("INSTALMENTS_NOT_ALLOWED", Severity.FLAG)
def has_allowed_instalments(payment: PaymentFacts) -> Fact[bool]:
    """A payment by boleto or voucher is made in one instalment."""
    at_once = payment.payment_type.is_in([kind.value for kind in SINGLE_INSTALMENT_TYPES])
    return ~at_once | ~is_instalment(payment)


ORDER_RULES = Rulebook(
    context="sales",
    subject="order",
    table="orders",
    facts=OrderFacts,
    rules=(
        has_items,
        approved_order_is_paid,
        is_delivered_after_purchase,
        has_known_status,
        is_paid_exactly,
        has_payment,
        is_not_cancelled_after_delivery,
    ),
    derivations=ORDER_DERIVATIONS,
)

ORDER_ITEM_RULES = Rulebook(
    context="sales",
    subject="order item",
    table="order_items",
    facts=OrderItemFacts,
    rules=(item_amounts_are_not_negative,),
    derivations=ORDER_ITEM_DERIVATIONS,
)

PAYMENT_RULES = Rulebook(
    context="sales",
    subject="payment",
    table="order_payments",
    facts=PaymentFacts,
    rules=(
        payment_is_not_negative,
        has_defined_payment_type,
        has_value,
        has_possible_instalments,
        has_allowed_instalments,
    ),
    derivations=PAYMENT_DERIVATIONS,
)
