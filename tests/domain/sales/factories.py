"""Records of sales for tests: a valid order, of which a test changes what it is about."""

from datetime import datetime
from decimal import Decimal

from olist_domain.sales.order import OrderRecords
from olist_domain.sales.records import OrderItemRecord, OrderRecord, PaymentRecord
from tests.domain.fresh import fresh_cells

PURCHASE = datetime(2018, 1, 2, 10, 30)
ORDER_ID = "e481f51cbdc54678b7cc49136f2d6af7"


def order_record(**changes):
    valid = {
        "order_id": ORDER_ID,
        "customer_id": "c1",
        "order_status": "delivered",
        "order_purchase_timestamp": PURCHASE,
        "order_approved_at": datetime(2018, 1, 2, 11),
        "order_delivered_carrier_date": datetime(2018, 1, 4),
        "order_delivered_customer_date": datetime(2018, 1, 9),
        "order_estimated_delivery_date": datetime(2018, 1, 20),
    }
    return OrderRecord(**fresh_cells({**valid, **changes}))


def item_record(**changes):
    valid = {
        "order_id": ORDER_ID,
        "order_item_id": 1,
        "product_id": "p1",
        "seller_id": "s1",
        "shipping_limit_date": datetime(2018, 1, 5),
        "price": Decimal("58.90"),
        "freight_value": Decimal("13.29"),
    }
    return OrderItemRecord(**fresh_cells({**valid, **changes}))


def payment_record(**changes):
    valid = {
        "order_id": ORDER_ID,
        "payment_sequential": 1,
        "payment_type": "credit_card",
        "payment_installments": 2,
        "payment_value": Decimal("72.19"),
    }
    return PaymentRecord(**fresh_cells({**valid, **changes}))


def records(order=None, items=None, payments=None):
    return OrderRecords(
        order or order_record(),
        [item_record()] if items is None else items,
        [payment_record()] if payments is None else payments,
    )
