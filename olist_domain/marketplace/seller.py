"""Seller: who offers products, and from where.

What belongs here: the entity, its identity and what its record tells. What does not: how well it sells.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from olist_domain.kernel.address import Address
from olist_domain.kernel.aggregate import Entity
from olist_domain.marketplace.events import SELLER_HISTORY
from olist_domain.marketplace.facts import SellerFacts, seller_facts
from olist_domain.marketplace.records import SellerRecord
from olist_domain.marketplace.rules import SELLER_RULES


@dataclass(frozen=True, eq=False)
class Seller(Entity):
    """A seller; two sellers are the same when their ids are.

    `first_sold_at` is the purchase of the first accepted order that names the seller, None while there is none.
    """

    record: SellerRecord
    first_sold_at: datetime | None = None

    rules = SELLER_RULES
    milestones = SELLER_HISTORY
    identity = ("seller_id",)

    @property
    def seller_id(self) -> str:
        """The seller's identity."""
        return self.record.seller_id

    @property
    def subject(self) -> str:
        """What a violation calls the seller."""
        return f"seller {self.seller_id}"

    @property
    def address(self) -> Address:
        """Where the seller sends from."""
        return Address(self.record.seller_zip_code_prefix, self.record.seller_city, self.record.seller_state)

    def facts(self) -> SellerFacts:
        """Return the facts of the seller."""
        return seller_facts(self.record, self.first_sold_at)
