"""What a comparison promises: the key, what may differ and by how much, and what is left out and why.

Belongs here: the contract, its tolerances, and the errors of this package.
Does not belong here: how two columns are compared in SQL (`columns.py`), the comparison (`compare.py`).
"""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from functools import cached_property
from types import MappingProxyType

from olist_pipeline.errors import OlistError


class ComparisonError(OlistError):
    """Any failure of a comparison; its text is one sentence for the person who asked for it."""


class ContractError(ComparisonError):
    """The contract cannot hold: it contradicts itself or names what a relation does not have."""


class RelationError(ComparisonError):
    """A relation cannot be read."""


class LedgerError(ComparisonError):
    """The counts of a comparison do not add up: its result must not be used."""


LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def fold(name: str) -> str:
    """Return the form under which DuckDB takes two identifiers for the same (ASCII case only)."""
    return name.translate(LOWER)


MOST_DIGITS = 400
"""Of a tolerance: the least and the largest number of any type have fewer."""


def _bound(name: str, value: Decimal | float | str | timedelta) -> Decimal:
    if isinstance(value, timedelta):
        value = Decimal(value // timedelta(microseconds=1)).scaleb(-6)
    try:
        bound = Decimal(str(value))
    except InvalidOperation:
        raise ContractError(f"The {name} tolerance '{value}' is not a number.") from None
    if not bound.is_finite() or bound < 0 or (bound and abs(bound.adjusted()) > MOST_DIGITS):
        raise ContractError(
            f"The {name} tolerance '{value}' must be a finite number of zero or more, with up to {MOST_DIGITS} digits"
            " before or behind the point."
        )
    return bound


@dataclass(frozen=True, init=False)
class Tolerance:
    """How far two values may lie apart and still be equal; either bound is enough.

    absolute: in the column's own unit; in seconds for dates, times and timestamps (or a timedelta).
    relative: a share of the larger of the two magnitudes (0.01 is one percent).

    Bounds are inclusive and applied to the true difference. A float does not hold 0.1 exactly, so bounds on
    binary floats are widened by four units in the last place of the larger value.
    Numbers are read as they print (0.1 means one tenth). Raises ContractError for a bound that is
    negative, not finite, or no number.
    """

    absolute: Decimal = Decimal(0)
    relative: Decimal = Decimal(0)

    def __init__(
        self,
        absolute: Decimal | float | str | timedelta = 0,
        relative: Decimal | float | str = 0,
    ) -> None:
        object.__setattr__(self, "absolute", _bound("absolute", absolute))
        object.__setattr__(self, "relative", _bound("relative", relative))

    @property
    def exact(self) -> bool:
        """True when nothing but equality passes."""
        return not (self.absolute or self.relative)

    def __str__(self) -> str:
        bounds = []
        if self.absolute:
            bounds.append(f"{self.absolute:f}")
        if self.relative:
            bounds.append(f"{self.relative.normalize()} relative")
        return " or ".join(bounds) or "exact"


EXACT = Tolerance()

FLOATS: Mapping[str, Tolerance] = MappingProxyType(
    {"FLOAT": Tolerance(relative="1e-9"), "DOUBLE": Tolerance(relative="1e-9")}
)
"""Tolerances of a type without its parameters; a type that is not here is exact."""


@dataclass(frozen=True)
class Contract:
    """How one table is compared.

    table: the name used in reports and errors.
    key: the columns that identify a row; at least one.
    tolerances: column -> tolerance, for numbers, dates, times and timestamps.
    excluded: column -> the reason why neither its presence nor its values are compared.
    type_tolerances: type without parameters (`DOUBLE`, `DECIMAL`) -> tolerance of the columns of that type
        on both sides that are not in `tolerances`.

    Every column that both relations have and that is not excluded is compared. Column names match without
    regard to the case of ASCII letters, as they do in DuckDB. Raises ContractError when it contradicts itself.
    """

    table: str
    key: tuple[str, ...]
    tolerances: Mapping[str, Tolerance] = field(default_factory=dict)
    excluded: Mapping[str, str] = field(default_factory=dict)
    type_tolerances: Mapping[str, Tolerance] = field(default_factory=lambda: dict(FLOATS))

    def __post_init__(self) -> None:
        if isinstance(self.key, str):
            self._refuse(f"the key must be a tuple of column names, not the text '{self.key}'")
        object.__setattr__(self, "key", tuple(self.key))
        if not self.key:
            self._refuse("a key needs at least one column")
        keys = {fold(name) for name in self.key}
        if len(keys) < len(self.key):
            self._refuse(f"the key names a column twice: {', '.join(self.key)}")
        excluded = {fold(name) for name in self.excluded}
        for name, reason in self.excluded.items():
            if fold(name) in keys:
                self._refuse(f"column '{name}' is part of the key and cannot be excluded")
            if not reason.strip():
                self._refuse(f"column '{name}' is excluded without a reason")
        for name in self.tolerances:
            if fold(name) in keys:
                self._refuse(f"column '{name}' is part of the key, and keys are compared exactly")
            if fold(name) in excluded:
                self._refuse(f"column '{name}' has a tolerance and is excluded; keep one of the two")

    def tolerance_of(self, column: str) -> Tolerance | None:
        """Return the tolerance that the contract gives to a column, None where it gives none."""
        return self._folded_tolerances.get(fold(column))

    @cached_property
    def _folded_tolerances(self) -> Mapping[str, Tolerance]:
        return {fold(name): tolerance for name, tolerance in self.tolerances.items()}

    def _refuse(self, why: str) -> None:
        raise ContractError(f"Contract of {self.table}: {why}.")
