"""Customers from staging: the adapter of the customer port.

What belongs here: making persons, with their history, of staged rows. What does not: validating rows, and
writing staging, which validation alone does.
"""

from __future__ import annotations

from olist_domain.customer.customer import Customer, CustomerRecords
from olist_domain.customer.published import PublishedOrder, PublishedReview
from olist_domain.customer.records import CustomerRecord
from olist_domain.customer.repositories import CustomerNotFoundError
from olist_pipeline.staging import Staged, find_records


class StagedCustomers(Staged[Customer]):
    """The accepted customers of a staging folder, a person each; see `CustomerRepository`."""

    def get(self, customer_unique_id: str) -> Customer:
        """Return the person with address, orders and reviews.

        Raises CustomerNotFoundError, and OlistError without staging.
        """
        if customer_unique_id in self._added:
            return self._added[customer_unique_id]
        read = self._staging
        customers = find_records(read, "customer/customers", CustomerRecord, customer_unique_id=[customer_unique_id])
        if not customers:
            raise CustomerNotFoundError(customer_unique_id)
        ids = [customer.customer_id for customer in customers]
        orders = find_records(read, "sales/orders", PublishedOrder, customer_id=ids)
        order_ids = [order.order_id for order in orders]
        reviews = find_records(read, "marketplace/order_reviews", PublishedReview, order_id=order_ids)
        orders.sort(key=lambda order: (order.order_purchase_timestamp, order.order_id))
        return Customer.from_records(CustomerRecords(customers, orders, reviews))

    def add(self, customer: Customer) -> None:
        """Keep the customer as it stands, in place of what was kept under its unique id."""
        self._added[customer.customer_unique_id] = customer
