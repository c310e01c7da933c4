"""The derivations of fulfillment: the attributes that the business computes of a delivery and a zip prefix.

What belongs here: one function for each attribute. What does not: invariants (see `rules`), and the measuring
of distances (see `GeoCoordinates` in the kernel).
"""

from __future__ import annotations

from olist_domain.fulfillment.facts import DeliveryFacts, GeographyFacts
from olist_domain.fulfillment.status import DeliveryPerformance
from olist_domain.kernel.address import region_of
from olist_domain.kernel.facts import Fact, choose
from olist_domain.kernel.rules import Derivation, derivation

SLIGHTLY_LATE_DAYS = 7
"""The most days after the promised date that a delivery is only slightly late."""

DISTANCE_DIGITS = 3
"""Kilometres to the metre."""

BILLIONTHS_A_MILLIONTH, MILLION = 1000, 1e6
"""Mean coordinates are given in whole millionths of a degree: to a tenth of a metre."""


@derivation(
    replaces=(
        "int_deliveries.is_delivered",
        "mart_delivery_metrics.delivered_orders",
        "mart_geographic_analysis.delivered_orders",
        "mart_seller_scorecard.order_delivered_customer_date",
    )
)
def is_delivered(delivery: DeliveryFacts) -> Fact[bool]:
    """Whether a delivery has arrived: its date is known."""
    return ~delivery.order_delivered_customer_date.is_null()


@derivation(replaces=("int_deliveries.delivery_days", "mart_seller_scorecard.average_delivery_days"))
def delivery_days(delivery: DeliveryFacts) -> Fact[int]:
    """The days from the purchase to the delivery; unknown until then."""
    return delivery.order_purchase_timestamp.days_until(delivery.order_delivered_customer_date)


@derivation(replaces=("int_deliveries.days_vs_estimate", "mart_delivery_metrics.days_late"))
def days_vs_estimate(delivery: DeliveryFacts) -> Fact[int]:
    """The days from the promised date to the delivery, negative when early; unknown until delivered."""
    return delivery.order_estimated_delivery_date.days_until(delivery.order_delivered_customer_date)


@derivation(
    replaces=(
        "int_deliveries.delivery_performance",
        "mart_delivery_metrics.on_time_orders",
        "mart_delivery_metrics.slightly_late_orders",
        "mart_delivery_metrics.very_late_orders",
    )
)
def delivery_performance(delivery: DeliveryFacts) -> Fact[str]:
    """ON_TIME: by the promised date; SLIGHTLY_LATE: up to 7 days after; VERY_LATE: later; unknown until delivered."""
    return performance_of(days_vs_estimate(delivery))


@derivation(
    replaces=(
        "int_deliveries.is_late",
        "mart_geographic_analysis.late_orders",
        "mart_seller_scorecard.late_orders",
    )
)
def is_late(delivery: DeliveryFacts) -> Fact[bool]:
    """Whether a delivery came after the promised date; unknown until delivered."""
    return is_lateness(days_vs_estimate(delivery))


@derivation(replaces=("int_deliveries.approval_hours",))
def approval_hours(delivery: DeliveryFacts) -> Fact[int]:
    """The whole hours from the purchase to the approval."""
    return delivery.order_purchase_timestamp.hours_until(delivery.order_approved_at)


@derivation(replaces=("int_deliveries.handling_days",))
def handling_days(delivery: DeliveryFacts) -> Fact[int]:
    """The days from the approval to the handing over to the carrier."""
    return delivery.order_approved_at.days_until(delivery.order_delivered_carrier_date)


@derivation(replaces=("int_deliveries.transit_days",))
def transit_days(delivery: DeliveryFacts) -> Fact[int]:
    """The days from the handing over to the carrier to the delivery."""
    return delivery.order_delivered_carrier_date.days_until(delivery.order_delivered_customer_date)


@derivation(replaces=("int_deliveries.same_state",))
def same_state(delivery: DeliveryFacts) -> Fact[bool]:
    """Whether customer and seller live in one state; unknown where either's is."""
    return delivery.customer_state == delivery.seller_state


@derivation(replaces=("int_deliveries.distance_km",))
def distance_km(delivery: DeliveryFacts) -> Fact[float]:
    """The great-circle distance from seller to customer in kilometres, to the metre."""
    return round(delivery.great_circle_km, DISTANCE_DIGITS)


@derivation(replaces=("dim_geography.latitude",))
def latitude(geography: GeographyFacts) -> Fact[float]:
    """The mean latitude of a zip prefix's points, in degrees to 6 digits."""
    return mean_degrees(geography.total_latitude, geography.points)


@derivation(replaces=("dim_geography.longitude",))
def longitude(geography: GeographyFacts) -> Fact[float]:
    """The mean longitude of a zip prefix's points, in degrees to 6 digits."""
    return mean_degrees(geography.total_longitude, geography.points)


@derivation(replaces=("dim_geography.region",))
def region(geography: GeographyFacts) -> Fact[str]:
    """The region of Brazil that a zip prefix lies in."""
    return region_of(geography.state)


def mean_degrees(billionths: Fact[int], points: Fact[int]) -> Fact[float]:
    """The mean of so many points, in degrees to 6 digits, halves up."""
    return (billionths / (points * BILLIONTHS_A_MILLIONTH) + 0.5).floor() / MILLION


def performance_of(days_late: Fact[int]) -> Fact[str]:
    """How a delivery that came so many days after the promised date kept the promise."""
    return choose(
        (days_late.is_null(), None),
        (~is_lateness(days_late), DeliveryPerformance.ON_TIME.value),
        (days_late <= SLIGHTLY_LATE_DAYS, DeliveryPerformance.SLIGHTLY_LATE.value),
        default=DeliveryPerformance.VERY_LATE.value,
    )


def is_lateness(days_late: Fact[int]) -> Fact[bool]:
    """Whether coming so many days after the promised date is late."""
    return days_late > 0


DELIVERY_DERIVATIONS: tuple[Derivation[DeliveryFacts], ...] = (
    is_delivered,
    delivery_days,
    days_vs_estimate,
    delivery_performance,
    is_late,
    approval_hours,
    handling_days,
    transit_days,
    same_state,
    distance_km,
)


GEOGRAPHY_DERIVATIONS: tuple[Derivation[GeographyFacts], ...] = (
    latitude,
    longitude,
    region,
)
