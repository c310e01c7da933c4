"""Validated rows: what a step makes of its inputs, split into accepted and quarantined rows.

What belongs here: the split, the form of staging and quarantine rows, and rejecting rows for their parents'
sake. What does not: which rules are run (the contexts), and storing the result (`steps`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import polars as pl

from olist_domain.kernel.rules import Rulebook
from olist_pipeline.engine.history import EVENTS, EventSource
from olist_pipeline.engine.names import FLAGS, REJECTS
from olist_pipeline.intake.cast import MONEY, RULES
from olist_pipeline.intake.parts import with_code
from olist_pipeline.intake.places import SOURCE_FILE
from olist_pipeline.intake.rows import IS_VALID, PAYLOAD, canonical_text
from olist_pipeline.landing.csv_file import SOURCE_ROW
from olist_pipeline.months import MONTH
from olist_pipeline.validation.table import StagedTable

IS_ACCEPTED = pl.col(REJECTS) == ""


@dataclass(frozen=True)
class ValidatedTable:
    """The validated rows of one table: its own columns, `derived` ones, `rejects` and `flags`, among others."""

    table: StagedTable
    rows: pl.DataFrame
    derived: tuple[str, ...] = ()

    def accepted(self) -> pl.DataFrame:
        """Return the staging rows: columns, derived attributes, flags, month and source row where there are any."""
        kinds = self.rows.schema
        kept = self.rows.lazy().filter(IS_ACCEPTED)
        return kept.select(
            *(_stored(name, kinds[name]) for name in (*self.table.columns, *self.derived)),
            _as_list(FLAGS),
            *([MONTH] if self.table.is_monthly else []),
            *([SOURCE_ROW] if self.table.source else []),
        ).collect()

    def quarantined(self) -> pl.DataFrame:
        """Return the quarantine rows, `rules` by commas, `payload` as JSON with cells as landing writes them."""
        source = self.table.source
        if source is None:
            return pl.DataFrame(schema=QUARANTINE)
        rows = self.rows.filter(~IS_ACCEPTED)
        cells = canonical_text(rows, self.table.columns).select(pl.struct(pl.all()).struct.json_encode().alias(PAYLOAD))
        return quarantine_rows(rows.with_columns(pl.col(REJECTS).alias(RULES), cells.to_series()), self.table)


@dataclass(frozen=True)
class Validated:
    """What a step made of its inputs: its tables by name, and where its events come from, each aggregate's in order."""

    tables: dict[str, ValidatedTable]
    sources: tuple[EventSource, ...] = ()

    @classmethod
    def of(cls, tables: Iterable[ValidatedTable], sources: Iterable[EventSource] = ()) -> Validated:
        """Return the outcome of `tables`, with the events of `sources` one after the other."""
        return cls({validated.table.name: validated for validated in tables}, tuple(sources))

    @property
    def events(self) -> pl.DataFrame:
        """The event rows of all sources."""
        return pl.concat([pl.DataFrame(schema=EVENTS), *(source.rows() for source in self.sources)])

    def accepted(self, table: str) -> pl.DataFrame:
        """Return the staging rows of a table."""
        return self.tables[table].accepted()

    def quarantined(self) -> pl.DataFrame:
        """Return the quarantine rows of all tables."""
        return pl.concat([validated.quarantined() for validated in self.tables.values()])


def quarantine_rows(rows: pl.DataFrame, table: StagedTable) -> pl.DataFrame:
    """Return the quarantine rows of `rows`, which have `rules` and `payload`."""
    if table.source is None:
        raise ValueError(f"{table.name} has no landing rows that could be quarantined")
    return rows.select(
        pl.lit(table.context).alias("context"),
        pl.lit(table.aggregate).alias("aggregate_type"),
        pl.col(table.identity).alias("aggregate_id"),
        pl.lit(table.name).alias("source_table"),
        pl.col(SOURCE_FILE) if SOURCE_FILE in rows.columns else pl.lit(table.source.file).alias(SOURCE_FILE),
        SOURCE_ROW,
        RULES,
        PAYLOAD,
        pl.col(MONTH) if MONTH in rows.columns else pl.lit(None, dtype=pl.Date).alias(MONTH),
    )


def valid_rows(intake: pl.LazyFrame) -> pl.LazyFrame:
    """Return the rows that intake found nothing wrong with."""
    return intake.filter(IS_VALID).drop(RULES, PAYLOAD)


def rejected_with(rows: pl.DataFrame, is_rejected: pl.Expr, code: str) -> pl.DataFrame:
    """Return validated `rows` with `code` appended to the rejects of those of which `is_rejected` holds."""
    return rows.with_columns(with_code(is_rejected, code, REJECTS))


def is_among(column: str, values: pl.Series) -> pl.Expr:
    """Return whether `column` has one of `values`."""
    return pl.col(column).is_in(values.drop_nulls().unique().implode())


def derived_names(book: Rulebook[Any]) -> tuple[str, ...]:
    """Return the columns that a rulebook derives."""
    return tuple(derivation.name for derivation in book.derivations)


QUARANTINE = {
    **dict.fromkeys(("context", "aggregate_type", "aggregate_id", "source_table", SOURCE_FILE), pl.String),
    SOURCE_ROW: pl.Int64,
    **dict.fromkeys((RULES, PAYLOAD), pl.String),
    MONTH: pl.Date,
}


def _stored(name: str, kind: pl.DataType) -> pl.Expr:
    """Return a column in the type that staging keeps: money with two digits, counts as 64-bit integers."""
    if isinstance(kind, pl.Decimal):
        return pl.col(name).cast(MONEY)
    return pl.col(name).cast(pl.Int64) if kind.is_integer() else pl.col(name)


def _as_list(codes: str) -> pl.Expr:
    nothing = pl.lit([], dtype=pl.List(pl.String))
    return pl.when(pl.col(codes) != "").then(pl.col(codes).str.split(",")).otherwise(nothing).alias(codes)
