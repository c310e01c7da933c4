"""The facts of fulfillment: what its rules and derivations read of a delivery, a point and a zip prefix.

What belongs here: the names and types of facts, and how an object's facts are gathered. What does not: the
rules themselves. A fact has the name of its column, so the same dataclass describes a frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from olist_domain.fulfillment.records import GeolocationRecord
from olist_domain.kernel.facts import Fact, scalars
from olist_domain.kernel.rules import Aggregation, Rollup

BILLION = 1e9


@dataclass(frozen=True, eq=False)
class DeliveryFacts:
    """What is read of one delivery: its order as sales publishes it, and the two ends of its way.

    `customer_state` and `seller_state` are those of the order's customer and of the seller of its first item,
    by `order_item_id`. `great_circle_km` is the distance between the mean points of their zip prefixes,
    calculated by `kernel.coordinates.great_circle_km`, which is no derivation: not every frame engine has the
    inverse sine that it takes. All three are unknown where an end is.
    """

    order_id: Fact[str]
    order_status: Fact[str]
    order_purchase_timestamp: Fact[datetime]
    order_approved_at: Fact[datetime]
    order_delivered_carrier_date: Fact[datetime]
    order_delivered_customer_date: Fact[datetime]
    order_estimated_delivery_date: Fact[datetime]
    customer_state: Fact[str]
    seller_state: Fact[str]
    great_circle_km: Fact[float]


@dataclass(frozen=True, eq=False)
class GeolocationFacts:
    """What is read of one point of a zip prefix, in degrees."""

    geolocation_zip_code_prefix: Fact[str]
    geolocation_lat: Fact[float]
    geolocation_lng: Fact[float]
    geolocation_state: Fact[str]


@dataclass(frozen=True, eq=False)
class GeographyFacts:
    """What is read of one zip prefix: its state and what its accepted points add up to.

    `state` is the most frequent one of the points, ties by the smaller text. Latitudes and longitudes are
    added up in whole billionths of a degree: a sum of floats would depend on the order of the points.
    """

    zip_code_prefix: Fact[str]
    state: Fact[str]
    points: Fact[int]
    total_latitude: Fact[int]
    total_longitude: Fact[int]


POINT_ROLLUPS: tuple[Rollup[GeolocationFacts], ...] = (
    Rollup("points", Aggregation.COUNT, lambda point: point.geolocation_lat, empty=0),
    Rollup("total_latitude", Aggregation.SUM, lambda point: billionths(point.geolocation_lat), empty=0),
    Rollup("total_longitude", Aggregation.SUM, lambda point: billionths(point.geolocation_lng), empty=0),
)


def billionths(degrees: Fact[float]) -> Fact[int]:
    """Return degrees in the nearest whole billionths, a tenth of a millimetre."""
    return (degrees * BILLION + 0.5).floor()


def geolocation_facts(point: GeolocationRecord) -> GeolocationFacts:
    """Return the facts of one point."""
    return scalars(GeolocationFacts, dict(point))


def geography_facts(zip_code_prefix: str, state: str, points: Sequence[GeolocationRecord]) -> GeographyFacts:
    """Return the facts of one zip prefix that has these points."""
    totals = [geolocation_facts(point) for point in points]
    return scalars(
        GeographyFacts,
        {
            "zip_code_prefix": zip_code_prefix,
            "state": state,
            **{rollup.name: rollup.over(totals) for rollup in POINT_ROLLUPS},
        },
    )
