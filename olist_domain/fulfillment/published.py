"""What sales publishes and the fulfillment context reads: accepted orders, as far as they concern a delivery.

What belongs here: the columns of published records that a delivery is made of. What does not: how sales
comes to them.
"""

from datetime import datetime

from olist_domain.kernel.records import Record


class PublishedOrder(Record):
    """One accepted order, as sales publishes it; the milestones that it has not reached are missing."""

    order_id: str
    order_status: str
    order_purchase_timestamp: datetime
    order_approved_at: datetime | None = None
    order_delivered_carrier_date: datetime | None = None
    order_delivered_customer_date: datetime | None = None
    order_estimated_delivery_date: datetime
