"""What structural rules need of all rows of a table: whether a key is there twice, and what a row belongs to.

What belongs here: looking that up, lazily, on frames of any engine that Narwhals knows: Polars, and Spark where a table
is larger than one machine. What does not: what a row is found to break (`rows`), and running any engine.

Both need a row for each record, with the columns of the table's key and of its parent alone; others are kept.
"""

from __future__ import annotations

from typing import Any, TypeVar, cast

import narwhals as nw

from olist_pipeline.intake.cast import RULES
from olist_pipeline.intake.codes import MALFORMED_ROW, TRUNCATED_ROW
from olist_pipeline.landing.csv_file import SOURCE_ROW
from olist_pipeline.landing.table import LandingTable
from olist_pipeline.months import MONTH

LazyT = TypeVar("LazyT")
"""A lazy frame of any engine; what goes in comes out."""

IS_REPEATED = "key_is_repeated"
PARENT_IS_VALID = "parent_is_valid"
_ROWS, _IS_MALFORMED, _FIRST_MONTH = "rows of a key", "is malformed", "first month"


def looked_up(rows: LazyT, table: LandingTable, parents: LazyT | None) -> LazyT:
    """Return `rows`, in any order, with what is found of the others.

    `key_is_repeated` for a table with a key: whether a row shares its whole key with another. For one with a parent,
    of which `parents` has the rows (see `rows.parents_of`), what `beside_parents` adds.
    """
    frame = _lazily(rows)
    if table.key:
        is_known = nw.all_horizontal(*(~nw.col(name).is_null() for name in table.key), ignore_nulls=False)
        frame = frame.with_columns((is_known & (nw.len().over(*table.key) > 1)).alias(IS_REPEATED))
    found: LazyT = frame.to_native()
    return found if parents is None else beside_parents(found, table, parents)


def beside_parents(rows: LazyT, table: LandingTable, parents: LazyT) -> LazyT:
    """Return `rows`, in any order, with `parent_is_valid`, and with their parent's month unless they have their own.

    The former is null for a row without parents, and false where one of several is rejected; the month is that of the
    first of them.
    """
    parent = table.parent
    if parent is None:
        return rows
    key = list(parent.table.key)
    above = _lazily(parents).with_columns((nw.col(RULES) == "").alias(PARENT_IS_VALID))
    known = above.group_by(*key).agg(
        *([nw.col(MONTH).min(), nw.len().alias(_ROWS)] if gives_month(table) else []),
        nw.col(PARENT_IS_VALID).all(),
    )
    if gives_month(table):
        known = _with_first_month(known, above, key)
    joined: LazyT = _lazily(rows).join(known, left_on=list(parent.columns), right_on=key, how="left").to_native()
    return joined


def _with_first_month(known: nw.LazyFrame[Any], above: nw.LazyFrame[Any], key: list[str]) -> nw.LazyFrame[Any]:
    """Return the keys of parents with the month of the first of their rows; few have several.

    Records that could not be split stand behind all others.
    """
    is_malformed = nw.col(RULES).is_in([MALFORMED_ROW.code, TRUNCATED_ROW.code]).alias(_IS_MALFORMED)
    several = above.join(known.filter(nw.col(_ROWS) > 1), on=key, how="semi").with_columns(is_malformed)
    first = several.unique(key, keep="first", order_by=[_IS_MALFORMED, SOURCE_ROW])
    months = first.select(*key, nw.col(MONTH).alias(_FIRST_MONTH))
    month = nw.when(nw.col(_ROWS) > 1).then(nw.col(_FIRST_MONTH)).otherwise(nw.col(MONTH)).alias(MONTH)
    return known.join(months, on=key, how="left").with_columns(month).drop(_ROWS, _FIRST_MONTH)


def _lazily(rows: object) -> nw.LazyFrame[Any]:
    return cast("nw.LazyFrame[Any]", nw.from_native(cast(Any, rows)))


def gives_month(table: LandingTable) -> bool:
    """Return whether rows of a table have the month of what they belong to."""
    return table.parent is not None and table.parent.table.is_monthly and not table.month_of
