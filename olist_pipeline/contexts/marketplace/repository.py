"""Sellers, products, categories and reviews from staging: the adapters of the marketplace ports.

What belongs here: making them of staged rows. What does not: validating rows, and writing staging, which
validation alone does.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from datetime import datetime
from pathlib import Path

from olist_domain.marketplace.category import Category
from olist_domain.marketplace.product import Product
from olist_domain.marketplace.published import PublishedItem, PublishedOrder
from olist_domain.marketplace.records import CategoryRecord, ProductRecord, ReviewRecord, SellerRecord
from olist_domain.marketplace.repositories import NotOnMarketplaceError
from olist_domain.marketplace.review import Review
from olist_domain.marketplace.seller import Seller
from olist_pipeline.staging import Staged, find_records


class StagedSellers(Staged[Seller]):
    """The accepted sellers of a staging folder; see `SellerRepository`."""

    def get(self, seller_id: str) -> Seller:
        """Return the seller; raises NotOnMarketplaceError, and OlistError without staging."""
        if seller_id in self._added:
            return self._added[seller_id]
        found = find_records(self._staging, "marketplace/sellers", SellerRecord, seller_id=[seller_id])
        if not found:
            raise NotOnMarketplaceError("seller", seller_id)
        items = find_records(self._staging, "sales/order_items", PublishedItem, seller_id=[seller_id])
        return Seller(found[0], _first_sale(self._staging, items))

    def add(self, seller: Seller) -> None:
        """Keep the seller as it stands, in place of what was kept under its id."""
        self._added[seller.seller_id] = seller


class StagedCategories(Staged[Category]):
    """The accepted categories of a staging folder; see `CategoryRepository`."""

    def get(self, name: str) -> Category:
        """Return the category by its Portuguese name; raises NotOnMarketplaceError, OlistError without staging."""
        if name in self._added:
            return self._added[name]
        found = find_records(self._staging, "marketplace/categories", CategoryRecord, product_category_name=[name])
        if not found:
            raise NotOnMarketplaceError("category", name)
        return Category(found[0])

    def add(self, category: Category) -> None:
        """Keep the category as it stands, in place of what was kept under its name."""
        self._added[category.name] = category


class StagedProducts(Staged[Product]):
    """The accepted products of a staging folder; see `ProductRepository`."""

    def get(self, product_id: str) -> Product:
        """Return the product with its category; raises NotOnMarketplaceError, and OlistError without staging."""
        if product_id in self._added:
            return self._added[product_id]
        found = find_records(self._staging, "marketplace/products", ProductRecord, product_id=[product_id])
        if not found:
            raise NotOnMarketplaceError("product", product_id)
        items = find_records(self._staging, "sales/order_items", PublishedItem, product_id=[product_id])
        translations = find_records(
            self._staging,
            "marketplace/categories",
            CategoryRecord,
            product_category_name=[found[0].product_category_name],
        )
        translation = Category(translations[0]) if translations else None
        return Product(found[0], translation, _first_sale(self._staging, items))

    def add(self, product: Product) -> None:
        """Keep the product as it stands, in place of what was kept under its id."""
        self._added[product.product_id] = product


class StagedReviews(Staged[Review]):
    """The accepted reviews of a staging folder; see `ReviewRepository`."""

    def of_order(self, order_id: str) -> Sequence[Review]:
        """Return the reviews of an order, oldest answer first; none for an order that has none."""
        records = find_records(self._staging, "marketplace/order_reviews", ReviewRecord, order_id=[order_id])
        ids = [record.review_id for record in records]
        of_ids = find_records(self._staging, "marketplace/order_reviews", ReviewRecord, review_id=ids)
        orders = find_records(self._staging, "sales/orders", PublishedOrder, order_id=[order_id])
        purchased_at = orders[0].order_purchase_timestamp if orders else None
        counts = {name: len({other.order_id for other in of_ids if other.review_id == name}) for name in ids}
        found: dict[Hashable, Review] = {
            (record.review_id, order_id): Review(record, purchased_at, counts[record.review_id]) for record in records
        }
        found |= {key: review for key, review in self._added.items() if review.order_id == order_id}
        return sorted(found.values(), key=_answered_at)

    def add(self, review: Review) -> None:
        """Keep the review as it stands, in place of what was kept under its id and order."""
        self._added[review.review_id, review.order_id] = review


def _answered_at(review: Review) -> tuple[datetime, str]:
    return review.record.review_answer_timestamp or datetime.max, review.review_id


def _first_sale(staging: Path, items: Sequence[PublishedItem]) -> datetime | None:
    ids = sorted({item.order_id for item in items})
    orders = find_records(staging, "sales/orders", PublishedOrder, order_id=ids)
    return min((order.order_purchase_timestamp for order in orders), default=None)
