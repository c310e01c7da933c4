"""Facts: what rules and derivations read, on one object or on a whole frame.

What belongs here: the operators that a rule may use (`Fact`), their meaning on one value (`Scalar`) and
`choose`. What does not: their meaning on columns, which the pipeline gives (the domain knows no frames).

The meaning is SQL's three-valued logic: a comparison with a missing value is unknown, `False & unknown`
is false, `True | unknown` is true, and everything else that touches unknown stays unknown. A fact has no
truth value of its own, so `if fact`, `fact and fact` and `not fact` raise: they would work on an object
and silently mean something else on a column.
"""

from __future__ import annotations

import math
import operator
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from datetime import date, datetime, timedelta
from typing import Any, Generic, NoReturn, TypeVar, cast

T = TypeVar("T", covariant=True)
FactsT = TypeVar("FactsT")

Branch = tuple["Fact[bool]", Any]

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
        """Return the greatest whole number that is not above the value."""

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
        return self._combined(other, _OPERATORS[name])

    def __and__(self, other: Fact[bool] | bool) -> Scalar[bool]:
        left, right = self.value, _plain(other)
        if left is False or right is False:
            return Scalar(False)
        return Scalar(None if left is None or right is None else True)

    def __or__(self, other: Fact[bool] | bool) -> Scalar[bool]:
        left, right = self.value, _plain(other)
        if left is True or right is True:
            return Scalar(True)
        return Scalar(None if left is None or right is None else False)

    def __invert__(self) -> Scalar[bool]:
        return Scalar(None if self.value is None else not self.value)

    def __abs__(self) -> Scalar[T]:
        return Scalar(None if self.value is None else abs(cast(Any, self.value)))

    def __round__(self, digits: int) -> Scalar[float]:
        return Scalar(None if self.value is None else _rounded(cast(float, self.value), 10.0**digits))

    def floor(self) -> Scalar[int]:
        """See `Fact.floor`."""
        return Scalar(None if self.value is None else math.floor(cast(float, self.value)))

    def is_null(self) -> Scalar[bool]:
        """See `Fact.is_null`."""
        return Scalar(self.value is None)

    def is_false(self) -> Scalar[bool]:
        """See `Fact.is_false`."""
        return Scalar(self.value is False)

    def is_in(self, values: Iterable[object]) -> Scalar[bool]:
        """See `Fact.is_in`."""
        return Scalar(None if self.value is None else self.value in tuple(values))

    def is_blank(self) -> Scalar[bool]:
        """See `Fact.is_blank`."""
        return Scalar(None if self.value is None else not cast(str, self.value).strip(WHITE_SPACE))

    def is_digits(self, count: int) -> Scalar[bool]:
        """See `Fact.is_digits`."""
        text = cast("str | None", self.value)
        return Scalar(None if text is None else len(text) == count and text.isascii() and text.isdigit())

    def days_until(self, other: Fact[date] | date) -> Scalar[int]:
        """See `Fact.days_until`."""
        return self._combined(other, lambda start, end: end.toordinal() - start.toordinal())

    def hours_until(self, other: Fact[datetime] | datetime) -> Scalar[int]:
        """See `Fact.hours_until`."""
        return self._combined(other, _whole_hours)

    def month_start(self) -> Scalar[date]:
        """See `Fact.month_start`."""
        moment = cast("date | None", self.value)
        return Scalar(None if moment is None else date(moment.year, moment.month, 1))

    def choose(self, branches: tuple[Branch, ...], default: object) -> Scalar[Any]:
        """See `Fact.choose`."""
        for condition, value in branches:
            if _plain(condition) is True:
                return Scalar(_plain(value))
        return Scalar(_plain(default))

    def _combined(self, other: object, combine: Callable[[Any, Any], Any]) -> Scalar[Any]:
        right = _plain(other)
        return Scalar(None if self.value is None or right is None else combine(self.value, right))


def _quotient(left: Any, right: Any) -> float | None:
    return float(left) / float(right) if right else None


def _whole_quotient(left: int, right: int) -> int | None:
    return left // right if right else None


def _whole_hours(start: datetime, end: datetime) -> int:
    hours = abs(end - start) // timedelta(hours=1)
    return hours if start <= end else -hours


def _rounded(number: float, scale: float) -> float:
    return math.copysign(math.floor(abs(number) * scale + 0.5) / scale, number)


_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    **{name: getattr(operator, name) for name in ("eq", "ne", "lt", "le", "gt", "ge", "add", "sub", "mul")},
    "truediv": _quotient,
    "floordiv": _whole_quotient,
}


def _plain(value: object) -> Any:
    return value.value if isinstance(value, Scalar) else value


def choose(*branches: Branch, default: object) -> Fact[Any]:
    """Return the value of the first branch whose condition is definitely true, else `default`.

    The counterpart of SQL's CASE: `choose((condition, value), ..., default=value)`.
    """
    (condition, _), *_ = branches
    return condition.choose(branches, default)


def value_of(fact: Fact[T]) -> T | None:
    """Return the value of a fact of one object; None where it is unknown."""
    return cast(Scalar[T], fact).value


def scalars(facts: type[FactsT], values: Mapping[str, object]) -> FactsT:
    """Return the dataclass `facts` over one object's `values`, by name; a missing name raises KeyError."""
    return facts(**{field.name: Scalar(values[field.name]) for field in fields(cast(Any, facts))})
