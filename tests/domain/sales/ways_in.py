"""The ways by which orders, items and payments come in: from records, and by what an order does."""

from datetime import timedelta
from decimal import Decimal

from olist_domain.sales.order import Order
from olist_domain.sales.order_item import OrderItem
from olist_domain.sales.payment import Payment
from olist_domain.sales.records import OrderRecord
from olist_domain.sales.rules import ORDER_ITEM_RULES, ORDER_RULES, PAYMENT_RULES
from tests.domain.rulebooks import Behaviours, Causes, Reasons
from tests.domain.sales.factories import ORDER_ID, PURCHASE, item_record, order_record, payment_record, records

TWELVE = {"price": Decimal("10.00"), "freight_value": Decimal("2.00")}
"""The amounts of the valid item that examples change (`VALID` in `test_rules.py`): they are changed here, too."""


def of(kind, changes):
    return {name: value for name, value in changes.items() if name in kind.model_fields}


def order(**changes):
    items = [item_record(**TWELVE)] if changes.get("total_items", 1) else []
    value = changes.get("total_payment", Decimal("12.00"))
    payments = [payment_record(payment_value=value)] if changes.get("total_payments", 1) else []
    return Order.from_records(records(order_record(**of(OrderRecord, changes)), items, payments))


def place(*items):
    return Order.place(
        order_id=ORDER_ID,
        customer_id="c1",
        at=PURCHASE,
        estimated_delivery=PURCHASE + timedelta(days=20),
        items=[OrderItem(item_record()), *items],
    )


def created():
    """An order of the source that is still open."""
    return Order.from_records(
        records(
            order_record(
                order_status="created",
                order_approved_at=None,
                order_delivered_carrier_date=None,
                order_delivered_customer_date=None,
            )
        )
    )


def approved():
    placed = place()
    placed.add_payment(Payment(payment_record()), PURCHASE)
    placed.approve(PURCHASE)
    return placed


def shipped():
    order = approved()
    order.ship(PURCHASE)
    return order


def second(**changes):
    return Payment(payment_record(payment_sequential=2, **changes))


def line(**changes):
    return OrderItem(item_record(order_item_id=2, **{**TWELVE, **changes}))


ACCEPTED: Behaviours = {
    ORDER_RULES: [order],
    ORDER_ITEM_RULES: [
        lambda **changes: OrderItem(item_record(**{**TWELVE, **changes})),
        lambda **changes: Order.from_records(records(items=[item_record(**{**TWELVE, **changes})])),
    ],
    PAYMENT_RULES: [
        lambda **changes: Payment(payment_record(**changes)),
        lambda **changes: Order.from_records(records(payments=[payment_record(**changes)])),
    ],
}
"""By rulebook: what makes an object of records with changes."""

BEHAVIOURS: Behaviours = {
    ORDER_ITEM_RULES: [
        lambda **changes: place(line(**changes)),
        lambda **changes: created().add_item(line(**changes)),
    ],
    PAYMENT_RULES: [lambda **changes: created().add_payment(second(**changes), PURCHASE)],
}
"""By rulebook: what brings an object with changes into an order."""

CAUSED: Causes = {
    "ORDER_WITHOUT_ITEMS": [
        lambda: Order.place(order_id=ORDER_ID, customer_id="c1", at=PURCHASE, estimated_delivery=PURCHASE, items=[])
    ],
    "APPROVED_ORDER_PAYMENT_MISMATCH": [
        lambda: place().approve(PURCHASE),
        lambda: approved().add_payment(second(), PURCHASE),
    ],
    "ORDER_DELIVERED_BEFORE_PURCHASE": [lambda: shipped().mark_delivered(PURCHASE - timedelta(seconds=1))],
    "PAYMENT_MISMATCH": [lambda: shipped().add_payment(second(), PURCHASE)],
    "CANCELLED_AFTER_DELIVERY": [lambda: order().cancel(PURCHASE, "late")],
}
"""By code: behaviours of the aggregate that would break the rule."""

OUT_OF_REACH: Reasons = {
    "ORDER_STATUS_UNKNOWN": "every behaviour takes one of the eight",
    "ORDER_WITHOUT_PAYMENT": "no behaviour takes a payment away",
}
