"""Facts: what rules and derivations read, on one object or on a whole frame.

What belongs here: the operators that a rule may use (`Fact`), their meaning on one value (`Scalar`) and
`choose`. What does not: their meaning on columns, which the pipeline gives (the domain knows no frames).

The meaning is SQL's three-valued logic: a comparison with a missing value is unknown, `False & unknown`
is false, `True | unknown` is true, and everything else that touches unknown stays unknown. A fact has no
truth value of its own, so `if fact`, `fact and fact` and `not fact` raise: they would work on an object
and silently mean something else on a column. What has no meaning for its kinds of values raises (`kinds`).

Numbers are those of a database: a calculation with whole numbers beyond 64 bits, or with amounts beyond 38 digits, is
unknown, as a quotient by zero is. Where a double is on one side, both are; NaN equals itself and is above all others.
"""

from __future__ import annotations

import math
import operator
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from datetime import date, datetime, time, timedelta
from decimal import Context, Decimal
from enum import Enum
from typing import Any, Generic, NoReturn, TypeVar, cast

from olist_domain.kernel.kinds import (
    COMPARISONS,
    DATES,
    LARGEST_WHOLE,
    LARGEST_WITH_PARTS,
    MOST_DIGITS,
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

Branch = tuple["Fact[bool]", Any]

WITH_NONE = "what is done with None is unknown: write is_null()"

WHITE_SPACE = " \t\r\n"
"""What a blank text consists of, as in the SQL that was before. Engines differ on which other characters are white."""


class Fact(ABC, Generic[T]):
    """One thing known of a subject: a value of type `T`, or unknown.

    Operators take another fact or a plain value and return a fact of the same engine.
    """

    __slots__ = ()

    @abstractmethod
    def binary(self, other: object, name: str) -> Fact[Any]:
        """Return `self <name> other`, where `name` is a function of the `operator` module."""

    @abstractmethod
    def __and__(self, other: Fact[bool] | bool) -> Fact[bool]: ...

    @abstractmethod
    def __or__(self, other: Fact[bool] | bool) -> Fact[bool]: ...

    @abstractmethod
    def __invert__(self) -> Fact[bool]: ...

    @abstractmethod
    def __abs__(self) -> Fact[T]: ...

    @abstractmethod
    def __round__(self, digits: int) -> Fact[float]:
        """Return a double to `digits` decimals, halves away from zero as SQL rounds them."""

    @abstractmethod
    def floor(self) -> Fact[int]:
        """Return the greatest whole number that is not above the value; unknown beyond 64 bits."""

    @abstractmethod
    def is_null(self) -> Fact[bool]:
        """Return true where the value is missing; never unknown."""

    @abstractmethod
    def is_false(self) -> Fact[bool]:
        """Return true where the condition is definitely false; never unknown."""

    @abstractmethod
    def is_in(self, values: Iterable[object]) -> Fact[bool]:
        """Return whether the value is one of `values`; unknown where it is missing."""

    @abstractmethod
    def is_blank(self) -> Fact[bool]:
        """Return whether a text is empty but for `WHITE_SPACE`; unknown where it is missing."""

    @abstractmethod
    def is_digits(self, count: int) -> Fact[bool]:
        """Return whether a text is exactly `count` of the digits 0 to 9; unknown where it is missing."""

    @abstractmethod
    def days_until(self, other: Fact[date] | date) -> Fact[int]:
        """Return the calendar days from this moment's date to the other's; negative where the other is earlier."""

    @abstractmethod
    def hours_until(self, other: Fact[datetime] | datetime) -> Fact[int]:
        """Return the whole hours that pass from this moment to the other; negative where the other is earlier.

        A part of an hour does not count in either direction, as in DuckDB's `date_sub`.
        """

    @abstractmethod
    def month_start(self) -> Fact[date]:
        """Return the first day of a moment's month."""

    @abstractmethod
    def choose(self, branches: tuple[Branch, ...], default: object) -> Fact[Any]:
        """Return the value of the first branch that is definitely true, else `default`."""

    def __eq__(self, other: object) -> Fact[bool]:  # type: ignore[override]
        return self.binary(other, "eq")

    def __ne__(self, other: object) -> Fact[bool]:  # type: ignore[override]
        return self.binary(other, "ne")

    def __lt__(self, other: object) -> Fact[bool]:
        return self.binary(other, "lt")

    def __le__(self, other: object) -> Fact[bool]:
        return self.binary(other, "le")

    def __gt__(self, other: object) -> Fact[bool]:
        return self.binary(other, "gt")

    def __ge__(self, other: object) -> Fact[bool]:
        return self.binary(other, "ge")

    def __add__(self, other: object) -> Fact[Any]:
        return self.binary(other, "add")

    def __sub__(self, other: object) -> Fact[Any]:
        return self.binary(other, "sub")

    def __mul__(self, other: object) -> Fact[Any]:
        return self.binary(other, "mul")

    def __truediv__(self, other: object) -> Fact[float]:
        """Return the quotient as a double; unknown where `other` is zero."""
        return self.binary(other, "truediv")

    def __floordiv__(self, other: object) -> Fact[int]:
        """Return the quotient of two whole numbers, rounded down; unknown where `other` is zero."""
        return self.binary(other, "floordiv")

    def __bool__(self) -> NoReturn:
        raise TypeError("a fact has no truth value: write & | ~ and choose() instead of and, or, not and if")


class Scalar(Fact[T]):
    """A fact of one object: its value, or None where it is unknown."""

    __slots__ = ("value",)

    def __init__(self, value: T | None) -> None:
        self.value = value

    def __repr__(self) -> str:
        return f"Scalar({self.value!r})"

    def binary(self, other: object, name: str) -> Scalar[Any]:
        """See `Fact.binary`."""
        if other is None:
            raise KindError(WITH_NONE)
        return self._combined(other, lambda left, right: _computed(name, left, right))

    def __and__(self, other: Fact[bool] | bool) -> Scalar[bool]:
        left, right = _condition(self), _condition(other)
        if left is False or right is False:
            return Scalar(False)
        return Scalar(None if left is None or right is None else True)

    def __or__(self, other: Fact[bool] | bool) -> Scalar[bool]:
        left, right = _condition(self), _condition(other)
        if left is True or right is True:
            return Scalar(True)
        return Scalar(None if left is None or right is None else False)

    def __invert__(self) -> Scalar[bool]:
        condition = _condition(self)
        return Scalar(None if condition is None else not condition)

    def __abs__(self) -> Scalar[T]:
        return self._of("abs()", _absolute)

    def __round__(self, digits: int) -> Scalar[float]:
        return self._of("round()", lambda value: _rounded(float(value), 10.0**digits))

    def floor(self) -> Scalar[int]:
        """See `Fact.floor`."""
        return self._of("floor()", lambda value: math.floor(value) if abs(float(value)) < LARGEST_WHOLE else None)

    def is_null(self) -> Scalar[bool]:
        """See `Fact.is_null`."""
        return Scalar(self.value is None)

    def is_false(self) -> Scalar[bool]:
        """See `Fact.is_false`."""
        return Scalar(_condition(self) is False)

    def is_in(self, values: Iterable[object]) -> Scalar[bool]:
        """See `Fact.is_in`."""
        found = [self.binary(value, "eq").value for value in some_of(values)]
        return Scalar(None if self.value is None else any(found))

    def is_blank(self) -> Scalar[bool]:
        """See `Fact.is_blank`."""
        return self._of("is_blank()", lambda text: not text.strip(WHITE_SPACE))

    def is_digits(self, count: int) -> Scalar[bool]:
        """See `Fact.is_digits`."""
        return self._of("is_digits()", lambda text: len(text) == count and text.isascii() and text.isdigit())

    def days_until(self, other: Fact[date] | date) -> Scalar[int]:
        """See `Fact.days_until`."""
        refuse_other("days_until()", kind_of(self.value), kind_of(_plain(other)))
        return self._combined(other, lambda start, end: end.toordinal() - start.toordinal())

    def hours_until(self, other: Fact[datetime] | datetime) -> Scalar[int]:
        """See `Fact.hours_until`."""
        refuse_other("hours_until()", kind_of(self.value), kind_of(_plain(other)))
        return self._combined(other, _whole_hours)

    def month_start(self) -> Scalar[date]:
        """See `Fact.month_start`."""
        return self._of("month_start()", lambda moment: date(moment.year, moment.month, 1))

    def choose(self, branches: tuple[Branch, ...], default: object) -> Scalar[Any]:
        """See `Fact.choose`."""
        values = [*(_plain(value) for _, value in branches), _plain(default)]
        kind = chosen_kind(map(kind_of, values))
        met = [_condition(condition) is True for condition, _ in branches]
        chosen = values[met.index(True)] if True in met else values[-1]
        return Scalar(float(chosen) if kind is Kind.DOUBLE and chosen is not None else chosen)

    def _of(self, operator: str, compute: Callable[[Any], Any]) -> Scalar[Any]:
        refuse_other(operator, kind_of(self.value))
        return Scalar(None if self.value is None else compute(self.value))

    def _combined(self, other: object, combine: Callable[[Any, Any], Any]) -> Scalar[Any]:
        right = _plain(other)
        return Scalar(None if self.value is None or right is None else combine(self.value, right))


def _computed(name: str, left: Any, right: Any) -> Any:
    """Return `left <name> right`; None where it cannot be computed, or is no number of a database."""
    kinds = {kind_of(left), kind_of(right)}
    refuse_unlike(name, kind_of(left), kind_of(right))
    if name == "truediv":
        return float(left) / float(right) if right else None
    operate = _OPERATORS[name]
    if Kind.DOUBLE in kinds:
        left, right = float(left), float(right)
        if name in COMPARISONS and (math.isnan(left) or math.isnan(right)):
            left, right = math.isnan(left), math.isnan(right)
        return operate(left, right)
    if name in COMPARISONS:
        return operate(*map(_as_moment, (left, right))) if kinds == DATES else operate(left, right)
    if Kind.LENGTH in kinds:
        return _moved(operate, left, right)
    if name == "floordiv" and not right:
        return None
    if kinds == {Kind.WHOLE}:
        return operate(left, right) if size_of_whole(name, float(left), float(right)) < LARGEST_WHOLE else None
    left, right = Decimal(left), Decimal(right)
    fits = size_of_amount(name, float(left), float(right)) < room_for(name, scale_of(left), scale_of(right))
    return _EXACT[name](left, right) if fits else None


def _absolute(value: Any) -> Any:
    size = value.copy_abs() if isinstance(value, Decimal) else abs(value)
    return None if isinstance(value, int) and size >= LARGEST_WHOLE else size


def _as_moment(value: date) -> datetime:
    return value if isinstance(value, datetime) else datetime.combine(value, time())


def _moved(operate: Callable[[Any, Any], Any], moment: datetime, length: timedelta) -> datetime | None:
    try:
        return cast(datetime, operate(moment, length))
    except OverflowError:
        return None


def _whole_hours(start: datetime, end: datetime) -> int:
    hours = abs(end - start) // timedelta(hours=1)
    return hours if start <= end else -hours


def _rounded(number: float, scale: float) -> float:
    scaled = abs(number) * scale
    return math.copysign(math.floor(scaled + 0.5) / scale, number) if scaled < LARGEST_WITH_PARTS else number


_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    name: getattr(operator, name) for name in (*COMPARISONS, "add", "sub", "mul", "floordiv")
}
_CONTEXT = Context(prec=2 * MOST_DIGITS)
_EXACT = {"add": _CONTEXT.add, "sub": _CONTEXT.subtract, "mul": _CONTEXT.multiply}


