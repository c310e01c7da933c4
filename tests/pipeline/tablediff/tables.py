"""Helpers of the comparator's tests: small tables, contracts, and a way to force the detailed pass."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from olist_pipeline.tablediff.compare import compare
from olist_pipeline.tablediff.contract import Contract, Tolerance
from olist_pipeline.tablediff.report import Comparison

EXACT_FLOATS: Mapping[str, Tolerance] = {}


def contract(*key: str, exact_floats: bool = False, **options) -> Contract:
    if exact_floats:
        options["type_tolerances"] = EXACT_FLOATS
    return Contract("t", key or ("id",), **options)


def cells(con: duckdb.DuckDBPyConnection, name: str, kind: str, value: str) -> None:
    """Create a table (id, v) in which row 2 has the value and rows 1 and 3 have NULL."""
    con.execute(
        f"CREATE OR REPLACE TABLE {name} AS SELECT id, CASE WHEN id = 2 THEN CAST({value} AS {kind}) END AS v"
        " FROM range(1, 4) AS r(id)"
    )


def compare_cells(
    con: duckdb.DuckDBPyConnection, old: tuple[str, str], new: tuple[str, str], rules: Contract
) -> Comparison:
    """Compare two (type, value) cells."""
    cells(con, "old_cells", *old)
    cells(con, "new_cells", *new)
    return compare(con, "old_cells", "new_cells", rules)


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
