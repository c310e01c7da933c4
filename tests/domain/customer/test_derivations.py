"""The derivations of customers, on an object, at every boundary."""

from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from olist_domain.customer.derivations import quintile
from olist_domain.customer.facts import AddressFacts, PersonFacts, PurchaseFacts, purchase_facts
from olist_domain.customer.rules import CUSTOMER_RULES, PERSON_RULES, PURCHASE_RULES
from olist_domain.customer.segments import CustomerSegment, LifetimeValueTier, RfmSegment, SatisfactionTier
from olist_domain.kernel.facts import Scalar, scalars, value_of
from tests.domain.customer.factories import customer_record, order

PERSON = {
    "customer_unique_id": "p1",
    "state": "SP",
    "total_orders": 1,
    "sale_orders": 1,
    "total_spent": Decimal("72.19"),
    "total_reviews": 1,
    "total_review_score": 5,
    "first_order_at": datetime(2018, 1, 2, 10, 30),
    "last_order_at": datetime(2018, 1, 2, 10, 30),
    "as_of": date(2018, 1, 12),
    "recency_rank": 1,
    "frequency_rank": 1,
    "monetary_rank": 1,
    "ranked_persons": 5,
}
WITHOUT_ORDERS = {
    "total_orders": 0,
    "sale_orders": 0,
    "total_spent": Decimal("0.00"),
    "total_reviews": 0,
    "total_review_score": 0,
    "first_order_at": None,
    "last_order_at": None,
    "recency_rank": None,
    "frequency_rank": None,
    "monetary_rank": None,
    "ranked_persons": None,
}


def derived(name, **changes):
    return PERSON_RULES.derived(scalars(PersonFacts, {**PERSON, **changes}))[name]


def test_a_person_without_orders_has_what_follows_from_nothing():
    assert PERSON_RULES.derived(scalars(PersonFacts, {**PERSON, **WITHOUT_ORDERS})) == {
        "region": "Southeast",
        "average_order_value": None,
        "average_review_score": None,
        "days_since_last_order": None,
        "lifetime_days": None,
        "cohort_month": None,
        "has_returned": False,
        "customer_segment": "NEW",
        "satisfaction_tier": "STANDARD",
        "recency_score": None,
        "frequency_score": None,
        "monetary_score": None,
        "rfm_score": None,
        "rfm_segment": None,
        "is_churned": None,
        "lifetime_value_tier": "LOW",
    }


@pytest.mark.parametrize(("state", "region"), [("AM", "North"), ("RS", "South"), ("XX", None), (None, None)])
def test_region(state, region):
    assert derived("region", state=state) == region
    address = scalars(AddressFacts, {**dict(customer_record()), "customer_state": state})
    assert CUSTOMER_RULES.derived(address) == {"region": region}


@pytest.mark.parametrize(
    ("days", "repeats"),
    [([1, 5], [False, True]), ([5, 1], [True, False]), ([3, 3], [False, False]), ([4], [False])],
)
def test_an_order_after_the_first_is_a_repeat(days, repeats):
    orders = [order(n, order_purchase_timestamp=datetime(2018, 1, day)) for n, day in enumerate(days, 1)]
    assert [PURCHASE_RULES.derived(purchase_facts(own, orders)) for own in orders] == [
        {"is_repeat": repeated} for repeated in repeats
    ]


def test_an_order_before_the_first_is_no_repeat():
    times = {"order_purchase_timestamp": datetime(2018, 1, 1), "first_order_at": datetime(2018, 1, 2)}
    assert PURCHASE_RULES.derived(scalars(PurchaseFacts, times)) == {"is_repeat": False}


@pytest.mark.parametrize(
    ("spent", "sales", "value"), [("72.19", 1, 72.19), ("72.19", 2, 36.095), ("0.00", 0, None), ("100.00", 3, 100 / 3)]
)
def test_average_order_value_counts_sales_only(spent, sales, value):
    assert derived("average_order_value", total_spent=Decimal(spent), sale_orders=sales) == value