def _plain(value: object) -> Any:
    return value.value if isinstance(value, Scalar | Enum) else value


def _condition(value: object) -> bool | None:
    condition = _plain(value)
    refuse_other("&, | or ~", kind_of(condition))
    return cast("bool | None", condition)


def choose(*branches: Branch, default: object) -> Fact[Any]:
    """Return the value of the first branch whose condition is definitely true, else `default`.

    The counterpart of SQL's CASE: `choose((condition, value), ..., default=value)`.
    """
    if not branches or not all(isinstance(branch, tuple) and len(branch) == 2 for branch in branches):
        raise KindError("choose() needs pairs of a condition and a value: choose((condition, value), default=value)")
    if not all(isinstance(condition, Fact) for condition, _ in branches):
        raise KindError("a condition of choose() is a comparison of facts")
    return branches[0][0].choose(branches, default)


def value_of(fact: Fact[T]) -> T | None:
    """Return the value of a fact of one object; None where it is unknown."""
    return cast(Scalar[T], fact).value


def scalars(facts: type[FactsT], values: Mapping[str, object]) -> FactsT:
    """Return the dataclass `facts` over one object's `values`, by name; a missing name raises KeyError."""
    return facts(**{field.name: Scalar(values[field.name]) for field in fields(cast(Any, facts))})
