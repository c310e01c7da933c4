"""Intake of one table: from the CSV file to one frame of typed rows and their structural violations.

What belongs here: duplicate keys, orphans, months, and what is kept of a row that is rejected, over all files of a
table. What does not: reading and casting a file (see `parts`), storing the result.

The frame has `source_row`, the record's typed columns, `order_month` for an order-level table, `rules` (codes
by commas, empty for a valid row) and `payload` (the row's own text as JSON, for rejected rows only). Rows of a table in
parts have `source_file`, too.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from olist_pipeline.intake.cast import MOMENT_FORMAT, RULES
from olist_pipeline.intake.codes import (
    DUPLICATE_KEY,
    MALFORMED_ROW,
    ORDER_MONTH_OUT_OF_RANGE,
    ORPHAN,
    PARENT_REJECTED,
    TRUNCATED_ROW,
)
from olist_pipeline.intake.parts import Parts, read_parts, with_code
from olist_pipeline.landing.catalogue import TEXT_COLUMN, LandingTable
from olist_pipeline.landing.csv_file import IS_TRUNCATED, SOURCE_ROW
from olist_pipeline.months import MonthRange

ORDER_MONTH = "order_month"
PAYLOAD = "payload"
IS_VALID = pl.col(RULES) == ""


def ingest(table: LandingTable, landing: Path, months: MonthRange, orders: pl.DataFrame | None = None) -> pl.DataFrame:
    """Return the intake frame of `table`; raises OlistError when its file is unusable.

    `orders` is the intake frame of orders, needed for a table whose rows belong to orders. A purchase
    outside `months` is rejected, for it would belong to no partition.
    """
    text = read_parts(landing, table)
    rows = text.rows
    if table.key:
        rows = rows.with_columns(with_code(_is_repeated(table.key), DUPLICATE_KEY.code))
    if table.month_of:
        rows = _with_own_month(rows, table.month_of, months)
    if orders is not None:
        rows = _with_parent_month(rows, table, orders)
    rows = rows.join(_payloads(text, rows), on=SOURCE_ROW, how="left", maintain_order="left")
    if not text.malformed.height:
        return rows
    return pl.concat([rows, _malformed(text.malformed, table, orders)], how="diagonal")


def canonical_text(rows: pl.DataFrame, columns: tuple[str, ...]) -> pl.DataFrame:
    """Return typed `columns` of `rows` as text, written as landing writes them."""
    moments = {name for name, kind in rows.schema.items() if kind == pl.Datetime}
    return rows.select(
        pl.col(name).dt.strftime(MOMENT_FORMAT) if name in moments else pl.col(name).cast(pl.String) for name in columns
    )


def _is_repeated(key: tuple[str, ...]) -> pl.Expr:
    """Return whether a row shares its whole key with another: then nobody can tell which of them is true."""
    return pl.all_horizontal(pl.col(key).is_not_null()) & pl.struct(key).is_duplicated()


def _with_own_month(rows: pl.DataFrame, column: str, months: MonthRange) -> pl.DataFrame:
    month = pl.col(column).dt.month_start().dt.date()
    is_outside = ~month.is_between(months.first, months.last)
    return rows.with_columns(
        with_code(is_outside.fill_null(False), ORDER_MONTH_OUT_OF_RANGE.code),
        pl.when(~is_outside).then(month).alias(ORDER_MONTH),
    )


def _with_parent_month(rows: pl.DataFrame, table: LandingTable, orders: pl.DataFrame) -> pl.DataFrame:
    """Give each row its order's month, and tell rows of no order apart from rows of a rejected one."""
    joined = rows.join(_parents(orders), on="order_id", how="left", maintain_order="left")
    has_id, is_valid = pl.col("order_id").is_not_null(), pl.col("parent_is_valid")
    return (
        joined.with_columns(with_code(has_id & is_valid.is_null(), ORPHAN.of(table.name)))
        .with_columns(with_code(has_id & is_valid.eq(False).fill_null(False), PARENT_REJECTED.code))
        .drop("parent_is_valid")
    )


def _payloads(text: Parts, rows: pl.DataFrame) -> pl.DataFrame:
    """Return `source_row` and `payload` of the rejected rows: their cells as landing has them."""
    rejected = text.text_of(rows.filter(~IS_VALID)[SOURCE_ROW])
    cells = pl.struct(pl.exclude(SOURCE_ROW)).struct.json_encode()
    return rejected.select(pl.col(SOURCE_ROW), cells.alias(PAYLOAD))


def _parents(orders: pl.DataFrame) -> pl.DataFrame:
    """Return each order id of landing with its month and whether all its rows are valid."""
    return orders.group_by("order_id").agg(pl.col(ORDER_MONTH).first(), IS_VALID.all().alias("parent_is_valid"))


def _malformed(malformed: pl.DataFrame, table: LandingTable, orders: pl.DataFrame | None) -> pl.DataFrame:
    """Return the records that could not be split, with the order that they seem to belong to, and its month."""
    payload = pl.struct(pl.col(TEXT_COLUMN)).struct.json_encode().alias(PAYLOAD)
    code = pl.when(IS_TRUNCATED).then(pl.lit(TRUNCATED_ROW.code)).otherwise(pl.lit(MALFORMED_ROW.code)).alias(RULES)
    rows = malformed.select(pl.exclude(TEXT_COLUMN, IS_TRUNCATED), code, payload)
    if "order_id" not in table.columns:
        return rows.drop("order_id")
    if orders is None:
        return rows
    return rows.join(_parents(orders), on="order_id", how="left").drop("parent_is_valid")