@pytest.mark.parametrize(("total", "reviews", "mean"), [(5, 1, 5.0), (9, 2, 4.5), (10, 3, 10 / 3), (0, 0, None)])
def test_average_review_score(total, reviews, mean):
    assert derived("average_review_score", total_review_score=total, total_reviews=reviews) == mean


@pytest.mark.parametrize(
    ("last", "as_of", "days"),
    [
        (datetime(2018, 1, 2, 23, 59), date(2018, 1, 2), 0),
        (datetime(2018, 1, 2, 23, 59), date(2018, 1, 3), 1),
        (datetime(2018, 1, 2, 0, 1), date(2018, 1, 3), 1),
    ],
)
def test_days_since_the_last_order_are_those_of_the_calendar(last, as_of, days):
    assert derived("days_since_last_order", last_order_at=last, as_of=as_of) == days


@pytest.mark.parametrize(
    ("last", "days", "returned"),
    [
        (datetime(2018, 1, 2, 10, 30), 0, False),
        (datetime(2018, 1, 2, 23, 59), 0, False),
        (datetime(2018, 1, 3, 0, 1), 1, True),
        (datetime(2018, 3, 2), 59, True),
        (datetime(2018, 1, 1), -1, False),
    ],
)
def test_somebody_returns_on_another_day(last, days, returned):
    assert derived("lifetime_days", last_order_at=last) == days
    assert derived("has_returned", last_order_at=last) is returned


def test_a_cohort_is_the_month_of_the_first_order():
    first = datetime(2017, 11, 30, 23, 59)
    assert derived("cohort_month", first_order_at=first) == date(2017, 11, 1)


@pytest.mark.parametrize(
    ("orders", "spent", "segment"),
    [
        (0, "0.00", CustomerSegment.NEW),
        (1, "9000.00", CustomerSegment.ONE_TIME),
        (2, "9000.00", CustomerSegment.NEW),
        (5, "9000.00", CustomerSegment.NEW),
        (6, "9000.00", CustomerSegment.LOYAL),
        (10, "9000.00", CustomerSegment.LOYAL),
        (11, "1000.00", CustomerSegment.LOYAL),
        (11, "1000.01", CustomerSegment.VIP),
    ],
)
def test_customer_segment(orders, spent, segment):
    assert derived("customer_segment", total_orders=orders, total_spent=Decimal(spent)) == segment


HAPPY, UNHAPPY = (4, 1), (399, 100)
ONCE, TWICE = datetime(2018, 1, 2, 10, 30), datetime(2017, 1, 2)


@pytest.mark.parametrize(
    ("orders", "spent", "idle_days", "scores", "first", "tier"),
    [
        (11, "1000.01", 29, HAPPY, ONCE, SatisfactionTier.VIP_HAPPY),
        (11, "1000.01", 29, UNHAPPY, ONCE, SatisfactionTier.VIP_UNHAPPY),
        (11, "1000.01", 29, (0, 0), ONCE, SatisfactionTier.VIP_UNHAPPY),
        (11, "1000.01", 30, HAPPY, ONCE, SatisfactionTier.LOYAL_NEW),
        (11, "1000.01", 31, HAPPY, ONCE, SatisfactionTier.LOYAL_NEW),
        (11, "1000.00", 29, HAPPY, TWICE, SatisfactionTier.LOYAL_RETURNER),
        (10, "1000.01", 29, HAPPY, TWICE, SatisfactionTier.LOYAL_RETURNER),
        (6, "0.00", 59, UNHAPPY, TWICE, SatisfactionTier.LOYAL_RETURNER),
        (6, "0.00", 59, UNHAPPY, ONCE, SatisfactionTier.LOYAL_NEW),
        (6, "0.00", 60, HAPPY, TWICE, SatisfactionTier.STANDARD),
        (6, "0.00", 61, HAPPY, TWICE, SatisfactionTier.STANDARD),
        (5, "9000.00", 0, HAPPY, TWICE, SatisfactionTier.STANDARD),
    ],
)
def test_satisfaction_tier(orders, spent, idle_days, scores, first, tier):
    as_of = date.fromordinal(date(2018, 1, 2).toordinal() + idle_days)
    total, reviews = scores
    changes = {"total_review_score": total, "total_reviews": reviews, "first_order_at": first, "as_of": as_of}
    assert derived("satisfaction_tier", total_orders=orders, total_spent=Decimal(spent), **changes) == tier


