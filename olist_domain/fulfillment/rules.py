"""The rules of fulfillment, each with its one definition, and the rulebooks of delivery, point and zip prefix.

What belongs here: business invariants. What does not: structure (missing or unparseable cells, orphans),
which intake validates before a record exists.
"""

from __future__ import annotations

from olist_domain.fulfillment.derivations import DELIVERY_DERIVATIONS, GEOGRAPHY_DERIVATIONS, is_delivered
from olist_domain.fulfillment.facts import DeliveryFacts, GeographyFacts, GeolocationFacts
from olist_domain.fulfillment.status import DELIVERED
from olist_domain.kernel.address import is_state, is_zip_prefix
from olist_domain.kernel.facts import Fact
from olist_domain.kernel.rules import Rulebook, Severity, rule

NORTHERNMOST = 5.2718
"""Latitude of the source of the Ailã on Monte Caburaí, Roraima.

The source of all four is IBGE's digital mesh of the territory (SIRGAS 2000), whose bounding box IPEA's package geobr
gives as 5.271841, -33.75118, -73.99045, -28.83594. Four digits, some ten metres, are kept of it.
"""

SOUTHERNMOST = -33.7511
"""Latitude of the mouth of the Arroio Chuí, Rio Grande do Sul."""

WESTERNMOST = -73.9905
"""Longitude of the source of the Moa in the Serra da Contamana, Acre."""

EASTERNMOST = -28.8358
"""Longitude of the Martim Vaz islands in the Atlantic; the mainland ends at -34.79."""


@rule(
    "DELIVERY_BEFORE_PURCHASE",
    Severity.REJECT,
    replaces=("stg_orders.validated_delivery_date", "int_deliveries.delivery_days"),
)
def is_delivered_after_purchase(delivery: DeliveryFacts) -> Fact[bool]:
    """A delivery is not completed before its order is purchased."""
    return delivery.order_delivered_customer_date >= delivery.order_purchase_timestamp


@rule("CARRIER_BEFORE_APPROVAL", Severity.FLAG)
def is_dispatched_after_approval(delivery: DeliveryFacts) -> Fact[bool]:
    """A delivery is not handed to the carrier before its order is approved."""
    return delivery.order_delivered_carrier_date >= delivery.order_approved_at


@rule("CARRIER_BEFORE_PURCHASE", Severity.FLAG)
def is_dispatched_after_purchase(delivery: DeliveryFacts) -> Fact[bool]:
    """A delivery is not handed to the carrier before its order is purchased."""
    return delivery.order_delivered_carrier_date >= delivery.order_purchase_timestamp


@rule("DELIVERED_BEFORE_CARRIER", Severity.FLAG, replaces=("int_deliveries.transit_days",))
def is_delivered_after_dispatch(delivery: DeliveryFacts) -> Fact[bool]:
    """A delivery is not completed before it is handed to the carrier."""
    return delivery.order_delivered_customer_date >= delivery.order_delivered_carrier_date


@rule("DELIVERED_WITHOUT_DATE", Severity.FLAG, replaces=("int_deliveries.is_delivered",))
def has_delivery_date(delivery: DeliveryFacts) -> Fact[bool]:
    """A delivered order has a delivery date."""
    return (delivery.order_status != DELIVERED) | is_delivered(delivery)


@rule(
    "OUTSIDE_BRAZIL",
    Severity.REJECT,
    replaces=("stg_geolocation.geolocation_lat", "stg_geolocation.geolocation_lng"),
)
def lies_in_brazil(point: GeolocationFacts) -> Fact[bool]:
    """A point of a zip prefix lies between the extreme points of Brazil, islands included."""
    return (
        (point.geolocation_lat >= SOUTHERNMOST)
        & (point.geolocation_lat <= NORTHERNMOST)
        & (point.geolocation_lng >= WESTERNMOST)
        & (point.geolocation_lng <= EASTERNMOST)
    )


@rule("INVALID_STATE", Severity.REJECT)
def has_state(point: GeolocationFacts) -> Fact[bool]:
    """The state of a point is a state of Brazil."""
    return is_state(point.geolocation_state)


@rule("INVALID_ZIP_PREFIX", Severity.REJECT)
def has_zip_prefix(point: GeolocationFacts) -> Fact[bool]:
    """The zip prefix of a point is five digits."""
    return is_zip_prefix(point.geolocation_zip_code_prefix)


DELIVERY_RULES = Rulebook(
    context="fulfillment",
    subject="delivery",
    table="deliveries",
    facts=DeliveryFacts,
    rules=(
        is_delivered_after_purchase,
        is_dispatched_after_approval,
        is_dispatched_after_purchase,
        is_delivered_after_dispatch,
        has_delivery_date,
    ),
    derivations=DELIVERY_DERIVATIONS,
)

GEOLOCATION_RULES = Rulebook(
    context="fulfillment",
    subject="point of a zip prefix",
    table="geolocation",
    facts=GeolocationFacts,
    rules=(lies_in_brazil, has_state, has_zip_prefix),
)

GEOGRAPHY_RULES = Rulebook(
    context="fulfillment",
    subject="zip prefix",
    table="zip_prefixes",
    facts=GeographyFacts,
    rules=(),
    derivations=GEOGRAPHY_DERIVATIONS,
)
