"""The derivations of the marketplace: the attributes that the business computes of a review, a seller, a product.

What belongs here: one function for each attribute. What does not: invariants (see `rules`), and how a score
is read (see `ReviewScore` in the kernel).
"""

from __future__ import annotations

from olist_domain.kernel import review_score
from olist_domain.kernel.address import region_of
from olist_domain.kernel.dimensions import is_measure, volume
from olist_domain.kernel.facts import Fact, choose
from olist_domain.kernel.rules import Derivation, derivation
from olist_domain.marketplace.facts import ProductFacts, ReviewFacts, SellerFacts

UNKNOWN_CATEGORY = "unknown"
"""The category of a product that has none."""


@derivation(replaces=("fact_reviews.is_positive", "mart_product_performance.positive_reviews"))
def is_positive(review: ReviewFacts) -> Fact[bool]:
    """Whether a review gives four or five stars."""
    return review_score.is_positive(review.review_score)


@derivation(
    replaces=(
        "fact_reviews.is_negative",
        "mart_product_performance.negative_reviews",
        "mart_seller_scorecard.negative_reviews",
    )
)
def is_negative(review: ReviewFacts) -> Fact[bool]:
    """Whether a review gives one or two stars."""
    return review_score.is_negative(review.review_score)


@derivation(replaces=("stg_order_reviews.sentiment",))
def sentiment(review: ReviewFacts) -> Fact[str]:
    """The sentiment of a review: positive from four stars, negative up to two, neutral between."""
    return review_score.sentiment_of(review.review_score)


@derivation(replaces=("stg_order_reviews.has_comment",))
def has_comment(review: ReviewFacts) -> Fact[bool]:
    """Whether a review has a comment: a message that is not blank."""
    return ~review.review_comment_message.is_null() & ~review.review_comment_message.is_blank()


@derivation(replaces=("fact_reviews.response_hours",))
def response_hours(review: ReviewFacts) -> Fact[int]:
    """The whole hours from the question to the answer; unknown where either time is missing."""
    return review.review_creation_date.hours_until(review.review_answer_timestamp)


@derivation(replaces=("int_sellers.region", "dim_seller.region"))
def region(seller: SellerFacts) -> Fact[str]:
    """The region of Brazil that a seller sends from."""
    return region_of(seller.seller_state)


@derivation(replaces=("int_products.category",))
def category(product: ProductFacts) -> Fact[str]:
    """The name of a product's category: in English, else in Portuguese, else `unknown`."""
    return choose(
        (~product.product_category_name_english.is_null(), product.product_category_name_english),
        (~product.product_category_name.is_null(), product.product_category_name),
        default=UNKNOWN_CATEGORY,
    )


@derivation(replaces=("int_products.volume_cm3",))
def volume_cm3(product: ProductFacts) -> Fact[int]:
    """The volume of a product's parcel in cubic centimetres; unknown where a side is missing or above 20 km."""
    return volume(product.product_length_cm, product.product_height_cm, product.product_width_cm)


@derivation(replaces=("int_products.is_complete",))
def is_complete(product: ProductFacts) -> Fact[bool]:
    """Whether the weight and all dimensions of a product are given and positive."""
    return (
        _is_measured(product.product_weight_g)
        & _is_measured(product.product_length_cm)
        & _is_measured(product.product_height_cm)
        & _is_measured(product.product_width_cm)
    )


def _is_measured(measure: Fact[int]) -> Fact[bool]:
    return ~measure.is_null() & is_measure(measure)


REVIEW_DERIVATIONS: tuple[Derivation[ReviewFacts], ...] = (
    is_positive,
    is_negative,
    sentiment,
    has_comment,
    response_hours,
)


SELLER_DERIVATIONS: tuple[Derivation[SellerFacts], ...] = (region,)


PRODUCT_DERIVATIONS: tuple[Derivation[ProductFacts], ...] = (
    category,
    volume_cm3,
    is_complete,
)
