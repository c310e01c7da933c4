"""How one column of the old relation is compared with its counterpart in the new one, as SQL expressions.

Belongs here: the form in which two columns are compared, and the test of a tolerance. Does not belong here: what is
known of a column alone (`columns.py`), queries over whole relations (`compare.py`, `fingerprint.py`).

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
    | text and a number, date, time or UUID    | the value, where the text is exactly one (`texts.py`, and |
    |                                          | `reading.py`, which is first): '1.10' is 1.1, '007' not 7 |
    | anything else (text and a list, ...)     | their text, exactly                                       |

With a tolerance, text without a type (of a CSV file) is measured as a decimal, or as what the other side is.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Context, Decimal
from functools import cached_property

from olist_pipeline.tablediff import texts
from olist_pipeline.tablediff.columns import ZONED, Column, Family, long_text_hash_arguments, number_hash_arguments
from olist_pipeline.tablediff.contract import EXACT, Contract, ContractError, Tolerance
from olist_pipeline.tablediff.sql import literal, quote

MAX_DIGITS = 38
MAX_HUGEINT = 2**127 - 1
# Four units in the last place of the larger operand: what reading two decimal numbers as binary floats and
# subtracting them can be off by.
DOUBLE_SLACK = 2.0**-50
FLOAT_SLACK = 2.0**-21
BOUNDS = Context(prec=60, rounding=ROUND_FLOOR)
"""What no bound of a tolerance is rounded up in."""
NUMBERS = {Family.EXACT_NUMBER, Family.BIG_NUMBER, Family.FLOAT}


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
        if self._in_seconds and self.tolerance.relative:
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

    @cached_property
    def unit(self) -> str | None:
        """The unit of a difference: '' of a number, 'seconds' of a time, None where there is no difference."""
        families = self._families
        untyped = self.old.untyped or self.new.untyped
        if untyped and not self.tolerance.exact and self._both(Family.TEXT):
            return ""
        if self._numeric or (self._typed_side is not None and families <= NUMBERS | {Family.TEXT}):
            return None if {self.old.base, self.new.base} <= {"BOOLEAN", "VARCHAR"} else ""
        return "seconds" if families - {Family.TEXT} in ({Family.DATE}, {Family.TIME}) else None

    def forms(self) -> tuple[str, str]:
        """Return the expressions of the old and of the new column that are equal when the values are."""
        old, new = self.old, self.new
        if not self.retyped:
            return old.own_form, new.own_form
        if self._both(Family.EXACT_NUMBER) and (common := self._common_exact_type):
            return f"CAST({quote(old.name)} AS {common})", f"CAST({quote(new.name)} AS {common})"
        if self._both(Family.FLOAT):
            return f"CAST({quote(old.name)} AS DOUBLE)", f"CAST({quote(new.name)} AS DOUBLE)"
        if self._numeric or self._both(Family.DATE) or self._both(Family.TIME):
            return old.canonical, new.canonical
        return self._form_beside_text(old), self._form_beside_text(new)

    def key_forms(self) -> tuple[str, str]:
        """Return the forms that keys are paired by; DuckDB must be able to join on them, whatever stands beside them.

        DuckDB 2.0 loses pairs of a join on several columns where one of them holds lists, structs or maps, some of
        them NULL, and another is stored as a single value. Their sort keys, which are one to one, are plain bytes.
        """
        if self.retyped or self.old.family is not Family.OTHER:
            return self.forms()
        old, new = (
            f"CASE WHEN {quote(column.name)} IS NOT NULL THEN {column.sort_key} END" for column in (self.old, self.new)
        )
        return old, new

    def hash_arguments(self) -> tuple[list[str], list[str]]:
        """Return what the hashes of rows of a wide table take of the column; those of equal forms are equal."""
        old, new = self.forms()
        if not self.retyped and self.old.family is not Family.TEXT:
            return self.old.hash_arguments(), self.new.hash_arguments()
        if self._both(Family.FLOAT):
            return [old], [new]
        numbers = self._both(Family.EXACT_NUMBER) and self._common_exact_type is not None
        arguments = number_hash_arguments if numbers else long_text_hash_arguments
        return arguments(old), arguments(new)

    def unread(self, which: int) -> tuple[str, str] | None:
        """Return the condition under which a cell of the side (0 old, 1 new) is text that is no value, and of what.

        None where text is compared as what it is, or is the only form of the other side's type.
        """
        column, typed = (self.old, self.new)[which], self._typed_side
        if column.family is not Family.TEXT:
            return None
        if typed is not None:
            value, kind = texts.value_text(column.text, typed), typed.type
        else:
            value, kind = texts.decimal(column.text) if self.unit is not None else None, "decimal"
        return None if value is None else (f"({quote(column.name)} IS NOT NULL AND ({value}) IS NULL)", kind)

    def measures(self) -> tuple[str, str]:
        """Return the numbers whose difference counts, in one type on both sides; NULL where `unit` is None."""
        if self.unit is None:
            return "NULL", "NULL"
        return self._measure(self.old), self._measure(self.new)

    def difference(self, old: str, new: str) -> str:
        """Return the absolute difference of two measures as a DOUBLE, in `unit`; never fails."""
        seconds = " / 1e9" if self._in_seconds else ""
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

    @cached_property
    def _families(self) -> set[Family]:
        return {self.old.family, self.new.family}

    @property
    def _in_seconds(self) -> bool:
        return self.unit == "seconds"

    def _both(self, family: Family) -> bool:
        return self.old.family is family and self.new.family is family

    @property
    def _types(self) -> str:
        return self.old.type if not self.retyped else f"{self.old.type} against {self.new.type}"

    @property
    def _numeric(self) -> bool:
        return self._families <= NUMBERS

    @property
    def _typed_side(self) -> Column | None:
        """The side that has a type, where the other is text; None otherwise."""
        if not self.retyped or Family.TEXT not in self._families:
            return None
        return self.new if self.old.family is Family.TEXT else self.old

    def _form_beside_text(self, column: Column) -> str:
        """The form of a column where one of both is text, or they have nothing but text in common."""
        typed = self._typed_side
        if typed is None:
            return column.text
        read = texts.value_text(column.text, typed) is not None
        return texts.typed_text(typed) if column is typed and read else column.text

    def _measure(self, column: Column) -> str:
        typed = self._typed_side
        text = column.family is Family.TEXT
        if self._in_seconds:
            return texts.nanoseconds(column.text, typed) if text and typed else _nanoseconds(column)
        if kind := self._common_exact_type:
            return texts.decimal(column.text) if text else f"TRY_CAST({quote(column.name)} AS {kind})"
        if text and typed:
            return _finite(f"TRY_CAST({texts.value_text(column.text, typed)} AS DOUBLE)")
        return _finite(f"TRY_CAST({quote(column.name)} AS DOUBLE)")

    @property
    def _measured_exactly(self) -> bool:
        return self._in_seconds or self._common_exact_type is not None

    @cached_property
    def _common_exact_type(self) -> str | None:
        """The type that holds every value of both exact numbers, with room for a difference where there is.

        Text that is a decimal of up to 19 digits before and after the point counts as one.
        """
        if not self._families <= {Family.EXACT_NUMBER, Family.TEXT}:
            return None
        if Family.TEXT in self._families:
            numbers = [column for column in (self.old, self.new) if column.family is Family.EXACT_NUMBER]
            fits = all(column.digits[1] <= texts.MEASURE_DIGITS for column in numbers)
            return f"DECIMAL({MAX_DIGITS},{texts.MEASURE_DIGITS})" if fits else None
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
        return bound.scaleb(9, BOUNDS) if self._in_seconds else bound

    def _exact_bound(self) -> str:
        """The absolute bound, rounded down to the scale of the measure: no difference lies in between."""
        bound = self._in_measure_unit(self.tolerance.absolute)
        kind = "HUGEINT" if self._in_seconds else self._common_exact_type
        if kind in {"HUGEINT", "UHUGEINT"}:
            return f"CAST({literal(str(min(int(bound), MAX_HUGEINT)))} AS {kind})"
        scale = Column("", str(kind)).digits[1]
        units = min(int(bound.scaleb(scale, BOUNDS)), 10**MAX_DIGITS - 1)
        value = Decimal(units).scaleb(-scale, BOUNDS)
        return f"CAST({literal(f'{value:f}')} AS {kind})"


def tolerance_for(contract: Contract, old: Column, new: Column) -> Tolerance:
    """Return the tolerance of a compared column: its own, else the one of its type.

    A float and a decimal are floats, and so are a float and text without a type. A float and an integer are exact:
    identifiers, too, are read as floats.
    """
    own = contract.tolerance_of(old.name)
    if own is not None:
        return own
    if old.base == new.base:
        return contract.type_tolerances.get(old.base, EXACT)
    floats = {old.base, new.base} & {"FLOAT", "DOUBLE"}
    others = {column.base for column in (old, new) if not column.untyped} - floats
    if floats and others <= {"DECIMAL"}:
        return contract.type_tolerances.get("DOUBLE" if "DOUBLE" in floats else "FLOAT", EXACT)
    return EXACT


def _double(bound: Decimal) -> str:
    return f"{min(float(bound), sys.float_info.max)!r}::DOUBLE"


def _finite(number: str) -> str:
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
    elif column.base in {"TIMESTAMP_NS", "TIME_NS", "TIMESTAMPTZ_NS"}:
        since = f"CAST(epoch_ns({name}) AS HUGEINT)"
    else:
        since = f"CAST(epoch_us({name}) AS HUGEINT) * 1000"
    moment = f"{name} AT TIME ZONE 'UTC'" if column.base in ZONED else name
    finite = f"isfinite({moment})" if column.family is Family.DATE else "TRUE"
    return f"TRY(CASE WHEN {finite} THEN {since} END)"
