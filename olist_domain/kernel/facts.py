"""Facts: what rules and derivations read, on one object or on a whole frame.

What belongs here: the operators that a rule may use (`Fact`), their meaning on one value (`Scalar`) and
`choose`. What does not: their meaning on columns, which the pipeline gives (the domain knows no frames).

The meaning is SQL's three-valued logic: a comparison with a missing value is unknown, `False & unknown`
is false, `True | unknown` is true, and everything else that touches unknown stays unknown. A fact has no
truth value of its own, so `if fact`, `fact and fact` and `not fact` raise: they would work on an object
and silently mean something else on a column.
"""

from __future__ import annotations

import operator
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from typing import Any, Generic, NoReturn, TypeVar, cast

T = TypeVar("T", covariant=True)
FactsT = TypeVar("FactsT")

Branch = tuple["Fact[bool]", Any]


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
    def is_null(self) -> Fact[bool]:
        """Return true where the value is missing; never unknown."""

    @abstractmethod
    def is_false(self) -> Fact[bool]:
        """Return true where the condition is definitely false; never unknown."""

    @abstractmethod
    def is_in(self, values: Iterable[object]) -> Fact[bool]:
        """Return whether the value is one of `values`; unknown where it is missing."""

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
        right = _plain(other)
        if self.value is None or right is None:
            return Scalar(None)
        return Scalar(_OPERATORS[name](self.value, right))

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

    def is_null(self) -> Scalar[bool]:
        """See `Fact.is_null`."""
        return Scalar(self.value is None)

    def is_false(self) -> Scalar[bool]:
        """See `Fact.is_false`."""
        return Scalar(self.value is False)

    def is_in(self, values: Iterable[object]) -> Scalar[bool]:
        """See `Fact.is_in`."""
        return Scalar(None if self.value is None else self.value in tuple(values))

    def choose(self, branches: tuple[Branch, ...], default: object) -> Scalar[Any]:
        """See `Fact.choose`."""
        for condition, value in branches:
            if _plain(condition) is True:
                return Scalar(_plain(value))
        return Scalar(_plain(default))


_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    name: getattr(operator, name) for name in ("eq", "ne", "lt", "le", "gt", "ge", "add", "sub", "mul")
}


def _plain(value: object) -> Any:
    return value.value if isinstance(value, Scalar) else value


def choose(*branches: Branch, default: object) -> Fact[Any]:
    """Return the value of the first branch whose condition is definitely true, else `default`.

    The counterpart of SQL's CASE: `choose((condition, value), ..., default=value)`.
    """
    condition, _ = branches[0]
    return condition.choose(branches, default)


def scalars(facts: type[FactsT], values: Mapping[str, object]) -> FactsT:
    """Return the dataclass `facts` over one object's `values`, by name; a missing name raises KeyError."""
    return facts(**{field.name: Scalar(values[field.name]) for field in fields(cast(Any, facts))})
