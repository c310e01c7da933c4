"""The rules of the marketplace, each with its one definition, and the rulebooks of review, seller, product, category.

What belongs here: business invariants. What does not: structure (missing or unparseable cells, duplicate
keys, orphans), which intake validates before a record exists.
"""

from __future__ import annotations

from olist_domain.kernel.address import is_state, is_zip_prefix
from olist_domain.kernel.facts import Fact
from olist_domain.kernel.review_score import is_score
from olist_domain.kernel.rules import Rulebook, Severity, rule
from olist_domain.marketplace.derivations import (
    PRODUCT_DERIVATIONS,
    REVIEW_DERIVATIONS,
    SELLER_DERIVATIONS,
    is_complete,
)
from olist_domain.marketplace.facts import CategoryFacts, ProductFacts, ReviewFacts, SellerFacts


@rule("REVIEW_SCORE_OUT_OF_RANGE", Severity.REJECT, replaces=("stg_order_reviews.review_score",))
def has_possible_score(review: ReviewFacts) -> Fact[bool]:
    """The score of a review is one to five stars."""
    return is_score(review.review_score)


@rule("REVIEW_ON_SEVERAL_ORDERS", Severity.FLAG)
def stands_on_one_order(review: ReviewFacts) -> Fact[bool]:
    """A review id belongs to one order."""
    return review.orders_of_review <= 1


@rule("REVIEW_BEFORE_PURCHASE", Severity.FLAG)
def is_created_after_purchase(review: ReviewFacts) -> Fact[bool]:
    """A review is not created before its order is purchased."""
    return review.review_creation_date >= review.order_purchase_timestamp


@rule("REVIEW_DATE_MISSING", Severity.FLAG)
def has_dates(review: ReviewFacts) -> Fact[bool]:
    """A review has a creation date and an answer time."""
    return ~review.review_creation_date.is_null() & ~review.review_answer_timestamp.is_null()


@rule("INVALID_STATE", Severity.REJECT, replaces=("stg_sellers.seller_state",))
def has_state(seller: SellerFacts) -> Fact[bool]:
    """The state of a seller is a state of Brazil."""
    return is_state(seller.seller_state)


@rule("INVALID_ZIP_PREFIX", Severity.REJECT, replaces=("stg_sellers.seller_zip_code_prefix",))
def has_zip_prefix(seller: SellerFacts) -> Fact[bool]:
    """The zip prefix of a seller is five digits."""
    return is_zip_prefix(seller.seller_zip_code_prefix)


@rule("CATEGORY_MISSING", Severity.FLAG, replaces=("stg_products.product_category_name", "int_products.category"))
def has_category(product: ProductFacts) -> Fact[bool]:
    """A product has a category."""
    return ~product.product_category_name.is_null()


@rule("CATEGORY_WITHOUT_TRANSLATION", Severity.FLAG, replaces=("int_products.category",))
def has_translated_category(product: ProductFacts) -> Fact[bool]:
    """The category of a product has an English translation."""
    return product.product_category_name.is_null() | ~product.product_category_name_english.is_null()


@rule("DIMENSIONS_MISSING_OR_NOT_POSITIVE", Severity.FLAG, replaces=("int_products.is_complete",))
def has_measures(product: ProductFacts) -> Fact[bool]:
    """The weight and all dimensions of a product are given and positive."""
    return is_complete(product)


REVIEW_RULES = Rulebook(
    context="marketplace",
    subject="review",
    table="order_reviews",
    facts=ReviewFacts,
    rules=(has_possible_score, stands_on_one_order, is_created_after_purchase, has_dates),
    derivations=REVIEW_DERIVATIONS,
)

SELLER_RULES = Rulebook(
    context="marketplace",
    subject="seller",
    table="sellers",
    facts=SellerFacts,
    rules=(has_state, has_zip_prefix),
    derivations=SELLER_DERIVATIONS,
)

PRODUCT_RULES = Rulebook(
    context="marketplace",
    subject="product",
    table="products",
    facts=ProductFacts,
    rules=(has_category, has_translated_category, has_measures),
    derivations=PRODUCT_DERIVATIONS,
)

CATEGORY_RULES = Rulebook(
    context="marketplace",
    subject="category",
    table="categories",
    facts=CategoryFacts,
    rules=(),
)
"""No rule of the business is about a category by itself; the book is here so that every table has one."""
