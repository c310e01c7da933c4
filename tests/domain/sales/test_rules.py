"""Every rule of sales, on an object: a passing, a failing and an unknown case."""

from datetime import timedelta
from decimal import Decimal

from olist_domain.kernel.rules import Severity
from olist_domain.sales.rules import ORDER_ITEM_RULES, ORDER_RULES, PAYMENT_RULES
from tests.domain.sales.factories import PURCHASE

VALID = {
    ORDER_RULES: {
        "order_id": "o1",
        "customer_id": "c1",
        "order_status": "delivered",
        "order_purchase_timestamp": PURCHASE,
        "order_approved_at": PURCHASE,
        "order_delivered_carrier_date": PURCHASE,
        "order_delivered_customer_date": PURCHASE + timedelta(days=5),
        "total_items": 1,
        "num_sellers": 1,
        "total_price": Decimal("10.00"),
        "total_freight": Decimal("2.00"),
        "total_payments": 1,
        "total_payment": Decimal("12.00"),
    },
    ORDER_ITEM_RULES: {"price": Decimal("10.00"), "freight_value": Decimal("2.00"), "seller_id": "s1"},
    PAYMENT_RULES: {
        "order_id": "o1",
        "payment_sequential": 1,
        "payment_type": "credit_card",
        "payment_installments": 3,
        "payment_value": Decimal("12.00"),
        "received_at": PURCHASE,
    },
}

REJECT, FLAG = Severity.REJECT, Severity.FLAG
# book, code, severity, changes that pass, changes that fail, changes that leave it unknown
CASES = [
    (ORDER_RULES, "ORDER_WITHOUT_ITEMS", REJECT, {"total_items": 1}, {"total_items": 0}, {"total_items": None}),
    *(
        (
            ORDER_RULES,
            "APPROVED_ORDER_PAYMENT_MISMATCH",
            REJECT,
            passing,
            {"order_status": "approved", "total_payment": Decimal("12.02")},
            {"order_status": "approved", "total_payment": None},
        )
        for passing in (
            {"order_status": "approved", "total_payment": Decimal("12.01")},
            {"order_status": "shipped", "total_payment": Decimal("12.02")},
            {"order_status": "a status that nobody knows", "total_payment": Decimal("12.02")},
        )
    ),
    (
        ORDER_RULES,
        "ORDER_DELIVERED_BEFORE_PURCHASE",
        REJECT,
        {"order_delivered_customer_date": PURCHASE},
        {"order_delivered_customer_date": PURCHASE - timedelta(seconds=1)},
        {"order_delivered_customer_date": None},
    ),
    (
        ORDER_RULES,
        "ORDER_STATUS_UNKNOWN",
        REJECT,
        {"order_status": "unavailable"},
        {"order_status": "lost"},
        {"order_status": None},
    ),
    (
        ORDER_RULES,
        "PAYMENT_MISMATCH",
        FLAG,
        {"total_payment": Decimal("11.99")},
        {"total_payment": Decimal("11.98")},
        {"total_freight": None},
    ),
    (
        ORDER_RULES,
        "ORDER_WITHOUT_PAYMENT",
        FLAG,
        {"total_payments": 1},
        {"total_payments": 0},
        {"total_payments": None},
    ),
    (
        ORDER_RULES,
        "CANCELLED_AFTER_DELIVERY",
        FLAG,
        {"order_status": "canceled", "order_delivered_customer_date": None},
        {"order_status": "canceled"},
        {"order_status": None},
    ),
    (
        ORDER_ITEM_RULES,
        "NEGATIVE_AMOUNT",
        REJECT,
        {"price": Decimal("0.00")},
        {"freight_value": Decimal("-0.01")},
        {"price": None},
    ),
    (
        PAYMENT_RULES,
        "NEGATIVE_AMOUNT",
        REJECT,
        {"payment_value": Decimal("0.00")},
        {"payment_value": Decimal("-0.01")},
        {"payment_value": None},
    ),
    (
        PAYMENT_RULES,
        "PAYMENT_TYPE_UNDEFINED",
        FLAG,
        {"payment_type": "boleto", "payment_installments": 1},
        {"payment_type": "not_defined"},
        {"payment_type": None},
    ),
    *(
        (
            PAYMENT_RULES,
            "PAYMENT_VALUE_ZERO",
            FLAG,
            {"payment_value": Decimal(passing)},
            {"payment_value": Decimal("0.00")},
            {"payment_value": None},
        )
        for passing in ("0.01", "-0.01")
    ),
    *(
        (
            PAYMENT_RULES,
            "INSTALMENTS_OUT_OF_RANGE",
            FLAG,
            {"payment_installments": passing},
            {"payment_installments": failing},
            {"payment_installments": None},
        )
        for passing, failing in ((1, 0), (24, 25))
    ),
    *(
        (
            PAYMENT_RULES,
            "INSTALMENTS_NOT_ALLOWED",
            FLAG,
            {"payment_type": kind, "payment_installments": 1},
            {"payment_type": kind, "payment_installments": 2},
            {"payment_type": kind, "payment_installments": None},
        )
        for kind in ("boleto", "voucher")
    ),
]
