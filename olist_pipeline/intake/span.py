"""The span of landing: its first and its last valid date.

What belongs here: what the whole run needs to know before it starts: which months there are, and `as_of`.
What does not: validating rows.
"""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache
from pathlib import Path

import polars as pl

from olist_pipeline.errors import OlistError
from olist_pipeline.files import size_and_time
from olist_pipeline.intake.cast import typed
from olist_pipeline.intake.parts import keep_parts, scan_kept
from olist_pipeline.landing.csv_file import read_text
from olist_pipeline.landing.folder import files_of, path_of
from olist_pipeline.landing.parts import is_in_parts
from olist_pipeline.landing.table import LandingTable
from olist_pipeline.months import MonthRange


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
    if is_in_parts(landing, table):
        # All parts together may be larger than the memory.
        files = files_of(landing, table)
        keep_parts(files, table)
        moments = scan_kept(files).select(table.month_of)
    else:
        text = read_text(path_of(landing, table), table).rows
        moments = text.lazy().select(typed(table.month_of, datetime))
    moment = pl.col(table.month_of)
    valid = moments.filter(moment.dt.date().dt.month_start().is_between(months.first, months.last))
    ends = valid.select(moment.min().alias("first"), moment.max().alias("last")).collect(engine="streaming")
    first, last = ends.row(0)
    if not isinstance(first, datetime) or not isinstance(last, datetime):
        dates = read_text(files_of(landing, table)[0], table).rows[table.month_of].drop_nulls().head(1).to_list()
        example = f", but e.g. {dates[0]!r}" if dates else ""
        raise OlistError(
            f"{table.file} has no {table.aggregate} with a readable {table.month_of} like 2017-10-02 10:56:33 between "
            f"{months.first} and today{example}; check its contents."
        )
    return first, last


def as_of(landing: Path, table: LandingTable | None) -> date:
    """Return the date that the warehouse takes for today: the last of the dated table; today without such a table."""
    return dated_span(landing, table, date.today())[1].date() if table else date.today()
