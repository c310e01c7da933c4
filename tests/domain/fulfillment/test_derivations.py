"""The derivations of fulfillment, on an object, at every boundary."""

from datetime import datetime, timedelta

import pytest

from olist_domain.fulfillment.facts import geography_facts
from olist_domain.fulfillment.rules import DELIVERY_RULES, GEOGRAPHY_RULES
from olist_domain.kernel.facts import scalars, value_of
from tests.domain.fulfillment.factories import ESTIMATE, point
from tests.domain.fulfillment.test_rules import VALID


def derived(book=DELIVERY_RULES, **changes):
    return book.derived(scalars(book.facts, {**VALID[book], **changes}))


def test_a_valid_delivery():
    expected = {
        "is_delivered": True,
        "delivery_days": 7,
        "days_vs_estimate": -11,
        "delivery_performance": "ON_TIME",
        "is_late": False,
        "approval_hours": 2,
        "handling_days": 2,
        "transit_days": 5,
        "same_state": False,
        "distance_km": 360.7,
    }
    assert expected.items() <= derived().items()


def test_before_it_arrives_nothing_is_known_of_the_arrival():
    found = derived(order_delivered_customer_date=None)
    assert found["is_delivered"] is False
    unknown = ("delivery_days", "days_vs_estimate", "delivery_performance", "is_late", "transit_days")
    assert [found[name] for name in unknown] == [None] * len(unknown)


def test_before_it_is_approved_and_dispatched_nothing_is_known_of_that():
    found = derived(order_approved_at=None, order_delivered_carrier_date=None)
    assert [found[name] for name in ("approval_hours", "handling_days", "transit_days")] == [None] * 3


@pytest.mark.parametrize(
    ("days", "performance", "late"),
    [
        (-1, "ON_TIME", False),
        (0, "ON_TIME", False),
        (1, "SLIGHTLY_LATE", True),
        (7, "SLIGHTLY_LATE", True),
        (8, "VERY_LATE", True),
    ],
)
@pytest.mark.parametrize("hour", [0, 23])
def test_lateness_counts_days_not_hours(days, performance, late, hour):
    found = derived(order_delivered_customer_date=ESTIMATE + timedelta(days=days, hours=hour))
    assert (found["days_vs_estimate"], found["delivery_performance"], found["is_late"]) == (days, performance, late)


def test_days_are_those_of_the_calendar():
    found = derived(
        order_purchase_timestamp=datetime(2018, 1, 1, 23, 59),
        order_approved_at=datetime(2018, 1, 2, 0, 58),
        order_delivered_carrier_date=datetime(2018, 1, 3, 0, 1),
        order_delivered_customer_date=datetime(2018, 1, 3, 23, 59),
    )
    assert (found["delivery_days"], found["handling_days"], found["transit_days"]) == (2, 1, 0)
    assert found["approval_hours"] == 0


def test_a_carrier_before_the_approval_has_negative_handling_days():
    assert derived(order_delivered_carrier_date=datetime(2018, 1, 1))["handling_days"] == -1


@pytest.mark.parametrize(
    ("customer", "seller", "same"),
    [("SP", "SP", True), ("RJ", "SP", False), ("SP", "RJ", False), (None, "SP", None), ("SP", None, None)],
)
def test_same_state(customer, seller, same):
    assert derived(customer_state=customer, seller_state=seller)["same_state"] is same


@pytest.mark.parametrize(("exact", "km"), [(360.74941, 360.749), (0.0004, 0.0), (0.0006, 0.001), (None, None)])
def test_distance_is_exact_to_the_metre(exact, km):
    assert derived(great_circle_km=exact)["distance_km"] == km


def test_a_zip_prefix_lies_at_the_mean_of_its_points():
    points = [point(geolocation_lat=latitude) for latitude in (-23.5, -23.6, -23.6)]
    found = GEOGRAPHY_RULES.derived(geography_facts("01037", "SP", points))
    assert found == {"latitude": -23.566667, "longitude": -46.6392, "region": "Southeast"}


@pytest.mark.parametrize(
    ("degrees", "total"),
    [(-23.5456, -23_545_600_000), (0.0, 0), (1.4e-9, 1), (1.6e-9, 2), (-1.4e-9, -1), (-1.6e-9, -2)],
)
def test_coordinates_add_up_in_whole_billionths_of_a_degree(degrees, total):
    facts = geography_facts("01037", "SP", [point(geolocation_lat=degrees)])
    assert value_of(facts.total_latitude) == total


def test_a_zip_prefix_without_points_lies_nowhere():
    found = GEOGRAPHY_RULES.derived(geography_facts("01037", "SP", []))
    assert (found["latitude"], found["longitude"]) == (None, None)
