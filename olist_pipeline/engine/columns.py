"""Columns: facts whose values are columns of a frame.

What belongs here: the meaning of the domain's fact operators on Narwhals expressions, hence on Polars,
DuckDB and PySpark alike. What does not: which rules are run.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from dataclasses import fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar, cast

import narwhals as nw

from olist_domain.kernel.facts import WHITE_SPACE, Branch, Fact

T = TypeVar("T", covariant=True)
FactsT = TypeVar("FactsT")

DIGITS_OF_MONEY = 2
"""The digits of an amount behind the point."""

COMPARISONS = frozenset({"eq", "ne", "lt", "le", "gt", "ge"})

on_comparison: ContextVar[Callable[[nw.Expr, nw.Expr], None] | None] = ContextVar("on_comparison", default=None)
"""What is called with both sides of each comparison that is written while it is set."""

MICROSECONDS_A_SECOND = 1_000_000
MICROSECONDS_AN_HOUR = 3600 * MICROSECONDS_A_SECOND


class ColumnFact(Fact[T]):
    """A fact of every row of a frame: a Narwhals expression, unknown where it is null."""

    __slots__ = ("expr",)

    def __init__(self, expr: nw.Expr) -> None:
        self.expr = expr

    def binary(self, other: object, name: str) -> ColumnFact[Any]:
        """See `Fact.binary`."""
        if other is None:
            raise TypeError("what is done with None is unknown for every row: write is_null()")
        if name == "truediv":
            divided_by = other.expr if isinstance(other, ColumnFact) else _spread(self.expr, cast(Any, other))
            return ColumnFact(_quotient(self.expr, divided_by))
        if name == "mul" and isinstance(other, Decimal):
            # Polars rounds a product to the digits of the longer side: 33.33 * 0.05 would be 1.67.
            other = other.quantize(Decimal(1).scaleb(min(int(other.as_tuple().exponent), 0) - DIGITS_OF_MONEY))
        right = expression(other)
        if name in COMPARISONS and (called := on_comparison.get()):
            called(self.expr, right)
        return ColumnFact(getattr(operator, name)(self.expr, right))

    def __and__(self, other: Fact[bool] | bool) -> ColumnFact[bool]:
        return ColumnFact(self.expr & expression(other))

    def __or__(self, other: Fact[bool] | bool) -> ColumnFact[bool]:
        return ColumnFact(self.expr | expression(other))

    def __invert__(self) -> ColumnFact[bool]:
        return ColumnFact(~self.expr)

    def __abs__(self) -> ColumnFact[T]:
        return ColumnFact(self.expr.abs())

    def __round__(self, digits: int) -> ColumnFact[float]:
        # The engines' own `round` differ on halves, which the mean of two short numbers often is.
        scale = 10.0**digits
        scaled = (self.expr.abs() * scale + 0.5).floor()
        size = _quotient(scaled, _spread(scaled, scale))
        return ColumnFact(nw.when(self.expr < 0).then(size * -1.0).otherwise(size))

    def floor(self) -> ColumnFact[int]:
        """See `Fact.floor`."""
        return ColumnFact(self.expr.floor().cast(nw.Int64))

    def is_null(self) -> ColumnFact[bool]:
        """See `Fact.is_null`."""
        return ColumnFact(self.expr.is_null())

    def is_false(self) -> ColumnFact[bool]:
        """See `Fact.is_false`."""
        return ColumnFact((~self.expr).fill_null(False))

    def is_in(self, values: Iterable[object]) -> ColumnFact[bool]:
        """See `Fact.is_in`."""
        return ColumnFact(self.expr.is_in(list(values)))

    def is_blank(self) -> ColumnFact[bool]:
        """See `Fact.is_blank`."""
        return ColumnFact(self.expr.str.strip_chars(WHITE_SPACE) == "")

    def is_digits(self, count: int) -> ColumnFact[bool]:
        """See `Fact.is_digits`."""
        return ColumnFact(self.expr.str.contains(rf"\A[0-9]{{{count}}}\z"))

    def days_until(self, other: Fact[date] | date) -> ColumnFact[int]:
        """See `Fact.days_until`."""
        return ColumnFact(_ordinal(expression(other)) - _ordinal(self.expr))

    def hours_until(self, other: Fact[datetime] | datetime) -> ColumnFact[int]:
        """See `Fact.hours_until`."""
        start, end = self.expr, expression(other)
        # `//` rounds down: a part of an hour is made up for where time goes back.
        made_up = nw.when(end < start).then(nw.lit(MICROSECONDS_AN_HOUR - 1)).otherwise(nw.lit(0))
        return ColumnFact((_microseconds(end) - _microseconds(start) + made_up) // MICROSECONDS_AN_HOUR)

    def month_start(self) -> ColumnFact[date]:
        """See `Fact.month_start`."""
        return ColumnFact(self.expr.dt.truncate("1mo").cast(nw.Date))

    def choose(self, branches: tuple[Branch, ...], default: object) -> ColumnFact[Any]:
        """See `Fact.choose`."""
        chosen = expression(default)
        for condition, value in reversed(branches):
            chosen = nw.when(expression(condition)).then(expression(value)).otherwise(chosen)
        return ColumnFact(chosen)


def _quotient(left: nw.Expr, right: nw.Expr) -> nw.Expr:
    """Return the quotient as a double, null where `right` is zero."""
    divisor = nw.when(~left.is_null() & (right != 0)).then(right.cast(nw.Float64))
    return left.cast(nw.Float64) / divisor


def _spread(left: nw.Expr, constant: float | Decimal) -> nw.Expr:
    """Return a constant divisor as a column beside `left`.

    Polars multiplies by the inverse of a single divisor, which is off by a bit: it has to be one for each row.
    """
    value = float(constant)
    return left.cast(nw.Float64).clip(value, value)


def _ordinal(moment: nw.Expr) -> nw.Expr:
    """Return the number of a date's day, counted as `date.toordinal` does.

    Written with the parts of a date because Narwhals has no lengths of time on every engine.
    """
    past_years = moment.dt.year().cast(nw.Int64) - 1
    return past_years * 365 + past_years // 4 - past_years // 100 + past_years // 400 + moment.dt.ordinal_day()


def _microseconds(moment: nw.Expr) -> nw.Expr:
    clock = (
        moment.dt.hour().cast(nw.Int64) * 3600 + moment.dt.minute().cast(nw.Int64) * 60 + moment.dt.second()
    ) * MICROSECONDS_A_SECOND
    return _ordinal(moment) * (24 * MICROSECONDS_AN_HOUR) + clock + moment.dt.microsecond()


def expression(value: object) -> nw.Expr:
    """Return the expression of a column fact, or a literal."""
    return value.expr if isinstance(value, ColumnFact) else nw.lit(cast(Any, value))


def columns(facts: type[FactsT]) -> FactsT:
    """Return the dataclass `facts` over the columns of the same names."""
    return facts(**{field.name: ColumnFact(nw.col(field.name)) for field in fields(cast(Any, facts))})
