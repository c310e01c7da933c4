"""The vocabulary of deliveries.

What belongs here: how a delivery went, and the statuses of sales that fulfillment acts on. What does not:
the other statuses of an order, and who belongs to which group (see `derivations`).
"""

from enum import StrEnum


class DeliveryPerformance(StrEnum):
    """How a delivery kept the promised date."""

    ON_TIME = "ON_TIME"
    SLIGHTLY_LATE = "SLIGHTLY_LATE"
    VERY_LATE = "VERY_LATE"


APPROVED, SHIPPED, DELIVERED = "approved", "shipped", "delivered"
"""Statuses that a delivery takes its order through, in the spelling that sales publishes."""

CALLED_OFF = ("canceled", "unavailable")
"""Statuses of orders that nothing is sent for."""
