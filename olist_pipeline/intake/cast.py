"""Casting cells: text to the types of a record, exactly or not at all.

What belongs here: how each type is written in landing, and finding missing and unparseable cells. What does
not: rules that look at more than one cell.

A cell that cannot be cast is never a silent null: its row carries UNPARSEABLE_<COLUMN>, and a required cell
that is empty carries MISSING_<COLUMN>.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal

import polars as pl

from olist_domain.kernel.records import Record, value_type
from olist_pipeline.engine.columns import DIGITS_OF_MONEY
from olist_pipeline.intake.codes import MISSING, UNPARSEABLE
from olist_pipeline.landing.csv_file import DATE_LENGTH, MOMENT_LENGTH

MONEY = pl.Decimal(18, DIGITS_OF_MONEY)
MOMENT = pl.Datetime("us")
MOMENT_FORMAT = "%Y-%m-%d %H:%M:%S"
MOMENT_PATTERN = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}( [0-9]{2}:[0-9]{2}:[0-5][0-9](\.0{1,9})?)?$"
"""The parser alone takes one digit for two, a sign for a digit, and a 60th second."""

MONEY_PATTERN = r"^[+-]?0*[0-9]{1,12}(\.[0-9]{1,2}0*)?$"
"""Two digits after the point, but for zeros, and no exponent: anything else would be rounded or cut by a cast.

Below a trillion: `MONEY` has room for the sum of ten thousand such amounts, and one absurd cell cannot stop a run.
"""

NO_FRACTION = r"\.0+$"
"""What follows a whole number in a column of fractions: pandas writes whole numbers so where one of them is missing."""

ID_BYTES = 1000
"""The longest id: the stores keep them in indexes, which take no more than 2,704 bytes of a row."""

RULES = "rules"


def typed(name: str, kind: type, *, is_id: bool = False) -> pl.Expr:
    """Return the column `name` of text cells cast to `kind`; null where the cell does not say one.

    A text that `is_id`, or whose name says so, is no longer than the stores can index.
    """
    text = pl.col(name)
    if kind is str:
        is_short = (text.str.len_bytes() <= ID_BYTES) if is_id or name.endswith("_id") else pl.lit(True)
        return pl.when((text != "") & is_short).then(text).alias(name)
    if kind is int:
        return text.str.replace(NO_FRACTION, "").cast(pl.Int64, strict=False)
    if kind is float:
        number = text.cast(pl.Float64, strict=False)
        return pl.when(number.is_finite()).then(number).alias(name)
    if kind is Decimal:
        return pl.when(text.str.contains(MONEY_PATTERN)).then(text).cast(MONEY, strict=False).alias(name)
    if kind is datetime:
        # A date without a time is its midnight, as in SQL: pandas writes a column of midnights so.
        is_date = text.str.len_bytes() == DATE_LENGTH
        whole = pl.when(is_date).then(text + " 00:00:00").otherwise(text.str.head(MOMENT_LENGTH))
        moment = whole.str.strptime(MOMENT, MOMENT_FORMAT, strict=False)
        # No calendar of Python has a year 0.
        is_moment = text.str.contains(MOMENT_PATTERN) & ~text.str.starts_with("0000")
        return pl.when(is_moment).then(moment).alias(name)
    raise TypeError(f"records know no cells of type {kind}")


def cast_rows(rows: pl.DataFrame, record: type[Record], ids: Collection[str] = ()) -> pl.DataFrame:
    """Return `rows` with every column of `record` typed, and `rules`: the codes of its bad cells, by commas.

    `rows` has a text column for each field; other columns are kept. `ids` are the columns that identify something.
    """
    fields = record.model_fields
    kinds = {name: value_type(field.annotation) for name, field in fields.items()}
    values = (typed(name, kind, is_id=name in ids) for name, kind in kinds.items())
    # Lazily, an expression that stands twice in a column is computed once.
    cast = rows.lazy().select(pl.exclude(*fields), *values).collect()
    problems = [
        problem
        for name, field in fields.items()
        for problem in _problems(name, rows[name], cast[name], field.is_required())
    ]
    if not problems:
        return cast.with_columns(pl.lit("").alias(RULES))
    return cast.with_columns(pl.concat_str(problems, separator=",", ignore_nulls=True).alias(RULES))


def _problems(name: str, text: pl.Series, value: pl.Series, required: bool) -> list[pl.Series]:
    """Return a series of codes for each kind of problem that the column has, null where a row has none."""
    if not value.null_count():
        return []
    empty = text.is_null() | (text == "")
    found = {UNPARSEABLE.of(name): value.is_null() & ~empty}
    if required:
        found[MISSING.of(name)] = empty
    return [pl.select(pl.when(broken).then(pl.lit(code))).to_series() for code, broken in found.items() if broken.any()]
