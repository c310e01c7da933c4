"""The validation of customers: typed rows in, accepted customers, their purchases and the persons that they are out.

What belongs here: a person's history as frames: orders, latest address, totals, ranks. What does not: rules and
derivations (the domain's rulebooks are run), reading and writing (see `steps`).

A customer whose order sales did not accept stays, without that order. Of many customers a part is validated at a time,
each person with all that is theirs; only the ranks are made of all persons, beforehand.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import polars as pl

from olist_domain.customer.events import CHURNED, REGISTERED, SEGMENT_CHANGED
from olist_domain.customer.facts import (
    ORDER_ROLLUPS,
    RANKED_BY,
    REVIEW_ROLLUPS,
    OrderStepFacts,
    PastOrderFacts,
    PastReviewFacts,
    PersonFacts,
)
from olist_domain.customer.published import PublishedOrder, PublishedReview
from olist_domain.customer.rules import CUSTOMER_RULES, PERSON_RULES, PURCHASE_RULES
from olist_pipeline.contexts.customer import CUSTOMER_TABLE, PERSON, PERSON_TABLE, PURCHASE_TABLE
from olist_pipeline.engine.history import event_rows
from olist_pipeline.engine.rulebooks import derive, fill_empty, rollup, validate
from olist_pipeline.validation.inputs import Inputs
from olist_pipeline.validation.validated import IS_ACCEPTED, Validated, ValidatedTable, derived_names, valid_rows

PURCHASE = "order_purchase_timestamp"

RANKS = (*RANKED_BY, "ranked_persons")

_HISTORY = ("total_orders", "total_spent", "first_order_at", "last_order_at")
"""What staging keeps of a person's history besides the derived attributes."""


def validate_inputs(inputs: Inputs) -> Validated:
    """Validate all customers, or a part of the persons, on the day that the warehouse takes for today."""
    return validate_customers(
        inputs.intake("customers"),
        inputs.published("sales/orders", PublishedOrder.model_fields),
        inputs.published("marketplace/order_reviews", PublishedReview.model_fields),
        inputs.as_of,
        inputs.overview(),
    )


def ranks_of_all(parts: Iterable[Inputs]) -> pl.LazyFrame:
    """Return the ranks of all persons with orders, who are in several parts."""
    totals = pl.concat(_ranked_by(inputs) for inputs in parts)
    return _ranked(totals.sort(PERSON)).lazy().select(PERSON, *RANKS)


def _ranked_by(inputs: Inputs) -> pl.DataFrame:
    """Return what a part of the persons with orders are ranked by."""
    customers = _with_codes(inputs.intake("customers")).filter(IS_ACCEPTED)
    history = _history(customers, inputs.published("sales/orders", PublishedOrder.model_fields))
    return _totals(history).select(PERSON, *RANKED_BY.values()).collect(engine="streaming")


def validate_customers(
    customers: pl.LazyFrame,
    orders: pl.LazyFrame,
    reviews: pl.LazyFrame,
    as_of: date,
    ranks: pl.LazyFrame | None = None,
) -> Validated:
    """Validate intake rows of customers, and their persons beside all accepted orders and reviews.

    `ranks` are those of the persons, among others; without them all persons there are are these.
    """
    validated = _with_codes(customers).collect()
    accepted = validated.filter(IS_ACCEPTED)
    history = _history(accepted.lazy(), orders).collect(engine="streaming")
    persons = _persons(accepted, history, reviews, as_of, ranks)
    return Validated.of(
        [
            ValidatedTable(CUSTOMER_TABLE, validated, derived_names(CUSTOMER_RULES)),
            ValidatedTable(PURCHASE_TABLE, _purchases(history), derived_names(PURCHASE_RULES)),
            ValidatedTable(PERSON_TABLE, persons, (*_HISTORY, *derived_names(PERSON_RULES))),
        ],
        [
            event_rows(persons, PersonFacts, REGISTERED),
            event_rows(_order_steps(history), OrderStepFacts, SEGMENT_CHANGED),
            event_rows(persons, PersonFacts, CHURNED),
        ],
    )


def _with_codes(customers: pl.LazyFrame) -> pl.LazyFrame:
    """Return the valid rows of intake, derived and validated."""
    return validate(derive(valid_rows(customers), CUSTOMER_RULES), CUSTOMER_RULES)


