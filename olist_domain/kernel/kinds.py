"""Kinds of values: which an operator takes, and up to which size, on one object as on columns.

What belongs here: what is refused, and the bounds of numbers. What does not: what operators do (`facts`).
"""

from __future__ import annotations

import operator
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, cast


class Kind(Enum):
    """What a value is, in the words of a refusal."""

    CONDITION = "a condition"
    WHOLE = "a whole number"
    AMOUNT = "an amount"
    DOUBLE = "a double"
    TEXT = "a text"
    DAY = "a date"
    MOMENT = "a time"
    LENGTH = "a length of time"


LARGEST_WHOLE = 9.223372036854e18
"""What a calculation with whole numbers stays below: a little less than 64 bits hold, so that doubles tell it."""

LARGEST_WITH_PARTS = 2.0**52
"""The size from which on every double is a whole number."""

MOST_DIGITS = 38
"""The digits of an amount, those behind the point among them."""

NUMBERS = frozenset({Kind.WHOLE, Kind.AMOUNT, Kind.DOUBLE})
DATES = frozenset({Kind.DAY, Kind.MOMENT})
_ALIKE = (NUMBERS, DATES, frozenset({Kind.TEXT}), frozenset({Kind.CONDITION}))
_NEVER_CHOSEN = (frozenset({Kind.AMOUNT, Kind.DOUBLE}), DATES)
_DONE = {
    **dict.fromkeys(("eq", "ne", "lt", "le", "gt", "ge"), "compared"),
    "add": "added",
    "sub": "subtracted",
    "mul": "multiplied",
    "truediv": "divided",
    "floordiv": "divided by //",
}
COMPARISONS = frozenset(name for name, done in _DONE.items() if done == "compared")
_TAKEN = {
    "&, | or ~": {Kind.CONDITION},
    "abs()": NUMBERS,
    "round()": NUMBERS,
    "floor()": NUMBERS,
    "is_blank()": {Kind.TEXT},
    "is_digits()": {Kind.TEXT},
    "days_until()": DATES,
    "hours_until()": {Kind.MOMENT},
    "month_start()": DATES,
}
_TYPES: tuple[tuple[type, Kind], ...] = (
    (bool, Kind.CONDITION),
    (int, Kind.WHOLE),
    (Decimal, Kind.AMOUNT),
    (float, Kind.DOUBLE),
    (str, Kind.TEXT),
    (datetime, Kind.MOMENT),
    (date, Kind.DAY),
    (timedelta, Kind.LENGTH),
)


class KindError(TypeError):
    """Raised for an operator that has no meaning for values of these kinds."""


def kind_of(value: object) -> Kind | None:
    """Return the kind of a plain value; None where it is missing, or of another type."""
    return next((kind for type_, kind in _TYPES if isinstance(value, type_)), None)


def refuse_unlike(name: str, left: Kind | None, right: Kind | None) -> None:
    """Raise KindError where `left <name> right` has no meaning on every engine; an unknown kind is let pass."""
    if left is None or right is None or _fit(name, left, right):
        return
    if {left, right} <= DATES | {Kind.LENGTH}:
        raise KindError(f"{left.value} and {right.value} cannot be {_DONE[name]}: write days_until() or hours_until()")
    raise KindError(f"{left.value} and {right.value} cannot be {_DONE[name]}")


def _fit(name: str, left: Kind, right: Kind) -> bool:
    if name in COMPARISONS:
        return any({left, right} <= alike for alike in _ALIKE)
    if name == "floordiv":
        return left is right is Kind.WHOLE
    if name in ("add", "sub") and (left, right) == (Kind.MOMENT, Kind.LENGTH):
        return True
    return {left, right} <= NUMBERS


def refuse_other(called: str, *kinds: Kind | None) -> None:
    """Raise KindError where an operator does not take one of `kinds`; an unknown one is let pass."""
    for kind in kinds:
        if kind is not None and kind not in _TAKEN[called]:
            raise KindError(f"{kind.value} has no {called}")


def chosen_kind(kinds: Iterable[Kind | None]) -> Kind | None:
    """Return the kind of what is chosen between values of `kinds`; raises KindError where they are not of one."""
    known = frozenset(kind for kind in kinds if kind is not None)
    if len(known) > 1 and (not known <= NUMBERS or any(unlike <= known for unlike in _NEVER_CHOSEN)):
        words = " and ".join(kind.value for kind in Kind if kind in known)
        raise KindError(f"choose() gives {words}: make its values of one kind")
    return next((kind for kind in (Kind.DOUBLE, Kind.AMOUNT) if kind in known), next(iter(known), None))


def some_of(values: Iterable[object]) -> list[object]:
    """Return the values that `is_in` is asked for; raises KindError for what is no list of them."""
    listed = [] if isinstance(values, str) else list(values)
    if not listed or any(value is None for value in listed):
        raise KindError(f"is_in() needs a list of values without None, not {values!r}")
    return listed


def size_of_whole(name: str, left: Any, right: Any) -> Any:
    """Return the size, as a double, that stays below `LARGEST_WHOLE` where `left <name> right` is a whole number."""
    return abs(left) if name == "floordiv" else abs(getattr(operator, name)(left, right))


def size_of_amount(name: str, left: Any, right: Any) -> Any:
    """Return a size, as a double, that neither amounts nor what is calculated of them is above (see `room_for`)."""
    return abs(left) * (abs(right) + 1.0) if name == "mul" else abs(left) + abs(right)


def room_for(name: str, left: int, right: int) -> float:
    """Return what the size must stay below for amounts of such scales, a little less than `MOST_DIGITS` hold.

    A product is written with the digits of the right side twice on its way.
    """
    scale = left + 2 * right if name == "mul" else max(left, right)
    return 0.999999 * 10.0 ** (MOST_DIGITS - scale)


def scale_of(amount: Decimal) -> int:
    """Return the digits of an amount behind the point."""
    return max(-cast(int, amount.as_tuple().exponent), 0)
