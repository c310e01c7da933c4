"""The sales validation step: typed rows in, accepted rows with derived attributes and quarantined rows out.

What belongs here: the order as the unit of consistency, on frames. What does not: rules and derivations
(the domain's rulebooks are run), reading and writing (see `step`).

An order is accepted or rejected with its items and payments: a rejected order takes its parts along
(PARENT_REJECTED), and a rejected part, here or in intake, takes its order along (CHILD_REJECTED).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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
from olist_pipeline.engine.columns import columns, expression
from olist_pipeline.engine.history import as_events, event_rows
from olist_pipeline.engine.judge import FLAGS, REJECTS, derive, fill_empty, judge, rollup
from olist_pipeline.intake.cast import MONEY, RULES
from olist_pipeline.intake.rows import IS_SOUND, ORDER_MONTH, PAYLOAD, canonical_text
from olist_pipeline.landing.catalogue import ORDER_ITEMS, ORDER_PAYMENTS, ORDERS, LandingTable
from olist_pipeline.landing.csv_file import SOURCE_ROW

TABLES = (ORDERS, ORDER_ITEMS, ORDER_PAYMENTS)
IS_ACCEPTED = pl.col(REJECTS) == ""
_DERIVED: dict[str, tuple[str, ...]] = {
    ORDERS.name: (
        *(rollup.name for rollup in ITEM_ROLLUPS),
        *(rollup.name for rollup in PAYMENT_ROLLUPS),
        *(derivation.name for derivation in ORDER_RULES.derivations),
    ),
    ORDER_ITEMS.name: tuple(derivation.name for derivation in ORDER_ITEM_RULES.derivations),
    ORDER_PAYMENTS.name: tuple(derivation.name for derivation in PAYMENT_RULES.derivations),
}


@dataclass(frozen=True)
class Judged:
    """Intake rows by table, sound in structure, with facts, derivations, `rejects` and `flags`."""

    rows: dict[str, pl.DataFrame]

    def accepted(self, table: LandingTable) -> pl.DataFrame:
        """Return the staging rows of a table: landing columns, derived attributes, flags, month, source row."""
        rows = self.rows[table.name].filter(IS_ACCEPTED)
        return rows.select(
            *table.columns,
            *(_stored(name, rows.schema[name]) for name in _DERIVED[table.name]),
            _as_list(FLAGS),
            ORDER_MONTH,
            SOURCE_ROW,
        )

    def quarantined(self) -> pl.DataFrame:
        """Return the quarantine rows of all tables, `rules` by commas, `payload` as JSON."""
        return pl.concat([_quarantine(self.rows[table.name].filter(~IS_ACCEPTED), table) for table in TABLES])

    def events(self) -> pl.DataFrame:
        """Return the event rows of all orders, each order's in the order in which they happened to it.

        A rejected order has one event, its rejection.
        """
        orders = self.rows[ORDERS.name]
        accepted, rejected = orders.filter(IS_ACCEPTED), orders.filter(~IS_ACCEPTED)
        payments = self.rows[ORDER_PAYMENTS.name].filter(IS_ACCEPTED).sort("order_id", "payment_sequential")
        received = payments.join(_paid_at(accepted), on="order_id", how="left", maintain_order="left")
        later = [milestone for milestone in ORDER_HISTORY if milestone is not PLACED]
        return pl.concat(
            [
                event_rows(accepted, OrderFacts, PLACED),
                event_rows(received, PaymentFacts, RECEIVED),
                *(event_rows(accepted, OrderFacts, milestone) for milestone in later),
                _rejections(rejected),
            ]
        )


def judge_sales(intake: dict[str, pl.DataFrame]) -> Judged:
    """Judge the intake rows of one or more whole months, given by table name."""
    sound = {name: rows.filter(IS_SOUND).drop(RULES, PAYLOAD).lazy() for name, rows in intake.items()}
    bad_items, bad_payments = (
        intake[table.name].filter(~IS_SOUND)["order_id"] for table in (ORDER_ITEMS, ORDER_PAYMENTS)
    )
    whole = _with_parts(*(sound[table.name] for table in TABLES))
    whole = _unknown(_unknown(whole, bad_items, ITEM_ROLLUPS), bad_payments, PAYMENT_ROLLUPS)
    orders, items, payments = pl.collect_all(
        [
            judge(derive(whole, ORDER_RULES), ORDER_RULES),
            judge(derive(sound[ORDER_ITEMS.name], ORDER_ITEM_RULES), ORDER_ITEM_RULES),
            judge(derive(sound[ORDER_PAYMENTS.name], PAYMENT_RULES), PAYMENT_RULES),
        ]
    )
    bad_parts = [bad_items, bad_payments, *(part.filter(~IS_ACCEPTED)["order_id"] for part in (items, payments))]
    orders = _marked(orders, pl.concat(bad_parts), "CHILD_REJECTED")
    rejected_orders = orders.filter(~IS_ACCEPTED)["order_id"]
    items, payments = (_marked(part, rejected_orders, "PARENT_REJECTED") for part in (items, payments))
    return Judged({ORDERS.name: orders, ORDER_ITEMS.name: items, ORDER_PAYMENTS.name: payments})


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
    is_unknown = _is_among(order_ids)
    return orders.with_columns(pl.when(~is_unknown).then(pl.col(rollup.name)).alias(rollup.name) for rollup in rollups)


def _paid_at(orders: pl.DataFrame) -> pl.DataFrame:
    """Return each order's id with the time at which its payments count as received."""
    received_at = expression(paid_at(columns(OrderFacts)))
    return nw.from_native(orders).select("order_id", received_at.alias("received_at")).to_native()


