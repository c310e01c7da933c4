"""The sales validation step: typed rows in, accepted rows with derived attributes and quarantined rows out.

What belongs here: the order as the unit of consistency, on frames. What does not: rules and derivations
(the domain's rulebooks are run), reading and writing (see `steps`).

An order is accepted or rejected with its items and payments: a rejected order takes its parts along
(PARENT_REJECTED), and a rejected part, here or in intake, takes its order along (CHILD_REJECTED).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals as nw
import polars as pl

from olist_domain.kernel.rules import Rollup
from olist_domain.sales.derivations import paid_at
from olist_domain.sales.events import ORDER_HISTORY, PLACED, RECEIVED, OrderRejected
from olist_domain.sales.facts import (
    ITEM_ROLLUPS,
    PAYMENT_ROLLUPS,
    OrderFacts,
    OrderItemFacts,
    PaymentFacts,
)
from olist_domain.sales.rules import ORDER_ITEM_RULES, ORDER_RULES, PAYMENT_RULES
from olist_pipeline.contexts.sales import ITEM_TABLE, ORDER_TABLE, PAYMENT_TABLE
from olist_pipeline.engine.columns import columns, expression
from olist_pipeline.engine.history import EventSource, event_rows
from olist_pipeline.engine.names import REJECTS
from olist_pipeline.engine.rulebooks import derive, fill_empty, rollup, validate
from olist_pipeline.intake.codes import CHILD_REJECTED, PARENT_REJECTED
from olist_pipeline.intake.rows import IS_VALID
from olist_pipeline.landing.catalogue import ORDER_ITEMS, ORDER_PAYMENTS, ORDERS
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

_ROLLED_UP = (*(rollup.name for rollup in ITEM_ROLLUPS), *(rollup.name for rollup in PAYMENT_ROLLUPS))


def validate_inputs(inputs: Inputs) -> Validated:
    """Validate the orders of the step's months."""
    return validate_sales(
        {table: inputs.intake(table).collect() for table in ("orders", "order_items", "order_payments")}
    )


def validate_sales(intake: dict[str, pl.DataFrame]) -> Validated:
    """Validate the intake rows of one or more whole months, given by table name."""
    valid_orders, valid_items, valid_payments = (
        valid_rows(intake[table.name].lazy()) for table in (ORDERS, ORDER_ITEMS, ORDER_PAYMENTS)
    )
    bad_items, bad_payments = (
        intake[table.name].filter(~IS_VALID)["order_id"] for table in (ORDER_ITEMS, ORDER_PAYMENTS)
    )
    whole = _with_parts(valid_orders, valid_items, valid_payments)
    whole = _unknown(_unknown(whole, bad_items, ITEM_ROLLUPS), bad_payments, PAYMENT_ROLLUPS)
    orders, items, payments = pl.collect_all(
        [
            validate(derive(whole, ORDER_RULES), ORDER_RULES),
            validate(derive(valid_items, ORDER_ITEM_RULES), ORDER_ITEM_RULES),
            validate(derive(valid_payments, PAYMENT_RULES), PAYMENT_RULES),
        ]
    )
    bad_parts = [bad_items, bad_payments, *(part.filter(~IS_ACCEPTED)["order_id"] for part in (items, payments))]
    orders = rejected_with(orders, is_among("order_id", pl.concat(bad_parts)), CHILD_REJECTED.code)
    is_of_rejected = is_among("order_id", orders.filter(~IS_ACCEPTED)["order_id"])
    items, payments = (rejected_with(part, is_of_rejected, PARENT_REJECTED.code) for part in (items, payments))
    return Validated.of(
        [
            ValidatedTable(ORDER_TABLE, orders, (*_ROLLED_UP, *derived_names(ORDER_RULES))),
            ValidatedTable(ITEM_TABLE, items, derived_names(ORDER_ITEM_RULES)),
            ValidatedTable(PAYMENT_TABLE, payments, derived_names(PAYMENT_RULES)),
        ],
        _events(orders, payments),
    )


def _events(orders: pl.DataFrame, payments: pl.DataFrame) -> list[EventSource]:
    """Return the events of validated orders, each order's in the order in which they happened to it.

    A rejected order has one event, its rejection.
    """
    accepted, rejected = orders.filter(IS_ACCEPTED), orders.filter(~IS_ACCEPTED)
    kept = payments.filter(IS_ACCEPTED).sort("order_id", "payment_sequential")
    received = kept.join(_paid_at(accepted), on="order_id", how="left", maintain_order="left")
    later = [milestone for milestone in ORDER_HISTORY if milestone is not PLACED]
    return [
        event_rows(accepted, OrderFacts, PLACED),
        event_rows(received, PaymentFacts, RECEIVED),
        *(event_rows(accepted, OrderFacts, milestone) for milestone in later),
        _rejections(rejected),
    ]


def _with_parts(orders: pl.LazyFrame, items: pl.LazyFrame, payments: pl.LazyFrame) -> pl.LazyFrame:
    """Return orders with what their items and payments add up to."""
    joined = orders.join(
        rollup(items, "order_id", OrderItemFacts, ITEM_ROLLUPS),
        on="order_id",
        how="left",
        maintain_order="left",
    ).join(
        rollup(payments, "order_id", PaymentFacts, PAYMENT_ROLLUPS),
        on="order_id",
        how="left",
        maintain_order="left",
    )
    return fill_empty(joined, (*ITEM_ROLLUPS, *PAYMENT_ROLLUPS))


def _unknown(orders: pl.LazyFrame, order_ids: pl.Series, rollups: Sequence[Rollup[Any]]) -> pl.LazyFrame:
    """Return `orders` with `rollups` unknown where a part was unreadable: what it adds up to, nobody can say."""
    is_unknown = is_among("order_id", order_ids)
    return orders.with_columns(pl.when(~is_unknown).then(pl.col(rollup.name)).alias(rollup.name) for rollup in rollups)


def _paid_at(orders: pl.DataFrame) -> pl.DataFrame:
    """Return each order's id with the time at which its payments count as received."""
    rows = nw.from_native(orders)
    received_at = expression(paid_at(columns(OrderFacts, rows.schema)))
    return rows.select("order_id", received_at.alias("received_at")).to_native()


def _rejections(orders: pl.DataFrame) -> EventSource:
    purchase, rules = nw.col("order_purchase_timestamp"), nw.col(REJECTS)
    return EventSource(
        OrderRejected,
        orders,
        ("order_id", "order_purchase_timestamp", REJECTS),
        when=~rules.is_null(),
        said={"order_id": nw.col("order_id"), "rules": rules.str.split(",")},
        occurred_at=purchase,
    )
