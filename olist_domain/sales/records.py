"""Sales records: typed rows of orders, items and payments, as intake publishes them.

What belongs here: columns, their types and whether they may be missing. What does not: rules.
"""

from datetime import datetime
from decimal import Decimal

from olist_domain.kernel.records import Record


class OrderRecord(Record):
    """One row of `olist_orders_dataset.csv`; the milestones that an order has not reached are missing."""

    order_id: str
    customer_id: str
    order_status: str
    order_purchase_timestamp: datetime
    order_approved_at: datetime | None = None
    order_delivered_carrier_date: datetime | None = None
    order_delivered_customer_date: datetime | None = None
    order_estimated_delivery_date: datetime


class OrderItemRecord(Record):
    """One row of `olist_order_items_dataset.csv`; `order_item_id` counts from 1 within its order."""

    order_id: str
    order_item_id: int
    product_id: str
    seller_id: str
    shipping_limit_date: datetime
    price: Decimal
    freight_value: Decimal


class PaymentRecord(Record):
    """One row of `olist_order_payments_dataset.csv`; `payment_sequential` counts within its order."""

    order_id: str
    payment_sequential: int
    payment_type: str
    payment_installments: int
    payment_value: Decimal
