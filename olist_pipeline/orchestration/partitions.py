"""Partitions: the months of everything that orders bear, as Dagster keeps them.

What belongs here: the partitions definition and the way from a run's keys to months. What does not: the
arithmetic of months.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import dagster as dg

from olist_pipeline.months import FIRST_MONTH, month_text

MONTHS = dg.MonthlyPartitionsDefinition(start_date=FIRST_MONTH.isoformat(), fmt="%Y-%m-%d", end_offset=1)
"""Keys are first days of months; the present month is included."""


def months_of(keys: Sequence[str]) -> list[date]:
    """Return the months of partition keys."""
    return [date.fromisoformat(key) for key in keys]


def describe(months: Sequence[date]) -> str:
    """Return `YYYY-MM`, or the first and the last of several months."""
    if not months:
        return "no month"
    first, last = month_text(min(months)), month_text(max(months))
    return first if first == last else f"{first} to {last}"
