"""Ports through which fulfillment finds and keeps its deliveries and places.

What belongs here: what a store of each must be able to do. What does not: any store (adapters live in the
pipeline; tests bring fakes).
"""

from __future__ import annotations

from typing import Protocol

from olist_domain.fulfillment.delivery import Delivery
from olist_domain.fulfillment.geography import Geography


class DeliveryNotFoundError(LookupError):
    """No accepted order of that id has a delivery."""

    def __init__(self, order_id: str) -> None:
        self.order_id = order_id
        super().__init__(f"No accepted order has the id {order_id}, so there is no delivery of it")


class DeliveryRepository(Protocol):
    """A collection of the deliveries of accepted orders."""

    def get(self, order_id: str) -> Delivery:
        """Return the delivery of an order; raises DeliveryNotFoundError."""

    def add(self, delivery: Delivery) -> None:
        """Keep the delivery as it stands, in place of what was kept under its order."""


class GeographyRepository(Protocol):
    """The places that accepted geolocation tells of."""

    def find(self, zip_code_prefix: str) -> Geography | None:
        """Return the place of a zip prefix; None for one that geolocation does not know."""
