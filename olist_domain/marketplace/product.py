"""Product: what is offered, its category and its measures.

What belongs here: the entity, its identity and what its record tells. What does not: prices, which belong to
the items of an order.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from olist_domain.kernel.aggregate import Entity
from olist_domain.kernel.dimensions import ProductDimensions
from olist_domain.marketplace.category import Category
from olist_domain.marketplace.events import PRODUCT_HISTORY
from olist_domain.marketplace.facts import ProductFacts, product_facts
from olist_domain.marketplace.records import ProductRecord
from olist_domain.marketplace.rules import PRODUCT_RULES


@dataclass(frozen=True, eq=False)
class Product(Entity):
    """A product; two products are the same when their ids are.

    `translation` is the category of the record, None where it has none or an untranslated one; raises
    ValueError for another category. `first_sold_at` is the purchase of the first accepted order that names
    the product, None while there is none.
    """

    record: ProductRecord
    translation: Category | None = None
    first_sold_at: datetime | None = None

    rules = PRODUCT_RULES
    milestones = PRODUCT_HISTORY
    identity = ("product_id",)

    def __post_init__(self) -> None:
        if self.translation and self.translation.name != self.record.product_category_name:
            name = self.record.product_category_name
            raise ValueError(f"product {self.product_id} is of category {name}, not of {self.translation.name}")
        super().__post_init__()

    @property
    def product_id(self) -> str:
        """The product's identity."""
        return self.record.product_id

    @property
    def subject(self) -> str:
        """What a violation calls the product."""
        return f"product {self.product_id}"

    @property
    def category(self) -> str:
        """The category's English name, else the Portuguese one, else `unknown`."""
        return str(self.derived()["category"])

    @property
    def dimensions(self) -> ProductDimensions | None:
        """Weight and size of the parcel; None where a measure is missing or not positive, or no volume is known."""
        derived = self.derived()
        if not derived["is_complete"] or derived["volume_cm3"] is None:
            return None
        names = ("weight_g", "length_cm", "height_cm", "width_cm")
        return ProductDimensions(**{name: getattr(self.record, f"product_{name}") for name in names})

    def facts(self) -> ProductFacts:
        """Return the facts of the product."""
        english_name = self.translation.english_name if self.translation else None
        return product_facts(self.record, english_name, self.first_sold_at)
