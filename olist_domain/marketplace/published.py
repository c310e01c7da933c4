"""What sales publishes and the marketplace reads: when accepted orders were placed, and what they name.

What belongs here: the columns of published records that reviews, sellers and products are validated by. What
does not: how sales comes to them.
"""

from datetime import datetime

from olist_domain.kernel.records import Record


class PublishedOrder(Record):
    """One accepted order, as sales publishes it."""

    order_id: str
    order_purchase_timestamp: datetime


class PublishedItem(Record):
    """One item of an accepted order, as sales publishes it."""

    order_id: str
    product_id: str
    seller_id: str
