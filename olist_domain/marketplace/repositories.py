"""Ports through which the marketplace finds and keeps its sellers, products, categories and reviews.

What belongs here: what a store of each must be able to do. What does not: any store (adapters live in the
pipeline; tests bring fakes).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from olist_domain.marketplace.category import Category
from olist_domain.marketplace.product import Product
from olist_domain.marketplace.review import Review
from olist_domain.marketplace.seller import Seller


class NotOnMarketplaceError(LookupError):
    """The marketplace has no accepted seller, product or category of that identity."""

    def __init__(self, kind: str, identity: str) -> None:
        self.kind, self.identity = kind, identity
        super().__init__(f"No accepted {kind} has the identity {identity}")


class SellerRepository(Protocol):
    """A collection of accepted sellers."""

    def get(self, seller_id: str) -> Seller:
        """Return the seller; raises NotOnMarketplaceError."""

    def add(self, seller: Seller) -> None:
        """Keep the seller as it stands, in place of what was kept under its id."""


class ProductRepository(Protocol):
    """A collection of accepted products."""

    def get(self, product_id: str) -> Product:
        """Return the product with its category; raises NotOnMarketplaceError."""

    def add(self, product: Product) -> None:
        """Keep the product as it stands, in place of what was kept under its id."""


class CategoryRepository(Protocol):
    """A collection of accepted categories."""

    def get(self, name: str) -> Category:
        """Return the category by its Portuguese name; raises NotOnMarketplaceError."""

    def add(self, category: Category) -> None:
        """Keep the category as it stands, in place of what was kept under its name."""


class ReviewRepository(Protocol):
    """A collection of accepted reviews."""

    def of_order(self, order_id: str) -> Sequence[Review]:
        """Return the reviews of an order, oldest answer first; none for an order that has none."""

    def add(self, review: Review) -> None:
        """Keep the review as it stands, in place of what was kept under its id and order."""