def _marked(rows: pl.DataFrame, order_ids: pl.Series, code: str) -> pl.DataFrame:
    """Return `rows` with `code` appended to the rejects of those whose order is among `order_ids`."""
    separator = pl.when(IS_ACCEPTED).then(pl.lit("")).otherwise(pl.lit(","))
    marked = pl.concat_str(pl.col(REJECTS), separator, pl.lit(code))
    return rows.with_columns(pl.when(_is_among(order_ids)).then(marked).otherwise(pl.col(REJECTS)).alias(REJECTS))


def _is_among(order_ids: pl.Series) -> pl.Expr:
    return pl.col("order_id").is_in(order_ids.drop_nulls().unique().implode())


def _quarantine(rows: pl.DataFrame, table: LandingTable) -> pl.DataFrame:
    """Return rejected rows as quarantine rows, their cells written as landing writes them."""
    cells = canonical_text(rows, table.columns).select(pl.struct(pl.all()).struct.json_encode().alias(PAYLOAD))
    return rows.select(
        pl.lit(table.context).alias("context"),
        pl.lit(table.aggregate).alias("aggregate_type"),
        pl.col(table.identity).alias("aggregate_id"),
        pl.lit(table.name).alias("source_table"),
        pl.lit(table.file).alias("source_file"),
        SOURCE_ROW,
        pl.col(REJECTS).alias(RULES),
        cells.to_series(),
        ORDER_MONTH,
    )


def _rejections(orders: pl.DataFrame) -> pl.DataFrame:
    said = orders.select(
        "order_id",
        pl.col(REJECTS).str.split(",").alias("rules"),
        pl.col("order_purchase_timestamp").alias("occurred_at"),
    )
    return as_events(said, OrderRejected)


def _stored(name: str, kind: pl.DataType) -> pl.Expr:
    """Return a column in the type that staging keeps: money with two digits, counts as 64-bit integers."""
    if isinstance(kind, pl.Decimal):
        return pl.col(name).cast(MONEY)
    return pl.col(name).cast(pl.Int64) if kind.is_integer() else pl.col(name)


def _as_list(codes: str) -> pl.Expr:
    nothing = pl.lit([], dtype=pl.List(pl.String))
    return pl.when(pl.col(codes) != "").then(pl.col(codes).str.split(",")).otherwise(nothing).alias(codes)
