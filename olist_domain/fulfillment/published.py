"""What other contexts publish and fulfillment reads: accepted orders, and who sends and receives them.

What belongs here: the columns of published records that a delivery is made of. What does not: how the other
contexts come to them.
"""

from datetime import datetime

from olist_domain.kernel.records import Record


class PublishedOrder(Record):
    """One accepted order, as sales publishes it; the milestones that it has not reached are missing."""

    order_id: str
    customer_id: str
    order_status: str
    order_purchase_timestamp: datetime
    order_approved_at: datetime | None = None
    order_delivered_carrier_date: datetime | None = None
    order_delivered_customer_date: datetime | None = None
    order_estimated_delivery_date: datetime


class PublishedItem(Record):
    """One item of an accepted order, as sales publishes it; the first one tells who sends the order."""

    order_id: str
    order_item_id: int
    seller_id: str


class PublishedCustomer(Record):
    """One accepted customer of an order, as the customer context publishes it."""

    customer_id: str
    customer_zip_code_prefix: str
    customer_state: str


class PublishedSeller(Record):
    """One accepted seller, as the marketplace publishes it."""

    seller_id: str
    seller_zip_code_prefix: str
    seller_state: str
