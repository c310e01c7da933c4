"""How one column of the old relation is compared with its counterpart in the new one, as SQL expressions.

Belongs here: type families, the form in which two columns are compared, the test of a tolerance, and what is
hashed of a column. Does not belong here: queries over whole relations (`compare.py`, `fingerprint.py`).

Three expressions are made of a column `c`:

- form: compared with `IS NOT DISTINCT FROM`. It is NULL where `c` is NULL and nowhere else.
- measure: a number, from which differences are taken; NULL where there is none (NaN, infinity, NULL).
- text: what a report shows.

Columns of one type compare in that type. Columns of two types compare

    | old and new                              | as                                                        |
    |------------------------------------------|-----------------------------------------------------------|
    | integers, decimals, booleans             | numbers in the smallest type that holds both exactly; the |
    |                                          | shortest decimal text where no type does                  |
    | floats                                   | DOUBLE                                                    |
    | a float and another number               | the shortest decimal text; with a tolerance, DOUBLE too   |
    | dates and timestamps                     | the text of the timestamp, without trailing zeros (a date |
    |                                          | is its midnight; one with a time zone is taken at UTC)    |
    | times                                    | the text of the time, without trailing zeros              |
    | anything else (text and a number, lists) | their text, exactly: '007' is not 7                       |
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Context, Decimal
from enum import Enum, auto

from olist_pipeline.tablediff.contract import EXACT, Contract, ContractError, Tolerance, fold
from olist_pipeline.tablediff.sql import literal, quote

INTEGER_DIGITS = {
    "BOOLEAN": 1,
    "TINYINT": 3,
    "UTINYINT": 3,
    "SMALLINT": 5,
    "USMALLINT": 5,
    "INTEGER": 10,
    "UINTEGER": 10,
    "BIGINT": 19,
    "UBIGINT": 20,
    "HUGEINT": 39,
    "UHUGEINT": 39,
}
DATE_TYPES = {
    "DATE",
    "TIMESTAMP",
    "TIMESTAMP_S",
    "TIMESTAMP_MS",
    "TIMESTAMP_NS",
    "TIMESTAMP WITH TIME ZONE",
}
TIME_TYPES = {"TIME", "TIME_NS"}
TEXT_TYPES = {"VARCHAR"}
# DuckDB takes 1 month for 30 days and hashes an interval to the XOR of its parts: their text tells them apart.
# JSON is text that its optimiser cannot collate.
COMPARED_AS_TEXT = {"INTERVAL", "TIME WITH TIME ZONE", "JSON"}

MAX_DIGITS = 38
MAX_HUGEINT = 2**127 - 1
# Four units in the last place of the larger operand: what reading two decimal numbers as binary floats and
# subtracting them can be off by.
DOUBLE_SLACK = 2.0**-50
FLOAT_SLACK = 2.0**-21
# A string of at most 12 bytes is hashed by DuckDB in one piece; see `hash_arguments`.
INLINED_BYTES = 12


class Family(Enum):
    """Types that compare with each other by value."""

    EXACT_NUMBER = auto()
    BIG_NUMBER = auto()
    FLOAT = auto()
    DATE = auto()
    TIME = auto()
    TEXT = auto()
    AS_TEXT = auto()
    ENUM = auto()
    OTHER = auto()


@dataclass(frozen=True)
class Column:
    """A column of a relation: its name there and its DuckDB type as DESCRIBE prints it."""

    name: str
    type: str

    @property
    def base(self) -> str:
        """The type without its parameters; a nested type is its own base."""
        return "DECIMAL" if self.type.startswith("DECIMAL(") and self.type.endswith(")") else self.type

    @property
    def family(self) -> Family:
        """The family of the type."""
        return _family(self.base)

    @property
    def digits(self) -> tuple[int, int]:
        """Digits before and after the decimal point that an exact number can have."""
        if self.base == "DECIMAL":
            precision, scale = (int(part) for part in re.findall(r"\d+", self.type))
            return precision - scale, scale
        return INTEGER_DIGITS[self.base], 0

    @property
    def text(self) -> str:
        """The value as a report shows it, or NULL."""
        return f'(CAST({quote(self.name)} AS VARCHAR) COLLATE "binary")'

    @property
    def canonical(self) -> str:
        """A number as its shortest decimal text: equal for equal numbers of any two numeric types."""
        column = quote(self.name)
        if self.family is Family.FLOAT:
            return _canonical_float(f"CAST({column} AS DOUBLE)")
        if self.base == "BOOLEAN":
            return f"CAST(CAST({column} AS INTEGER) AS VARCHAR)"
        if self.base == "DECIMAL" and self.digits[1]:
            # A decimal without whole digits prints as '.5'.
            return _without_trailing_zeros(rf"regexp_replace(CAST({column} AS VARCHAR), '^(-?)\.', '\10.')")
        return f"CAST({column} AS VARCHAR)"

    @property
    def own_form(self) -> str:
        """The form in which the column is compared with one of the same type."""
        if self.family is Family.TEXT:
            return f'({quote(self.name)} COLLATE "binary")'
        if self.family is Family.AS_TEXT:
            return self.text
        return quote(self.name)

    def hash_arguments(self) -> list[str]:
        """Return what the hash of a row takes of this column.

        DuckDB's hash of a fixed-width value is a bijection, so different values have different hashes. These
        are not, and are told apart here:

        - text of more than 12 bytes: two characters that stand at the end of two blocks of 8 bytes cancel each
          other out in one pair of 256, under any seed. It is hashed once more with a byte in front, which moves
          every character to another place of its block.
        - 128-bit numbers hash to the XOR of their halves: their magnitude is hashed beside them.
        - intervals, lists, structs: `[]`, `[NULL]` and NULL share a hash, as do 1 month 1 day and 2 months
          2 days. Their text, or their sort key (which is one to one), is hashed instead.
        """
        column = quote(self.name)
        if self.family is Family.EXACT_NUMBER and sum(self.digits) > 18 and self.base not in {"BIGINT", "UBIGINT"}:
            return [column, f"CAST({column} AS DOUBLE)"]
        if self.family in {Family.EXACT_NUMBER, Family.FLOAT, Family.DATE, Family.TIME, Family.ENUM}:
            return [column]
        if self.family is Family.OTHER:
            sort_key = f"create_sort_key({column}, 'ASC NULLS LAST')"
            return [sort_key, f"('~'::BLOB || {sort_key})"]
        text = column if self.family is Family.TEXT else self.text
        return [text, f"CASE WHEN strlen({text}) > {INLINED_BYTES} THEN concat('~', {text}) END"]


def _family(base: str) -> Family:
    if base in INTEGER_DIGITS or base == "DECIMAL":
        return Family.EXACT_NUMBER
    if base == "BIGNUM":
        return Family.BIG_NUMBER
    if base in {"FLOAT", "DOUBLE"}:
        return Family.FLOAT
    if base in DATE_TYPES:
        return Family.DATE
    if base in TIME_TYPES:
        return Family.TIME
    if base in TEXT_TYPES:
        return Family.TEXT
    if base == '"NULL"' or (base.startswith("ENUM(") and base.endswith(")")):
        return Family.ENUM
    # A type that contains an interval would compare it by DuckDB's rule.
    if base in COMPARED_AS_TEXT or any(re.search(rf"\b{name}\b", base) for name in COMPARED_AS_TEXT):
        return Family.AS_TEXT
    return Family.OTHER


@dataclass(frozen=True)
class Pair:
    """An old column and the new column that it is compared with. Raises ContractError for a tolerance that
    its types do not have."""

    old: Column
    new: Column
    tolerance: Tolerance = EXACT

    def __post_init__(self) -> None:
        if self.tolerance.exact:
            return
        if self.unit is None:
            raise ContractError(
                f"Column '{self.name}' cannot have a tolerance: {self._types} has no differences to measure."
            )
        if self.unit == "seconds" and self.tolerance.relative:
            raise ContractError(
                f"Column '{self.name}' cannot have a relative tolerance: {self._types} has no natural zero."
            )

    @property
    def name(self) -> str:
        """The name in reports: the old one."""
        return self.old.name

    @property
    def retyped(self) -> bool:
        """True when the types differ at all."""
        return self.old.type != self.new.type

    @property
    def unit(self) -> str | None:
        """The unit of a difference: '' of a number, 'seconds' of a time, None where there is no difference."""
        families = {self.old.family, self.new.family}
        if self._numeric:
            return None if {self.old.base, self.new.base} == {"BOOLEAN"} else ""
        if families == {Family.DATE} or families == {Family.TIME}:
            return "seconds"
        return None

    def forms(self) -> tuple[str, str]:
        """Return the expressions of the old and of the new column that are equal when the values are."""
        old, new = self.old, self.new
        if not self.retyped:
            return old.own_form, new.own_form
        families = {old.family, new.family}
        if families == {Family.EXACT_NUMBER} and (common := self._common_exact_type):
            return f"CAST({quote(old.name)} AS {common})", f"CAST({quote(new.name)} AS {common})"
        if families == {Family.FLOAT}:
            return f"CAST({quote(old.name)} AS DOUBLE)", f"CAST({quote(new.name)} AS DOUBLE)"
        if self._numeric:
            return old.canonical, new.canonical
        if families == {Family.DATE}:
            return _timestamp_text(old), _timestamp_text(new)
        if families == {Family.TIME}:
            return _without_trailing_zeros(old.text), _without_trailing_zeros(new.text)
        return old.text, new.text

    def measures(self) -> tuple[str, str]:
        """Return the numbers whose difference counts, in one type on both sides; NULL where `unit` is None."""
        if self.unit is None:
            return "NULL", "NULL"
        if self.unit == "seconds":
            return _nanoseconds(self.old), _nanoseconds(self.new)
        if self._measured_exactly:
            kind = self._common_exact_type
            return f"CAST({quote(self.old.name)} AS {kind})", f"CAST({quote(self.new.name)} AS {kind})"
        return _finite(self.old), _finite(self.new)

    def difference(self, old: str, new: str) -> str:
        """Return the absolute difference of two measures as a DOUBLE, in `unit`; never fails."""
        seconds = " / 1e9" if self.unit == "seconds" else ""
        exact = f"CAST({self._exact_difference(old, new)} AS DOUBLE)"
        return f"coalesce({exact}, {_float_difference(old, new)}){seconds}"

    def equal(self, old: tuple[str, str], new: tuple[str, str]) -> str:
        """Return the condition, never NULL, under which (form, measure) of old and new are equal."""
        same = f"{old[0]} IS NOT DISTINCT FROM {new[0]}"
        if self.tolerance.exact:
            return f"({same})"
        bounds = []
        if self.tolerance.absolute:
            bounds.append(self._within_absolute(old[1], new[1]))
        if self.tolerance.relative:
            bounds.append(self._within_relative(old[1], new[1]))
        return f"({same} OR coalesce({' OR '.join(bounds)}, FALSE))"

    @property
    def _types(self) -> str:
        return self.old.type if not self.retyped else f"{self.old.type} against {self.new.type}"

    @property
    def _numeric(self) -> bool:
        numeric = {Family.EXACT_NUMBER, Family.BIG_NUMBER, Family.FLOAT}
        return {self.old.family, self.new.family} <= numeric

    @property
    def _measured_exactly(self) -> bool:
        if self.unit == "seconds":
            return True
        families = {self.old.family, self.new.family}
        return families == {Family.EXACT_NUMBER} and self._common_exact_type is not None

    @property
    def _common_exact_type(self) -> str | None:
        """The type that holds every value of both exact numbers, with room for a difference where there is."""
        bases = {self.old.base, self.new.base}
        if "DECIMAL" in bases:
            whole, scale = (max(pair) for pair in zip(self.old.digits, self.new.digits, strict=True))
            return f"DECIMAL({MAX_DIGITS},{scale})" if whole + scale <= MAX_DIGITS else None
        if "UHUGEINT" not in bases:
            return "HUGEINT"
        return "UHUGEINT" if bases == {"UHUGEINT"} else None

    def _exact_difference(self, old: str, new: str) -> str:
        # Neither greatest() (it skips NULL) nor abs() (the least integer has none) is safe here.
        return f"TRY(CASE WHEN {old} >= {new} THEN {old} - {new} WHEN {old} < {new} THEN {new} - {old} END)"

    def _within_absolute(self, old: str, new: str) -> str:
        bound = self.tolerance.absolute
        if not self._measured_exactly:
            slack = FLOAT_SLACK if "FLOAT" in {self.old.base, self.new.base} else DOUBLE_SLACK
            return f"{_float_difference(old, new)} <= {_double(bound)} + {slack!r} * {_larger(old, new)}"
        exact = f"{self._exact_difference(old, new)} <= {self._exact_bound()}"
        beyond_the_type = f"{_float_difference(old, new)} <= {_double(self._in_measure_unit(bound))}"
        return f"coalesce({exact}, {beyond_the_type})"

    def _within_relative(self, old: str, new: str) -> str:
        difference = self.difference(old, new) if self._measured_exactly else _float_difference(old, new)
        return f"{difference} <= ({_double(self.tolerance.relative)} + {DOUBLE_SLACK!r}) * {_larger(old, new)}"

    def _in_measure_unit(self, bound: Decimal) -> Decimal:
        return bound.scaleb(9) if self.unit == "seconds" else bound

    def _exact_bound(self) -> str:
        """The absolute bound, rounded down to the scale of the measure: no difference lies in between."""
        bound = self._in_measure_unit(self.tolerance.absolute)
        kind = "HUGEINT" if self.unit == "seconds" else self._common_exact_type
        if kind in {"HUGEINT", "UHUGEINT"}:
            return f"CAST({literal(str(min(int(bound), MAX_HUGEINT)))} AS {kind})"
        scale = max(self.old.digits[1], self.new.digits[1])
        units = min(int(bound.scaleb(scale)), 10**MAX_DIGITS - 1)
        value = Decimal(units).scaleb(-scale, Context(prec=60, rounding=ROUND_FLOOR))
        return f"CAST({literal(f'{value:f}')} AS {kind})"


def tolerance_for(contract: Contract, old: Column, new: Column) -> Tolerance:
    """Return the tolerance of a compared column: its own, else the one of its type.

    A float and a decimal are floats. A float and an integer are exact: identifiers, too, are read as floats.
    """
    for name, tolerance in contract.tolerances.items():
        if fold(name) == fold(old.name):
            return tolerance
    if old.base == new.base:
        return contract.type_tolerances.get(old.base, EXACT)
    floats = {old.base, new.base} & {"FLOAT", "DOUBLE"}
    others = {old.base, new.base} - floats
    if floats and others <= {"DECIMAL"}:
        return contract.type_tolerances.get("DOUBLE" if "DOUBLE" in floats else "FLOAT", EXACT)
    return EXACT


def _double(bound: Decimal) -> str:
    return f"{min(float(bound), sys.float_info.max)!r}::DOUBLE"


def _finite(column: Column) -> str:
    number = f"TRY_CAST({quote(column.name)} AS DOUBLE)"
    return f"CASE WHEN isfinite({number}) THEN {number} END"


def _float_difference(old: str, new: str) -> str:
    return f"abs(CAST({old} AS DOUBLE) - CAST({new} AS DOUBLE))"


def _larger(old: str, new: str) -> str:
    # greatest() skips NULL; a NULL difference has made the comparison NULL by then.
    return f"greatest(abs(CAST({old} AS DOUBLE)), abs(CAST({new} AS DOUBLE)))"


def _nanoseconds(column: Column) -> str:
    """Nanoseconds since the epoch or midnight; NULL for infinities and what lies beyond the function's range."""
    name = quote(column.name)
    if column.base == "DATE":
        since = f"CAST({name} - DATE '1970-01-01' AS HUGEINT) * 86400000000000"
    elif column.base in {"TIMESTAMP_NS", "TIME_NS"}:
        since = f"CAST(epoch_ns({name}) AS HUGEINT)"
    else:
        since = f"CAST(epoch_us({name}) AS HUGEINT) * 1000"
    finite = f"isfinite({name})" if column.family is Family.DATE else "TRUE"
    return f"TRY(CASE WHEN {finite} THEN {since} END)"


