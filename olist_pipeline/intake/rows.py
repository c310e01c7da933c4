"""Intake of one table: from the CSV file to one frame of typed rows and their structural violations.

What belongs here: duplicate keys, orphans, months, and what is kept of a row that is rejected, over all files of a
table. What does not: reading and casting a file (see `parts`), storing the result.

The frame has `source_row`, the record's typed columns, `order_month` for a monthly table (so called in every context,
as in quarantine), `rules` (codes by commas, empty for a valid row) and `payload` (the row's own text as JSON, for
rejected rows only). Rows of a table in parts have `source_file`, too.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from olist_domain.kernel.records import value_type
from olist_pipeline.intake.cast import MOMENT_FORMAT, RULES, typed
from olist_pipeline.intake.codes import (
    DUPLICATE_KEY,
    MALFORMED_ROW,
    ORDER_MONTH_OUT_OF_RANGE,
    ORPHAN,
    PARENT_REJECTED,
    TRUNCATED_ROW,
)
from olist_pipeline.intake.parts import Parts, read_parts, with_code
from olist_pipeline.landing.csv_file import IS_TRUNCATED, SOURCE_ROW
from olist_pipeline.landing.table import TEXT_COLUMN, LandingTable, Parent
from olist_pipeline.months import MONTH, MonthRange

PAYLOAD = "payload"
IS_VALID = pl.col(RULES) == ""


def ingest(table: LandingTable, landing: Path, months: MonthRange, parents: pl.DataFrame | None = None) -> pl.DataFrame:
    """Return the intake frame of `table`; raises OlistError when its file is unusable.

    `parents` is of the table that its rows belong to, if there is one (see `parents_of`). A row whose own date is
    outside `months`, or before the table's first, is rejected, for it would belong to no partition.
    """
    text = read_parts(landing, table)
    rows = text.rows
    if table.key:
        rows = rows.with_columns(with_code(_is_repeated(table.key), DUPLICATE_KEY.code))
    if table.month_of:
        rows = _with_own_month(rows, table.month_of, table.within(months))
    if table.parent and parents is not None:
        rows = _with_parent(rows, table, table.parent, parents)
    rows = rows.join(_payloads(text, rows), on=SOURCE_ROW, how="left", maintain_order="left")
    if not text.malformed.height:
        return rows
    return pl.concat([rows, _malformed(text.malformed, table, parents)], how="diagonal")


def parents_of(rows: pl.LazyFrame, table: LandingTable) -> pl.LazyFrame:
    """Return those columns of the intake of `table` that intake of its children reads."""
    return rows.select(*table.key, *([MONTH] if table.is_monthly else []), RULES)


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
        pl.when(~is_outside).then(month).alias(MONTH),
    )


def _with_parent(rows: pl.DataFrame, table: LandingTable, parent: Parent, parents: pl.DataFrame) -> pl.DataFrame:
    """Give each row its parent's month, and tell rows without a parent apart from rows of a rejected one."""
    joined = _beside_parents(rows, table, parent, parents)
    has_id, is_valid = pl.all_horizontal(pl.col(parent.columns).is_not_null()), pl.col("parent_is_valid")
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


def _beside_parents(rows: pl.DataFrame, table: LandingTable, parent: Parent, parents: pl.DataFrame) -> pl.DataFrame:
    """Return `rows` with their parent's month, where they have none of their own, and `parent_is_valid`."""
    month = [pl.col(MONTH).first()] if parent.table.is_monthly and not table.month_of else []
    known = parents.group_by(parent.table.key).agg(*month, IS_VALID.all().alias("parent_is_valid"))
    return rows.join(known, left_on=parent.columns, right_on=parent.table.key, how="left", maintain_order="left")


def _malformed(malformed: pl.DataFrame, table: LandingTable, parents: pl.DataFrame | None) -> pl.DataFrame:
    """Return the records that could not be split, with what they seem to be and to belong to, and its month."""
    payload = pl.struct(pl.col(TEXT_COLUMN)).struct.json_encode().alias(PAYLOAD)
    code = pl.when(IS_TRUNCATED).then(pl.lit(TRUNCATED_ROW.code)).otherwise(pl.lit(MALFORMED_ROW.code)).alias(RULES)
    fields = table.record.model_fields
    links = (typed(name, value_type(fields[name].annotation), is_id=True) for name in table.links)
    rows = malformed.select(pl.exclude(TEXT_COLUMN, IS_TRUNCATED, *table.links), *links, code, payload)
    if not table.parent or parents is None:
        return rows
    return _beside_parents(rows, table, table.parent, parents).drop("parent_is_valid")
