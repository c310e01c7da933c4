"""Orders from staging: the adapter of the sales port.

What belongs here: making orders of staged rows. What does not: validating rows, and writing staging, which
validation alone does.
"""

from __future__ import annotations

from olist_domain.sales.order import Order, OrderRecords
from olist_domain.sales.records import OrderItemRecord, OrderRecord, PaymentRecord
from olist_domain.sales.repositories import OrderNotFoundError
from olist_pipeline.staging import Staged, find_records


class StagedOrders(Staged[Order]):
    """The accepted orders of a staging folder; see `OrderRepository`."""

    def get(self, order_id: str) -> Order:
        """Return the order with its items and payments; raises OrderNotFoundError, OlistError without staging."""
        if order_id in self._added:
            return self._added[order_id]
        orders = find_records(self._staging, "sales/orders", OrderRecord, order_id=[order_id])
        if not orders:
            raise OrderNotFoundError(order_id)
        items = find_records(self._staging, "sales/order_items", OrderItemRecord, order_id=[order_id])
        payments = find_records(self._staging, "sales/order_payments", PaymentRecord, order_id=[order_id])
        items.sort(key=lambda item: item.order_item_id)
        payments.sort(key=lambda payment: payment.payment_sequential)
        return Order.from_records(OrderRecords(orders[0], items, payments))

    def add(self, order: Order) -> None:
        """Keep the order as it stands, in place of what was kept under its id."""
        self._added[order.order_id] = order
