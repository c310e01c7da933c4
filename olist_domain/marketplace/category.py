"""Category: what kind of thing a product is, with its name in two languages.

What belongs here: the entity and its identity. What does not: which products are in it.
"""

from __future__ import annotations

from dataclasses import dataclass

from olist_domain.marketplace.records import CategoryRecord


@dataclass(frozen=True, eq=False)
class Category:
    """A category; two are the same when their Portuguese names are. Raises ValueError for an empty name."""

    name: str
    english_name: str

    def __post_init__(self) -> None:
        if not self.name.strip() or not self.english_name.strip():
            raise ValueError(f"A category needs a name in both languages: {self.name!r}, {self.english_name!r}")

    @classmethod
    def from_record(cls, record: CategoryRecord) -> Category:
        """Return the category of a record."""
        return cls(record.product_category_name, record.product_category_name_english)

    def record(self) -> CategoryRecord:
        """Return the category as a record."""
        return CategoryRecord(product_category_name=self.name, product_category_name_english=self.english_name)

    def __eq__(self, other: object) -> bool:
        return self.name == other.name if isinstance(other, Category) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.name)
