"""Every rule of fulfillment, on an object: a passing, a failing and an unknown case."""

from datetime import timedelta

import pytest

from olist_domain.fulfillment.rules import (
    DELIVERY_RULES,
    EASTERNMOST,
    GEOGRAPHY_RULES,
    GEOLOCATION_RULES,
    NORTHERNMOST,
    SOUTHERNMOST,
    WESTERNMOST,
)
from olist_domain.kernel.facts import scalars
from olist_domain.kernel.rules import Severity
from tests.domain.fulfillment.factories import APPROVAL, DISPATCH, PURCHASE, order, point

VALID = {
    DELIVERY_RULES: {**dict(order()), "customer_state": "RJ", "seller_state": "SP", "great_circle_km": 360.7},
    GEOLOCATION_RULES: dict(point()),
    GEOGRAPHY_RULES: {
        "zip_code_prefix": "01037",
        "state": "SP",
        "points": 1,
        "total_latitude": -23.5,
        "total_longitude": -46.6,
    },
}

REJECT, FLAG = Severity.REJECT, Severity.FLAG
SECOND = timedelta(seconds=1)
A_BIT = 1e-6

# book, code, severity, changes that pass, changes that fail, changes that leave it unknown
CASES = [
    (
        DELIVERY_RULES,
        "DELIVERY_BEFORE_PURCHASE",
        REJECT,
        {"order_delivered_customer_date": PURCHASE},
        {"order_delivered_customer_date": PURCHASE - SECOND},
        {"order_delivered_customer_date": None},
    ),
    (
        DELIVERY_RULES,
        "CARRIER_BEFORE_APPROVAL",
        FLAG,
        {"order_delivered_carrier_date": APPROVAL},
        {"order_delivered_carrier_date": APPROVAL - SECOND},
        {"order_approved_at": None},
    ),
    (
        DELIVERY_RULES,
        "CARRIER_BEFORE_PURCHASE",
        FLAG,
        {"order_delivered_carrier_date": PURCHASE},
        {"order_delivered_carrier_date": PURCHASE - SECOND},
        {"order_delivered_carrier_date": None},
    ),
    (
        DELIVERY_RULES,
        "DELIVERED_BEFORE_CARRIER",
        FLAG,
        {"order_delivered_customer_date": DISPATCH},
        {"order_delivered_customer_date": DISPATCH - SECOND},
        {"order_delivered_carrier_date": None},
    ),
    (
        DELIVERY_RULES,
        "DELIVERED_WITHOUT_DATE",
        FLAG,
        {"order_status": "shipped", "order_delivered_customer_date": None},
        {"order_status": "delivered", "order_delivered_customer_date": None},
        {"order_status": None, "order_delivered_customer_date": None},
    ),
    *(
        (GEOLOCATION_RULES, "OUTSIDE_BRAZIL", REJECT, {axis: bound}, {axis: bound + beyond}, {axis: None})
        for axis, bound, beyond in (
            ("geolocation_lat", NORTHERNMOST, A_BIT),
            ("geolocation_lat", SOUTHERNMOST, -A_BIT),
            ("geolocation_lng", EASTERNMOST, A_BIT),
            ("geolocation_lng", WESTERNMOST, -A_BIT),
        )
    ),
    (
        GEOLOCATION_RULES,
        "INVALID_STATE",
        REJECT,
        {"geolocation_state": "TO"},
        {"geolocation_state": "Tocantins"},
        {"geolocation_state": None},
    ),
    (
        GEOLOCATION_RULES,
        "INVALID_ZIP_PREFIX",
        REJECT,
        {"geolocation_zip_code_prefix": "77001"},
        {"geolocation_zip_code_prefix": "77001-000"},
        {"geolocation_zip_code_prefix": None},
    ),
]


def codes(book, changes):
    return [violation.code for violation in book.violations(scalars(book.facts, {**VALID[book], **changes}), "it")]


@pytest.mark.parametrize(
    ("place", "latitude", "longitude", "inside"),
    [
        ("Monte Caburaí", 5.2717, -60.2125, True),
        ("Chuí", -33.6906, -53.4594, True),
        ("Mâncio Lima", -7.6139, -72.8958, True),
        ("Fernando de Noronha", -3.8547, -32.4247, True),
        ("Trindade", -20.5, -29.32, True),
        ("Portugal", 41.1496, -8.6110, False),
        ("Buenos Aires", -34.6224, -58.9019, False),
        ("the northern bound", 5.2718, -60.2, True),
        ("north of it", 5.2719, -60.2, False),
        ("the southern bound", -33.7511, -53.4, True),
        ("south of it", -33.7512, -53.4, False),
        ("the western bound", -7.5, -73.9905, True),
        ("west of it", -7.5, -73.9906, False),
        ("the eastern bound", -20.5, -28.8358, True),
        ("east of it", -20.5, -28.8357, False),
    ],
)
def test_where_brazil_lies(place, latitude, longitude, inside):
    found = codes(GEOLOCATION_RULES, {"geolocation_lat": latitude, "geolocation_lng": longitude})
    assert (found == []) is inside, place
