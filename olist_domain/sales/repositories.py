"""Ports through which the sales context finds and keeps its aggregates.

What belongs here: what a store of orders must be able to do. What does not: any store (adapters live in
the pipeline; tests bring fakes).
"""

from __future__ import annotations

from typing import Protocol

from olist_domain.sales.order import Order


class OrderNotFoundError(LookupError):
    """No accepted order has that id."""

    def __init__(self, order_id: str) -> None:
        self.order_id = order_id
        super().__init__(f"No accepted order has the id {order_id}")


class OrderRepository(Protocol):
    """A collection of accepted orders."""

    def get(self, order_id: str) -> Order:
        """Return the order with its items and payments; raises OrderNotFoundError."""

    def add(self, order: Order) -> None:
        """Keep the order as it stands, in place of what was kept under its id."""
