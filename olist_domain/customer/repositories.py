"""Ports through which the customer context finds and keeps its aggregates.

What belongs here: what a store of customers must be able to do. What does not: any store (adapters live in
the pipeline; tests bring fakes).
"""

from __future__ import annotations

from typing import Protocol

from olist_domain.customer.customer import Customer


class CustomerNotFoundError(LookupError):
    """No accepted customer is that person."""

    def __init__(self, customer_unique_id: str) -> None:
        self.customer_unique_id = customer_unique_id
        super().__init__(f"No accepted customer has the unique id {customer_unique_id}")


class CustomerRepository(Protocol):
    """A collection of accepted customers, a person each."""

    def get(self, customer_unique_id: str) -> Customer:
        """Return the person with address, orders and reviews; raises CustomerNotFoundError."""

    def add(self, customer: Customer) -> None:
        """Keep the customer as it stands, in place of what was kept under its unique id."""
