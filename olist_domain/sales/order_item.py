"""OrderItem: one line of an order.

What belongs here: the entity, its identity and its total. What does not: rules over the whole order.
"""

from __future__ import annotations

from dataclasses import dataclass

from olist_domain.kernel.aggregate import Entity, RuledRecords
from olist_domain.kernel.money import Money
from olist_domain.sales.facts import OrderItemFacts, item_facts
from olist_domain.sales.records import OrderItemRecord
from olist_domain.sales.rules import ORDER_ITEM_RULES


@dataclass(frozen=True)
class ItemRecords(RuledRecords):
    """The record of an item, accepted or not."""

    record: OrderItemRecord

    rules = ORDER_ITEM_RULES

    @property
    def subject(self) -> str:
        """What a violation calls the item."""
        return f"item {self.record.order_item_id} of order {self.record.order_id}"

    def facts(self) -> OrderItemFacts:
        """Return the facts of the item."""
        return item_facts(self.record)


@dataclass(frozen=True, eq=False)
class OrderItem(Entity, ItemRecords):
    """A line of an order; two items are the same when order and line number are."""

    identity = ("order_id", "order_item_id")

    @property
    def order_id(self) -> str:
        """The order, one half of the item's identity."""
        return self.record.order_id

    @property
    def order_item_id(self) -> int:
        """The line number, the other half of the item's identity."""
        return self.record.order_item_id

    @property
    def total_amount(self) -> Money:
        """Price and freight."""
        return Money(self.derived()["total_amount"])
