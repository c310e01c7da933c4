"""The validation of reviews: typed rows in, accepted and quarantined reviews out, month by month.

What belongs here: what a review is validated beside: its order, and the other orders of its id. What does not:
rules and derivations (the domain's rulebook is run), reading and writing (see `steps`).
"""

from __future__ import annotations

import polars as pl

from olist_domain.marketplace.events import REVIEW_HISTORY
from olist_domain.marketplace.facts import REVIEW_ID_ROLLUPS, ReviewedOrderFacts, ReviewFacts
from olist_domain.marketplace.published import PublishedOrder
from olist_domain.marketplace.rules import REVIEW_RULES
from olist_pipeline.contexts.marketplace import REVIEW_TABLE
from olist_pipeline.engine.history import event_rows
from olist_pipeline.engine.rulebooks import derive, rollup, validate
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


def validate_inputs(inputs: Inputs) -> Validated:
    """Validate the reviews of the step's months."""
    return validate_reviews(
        inputs.intake("order_reviews"),
        inputs.intake("order_reviews", all_months=True),
        inputs.published("sales/orders", PublishedOrder.model_fields),
    )


def validate_reviews(reviews: pl.LazyFrame, reviews_of_all_months: pl.LazyFrame, orders: pl.LazyFrame) -> Validated:
    """Validate intake rows of reviews beside the accepted orders of their months.

    A review of an order that sales did not accept is rejected with it.
    """
    id_totals = rollup(valid_rows(reviews_of_all_months), "review_id", ReviewedOrderFacts, REVIEW_ID_ROLLUPS)
    accepted_orders = orders.collect()
    whole = (
        valid_rows(reviews)
        .join(accepted_orders.lazy(), on="order_id", how="left", maintain_order="left")
        .join(id_totals, on="review_id", how="left", maintain_order="left")
    )
    validated = validate(derive(whole, REVIEW_RULES), REVIEW_RULES).collect()
    validated = rejected_with(validated, ~is_among("order_id", accepted_orders["order_id"]), PARENT_REJECTED.code)
    accepted = validated.filter(IS_ACCEPTED)
    return Validated.of(
        [ValidatedTable(REVIEW_TABLE, validated, derived_names(REVIEW_RULES))],
        [event_rows(accepted, ReviewFacts, milestone) for milestone in REVIEW_HISTORY],
    )
