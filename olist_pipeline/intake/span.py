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
from olist_pipeline.intake.parts import read_parts
from olist_pipeline.landing.catalogue import ORDERS
from olist_pipeline.landing.csv_file import SOURCE_ROW, read_text
from olist_pipeline.landing.folder import files_of, path_of
from olist_pipeline.landing.parts import is_in_parts
from olist_pipeline.months import MonthRange

PURCHASE = "order_purchase_timestamp"


def purchase_span(landing: Path, months: MonthRange) -> tuple[datetime, datetime]:
    """Return the first and the last purchase within `months`; raises OlistError when there is none."""
    states = [path.stat() for path in files_of(landing, ORDERS)]
    return _span(landing, tuple((state.st_mtime_ns, state.st_size, state.st_ino) for state in states), months)


@lru_cache(maxsize=1)
def _span(landing: Path, state: tuple[tuple[int, ...], ...], months: MonthRange) -> tuple[datetime, datetime]:
    """Return the span of one state of the files: every step of a run asks for it."""
    if is_in_parts(landing, ORDERS):
        found = read_parts(landing, ORDERS)
        text, moments = found.text_of(found.rows[SOURCE_ROW].head(1)), found.rows[PURCHASE]
    else:
        text = read_text(path_of(landing, ORDERS), ORDERS).rows
        moments = text.select(typed(PURCHASE, datetime)).to_series()
    valid = moments.filter(moments.dt.date().dt.month_start().is_between(months.first, months.last))
    first, last = valid.min(), valid.max()
    if not isinstance(first, datetime) or not isinstance(last, datetime):
        dates = text[PURCHASE].drop_nulls().head(1).to_list()
        example = f", but e.g. {dates[0]!r}" if dates else ""
        raise OlistError(
            f"{ORDERS.file} has no order with a readable purchase date like 2017-10-02 10:56:33 between "
            f"{months.first} and today{example}; check its contents."
        )
    return first, last


def as_of(landing: Path) -> date:
    """Return the date that the warehouse takes for today: the last purchase date in landing."""
    return purchase_span(landing, MonthRange.until(date.today()))[1].date()
