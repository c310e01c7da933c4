"""The comparison once more, in plain Python over lists of rows: slow, and plain enough to be seen to be right."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

Row = tuple[Any, ...]


@dataclass
class Expected:
    equal: int = 0
    unequal: int = 0
    only_in_old: int = 0
    only_in_new: int = 0
    duplicates: tuple[int, int, int, int] = (0, 0, 0, 0)
    null_keys: tuple[int, int, int, int] = (0, 0, 0, 0)
    columns: tuple[int, ...] = ()
    identical: bool = False


def normal(value: Any) -> Any:
    """A value that Python's == compares as the comparison should: NULL = NULL, NaN = NaN, 0.0 = -0.0."""
    if value is None:
        return "null", None
    if isinstance(value, float) and math.isnan(value):
        return "nan", None
    return "value", value


def same(old: Any, new: Any, tolerance: float) -> bool:
    if normal(old) == normal(new):
        return True
    numbers = isinstance(old, float) and isinstance(new, float) and math.isfinite(old) and math.isfinite(new)
    return numbers and abs(old - new) <= tolerance


def same_rows(old: Row, new: Row, tolerances: Sequence[float]) -> bool:
    return all(same(a, b, tolerance) for a, b, tolerance in zip(old, new, tolerances, strict=True))


def matched(old: list[Row], new: list[Row], tolerances: Sequence[float]) -> bool:
    """Whether the rows of both sides can be paired off so that every pair is equal."""
    partner: dict[int, int] = {}

    def place(i: int, tried: set[int]) -> bool:
        for j in range(len(new)):
            if j not in tried and same_rows(old[i], new[j], tolerances):
                tried.add(j)
                if j not in partner or place(partner[j], tried):
                    partner[j] = i
                    return True
        return False

    return len(old) == len(new) and all(place(i, set()) for i in range(len(old)))


def by_key(rows: Iterable[Row], width: int) -> dict[Row, list[Row]]:
    groups: dict[Row, list[Row]] = defaultdict(list)
    for row in rows:
        groups[tuple(normal(part) for part in row[:width])].append(row[width:])
    return groups


def multiset(rows: Iterable[Row]) -> Counter[Row]:
    return Counter(tuple(normal(value) for value in row) for row in rows)


def expected(old: list[Row], new: list[Row], width: int, tolerances: Sequence[float]) -> Expected:
    """Compare rows whose first `width` cells are the key; `tolerances` are those of the other cells."""
    result = Expected(columns=(0,) * len(tolerances))
    before, after = by_key(old, width), by_key(new, width)
    for key in before.keys() | after.keys():
        there, here = before.get(key, []), after.get(key, [])
        if ("null", None) in key or len(there) > 1 or len(here) > 1:
            kind = "null_keys" if ("null", None) in key else "duplicates"
            agree = matched(there, here, tolerances)
            more = (len(there), len(here), int(agree), int(not agree))
            setattr(result, kind, tuple(a + b for a, b in zip(getattr(result, kind), more, strict=True)))
        elif not here:
            result.only_in_old += 1
        elif not there:
            result.only_in_new += 1
        else:
            differ = tuple(int(not same(a, b, t)) for a, b, t in zip(there[0], here[0], tolerances, strict=True))
            result.columns = tuple(a + b for a, b in zip(result.columns, differ, strict=True))
            result.unequal += int(any(differ))
            result.equal += int(not any(differ))
    moved = result.unequal + result.only_in_old + result.only_in_new
    result.identical = not (moved or result.duplicates[3] or result.null_keys[3])
    return result
