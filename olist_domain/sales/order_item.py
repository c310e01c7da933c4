"""OrderItem: one line of an order.

What belongs here: the entity, its identity and its total. What does not: rules over the whole order.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from olist_domain.kernel.money import Money
from olist_domain.kernel.rules import RulesBroken
from olist_domain.sales.facts import item_facts
from olist_domain.sales.records import OrderItemRecord
from olist_domain.sales.rules import ORDER_ITEM_RULES


@dataclass(frozen=True, eq=False)
class OrderItem:
    """A line of an order; two items are the same when order and line number are.

    Raises ValueError for an empty identity; Money refuses negative amounts.
    """

    order_id: str
    order_item_id: int
    product_id: str
    seller_id: str
    price: Money
    freight_value: Money
    shipping_limit_date: datetime

    def __post_init__(self) -> None:
        if not self.order_id or self.order_item_id < 1:
            raise ValueError("An order item needs an order id and a line number from 1")

    @classmethod
    def from_record(cls, record: OrderItemRecord) -> OrderItem:
        """Return the item of a record; raises RulesBroken with every rule that it breaks."""
        violations = ORDER_ITEM_RULES.violations(
            item_facts(record), f"item {record.order_item_id} of order {record.order_id}"
        )
        if violations:
            raise RulesBroken(violations)
        amounts = {"price": Money(record.price), "freight_value": Money(record.freight_value)}
        return cls(**{**dict(record), **amounts})

    def record(self) -> OrderItemRecord:
        """Return the item as a record."""
        amounts = {"price": self.price.amount, "freight_value": self.freight_value.amount}
        return OrderItemRecord.model_construct(**{**vars(self), **amounts})

    @property
    def total_amount(self) -> Money:
        """Price and freight."""
        return self.price + self.freight_value

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, OrderItem):
            return NotImplemented
        return (self.order_id, self.order_item_id) == (other.order_id, other.order_item_id)

    def __hash__(self) -> int:
        return hash((self.order_id, self.order_item_id))
