"""The days on which orders are placed, and the arithmetic of seconds and days.

What belongs here: the sales calendar made of `shapes.MONTHS`. What does not: anything about one order.
Days are counted from 1970-01-01 and times are seconds from then, without a zone, as in the real set.
"""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl

from olist_pipeline.synthetic import shapes
from olist_pipeline.synthetic.draw import Flags, Ints, Words, below, choose, cumulated

DAY = 86_400
HOUR = 3_600


def day_number(year: int, month: int, day: int) -> int:
    """Days from 1970-01-01 to the date."""
    return (date(year, month, day) - date(1970, 1, 1)).days


FIRST_DAY = day_number(*shapes.MONTHS[0][:3])
LAST_DAY = day_number(*shapes.MONTHS[-1][:2], shapes.MONTHS[-1].last_day)
LAST_BUSY_DAY = day_number(2018, 8, shapes.MONTHS[-3].last_day)
"""The last day on which shops sold as usual; a few orders stand in the seven weeks after it."""


def _days_of(month: shapes.Month) -> list[tuple[int, int]]:
    """(day, weight) for the days of a month; the weights add up to a thousand an order."""
    days = [date(month.year, month.month, d) for d in range(month.first_day, month.last_day + 1)]
    shares = [shapes.WEEKDAYS[d.weekday()] * shapes.SALES_DAYS.get((d.year, d.month, d.day), 100) for d in days]
    orders = 1000 * sum(month.statuses)
    return [
        ((d - date(1970, 1, 1)) // timedelta(days=1), orders * share // sum(shares))
        for d, share in zip(days, shares, strict=True)
    ]


_CALENDAR = [day for month in shapes.MONTHS for day in _days_of(month)]
_QUIET = range(day_number(2016, 10, 23), day_number(2017, 1, 5))
"""Weeks in which nothing was sold, but for one day."""

_DAYS = np.array([day for day, _ in _CALENDAR], dtype=np.int64)
_DAY_TOTALS = cumulated([weight for _, weight in _CALENDAR])
_MONTH_STARTS = np.array([day_number(month.year, month.month, 1) for month in shapes.MONTHS], dtype=np.int64)


def sales_days(words: Words) -> Ints:
    """A day of purchase for each word."""
    return _DAYS[choose(words, _DAY_TOTALS)]


def open_day(day: Ints, distance: Ints) -> Ints:
    """The day so many days after `day`, or before it where that is past the busy days, or `day` itself."""
    after, before = day + distance, day - distance
    moved = np.where(after <= LAST_BUSY_DAY, after, np.where(before >= _QUIET.stop, before, day))
    return np.where((moved >= _QUIET.start) & (moved < _QUIET.stop), day, moved)


def month_rows(days: Ints) -> Ints:
    """The row of `shapes.MONTHS` for each day; a day of a month without sales has the one before."""
    return np.searchsorted(_MONTH_STARTS, days, side="right").astype(np.int64) - 1


def times_of_day(hours: Words, seconds: Words, totals: Ints) -> Ints:
    """Seconds since midnight, by running totals of orders an hour."""
    return choose(hours, totals) * HOUR + below(seconds, HOUR)


def fold(start: Ints, duration: Ints, end: int) -> Ints:
    """`start + duration`, or an earlier moment after `start` where that would lie after `end`."""
    room = np.maximum(end - start, HOUR)
    return np.asarray(start + np.where(duration > room, duration % room, duration))


def timestamps(seconds: Ints, present: Flags | None = None) -> pl.Series:
    """Seconds as a column of dates with times, missing where `present` is false."""
    column = pl.Series(seconds * 1000).cast(pl.Datetime("ms"))
    if present is None:
        return column
    return pl.select(pl.when(pl.Series(present)).then(column)).to_series()
