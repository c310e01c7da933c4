"""Seller: who offers products, and from where.

What belongs here: the entity, its identity and what its record tells. What does not: how well it sells.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from olist_domain.kernel.address import Address
from olist_domain.kernel.events import DomainEvent, history
from olist_domain.marketplace.events import SELLER_HISTORY
from olist_domain.marketplace.facts import SellerFacts, seller_facts
from olist_domain.marketplace.records import SellerRecord
from olist_domain.marketplace.rules import SELLER_RULES


@dataclass(frozen=True, eq=False)
class Seller:
    """A seller; two sellers are the same when their ids are.

    `first_sold_at` is the purchase of the first accepted order that names the seller, None while there is none.
    """

    seller_id: str
    address: Address
    first_sold_at: datetime | None = None

    @classmethod
    def from_record(cls, record: SellerRecord, first_sold_at: datetime | None = None) -> Seller:
        """Return the seller of a record; raises RulesBroken with every rejecting rule that it breaks."""
        SELLER_RULES.admit(seller_facts(record, first_sold_at), f"seller {record.seller_id}")
        address = Address(record.seller_zip_code_prefix, record.seller_city, record.seller_state)
        return cls(record.seller_id, address, first_sold_at)

    def record(self) -> SellerRecord:
        """Return the seller as a record."""
        return SellerRecord(
            seller_id=self.seller_id,
            seller_zip_code_prefix=self.address.zip_code_prefix,
            seller_city=self.address.city,
            seller_state=self.address.state,
        )

    def facts(self) -> SellerFacts:
        """Return the facts of the seller."""
        return seller_facts(self.record(), self.first_sold_at)

    def derived(self) -> dict[str, Any]:
        """Return the derived attributes of the seller, by name."""
        return SELLER_RULES.derived(self.facts())

    def history(self) -> list[DomainEvent]:
        """Return the events that the record tells of."""
        return history(SELLER_HISTORY, self.facts())

    def __eq__(self, other: object) -> bool:
        return self.seller_id == other.seller_id if isinstance(other, Seller) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.seller_id)
