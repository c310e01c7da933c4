"""The derivations of the marketplace, on an object, at every boundary."""

from datetime import datetime

import pytest

from olist_domain.kernel.facts import scalars
from olist_domain.kernel.review_score import ReviewScore
from olist_domain.marketplace.facts import REVIEW_ID_ROLLUPS, ReviewedOrderFacts
from olist_domain.marketplace.rules import CATEGORY_RULES, PRODUCT_RULES, REVIEW_RULES, SELLER_RULES
from tests.domain.marketplace.test_rules import VALID


def derived(book, **changes):
    return book.derived(scalars(book.facts, {**VALID[book], **changes}))


@pytest.mark.parametrize(
    ("score", "positive", "negative", "sentiment"),
    [
        (1, False, True, "negative"),
        (2, False, True, "negative"),
        (3, False, False, "neutral"),
        (4, True, False, "positive"),
        (5, True, False, "positive"),
        (None, None, None, None),
    ],
)
def test_how_a_score_is_read(score, positive, negative, sentiment):
    found = derived(REVIEW_RULES, review_score=score)
    assert (found["is_positive"], found["is_negative"], found["sentiment"]) == (positive, negative, sentiment)
    assert score is None or ReviewScore(score).sentiment == sentiment


@pytest.mark.parametrize(
    ("message", "has_comment"),
    [("bom", True), (" . ", True), ("", False), (" ", False), ("\r\n", False), (None, False)],
)
def test_a_comment_says_something(message, has_comment):
    assert derived(REVIEW_RULES, review_comment_message=message)["has_comment"] is has_comment


@pytest.mark.parametrize(
    ("asked", "answered", "hours"),
    [
        (datetime(2018, 1, 10), datetime(2018, 1, 10, 0, 59, 59), 0),
        (datetime(2018, 1, 10), datetime(2018, 1, 10, 1), 1),
        (datetime(2018, 1, 10), datetime(2018, 1, 12, 2, 30), 50),
        (None, datetime(2018, 1, 10), None),
        (datetime(2018, 1, 10), None, None),
    ],
)
def test_response_hours_are_whole(asked, answered, hours):
    found = derived(REVIEW_RULES, review_creation_date=asked, review_answer_timestamp=answered)
    assert found["response_hours"] == hours


@pytest.mark.parametrize(("state", "region"), [("GO", "Central-West"), ("PE", "Northeast"), (None, None)])
def test_region(state, region):
    assert derived(SELLER_RULES, seller_state=state) == {"region": region}


@pytest.mark.parametrize(
    ("portuguese", "english", "category"),
    [
        ("perfumaria", "perfumery", "perfumery"),
        ("pc_gamer", None, "pc_gamer"),
        (None, None, "unknown"),
    ],
)
def test_category_is_english_else_portuguese_else_unknown(portuguese, english, category):
    found = derived(PRODUCT_RULES, product_category_name=portuguese, product_category_name_english=english)
    assert found["category"] == category


@pytest.mark.parametrize(
    ("changes", "volume", "complete"),
    [
        ({}, 2240, True),
        ({"product_weight_g": None}, 2240, False),
        ({"product_weight_g": 0}, 2240, False),
        ({"product_length_cm": None}, None, False),
        ({"product_height_cm": None}, None, False),
        ({"product_width_cm": None}, None, False),
        ({"product_width_cm": 0}, 0, False),
    ],
)
def test_a_product_is_complete_when_all_its_measures_are(changes, volume, complete):
    found = derived(PRODUCT_RULES, **changes)
    assert (found["volume_cm3"], found["is_complete"]) == (volume, complete)


def test_nothing_is_derived_of_a_category():
    assert derived(CATEGORY_RULES) == {}


def test_an_order_counts_once_under_a_review_id():
    [rollup] = REVIEW_ID_ROLLUPS
    orders = [scalars(ReviewedOrderFacts, {"order_id": order}) for order in ("o1", "o2", "o1")]
    assert (rollup.name, rollup.over(orders)) == ("orders_of_review", 2)
