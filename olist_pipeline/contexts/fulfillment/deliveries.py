"""The validation of deliveries: an order's way from its first item's seller to its customer, month by month.

What belongs here: the two ends of a delivery and the distance between them, as frames. What does not: rules and
derivations (the domain's rulebook is run), reading and writing (see `steps`).
"""

from __future__ import annotations

import polars as pl

from olist_domain.fulfillment.events import DELIVERY_HISTORY
from olist_domain.fulfillment.facts import DeliveryFacts
from olist_domain.fulfillment.published import PublishedCustomer, PublishedItem, PublishedOrder, PublishedSeller
from olist_domain.fulfillment.rules import DELIVERY_RULES
from olist_domain.kernel.coordinates import GeoCoordinates
from olist_pipeline.engine.history import event_rows
from olist_pipeline.engine.rulebooks import derive, validate
from olist_pipeline.intake.codes import PARENT_REJECTED
from olist_pipeline.landing.catalogue import ORDERS
from olist_pipeline.validation.inputs import Inputs
from olist_pipeline.validation.table import StagedTable
from olist_pipeline.validation.validated import (
    IS_ACCEPTED,
    Validated,
    ValidatedTable,
    derived_names,
    is_among,
    rejected_with,
    valid_rows,
)

DELIVERY_TABLE = StagedTable(
    "deliveries",
    "fulfillment",
    aggregate="delivery",
    identity="order_id",
    columns=tuple(name for name in PublishedOrder.model_fields if name != "customer_id"),
    is_monthly=True,
    source=ORDERS,
)
_HERE, _THERE = "customer_zip_code_prefix", "seller_zip_code_prefix"


def validate_inputs(inputs: Inputs) -> Validated:
    """Validate the deliveries of the step's months."""
    return validate_deliveries(
        inputs.intake("orders"),
        inputs.published("sales/orders", ["order_id"]).collect()["order_id"],
        inputs.published("sales/order_items", PublishedItem.model_fields),
        inputs.published("customer/customers", PublishedCustomer.model_fields),
        inputs.published("marketplace/sellers", PublishedSeller.model_fields),
        inputs.published("fulfillment/zip_prefixes", ["zip_code_prefix", "latitude", "longitude"]),
    )


def validate_deliveries(
    orders: pl.LazyFrame,
    accepted_orders: pl.Series,
    items: pl.LazyFrame,
    customers: pl.LazyFrame,
    sellers: pl.LazyFrame,
    zip_prefixes: pl.LazyFrame,
) -> Validated:
    """Validate the deliveries of intake rows of orders; those of orders that sales did not accept are rejected."""
    first_items = items.filter(pl.col("order_item_id") == pl.col("order_item_id").min().over("order_id"))
    whole = (
        valid_rows(orders)
        .join(customers, on="customer_id", how="left", maintain_order="left")
        .join(first_items, on="order_id", how="left", maintain_order="left")
        .join(sellers, on="seller_id", how="left", maintain_order="left")
        .collect()
    )
    measured = whole.join(_distances(whole, zip_prefixes), on=[_HERE, _THERE], how="left", maintain_order="left")
    validated = validate(derive(measured.lazy(), DELIVERY_RULES), DELIVERY_RULES).collect()
    validated = rejected_with(validated, ~is_among("order_id", accepted_orders), PARENT_REJECTED.code)
    accepted = validated.filter(IS_ACCEPTED)
    return Validated.of(
        [ValidatedTable(DELIVERY_TABLE, validated, derived_names(DELIVERY_RULES))],
        [event_rows(accepted, DeliveryFacts, milestone) for milestone in DELIVERY_HISTORY],
    )


def _distances(deliveries: pl.DataFrame, zip_prefixes: pl.LazyFrame) -> pl.DataFrame:
    """Return `great_circle_km` for every pair of zip prefixes that occurs and whose places are both known.

    On objects, for no frame engine has the inverse sine that `GeoCoordinates` takes.
    """
    places = {row[0]: GeoCoordinates(*row[1:]) for row in zip_prefixes.collect().iter_rows()}
    known = list(places)
    pairs = deliveries.select(_HERE, _THERE).unique(maintain_order=True)
    pairs = pairs.filter(pl.col(_HERE).is_in(known) & pl.col(_THERE).is_in(known))
    kilometres = [places[there].distance_km(places[here]) for here, there in pairs.iter_rows()]
    return pairs.with_columns(pl.Series("great_circle_km", kilometres, dtype=pl.Float64))
