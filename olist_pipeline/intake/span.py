"""The span of landing: its first and its last valid date.

What belongs here: what the whole run needs to know before it starts: which months there are, and `as_of`.
What does not: validating rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path

import polars as pl

from olist_pipeline.errors import OlistError
from olist_pipeline.files import size_and_time
from olist_pipeline.intake.cast import typed
from olist_pipeline.intake.parts import keep_parts, scan_kept
from olist_pipeline.landing.csv_file import read_text, windows_of
from olist_pipeline.landing.folder import files_of, path_of
from olist_pipeline.landing.parts import is_in_parts
from olist_pipeline.landing.table import LandingTable
from olist_pipeline.months import MonthRange
from olist_pipeline.near import LONGEST


def dated_span(landing: Path, table: LandingTable, today: date) -> tuple[datetime, datetime]:
    """Return the first and the last date of a dated table within its months; raises OlistError when there is none."""
    state = tuple(tuple(size_and_time(path)) for path in files_of(landing, table))
    return _span(landing, table, state, table.months(today))


@lru_cache(maxsize=8)
def _span(
    landing: Path, table: LandingTable, state: tuple[tuple[int, ...], ...], months: MonthRange
) -> tuple[datetime, datetime]:
    """Return the span of one state of the files: every step of a run asks for it."""
    if table.month_of is None:
        raise ValueError(f"{table.name} has no dates of its own")
    # All of them together may be larger than the memory.
    spans = pl.concat(_span_of(moments, table.month_of, months) for moments in _moments(landing, table))
    first, last = spans.select(pl.col("first").min(), pl.col("last").max()).row(0)
    if not isinstance(first, datetime) or not isinstance(last, datetime):
        dates = read_text(files_of(landing, table)[0], table, 0).rows[table.month_of].drop_nulls().head(1).to_list()
        example = f", but e.g. {dates[0][:LONGEST]!r}" if dates else ""
        raise OlistError(
            f"{table.file} has no {table.aggregate} with a readable {table.month_of} like 2017-10-02 10:56:33 between "
            f"{months.first} and today{example}; check its contents."
        )
    return first, last


def _moments(landing: Path, table: LandingTable) -> Iterator[pl.LazyFrame]:
    """Yield the dates of a dated table, some at a time."""
    column = str(table.month_of)
    if is_in_parts(landing, table):
        files = files_of(landing, table)
        keep_parts(files, table)
        yield scan_kept(files).select(column)
        return
    path = path_of(landing, table)
    for window in windows_of(path, table):
        yield read_text(path, table, window).rows.lazy().select(typed(column, datetime))


def _span_of(moments: pl.LazyFrame, column: str, months: MonthRange) -> pl.DataFrame:
    moment = pl.col(column)
    valid = moments.filter(moment.dt.date().dt.month_start().is_between(months.first, months.last))
    return valid.select(moment.min().alias("first"), moment.max().alias("last")).collect(engine="streaming")


def as_of(landing: Path, table: LandingTable | None) -> date:
    """Return the date that the warehouse takes for today: the last of the dated table; today without such a table."""
    return dated_span(landing, table, date.today())[1].date() if table else date.today()
