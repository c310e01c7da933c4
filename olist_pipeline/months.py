"""Months: the partitions of monthly tables.

What belongs here: first days of months, their text and their ranges. What does not: Dagster's partition
definitions, which are made of these, and which months a table has (`landing.table`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

MONTH = "order_month"
"""The column of a monthly table that says a row's month: both sides can be compared month by month by it."""


@dataclass(frozen=True)
class MonthRange:
    """The months from `first` to `last`, both included, each as its first day; as text `YYYY-MM [to YYYY-MM]`."""

    first: date
    last: date

    def __iter__(self) -> Iterator[date]:
        month = self.first
        while month <= self.last:
            yield month
            month = following(month)

    def __str__(self) -> str:
        first, last = month_text(self.first), month_text(self.last)
        return first if first == last else f"{first} to {last}"

    @classmethod
    def until(cls, today: date, first: date) -> MonthRange:
        """Return the months from that of `first` to that of `today`."""
        return cls(first.replace(day=1), today.replace(day=1))


def following(month: date) -> date:
    """Return the first day of the next month."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def month_text(month: date) -> str:
    """Return `YYYY-MM`."""
    return f"{month:%Y-%m}"
