"""The span of landing: its first and its last valid purchase.

What belongs here: what the whole run needs to know before it starts: which months there are, and `as_of`.
What does not: validating orders.
"""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache
from pathlib import Path

from olist_pipeline.errors import OlistError
from olist_pipeline.intake.cast import typed
from olist_pipeline.landing.catalogue import ORDERS
from olist_pipeline.landing.csv_file import read_text
from olist_pipeline.landing.folder import path_of
from olist_pipeline.months import MonthRange

PURCHASE = "order_purchase_timestamp"


def purchase_span(landing: Path, months: MonthRange) -> tuple[datetime, datetime]:
    """Return the first and the last purchase within `months`; raises OlistError when there is none."""
    path = path_of(landing, ORDERS)
    state = path.stat()
    return _span_of_file(path, (state.st_mtime_ns, state.st_size, state.st_ino), months)


@lru_cache(maxsize=1)
def _span_of_file(path: Path, state: tuple[int, ...], months: MonthRange) -> tuple[datetime, datetime]:
    """Return the span of one state of the file: every step of a run asks for it."""
    text = read_text(path, ORDERS).rows
    moments = text.select(typed(PURCHASE, datetime)).to_series()
    valid = moments.filter(moments.dt.date().dt.month_start().is_between(months.first, months.last))
    first, last = valid.min(), valid.max()
    if not isinstance(first, datetime) or not isinstance(last, datetime):
        found = text[PURCHASE].drop_nulls().head(1).to_list()
        example = f", but e.g. {found[0]!r}" if found else ""
        raise OlistError(
            f"{ORDERS.file} has no order with a readable purchase date like 2017-10-02 10:56:33 between "
            f"{months.first} and today{example}; check its contents."
        )
    return first, last


def as_of(landing: Path) -> date:
    """Return the date that the warehouse takes for today: the last purchase date in landing."""
    return purchase_span(landing, MonthRange.until(date.today()))[1].date()
