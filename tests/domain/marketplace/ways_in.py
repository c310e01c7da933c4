"""The ways by which sellers, products, categories and reviews come in."""

from datetime import datetime, timedelta

from olist_domain.kernel.review_score import ReviewScore
from olist_domain.marketplace.category import Category
from olist_domain.marketplace.product import Product
from olist_domain.marketplace.review import Review
from olist_domain.marketplace.rules import CATEGORY_RULES, PRODUCT_RULES, REVIEW_RULES, SELLER_RULES
from olist_domain.marketplace.seller import Seller
from tests.domain.marketplace.factories import PURCHASE, category_record, product_record, review_record, seller_record
from tests.domain.rulebooks import Behaviours, Causes, Reasons


def review(order_purchase_timestamp=PURCHASE, orders_of_review=1, **changes):
    return Review(review_record(**changes), order_purchase_timestamp, orders_of_review)


def product(product_category_name_english="perfumery", **changes):
    record = product_record(**changes)
    is_translated = record.product_category_name and product_category_name_english
    names = {"product_category_name": record.product_category_name, "product_category_name_english": "perfumery"}
    return Product(record, Category(category_record(**names)) if is_translated else None, PURCHASE)


ACCEPTED: Behaviours = {
    REVIEW_RULES: [review],
    SELLER_RULES: [lambda **changes: Seller(seller_record(**changes), PURCHASE)],
    PRODUCT_RULES: [product],
    CATEGORY_RULES: [lambda **changes: Category(category_record(**changes))],
}

BEHAVIOURS: Behaviours = {}

CAUSED: Causes = {
    "REVIEW_BEFORE_PURCHASE": [
        lambda: Review.submit(
            review_id="r1",
            order_id="o1",
            score=ReviewScore(5),
            purchased_at=PURCHASE,
            asked_at=PURCHASE - timedelta(seconds=1),
            at=datetime(2018, 1, 11),
        )
    ],
}

OUT_OF_REACH: Reasons = {
    "REVIEW_SCORE_OUT_OF_RANGE": "a ReviewScore is one to five stars",
    "REVIEW_ON_SEVERAL_ORDERS": "a new review is of one order",
    "REVIEW_DATE_MISSING": "a new review has both times",
    **dict.fromkeys(("INVALID_STATE", "INVALID_ZIP_PREFIX"), "sellers do not change"),
    **dict.fromkeys(
        ("CATEGORY_MISSING", "CATEGORY_WITHOUT_TRANSLATION", "DIMENSIONS_MISSING_OR_NOT_POSITIVE"),
        "products do not change",
    ),
}