def _timestamp_text(column: Column) -> str:
    name = quote(column.name)
    if column.base == "DATE":
        midnight = f"CASE WHEN isfinite({name}) THEN ' 00:00:00' ELSE '' END"
        return f"(CAST({name} AS VARCHAR) || {midnight})"
    if column.base == "TIMESTAMP WITH TIME ZONE":
        return _without_trailing_zeros(f"CAST({name} AT TIME ZONE 'UTC' AS VARCHAR)")
    return _without_trailing_zeros(f"CAST({name} AS VARCHAR)")


def _without_trailing_zeros(text: str) -> str:
    return f"CASE WHEN contains({text}, '.') THEN rtrim(rtrim({text}, '0'), '.') ELSE {text} END"


def _canonical_float(number: str) -> str:
    """The shortest decimal text of a DOUBLE, written without an exponent where 20 decimals hold it."""
    integer = f"CAST(TRY_CAST({number} AS HUGEINT) AS VARCHAR)"
    decimal = f"TRY_CAST(CAST({number} AS VARCHAR) AS DECIMAL(38,20))"
    return (
        f"CASE WHEN {number} = trunc({number}) AND TRY_CAST({number} AS HUGEINT) IS NOT NULL THEN {integer}"
        f" WHEN CAST({decimal} AS DOUBLE) = {number}"
        f" THEN {_without_trailing_zeros(f'CAST({decimal} AS VARCHAR)')}"
        f" ELSE CAST({number} AS VARCHAR) END"
    )
