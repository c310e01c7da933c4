"""The marketplace's steps: what becomes of reviews, sellers, products and categories."""

from datetime import datetime

import polars as pl
import pytest

from olist_pipeline.contexts.marketplace.reviews import validate_reviews
from tests.pipeline.contexts.worlds import SMALL, flagged, quarantined_by_rule, rejected, validate_small


def test_a_review_of_a_rejected_order_is_rejected_with_it(tmp_path):
    validated = validate_small(tmp_path)
    assert rejected(validated.reviews, "order_reviews") == {3: "PARENT_REJECTED"}
    [first, second] = validated.reviews.accepted("order_reviews").to_dicts()
    assert (first["sentiment"], first["has_comment"], first["response_hours"]) == ("positive", True, 24)
    assert (second["is_negative"], second["has_comment"]) == (True, False)


@pytest.mark.parametrize("score", [0, 6])
def test_an_impossible_score_is_rejected_beside_what_else_is_wrong(tmp_path, score):
    reviews = [row.replace(",5,", f",{score},").replace(",4,", f",{score},") for row in SMALL["order_reviews"]]
    assert rejected(validate_small(tmp_path, order_reviews=reviews).reviews, "order_reviews") == {
        1: "REVIEW_SCORE_OUT_OF_RANGE",
        3: "REVIEW_SCORE_OUT_OF_RANGE,PARENT_REJECTED",
    }


def test_a_review_id_on_several_orders_is_flagged_whatever_months_are_validated(tmp_path):
    reviews = [row.replace("r2", "r1") for row in SMALL["order_reviews"]]
    validated = validate_small(tmp_path, order_reviews=reviews)
    assert flagged(validated.reviews, "order_reviews") == {"REVIEW_ON_SEVERAL_ORDERS": 2}
    intake = validated.intake["order_reviews"].lazy()
    orders = validated.sales.accepted("orders").lazy().select("order_id", "order_purchase_timestamp")
    alone = validate_reviews(intake.filter(pl.col("order_id") == "o1"), intake, orders)
    assert flagged(alone, "order_reviews") == {"REVIEW_ON_SEVERAL_ORDERS": 1}


def test_a_review_before_the_purchase_is_found_by_the_time_not_the_day(tmp_path):
    reviews = [SMALL["order_reviews"][0].replace("2017-10-11", "2017-10-02")]
    validated = validate_small(tmp_path, order_reviews=reviews)
    assert flagged(validated.reviews, "order_reviews") == {"REVIEW_BEFORE_PURCHASE": 1}


def test_a_seller_keeps_every_code(tmp_path):
    validated = validate_small(tmp_path, sellers=["s1,1001,sao paulo,XX", "s2,01001,sao paulo,SP"])
    assert rejected(validated.offers, "sellers") == {1: "INVALID_STATE,INVALID_ZIP_PREFIX"}
    assert validated.offers.accepted("sellers")["region"].to_list() == ["Southeast"]


def test_products_are_flagged_for_categories_and_measures(tmp_path):
    products = [*SMALL["products"], "p3,brinquedos,10,20,1,5,10,10,"]
    [known, missing, untranslated] = validate_small(tmp_path, products=products).offers.accepted("products").to_dicts()
    assert (known["category"], known["flags"], known["volume_cm3"]) == ("health", [], 1000)
    assert (missing["category"], missing["flags"]) == (
        "unknown",
        ["CATEGORY_MISSING", "DIMENSIONS_MISSING_OR_NOT_POSITIVE"],
    )
    assert untranslated["category"] == "brinquedos"
    assert untranslated["flags"] == ["CATEGORY_WITHOUT_TRANSLATION", "DIMENSIONS_MISSING_OR_NOT_POSITIVE"]


def test_sellers_and_products_happen_with_their_first_sale(tmp_path):
    events = validate_small(tmp_path).offers.events
    assert events.select("event_type", "aggregate_id", "occurred_at").rows() == [
        ("SellerRegistered", "s1", datetime(2017, 10, 2, 10)),
        ("ProductListed", "p1", datetime(2017, 10, 2, 10)),
        ("ProductListed", "p2", datetime(2018, 1, 5, 10)),
    ]


def test_the_real_set_is_split_as_known(real_set):
    assert real_set.reviews.accepted("order_reviews").height == 98_465
    assert quarantined_by_rule(real_set.reviews) == {("order_reviews", "PARENT_REJECTED"): 759}
    assert flagged(real_set.reviews, "order_reviews") == {
        "REVIEW_ON_SEVERAL_ORDERS": 1_540,
        "REVIEW_DATE_MISSING": 49,
        "REVIEW_BEFORE_PURCHASE": 8,
    }
    assert [real_set.offers.accepted(name).height for name in ("sellers", "products", "categories")] == [
        3_095,
        32_951,
        71,
    ]
    assert quarantined_by_rule(real_set.offers) == {}
    assert flagged(real_set.offers, "products") == {
        "CATEGORY_MISSING": 610,
        "CATEGORY_WITHOUT_TRANSLATION": 13,
        "DIMENSIONS_MISSING_OR_NOT_POSITIVE": 6,
    }