def ntile(population, tiles=5):
    """SQL's NTILE, written as its definition says: hand out the rows, one more to each of the first tiles."""
    size, left_over = divmod(population, tiles)
    return [tile for tile in range(1, tiles + 1) for _ in range(size + (tile <= left_over))]


@given(st.integers(1, 200))
@example(1999)
def test_quintile_is_ntile_of_5(population):
    ranks = range(1, population + 1)
    assert [value_of(quintile(Scalar(rank), Scalar(population))) for rank in ranks] == ntile(population)


@pytest.mark.parametrize(("rank", "population"), [(None, 5), (1, None), (None, None)])
def test_quintile_is_unknown_without_a_rank(rank, population):
    assert value_of(quintile(Scalar(rank), Scalar(population))) is None


def test_scores_are_the_digits_of_the_rfm_score():
    ranks = {"recency_rank": 5, "frequency_rank": 3, "monetary_rank": 1}
    scores = ("recency_score", "frequency_score", "monetary_score", "rfm_score")
    assert [derived(name, **ranks) for name in scores] == [5, 3, 1, 531]


@pytest.mark.parametrize(
    ("rfm", "segment"),
    [
        ("555", RfmSegment.CHAMPIONS),
        ("444", RfmSegment.CHAMPIONS),
        ("443", RfmSegment.LOYAL),
        ("344", RfmSegment.LOYAL),
        ("145", RfmSegment.LOYAL),
        ("435", RfmSegment.POTENTIAL),
        ("421", RfmSegment.POTENTIAL),
        ("415", RfmSegment.NEW),
        ("511", RfmSegment.NEW),
        ("231", RfmSegment.AT_RISK),
        ("135", RfmSegment.AT_RISK),
        ("221", RfmSegment.HIBERNATING),
        ("115", RfmSegment.HIBERNATING),
        ("331", RfmSegment.REGULAR),
        ("315", RfmSegment.REGULAR),
    ],
)
def test_rfm_segment(rfm, segment):
    recency, frequency, monetary = map(int, rfm)  # of five persons, each is a fifth
    ranks = {"recency_rank": recency, "frequency_rank": frequency, "monetary_rank": monetary}
    assert derived("rfm_segment", **ranks) == segment


def test_every_combination_of_scores_has_a_segment():
    for recency in range(1, 6):
        for frequency in range(1, 6):
            for monetary in range(1, 6):
                ranks = {"recency_rank": recency, "frequency_rank": frequency, "monetary_rank": monetary}
                assert derived("rfm_segment", **ranks) in set(RfmSegment)


@pytest.mark.parametrize("missing", ["recency_rank", "frequency_rank", "monetary_rank"])
def test_no_segment_without_all_scores(missing):
    assert derived("rfm_segment", **{missing: None}) is None


@pytest.mark.parametrize(("as_of", "churned"), [(date(2018, 7, 1), False), (date(2018, 7, 2), True)])
def test_churn_begins_after_180_days(as_of, churned):
    assert derived("days_since_last_order", as_of=as_of) == 180 + churned
    assert derived("is_churned", as_of=as_of) is churned


@pytest.mark.parametrize(
    ("spent", "tier"),
    [
        ("0.00", LifetimeValueTier.LOW),
        ("199.99", LifetimeValueTier.LOW),
        ("200.00", LifetimeValueTier.MEDIUM),
        ("999.99", LifetimeValueTier.MEDIUM),
        ("1000.00", LifetimeValueTier.HIGH),
        ("1000.01", LifetimeValueTier.HIGH),
    ],
)
def test_lifetime_value_tier(spent, tier):
    assert derived("lifetime_value_tier", total_spent=Decimal(spent)) == tier
