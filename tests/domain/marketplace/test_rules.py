"""Every rule of the marketplace, on an object: a passing, a failing and an unknown case."""

from datetime import datetime, timedelta

from olist_domain.kernel.facts import scalars
from olist_domain.kernel.rules import Severity
from olist_domain.marketplace.rules import CATEGORY_RULES, PRODUCT_RULES, REVIEW_RULES, SELLER_RULES
from tests.domain.marketplace.factories import PURCHASE, category_record, product_record, review_record, seller_record

VALID = {
    REVIEW_RULES: {**dict(review_record()), "order_purchase_timestamp": PURCHASE, "orders_of_review": 1},
    SELLER_RULES: {**dict(seller_record()), "first_sold_at": PURCHASE},
    PRODUCT_RULES: {
        **dict(product_record()),
        "product_category_name_english": "perfumery",
        "first_sold_at": PURCHASE,
    },
    CATEGORY_RULES: dict(category_record()),
}

REJECT, FLAG = Severity.REJECT, Severity.FLAG
NEVER = None
"""For a rule that is never unknown, because what is missing is what it validates."""

# book, code, severity, changes that pass, changes that fail, changes that leave it unknown
CASES = [
    *(
        (
            REVIEW_RULES,
            "REVIEW_SCORE_OUT_OF_RANGE",
            REJECT,
            {"review_score": passing},
            {"review_score": failing},
            {"review_score": None},
        )
        for passing, failing in ((1, 0), (5, 6))
    ),
    (
        REVIEW_RULES,
        "REVIEW_ON_SEVERAL_ORDERS",
        FLAG,
        {"orders_of_review": 1},
        {"orders_of_review": 2},
        {"orders_of_review": None},
    ),
    (
        REVIEW_RULES,
        "REVIEW_BEFORE_PURCHASE",
        FLAG,
        {"review_creation_date": PURCHASE},
        {"review_creation_date": PURCHASE - timedelta(seconds=1)},
        {"order_purchase_timestamp": None},
    ),
    *(
        (REVIEW_RULES, "REVIEW_DATE_MISSING", FLAG, {missing: datetime(2018, 1, 11)}, {missing: None}, NEVER)
        for missing in ("review_creation_date", "review_answer_timestamp")
    ),
    (SELLER_RULES, "INVALID_STATE", REJECT, {"seller_state": "AC"}, {"seller_state": "ac"}, {"seller_state": None}),
    (
        SELLER_RULES,
        "INVALID_ZIP_PREFIX",
        REJECT,
        {"seller_zip_code_prefix": "01001"},
        {"seller_zip_code_prefix": "1001"},
        {"seller_zip_code_prefix": None},
    ),
    (
        PRODUCT_RULES,
        "CATEGORY_MISSING",
        FLAG,
        {"product_category_name": "pc_gamer"},
        {"product_category_name": None},
        NEVER,
    ),
    (
        PRODUCT_RULES,
        "CATEGORY_WITHOUT_TRANSLATION",
        FLAG,
        {"product_category_name": None, "product_category_name_english": None},
        {"product_category_name": "pc_gamer", "product_category_name_english": None},
        NEVER,
    ),
    *(
        (PRODUCT_RULES, "DIMENSIONS_MISSING_OR_NOT_POSITIVE", FLAG, {measure: 1}, {measure: failing}, NEVER)
        for measure in ("product_weight_g", "product_length_cm", "product_height_cm", "product_width_cm")
        for failing in (0, -1, None)
    ),
]


def codes(book, changes):
    return [violation.code for violation in book.violations(scalars(book.facts, {**VALID[book], **changes}), "it")]


def test_a_missing_creation_date_is_one_flag_not_two():
    assert codes(REVIEW_RULES, {"review_creation_date": None}) == ["REVIEW_DATE_MISSING"]
