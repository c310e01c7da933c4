"""What other contexts publish and the customer context reads: accepted orders and their reviews.

What belongs here: the columns of published records that a person's history is made of. What does not: how
the other contexts come to them.
"""

from datetime import datetime
from decimal import Decimal

from olist_domain.kernel.records import Record


class PublishedOrder(Record):
    """One accepted order, as sales publishes it; `revenue` in BRL is zero for an order that is no sale."""

    order_id: str
    customer_id: str
    order_purchase_timestamp: datetime
    is_sale: bool
    revenue: Decimal


class PublishedReview(Record):
    """One accepted review of an order, as the marketplace publishes it."""

    order_id: str
    review_score: int
