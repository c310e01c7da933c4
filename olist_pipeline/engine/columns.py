"""Columns: facts whose values are columns of a frame.

What belongs here: the meaning of the domain's fact operators on Narwhals expressions, hence on Polars,
DuckDB and PySpark alike. What does not: which rules are run.

A fact knows the kind of its column, where there is one: engines differ on what they do with two kinds, and at what
size a number begins anew, fails or is rounded.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import reduce
from typing import Any, TypeVar, cast

import narwhals as nw

from olist_domain.kernel.facts import WHITE_SPACE, WITH_NONE, Branch, Fact
from olist_domain.kernel.kinds import (
    COMPARISONS,
    LARGEST_WHOLE,
    LARGEST_WITH_PARTS,
    MOST_DIGITS,
    NUMBERS,
    Kind,
    KindError,
    chosen_kind,
    kind_of,
    refuse_other,
    refuse_unlike,
    room_for,
    scale_of,
    size_of_amount,
    size_of_whole,
    some_of,
)

T = TypeVar("T", covariant=True)
FactsT = TypeVar("FactsT")

DIGITS_OF_MONEY = 2
"""The digits of an amount behind the point."""

MICROSECONDS_A_SECOND = 1_000_000
MICROSECONDS_AN_HOUR = 3600 * MICROSECONDS_A_SECOND
_MOST_ONCE_CHECKED = math.nextafter(LARGEST_WHOLE, 0.0)
MOST_DAYS = 4e6
"""More days than there are between the first and the last that a database knows of its years 1 to 9999."""

_MOST_OF = {
    **dict.fromkeys((nw.Int8, nw.UInt8), 2.0**8),
    **dict.fromkeys((nw.Int16, nw.UInt16), 2.0**16),
    **dict.fromkeys((nw.Int32, nw.UInt32), 2.0**32),
}
"""What whole numbers of a column are not above, where that is less than 64 bits."""

_KINDS: tuple[tuple[Callable[[nw.dtypes.DType], bool], Kind], ...] = (
    (lambda column: column == nw.Boolean, Kind.CONDITION),
    (lambda column: column.is_integer(), Kind.WHOLE),
    (lambda column: column == nw.Decimal, Kind.AMOUNT),
    (lambda column: column.is_float(), Kind.DOUBLE),
    (lambda column: column in (nw.String, nw.Categorical, nw.Enum), Kind.TEXT),
    (lambda column: column == nw.Date, Kind.DAY),
    (lambda column: column == nw.Datetime, Kind.MOMENT),
)


class ColumnFact(Fact[T]):
    """A fact of every row of a frame: a Narwhals expression, unknown where it is null.

    `kind` is None where it is not known; `scale` is the digits behind the point of an amount; `most` is what a number's
    size cannot be above. `rough` is about the number, as a double, by which its size is looked at: a calculation that
    looked at itself in each of its steps would be twice as long with each.
    """

    __slots__ = ("expr", "kind", "most", "rough", "scale")

    def __init__(
        self,
        expr: nw.Expr,
        kind: Kind | None = None,
        scale: int = 0,
        *,
        most: float = math.inf,
        rough: nw.Expr | None = None,
    ) -> None:
        self.expr = expr
        self.kind = kind
        self.scale = scale
        self.most = most
        self.rough = _double(self) if rough is None else rough

    def binary(self, other: object, name: str) -> ColumnFact[Any]:
        """See `Fact.binary`."""
        if other is None:
            raise KindError(WITH_NONE)
        right = _fact(other)
        refuse_unlike(name, self.kind, right.kind)
        kinds = {self.kind, right.kind}
        if name == "truediv":
            divided_by = right.expr if isinstance(other, ColumnFact) else _spread(self.expr, cast(Any, other))
            return ColumnFact(_quotient(self.expr, divided_by), Kind.DOUBLE)
        compute = getattr(operator, name)
        if Kind.DOUBLE in kinds and None not in kinds:
            kind = Kind.CONDITION if name in COMPARISONS else Kind.DOUBLE
            return ColumnFact(compute(_double(self), _double(right)), kind)
        if name in COMPARISONS:
            return ColumnFact(self._compared(right, name), Kind.CONDITION)
        if kinds == {Kind.WHOLE}:
            return self._whole(right, name)
        if kinds <= {Kind.WHOLE, Kind.AMOUNT}:
            return self._amount(right, name)
        if Kind.LENGTH in kinds:
            return ColumnFact(compute(self._within(name, cast(Any, other)), right.expr), Kind.MOMENT)
        return ColumnFact(compute(self.expr, right.expr))

    def _compared(self, right: ColumnFact[Any], name: str) -> nw.Expr:
        """Return a comparison; of amounts of other digits, DuckDB fails at long ones, and Spark rounds them."""
        compute = getattr(operator, name)
        if {self.kind, right.kind} != {Kind.AMOUNT} or self.scale == right.scale:
            return cast(nw.Expr, compute(self.expr, right.expr))
        fits = size_of_amount("sub", *_sized(self, right)).expr < room_for("sub", self.scale, right.scale)
        kind = nw.Decimal(MOST_DIGITS, max(self.scale, right.scale))
        exact = compute(nw.when(fits).then(self.expr).cast(kind), nw.when(fits).then(right.expr).cast(kind))
        return nw.when(fits).then(exact).otherwise(compute(_double(self), _double(right)))

    def _whole(self, right: ColumnFact[Any], name: str) -> ColumnFact[int]:
        """Return a calculation with whole numbers; Polars begins anew below zero beyond 64 bits, DuckDB fails there."""
        compute, whole = getattr(operator, name), self.expr.cast(nw.Int64)
        most = self.most if name == "floordiv" else _most(name, self, right)
        if not most < LARGEST_WHOLE:
            whole = nw.when(size_of_whole(name, *_sized(self, right)).expr < LARGEST_WHOLE).then(whole)
            most = _MOST_ONCE_CHECKED
        rough = None if name == "floordiv" else compute(self.rough, right.rough)
        return ColumnFact(compute(whole, right.expr.cast(nw.Int64)), Kind.WHOLE, most=most, rough=rough)

    def _amount(self, right: ColumnFact[Any], name: str) -> ColumnFact[Decimal]:
        """Return a calculation with amounts, exact: Polars rounds a product to the digits of the longer side."""
        scale = self.scale + right.scale if name == "mul" else max(self.scale, right.scale)
        limit = room_for(name, self.scale, right.scale)
        if limit < 1:
            raise KindError(f"amounts of {self.scale} and {right.scale} digits behind the point cannot be multiplied")
        compute, kind = getattr(operator, name), nw.Decimal(MOST_DIGITS, scale)
        left = self.expr if name != "mul" and self.scale == right.scale else self.expr.cast(kind)
        if not size_of_amount(name, self.most, right.most) < limit:
            left = nw.when(size_of_amount(name, *_sized(self, right)).expr < limit).then(left)
        computed = compute(left, right.expr)
        return ColumnFact(
            computed.cast(kind) if name == "mul" else computed,
            Kind.AMOUNT,
            scale,
            most=_most(name, self, right),
            rough=compute(self.rough, right.rough),
        )

    def _within(self, name: str, length: Any) -> nw.Expr:
        """Return a time, null where it is moved by `length` beyond the years of a date."""
        moved = length if name == "add" else -length
        fits = (
            self.expr >= nw.lit(datetime.min - moved) if moved.days < 0 else self.expr <= nw.lit(datetime.max - moved)
        )
        return nw.when(fits).then(self.expr)

    def _of(self, called: str, expr: nw.Expr, kind: Kind) -> ColumnFact[Any]:
        refuse_other(called, self.kind)
        return ColumnFact(expr, kind)

    def __and__(self, other: Fact[bool] | bool) -> ColumnFact[bool]:
        return ColumnFact(_condition(self) & _condition(other), Kind.CONDITION)

    def __or__(self, other: Fact[bool] | bool) -> ColumnFact[bool]:
        return ColumnFact(_condition(self) | _condition(other), Kind.CONDITION)

    def __invert__(self) -> ColumnFact[bool]:
        return ColumnFact(~_condition(self), Kind.CONDITION)

    def __abs__(self) -> ColumnFact[T]:
        refuse_other("abs()", self.kind)
        size = self._within_64_bits().cast(nw.Int64) if self.kind is Kind.WHOLE else self.expr
        return ColumnFact(size.abs(), self.kind, self.scale, most=self.most, rough=self.rough.abs())

    def _within_64_bits(self) -> nw.Expr:
        fits = self.most < LARGEST_WHOLE
        return self.expr if fits else nw.when(self.rough.abs() < LARGEST_WHOLE).then(self.expr)

    def __round__(self, digits: int) -> ColumnFact[float]:
        # The engines' own `round` differ on halves, which the mean of two short numbers often is.
        scale, number = 10.0**digits, _double(self)
        has_parts = number.abs() * scale < LARGEST_WITH_PARTS
        scaled = (nw.when(has_parts).then(number.abs()) * scale + 0.5).floor()
        size = _quotient(scaled, _spread(scaled, scale))
        signed = nw.when(number < 0).then(size * -1.0).otherwise(size)
        return self._of("round()", nw.when(has_parts & (number != 0)).then(signed).otherwise(number), Kind.DOUBLE)

    def floor(self) -> ColumnFact[int]:
        """See `Fact.floor`."""
        known = self._within_64_bits()
        # DuckDB's `floor` makes a double of a whole number.
        return self._of("floor()", (known if self.kind is Kind.WHOLE else known.floor()).cast(nw.Int64), Kind.WHOLE)

    def is_null(self) -> ColumnFact[bool]:
        """See `Fact.is_null`."""
        return ColumnFact(self.expr.is_null(), Kind.CONDITION)

    def is_false(self) -> ColumnFact[bool]:
        """See `Fact.is_false`."""
        return ColumnFact((~_condition(self)).fill_null(False), Kind.CONDITION)

    def is_in(self, values: Iterable[object]) -> ColumnFact[bool]:
        """See `Fact.is_in`."""
        one_of = some_of(values)
        found = [self.binary(value, "eq") for value in one_of]  # which refuses other kinds
        if self.kind is None or {kind_of(_plain(value)) for value in one_of} == {self.kind} <= {Kind.TEXT, Kind.WHOLE}:
            return ColumnFact(self.expr.is_in([_plain(value) for value in one_of]), Kind.CONDITION)
        return cast("ColumnFact[bool]", reduce(operator.or_, found))

    def is_blank(self) -> ColumnFact[bool]:
        """See `Fact.is_blank`."""
        return self._of("is_blank()", self.expr.str.strip_chars(WHITE_SPACE) == "", Kind.CONDITION)

    def is_digits(self, count: int) -> ColumnFact[bool]:
        """See `Fact.is_digits`."""
        return self._of("is_digits()", self.expr.str.contains(rf"\A[0-9]{{{count}}}\z"), Kind.CONDITION)

    def days_until(self, other: Fact[date] | date) -> ColumnFact[int]:
        """See `Fact.days_until`."""
        until = _fact(other)
        refuse_other("days_until()", self.kind, until.kind)
        return ColumnFact(_ordinal(until.expr) - _ordinal(self.expr), Kind.WHOLE, most=MOST_DAYS)

    def hours_until(self, other: Fact[datetime] | datetime) -> ColumnFact[int]:
        """See `Fact.hours_until`."""
        until = _fact(other)
        refuse_other("hours_until()", self.kind, until.kind)
        start, end = self.expr, until.expr
        # `//` rounds down: a part of an hour is made up for where time goes back.
        made_up = nw.when(end < start).then(nw.lit(MICROSECONDS_AN_HOUR - 1)).otherwise(nw.lit(0))
        hours = (_microseconds(end) - _microseconds(start) + made_up) // MICROSECONDS_AN_HOUR
        return ColumnFact(hours, Kind.WHOLE, most=24.0 * MOST_DAYS)

    def month_start(self) -> ColumnFact[date]:
        """See `Fact.month_start`."""
        return self._of("month_start()", self.expr.dt.truncate("1mo").cast(nw.Date), Kind.DAY)

    def choose(self, branches: tuple[Branch, ...], default: object) -> ColumnFact[Any]:
        """See `Fact.choose`."""
        values = [_fact(value) for value in (*(value for _, value in branches), default)]
        kind = chosen_kind(value.kind for value in values)
        scale = max(value.scale for value in values)
        if kind is Kind.AMOUNT and any(value.kind is Kind.WHOLE or value.scale != scale for value in values):
            of_one = [value.expr.cast(nw.Decimal(MOST_DIGITS, scale)) for value in values]
        elif kind is Kind.DOUBLE:
            of_one = [_double(value) for value in values]
        else:
            of_one = [value.expr for value in values]
        chosen = of_one[-1]
        for (condition, _), value in zip(reversed(branches), reversed(of_one[:-1]), strict=True):
            chosen = nw.when(_condition(condition)).then(value).otherwise(chosen)
        return ColumnFact(chosen, kind, scale, most=max(value.most for value in values))


def _double(fact: ColumnFact[Any]) -> nw.Expr:
    return fact.expr.cast(nw.Float64)


def _most(name: str, left: ColumnFact[Any], right: ColumnFact[Any]) -> float:
    """Return what the size of a product, a sum or a difference cannot be above."""
    return left.most * right.most if name == "mul" else left.most + right.most


def _sized(*facts: ColumnFact[Any]) -> list[ColumnFact[Any]]:
    """Return the rough numbers, which are compared and calculated with as they are."""
    return [ColumnFact(fact.rough) for fact in facts]


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


def _condition(value: object) -> nw.Expr:
    condition = _fact(value)
    refuse_other("&, | or ~", condition.kind)
    return condition.expr


def _plain(value: object) -> Any:
    return value.value if isinstance(value, Enum) else value


def _fact(value: object) -> ColumnFact[Any]:
    """Return a column fact as it is, and a plain value as one of every row."""
    if isinstance(value, ColumnFact):
        return value
    plain = _plain(value)
    kind = kind_of(plain)
    if kind is Kind.WHOLE and abs(plain) >= LARGEST_WHOLE:
        raise KindError(f"{plain} is a whole number of more than 64 bits")
    scale = scale_of(plain) if kind is Kind.AMOUNT else 0
    return ColumnFact(nw.lit(plain), kind, scale, most=float(abs(plain)) if kind in NUMBERS else 0.0)


def expression(value: object) -> nw.Expr:
    """Return the expression of a column fact, or a literal."""
    return _fact(value).expr


def columns(facts: type[FactsT], kinds: Mapping[str, nw.dtypes.DType]) -> FactsT:
    """Return the dataclass `facts` over the columns of the same names; `kinds` is the schema of the frame."""
    return facts(**{field.name: _column(field.name, kinds.get(field.name)) for field in fields(cast(Any, facts))})


def _column(name: str, column: nw.dtypes.DType | None) -> ColumnFact[Any]:
    kind = None if column is None else next((kind for has, kind in _KINDS if has(column)), None)
    if kind is Kind.AMOUNT:
        digits, scale = cast(Any, column).precision, cast(Any, column).scale
        return ColumnFact(nw.col(name), kind, scale, most=10.0 ** (digits - scale))
    return ColumnFact(nw.col(name), kind, most=_MOST_OF.get(cast(Any, type(column)), math.inf))
