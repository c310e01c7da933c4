"""Category: what kind of thing a product is, with its name in two languages.

What belongs here: the entity and its identity. What does not: which products are in it.
"""

from __future__ import annotations

from dataclasses import dataclass

from olist_domain.kernel.aggregate import Entity
from olist_domain.kernel.facts import scalars
from olist_domain.marketplace.facts import CategoryFacts
from olist_domain.marketplace.records import CategoryRecord
from olist_domain.marketplace.rules import CATEGORY_RULES


@dataclass(frozen=True, eq=False)
class Category(Entity):
    """A category; two are the same when their Portuguese names are."""

    record: CategoryRecord

    rules = CATEGORY_RULES
    identity = ("name",)

    @property
    def name(self) -> str:
        """The Portuguese name, the category's identity, as products give it."""
        return self.record.product_category_name

    @property
    def english_name(self) -> str:
        """What the category is called in English."""
        return self.record.product_category_name_english

    @property
    def subject(self) -> str:
        """What a violation calls the category."""
        return f"category {self.name}"

    def facts(self) -> CategoryFacts:
        """Return the facts of the category."""
        return scalars(CategoryFacts, dict(self.record))
