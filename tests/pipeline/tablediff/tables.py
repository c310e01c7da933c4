"""Helpers of the comparator's tests: small tables, contracts, and a way to force the detailed pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

import duckdb

from olist_pipeline.tablediff.compare import compare
from olist_pipeline.tablediff.contract import Contract, Tolerance
from olist_pipeline.tablediff.report import Comparison
from olist_pipeline.tablediff.sql import quote

Cell = tuple[str, str]
"""A type and a value, in SQL."""
Cells = Mapping[str, tuple[Cell, Cell]]
"""By name, the cell of old and that of new."""
Case = TypeVar("Case")
AT_ONCE = 20
"""So many cells are compared side by side, each as a column: a comparison takes ten times as long as a cell of it."""

EXACT_FLOATS: Mapping[str, Tolerance] = {}


def contract(*key: str, exact_floats: bool = False, **options) -> Contract:
    if exact_floats:
        options["type_tolerances"] = EXACT_FLOATS
    return Contract("t", key or ("id",), **options)


def batches(cases: Sequence[Case]) -> list[Sequence[Case]]:
    """Return cases in batches that one comparison holds."""
    return [cases[start : start + AT_ONCE] for start in range(0, len(cases), AT_ONCE)]


def compare_columns(con: duckdb.DuckDBPyConnection, cells: Cells, rules: Contract, **options) -> Comparison:
    """Compare tables with a column for each pair of cells: row 2 has the cells, rows 1 and 3 have NULL."""
    for name, side in (("old_cells", 0), ("new_cells", 1)):
        columns = (
            f"CASE WHEN id = 2 THEN CAST({pair[side][1]} AS {pair[side][0]}) END AS {quote(column)}"
            for column, pair in cells.items()
        )
        con.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT id, {', '.join(columns)} FROM range(1, 4) AS r(id)")
    return compare(con, "old_cells", "new_cells", rules, **options)


def compare_cells(con: duckdb.DuckDBPyConnection, old: Cell, new: Cell, rules: Contract) -> Comparison:
    """Compare two cells, in a column `v`."""
    return compare_columns(con, {"v": (old, new)}, rules)


def compare_keys(con: duckdb.DuckDBPyConnection, cells: Cells, otherwise: Mapping[str, str]) -> Comparison:
    """Compare tables of keys with a part for each pair of cells, and with `n`, the row's number.

    Row n has the cells of pair n in their part, and in each other part the value that it has otherwise.
    """
    for name, side in (("old_keys", 0), ("new_keys", 1)):
        parts = (
            f"CASE WHEN n = {n} THEN CAST({pair[side][1]} AS {pair[side][0]})"
            f" ELSE CAST({otherwise[part]} AS {pair[side][0]}) END AS {quote(part)}"
            for n, (part, pair) in enumerate(cells.items())
        )
        con.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT n, {', '.join(parts)} FROM range({len(cells)}) AS r(n)")
    return compare(con, "old_keys", "new_keys", contract("n", *cells), samples=len(cells))


def both_ways(con: duckdb.DuckDBPyConnection, old: str, new: str, rules: Contract, **options) -> Comparison:
    """Compare, check that swapping the sides mirrors the result, and return the result."""
    there, back = compare(con, old, new, rules, **options), compare(con, new, old, rules, **options)
    assert (there.equal, there.unequal, there.only_in_old, there.only_in_new) == (
        back.equal,
        back.unequal,
        back.only_in_new,
        back.only_in_old,
    )
    assert there.identical == back.identical
    for mine, theirs in ((there.duplicates, back.duplicates), (there.null_keys, back.null_keys)):
        assert (mine.rows_old, mine.rows_new, mine.identical, mine.differing) == (
            theirs.rows_new,
            theirs.rows_old,
            theirs.identical,
            theirs.differing,
        )
    return there
