"""Payment: one payment of an order.

What belongs here: the entity and its identity. What does not: whether payments cover the order.
"""

from __future__ import annotations

from dataclasses import dataclass

from olist_domain.kernel.money import Money
from olist_domain.sales.records import PaymentRecord


@dataclass(frozen=True, eq=False)
class Payment:
    """A payment of an order; two payments are the same when order and sequence number are.

    `payment_type` is text because the source knows types that the business does not (they are flagged).
    """

    order_id: str
    payment_sequential: int
    payment_type: str
    payment_installments: int
    payment_value: Money

    @classmethod
    def from_record(cls, record: PaymentRecord) -> Payment:
        """Return the payment of a record; raises ValueError for a negative value."""
        return cls(**{**dict(record), "payment_value": Money(record.payment_value)})

    def record(self) -> PaymentRecord:
        """Return the payment as a record."""
        return PaymentRecord.model_construct(**{**vars(self), "payment_value": self.payment_value.amount})

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Payment):
            return NotImplemented
        return (self.order_id, self.payment_sequential) == (other.order_id, other.payment_sequential)

    def __hash__(self) -> int:
        return hash((self.order_id, self.payment_sequential))
