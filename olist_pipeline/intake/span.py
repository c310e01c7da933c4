"""The span of landing: its first and its last sound purchase.

What belongs here: what the whole run needs to know before it starts: which months there are, and `as_of`.
What does not: judging orders.
"""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache
from pathlib import Path

from olist_pipeline.errors import OlistError
from olist_pipeline.intake.cast import typed
from olist_pipeline.landing.catalogue import ORDERS, LandingTable
from olist_pipeline.landing.csv_file import read_text
from olist_pipeline.landing.folder import path_of
from olist_pipeline.months import MonthRange


def purchase_span(landing: Path, months: MonthRange, table: LandingTable = ORDERS) -> tuple[datetime, datetime]:
    """Return the first and the last date of a dated table within `months`; raises OlistError when there is none."""
    path = path_of(landing, table)
    state = path.stat()
    return _span_of_file(path, table, (state.st_mtime_ns, state.st_size, state.st_ino), months)


@lru_cache(maxsize=1)
def _span_of_file(
    path: Path, table: LandingTable, state: tuple[int, ...], months: MonthRange
) -> tuple[datetime, datetime]:
    """Return the span of one state of the file: every step of a run asks for it."""
    if table.month_of is None:
        raise ValueError(f"{table.name} has no dates of its own")
    text = read_text(path, table).rows
    moments = text.select(typed(table.month_of, datetime)).to_series()
    sound = moments.filter(moments.dt.date().dt.month_start().is_between(months.first, months.last))
    first, last = sound.min(), sound.max()
    if not isinstance(first, datetime) or not isinstance(last, datetime):
        found = text[table.month_of].drop_nulls().head(1).to_list()
        example = f", but e.g. {found[0]!r}" if found else ""
        raise OlistError(
            f"{table.file} has no {table.aggregate} with a readable {table.month_of} like 2017-10-02 10:56:33 between "
            f"{months.first} and today{example}; check its contents."
        )
    return first, last


def as_of(landing: Path, table: LandingTable | None = ORDERS) -> date:
    """Return the date that the warehouse takes for today: the last of the dated table; today without such a table."""
    return purchase_span(landing, MonthRange.until(date.today()), table)[1].date() if table else date.today()
