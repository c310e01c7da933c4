"""The validation of deliveries: an order's way from its first item's seller to its customer, month by month.

What belongs here: the two ends of a delivery and the distance between them, as frames. What does not: rules and
derivations (the domain's rulebook is run), reading and writing (see `steps`).
"""

from __future__ import annotations

import polars as pl

from olist_domain.fulfillment.events import DELIVERY_HISTORY
from olist_domain.fulfillment.facts import DeliveryFacts
from olist_domain.fulfillment.published import PublishedCustomer, PublishedItem, PublishedSeller
from olist_domain.fulfillment.rules import DELIVERY_RULES
from olist_domain.kernel.coordinates import great_circle_km
from olist_pipeline.contexts.fulfillment import DELIVERY_TABLE
from olist_pipeline.engine.history import event_rows
from olist_pipeline.engine.rulebooks import derive, validate
from olist_pipeline.intake.codes import PARENT_REJECTED
from olist_pipeline.validation.inputs import Inputs
from olist_pipeline.validation.validated import (
    IS_ACCEPTED,
    Validated,
    ValidatedTable,
    derived_names,
    is_among,
    rejected_with,
    valid_rows,
)

_ENDS = {"seller": "seller_zip_code_prefix", "customer": "customer_zip_code_prefix"}


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
    delivered = valid_rows(orders)
    # Customers have no months: those of other orders are left out before they are joined.
    ours = customers.join(delivered.select("customer_id"), on="customer_id", how="semi")
    whole = (
        delivered.join(ours, on="customer_id", how="left", maintain_order="left")
        .join(first_items, on="order_id", how="left", maintain_order="left")
        .join(sellers, on="seller_id", how="left", maintain_order="left")
    )
    measured = _measured(whole, zip_prefixes)
    validated = validate(derive(measured, DELIVERY_RULES), DELIVERY_RULES).collect()
    validated = rejected_with(validated, ~is_among("order_id", accepted_orders), PARENT_REJECTED.code)
    accepted = validated.filter(IS_ACCEPTED)
    return Validated.of(
        [ValidatedTable(DELIVERY_TABLE, validated, derived_names(DELIVERY_RULES))],
        [event_rows(accepted, DeliveryFacts, milestone) for milestone in DELIVERY_HISTORY],
    )


class _OfColumns:
    """The functions that the distance of whole columns of points takes."""

    radians, sin, cos, asin, sqrt = pl.Expr.radians, pl.Expr.sin, pl.Expr.cos, pl.Expr.arcsin, pl.Expr.sqrt

    @staticmethod
    def at_most_one(number: pl.Expr) -> pl.Expr:
        return number.clip(upper_bound=1.0)


def _measured(deliveries: pl.LazyFrame, zip_prefixes: pl.LazyFrame) -> pl.LazyFrame:
    """Return deliveries with `great_circle_km`, the distance of their ends, unknown where a place is."""
    for end, prefix in _ENDS.items():
        place = zip_prefixes.select(
            pl.col("zip_code_prefix").alias(prefix),
            pl.col("latitude").alias(f"{end}_latitude"),
            pl.col("longitude").alias(f"{end}_longitude"),
        )
        deliveries = deliveries.join(place, on=prefix, how="left", maintain_order="left")
    degrees = [pl.col(f"{end}_{name}") for end in _ENDS for name in ("latitude", "longitude")]
    return deliveries.with_columns(great_circle_km(*degrees, of=_OfColumns).alias("great_circle_km"))
