"""Payment: one payment of an order.

What belongs here: the entity and its identity. What does not: whether payments cover the order.
"""

from __future__ import annotations

from dataclasses import dataclass

from olist_domain.kernel.aggregate import Entity, RuledRecords
from olist_domain.kernel.money import Money
from olist_domain.sales.facts import PaymentFacts, payment_facts
from olist_domain.sales.records import PaymentRecord
from olist_domain.sales.rules import PAYMENT_RULES


@dataclass(frozen=True)
class PaymentRecords(RuledRecords):
    """The record of a payment, accepted or not."""

    record: PaymentRecord

    rules = PAYMENT_RULES

    @property
    def subject(self) -> str:
        """What a violation calls the payment."""
        return f"payment {self.record.payment_sequential} of order {self.record.order_id}"

    def facts(self) -> PaymentFacts:
        """Return the facts of the payment; when it arrived is its order's to say."""
        return payment_facts(self.record, None)


@dataclass(frozen=True, eq=False)
class Payment(Entity, PaymentRecords):
    """A payment of an order; two payments are the same when order and sequence number are."""

    identity = ("order_id", "payment_sequential")

    @property
    def order_id(self) -> str:
        """The order, one half of the payment's identity."""
        return self.record.order_id

    @property
    def payment_sequential(self) -> int:
        """The sequence number, the other half of the payment's identity."""
        return self.record.payment_sequential

    @property
    def payment_value(self) -> Money:
        """What was paid."""
        return Money(self.record.payment_value)