def _history(customers: pl.LazyFrame, orders: pl.LazyFrame) -> pl.LazyFrame:
    """Return the orders of `customers`, with their persons."""
    return customers.select("customer_id", PERSON).join(orders, on="customer_id")


def _totals(history: pl.LazyFrame) -> pl.LazyFrame:
    """Return what the orders of each person add up to, and when the first and the last one were placed."""
    span = history.group_by(PERSON).agg(
        pl.col(PURCHASE).min().alias("first_order_at"), pl.col(PURCHASE).max().alias("last_order_at")
    )
    return rollup(history, PERSON, PastOrderFacts, ORDER_ROLLUPS).join(span, on=PERSON)


def _purchases(history: pl.DataFrame) -> pl.DataFrame:
    """Return a row for each order of `history`, by its id, looked at beside the first one of its person."""
    first = pl.col(PURCHASE).min().over(PERSON).alias("first_order_at")
    purchases = history.lazy().select("order_id", PERSON, PURCHASE, first).sort("order_id")
    return validate(derive(purchases, PURCHASE_RULES), PURCHASE_RULES).collect()


def _persons(
    customers: pl.DataFrame, history: pl.DataFrame, reviews: pl.LazyFrame, as_of: date, ranks: pl.LazyFrame | None
) -> pl.DataFrame:
    """Return a row for each person of `customers`, by id, with the facts and derivations of persons."""
    written = reviews.join(history.lazy().select("order_id", PERSON), on="order_id")
    whole = _latest_addresses(customers, history).lazy()
    scores = rollup(written, PERSON, PastReviewFacts, REVIEW_ROLLUPS).collect(engine="streaming")
    for totals in (_totals(history.lazy()), scores.lazy()):
        whole = whole.join(totals, on=PERSON, how="left")
    whole = fill_empty(whole.sort(PERSON), (*ORDER_ROLLUPS, *REVIEW_ROLLUPS))
    if ranks is None:
        ranked = _ranked(whole.collect()).lazy()
    else:
        ranked = whole.join(ranks, on=PERSON, how="left", maintain_order="left")
    ranked = ranked.with_columns(pl.lit(as_of).alias("as_of"))
    return validate(derive(ranked, PERSON_RULES), PERSON_RULES).collect()


def _latest_addresses(customers: pl.DataFrame, history: pl.DataFrame) -> pl.DataFrame:
    """Return each person's address: that of the latest order, else of the greatest customer id."""
    latest = (
        customers.lazy()
        .select(PERSON, "customer_id", pl.int_range(pl.len()).alias("place"))
        .join(history.lazy().select("customer_id", PURCHASE), on="customer_id", how="left")
        .group_by(PERSON)
        .agg(pl.col("place").sort_by(PURCHASE, "customer_id", descending=True, nulls_last=True).first())
        .collect()
    )
    return customers[latest["place"]].select(
        PERSON,
        pl.col("customer_zip_code_prefix").alias("zip_code_prefix"),
        pl.col("customer_city").alias("city"),
        pl.col("customer_state").alias("state"),
    )


def _ranked(persons: pl.DataFrame) -> pl.DataFrame:
    """Return `persons`, sorted by id, with the ranks of those with orders; equals keep their order, by id."""
    has_ordered = pl.col("last_order_at").is_not_null()
    return persons.with_columns(
        *(pl.when(has_ordered).then(pl.col(by)).rank("ordinal").alias(rank) for rank, by in RANKED_BY.items()),
        pl.when(has_ordered).then(has_ordered.sum()).alias("ranked_persons"),
    )


def _order_steps(history: pl.DataFrame) -> pl.DataFrame:
    """Return the orders of persons with several as steps of their history, oldest first."""
    steps = (
        history.filter(pl.len().over(PERSON) > 1)
        .sort(PERSON, PURCHASE, "order_id")
        .with_columns(
            pl.int_range(1, pl.len() + 1).over(PERSON).alias("total_orders"),
            pl.col("revenue").cum_sum().over(PERSON).alias("total_spent"),
        )
    )
    return steps.with_columns(
        (pl.col("total_orders") - 1).alias("previous_orders"),
        (pl.col("total_spent") - pl.col("revenue")).alias("previous_spent"),
    )
