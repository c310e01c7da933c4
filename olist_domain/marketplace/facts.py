"""The facts of the marketplace: what its rules and derivations read of a review, a seller, a product, a category.

What belongs here: the names and types of facts, and how an object's facts are gathered. What does not: the
rules themselves. A fact has the name of its column, so the same dataclass describes a frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from olist_domain.kernel.facts import Fact, scalars
from olist_domain.kernel.rules import Aggregation, Rollup
from olist_domain.marketplace.records import ProductRecord, ReviewRecord, SellerRecord


@dataclass(frozen=True, eq=False)
class ReviewFacts:
    """What is read of one review of an order.

    `order_purchase_timestamp` is the order's, as sales publishes it; `orders_of_review` is the number of
    orders that the review id stands on, in all months.
    """

    review_id: Fact[str]
    order_id: Fact[str]
    review_score: Fact[int]
    review_comment_message: Fact[str]
    review_creation_date: Fact[datetime]
    review_answer_timestamp: Fact[datetime]
    order_purchase_timestamp: Fact[datetime]
    orders_of_review: Fact[int]


@dataclass(frozen=True, eq=False)
class ReviewedOrderFacts:
    """What is read of one order that a review id stands on."""

    order_id: Fact[str]


@dataclass(frozen=True, eq=False)
class SellerFacts:
    """What is read of one seller.

    `first_sold_at` is the purchase of the first accepted order that names the seller; unknown without one.
    """

    seller_id: Fact[str]
    seller_zip_code_prefix: Fact[str]
    seller_state: Fact[str]
    first_sold_at: Fact[datetime]


@dataclass(frozen=True, eq=False)
class ProductFacts:
    """What is read of one product; weight in grams, lengths in centimetres.

    `product_category_name_english` is the category's translation; unknown where there is none.
    `first_sold_at` is the purchase of the first accepted order that names the product; unknown without one.
    """

    product_id: Fact[str]
    product_category_name: Fact[str]
    product_category_name_english: Fact[str]
    product_weight_g: Fact[int]
    product_length_cm: Fact[int]
    product_height_cm: Fact[int]
    product_width_cm: Fact[int]
    first_sold_at: Fact[datetime]


@dataclass(frozen=True, eq=False)
class CategoryFacts:
    """What is read of one category."""

    product_category_name: Fact[str]
    product_category_name_english: Fact[str]


REVIEW_ID_ROLLUPS: tuple[Rollup[ReviewedOrderFacts], ...] = (
    Rollup("orders_of_review", Aggregation.DISTINCT, lambda review: review.order_id, empty=0),
)
"""What the orders under one review id add up to."""


def review_facts(review: ReviewRecord, purchased_at: datetime | None, orders_of_review: int) -> ReviewFacts:
    """Return the facts of one review of an order that was purchased at `purchased_at`."""
    return scalars(
        ReviewFacts,
        {**dict(review), "order_purchase_timestamp": purchased_at, "orders_of_review": orders_of_review},
    )


def seller_facts(seller: SellerRecord, first_sold_at: datetime | None) -> SellerFacts:
    """Return the facts of one seller."""
    return scalars(SellerFacts, {**dict(seller), "first_sold_at": first_sold_at})


def product_facts(product: ProductRecord, english_name: str | None, first_sold_at: datetime | None) -> ProductFacts:
    """Return the facts of one product whose category is called `english_name` in English."""
    return scalars(
        ProductFacts,
        {**dict(product), "product_category_name_english": english_name, "first_sold_at": first_sold_at},
    )
