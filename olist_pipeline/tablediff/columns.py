"""One column of a relation: the family of its type, its text, and what is hashed of it, as SQL expressions.

Belongs here: what can be said of a column alone. Does not belong here: how it compares with another (`pairs.py`), and
text that stands for a value of another type (`texts.py`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from functools import cached_property

from olist_pipeline.tablediff.nested import rewritten
from olist_pipeline.tablediff.sql import quote

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
ZONED = {"TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ_NS"}
DATE_TYPES = {"DATE", "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", *ZONED}
TIME_TYPES = {"TIME", "TIME_NS"}
# DuckDB takes 1 month for 30 days and hashes an interval to the XOR of its parts: their text tells them apart.
# JSON is text that its optimiser cannot collate.
COMPARED_AS_TEXT = {"INTERVAL", "TIME WITH TIME ZONE", "JSON"}
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
    UUID = auto()
    ENUM = auto()
    OTHER = auto()


@dataclass(frozen=True)
class Column:
    """A column of a relation: its name there and its DuckDB type as DESCRIBE prints it.

    untyped: the column is text because its source knows no types (a CSV file), not because somebody said so.
    declared: the type that the source has, where its text has been read as another.
    """

    name: str
    type: str
    untyped: bool = False
    declared: str | None = None

    @property
    def base(self) -> str:
        """The type without its parameters; a nested type is its own base."""
        return "DECIMAL" if self.type.startswith("DECIMAL(") and self.type.endswith(")") else self.type

    @cached_property
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
        """The value as a text that is the same for equal values of any two types of its family."""
        column = quote(self.name)
        if self.family is Family.FLOAT:
            return float_text(f"CAST({column} AS DOUBLE)")
        if self.base == "BOOLEAN":
            return f"CAST(CAST({column} AS INTEGER) AS VARCHAR)"
        if self.base == "DECIMAL" and self.digits[1]:
            # A decimal without whole digits prints as '.5'.
            return without_trailing_zeros(rf"regexp_replace(CAST({column} AS VARCHAR), '^(-?)\.', '\10.')")
        if self.family is Family.DATE:
            return self._timestamp_text
        if self.family is Family.TIME:
            return without_trailing_zeros(self.text)
        return self.text

    @property
    def own_form(self) -> str:
        """The form in which the column is compared with one of the same type."""
        if self.family is Family.TEXT:
            return f'({quote(self.name)} COLLATE "binary")'
        if self.family is Family.AS_TEXT:
            return self.text
        return self._comparable

    @property
    def _comparable(self) -> str:
        """The column, with text in the place of whatever inside it compares by its text."""
        kind = rewritten(self.type, lambda inner: "VARCHAR" if inner in COMPARED_AS_TEXT else inner)
        return quote(self.name) if kind == self.type else f"CAST({quote(self.name)} AS {kind})"

    @property
    def sort_key(self) -> str:
        """The value as bytes that are the same for equal values only; NULL has such bytes, too."""
        return f"create_sort_key({self._comparable}, 'ASC NULLS LAST')"

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
            return number_hash_arguments(column)
        if self.family in {Family.EXACT_NUMBER, Family.FLOAT, Family.DATE, Family.TIME, Family.ENUM}:
            return [column]
        if self.family in {Family.OTHER, Family.UUID}:
            return [self.sort_key, f"('~'::BLOB || {self.sort_key})"]
        return text_hash_arguments(column if self.family is Family.TEXT else self.text)

    @property
    def _timestamp_text(self) -> str:
        name = quote(self.name)
        if self.base == "DATE":
            midnight = f"CASE WHEN isfinite({name}) THEN ' 00:00:00' ELSE '' END"
            return f"(CAST({name} AS VARCHAR) || {midnight})"
        if self.base in ZONED:
            return without_trailing_zeros(f"CAST({name} AT TIME ZONE 'UTC' AS VARCHAR)")
        return without_trailing_zeros(f"CAST({name} AS VARCHAR)")


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
    if base == "VARCHAR":
        return Family.TEXT
    if base == "UUID":
        return Family.UUID
    if base == '"NULL"' or (base.startswith("ENUM(") and base.endswith(")")):
        return Family.ENUM
    return Family.AS_TEXT if base in COMPARED_AS_TEXT else Family.OTHER


def text_hash_arguments(text: str) -> list[str]:
    """Return what is hashed of a text; see `Column.hash_arguments`."""
    return [text, f"CASE WHEN strlen({text}) > {INLINED_BYTES} THEN concat('~', {text}) END"]


def long_text_hash_arguments(text: str) -> list[str]:
    """Return what is hashed of a text that is a long expression, or one of very many: it is there once."""
    return [f"md5_number({text})"]


def number_hash_arguments(number: str) -> list[str]:
    """Return what is hashed of a number of up to 128 bits; see `Column.hash_arguments`."""
    return [number, f"CAST({number} AS DOUBLE)"]


def without_trailing_zeros(text: str) -> str:
    """Return a decimal text without the zeros that end it, and without a point that nothing follows."""
    return f"CASE WHEN contains({text}, '.') THEN rtrim(rtrim({text}, '0'), '.') ELSE {text} END"


def float_text(number: str) -> str:
    """Return the shortest decimal text of a DOUBLE, written without an exponent where 20 decimals hold it."""
    integer = f"CAST(TRY_CAST({number} AS HUGEINT) AS VARCHAR)"
    decimal = f"TRY_CAST(CAST({number} AS VARCHAR) AS DECIMAL(38,20))"
    return (
        f"CASE WHEN {number} = trunc({number}) AND TRY_CAST({number} AS HUGEINT) IS NOT NULL THEN {integer}"
        f" WHEN CAST({decimal} AS DOUBLE) = {number}"
        f" THEN {without_trailing_zeros(f'CAST({decimal} AS VARCHAR)')}"
        f" ELSE CAST({number} AS VARCHAR) END"
    )
