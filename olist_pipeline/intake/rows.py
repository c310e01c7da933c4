"""Intake of one table: from the CSV file to one frame of typed rows and their structural violations.

What belongs here: duplicate keys, orphans, months, and what is kept of a row that is rejected, over all files of a
table. What does not: reading and casting a file (see `parts`), looking at all rows (`lookups`), storing the result.

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
from olist_pipeline.intake.lookups import IS_REPEATED, PARENT_IS_VALID, beside_parents, looked_up
from olist_pipeline.intake.parts import TextOf, read_parts, with_code
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
    text, above = read_parts(landing, table), None if parents is None else parents.lazy()
    rows = finished(looked_up(text.rows.lazy(), table, above).collect(), table, months, text.text_of)
    if not text.malformed.height:
        return rows
    return pl.concat([rows, malformed_rows(text.malformed, table, above)], how="diagonal")


def finished(rows: pl.DataFrame, table: LandingTable, months: MonthRange, text_of: TextOf) -> pl.DataFrame:
    """Return the intake frame of rows, of which all that they break beside others is looked up (see `lookups`)."""
    rows = rows.sort(SOURCE_ROW)
    if table.key:
        rows = rows.with_columns(with_code(pl.col(IS_REPEATED), DUPLICATE_KEY.code)).drop(IS_REPEATED)
    if table.month_of:
        rows = _with_own_month(rows, table.month_of, table.within(months))
    if table.parent and PARENT_IS_VALID in rows.columns:
        rows = _with_parent(rows, table, table.parent)
    return rows.join(_payloads(text_of, rows), on=SOURCE_ROW, how="left", maintain_order="left")


def malformed_rows(malformed: pl.DataFrame, table: LandingTable, parents: pl.LazyFrame | None) -> pl.DataFrame:
    """Return the records that could not be split, with what they seem to be and to belong to, and its month."""
    payload = pl.struct(pl.col(TEXT_COLUMN)).struct.json_encode().alias(PAYLOAD)
    code = pl.when(IS_TRUNCATED).then(pl.lit(TRUNCATED_ROW.code)).otherwise(pl.lit(MALFORMED_ROW.code)).alias(RULES)
    fields = table.record.model_fields
    links = (typed(name, value_type(fields[name].annotation), is_id=True) for name in table.links)
    rows = malformed.select(pl.exclude(TEXT_COLUMN, IS_TRUNCATED, *table.links), *links, code, payload)
    if not table.parent or parents is None:
        return rows
    theirs = parents.join(rows.lazy(), left_on=table.parent.table.key, right_on=table.parent.columns, how="semi")
    return beside_parents(rows.lazy(), table, theirs).collect().sort(SOURCE_ROW).drop(PARENT_IS_VALID)


def parents_of(rows: pl.LazyFrame, table: LandingTable) -> pl.LazyFrame:
    """Return those columns of the intake of `table` that intake of its children reads; a frame of Spark's likewise."""
    return rows.select(SOURCE_ROW, *table.key, *([MONTH] if table.is_monthly else []), RULES)


def canonical_text(rows: pl.DataFrame, columns: tuple[str, ...]) -> pl.DataFrame:
    """Return typed `columns` of `rows` as text, written as landing writes them."""
    moments = {name for name, kind in rows.schema.items() if kind == pl.Datetime}
    return rows.select(
        pl.col(name).dt.strftime(MOMENT_FORMAT) if name in moments else pl.col(name).cast(pl.String) for name in columns
    )


def _with_own_month(rows: pl.DataFrame, column: str, months: MonthRange) -> pl.DataFrame:
    month = pl.col(column).dt.month_start().dt.date()
    is_outside = ~month.is_between(months.first, months.last)
    return rows.with_columns(
        with_code(is_outside, ORDER_MONTH_OUT_OF_RANGE.code),
        pl.when(~is_outside).then(month).alias(MONTH),
    )


def _with_parent(rows: pl.DataFrame, table: LandingTable, parent: Parent) -> pl.DataFrame:
    """Tell rows without a parent apart from rows of a rejected one."""
    has_id, is_valid = pl.all_horizontal(pl.col(parent.columns).is_not_null()), pl.col(PARENT_IS_VALID)
    return (
        rows.with_columns(with_code(has_id & is_valid.is_null(), ORPHAN.of(table.name)))
        .with_columns(with_code(has_id & ~is_valid, PARENT_REJECTED.code))
        .drop(PARENT_IS_VALID)
    )


def _payloads(text_of: TextOf, rows: pl.DataFrame) -> pl.DataFrame:
    """Return `source_row` and `payload` of the rejected rows: their cells as landing has them."""
    rejected = text_of(rows.filter(~IS_VALID)[SOURCE_ROW])
    cells = pl.struct(pl.exclude(SOURCE_ROW)).struct.json_encode()
    return rejected.select(pl.col(SOURCE_ROW), cells.alias(PAYLOAD))
