"""A comparison in parts, somewhere else each: what is equal is counted there, and the rest is compared together.

Belongs here: taking the pairs of equal rows out of a part, and the comparison of what the parts left. Does not belong
here: which parts there are, and where they are worked through.

The law: over the same relations the result is that of `compare`, whatever a part has of them, for every row is in one
part. A pair of equal rows is counted in its part, and leaves the hash of its key. All other rows leave themselves, and
are compared together: so a row that is in one part on one side, and in another part on the other (its month is another
one), is found to be unequal, as it would be in the whole. One kind of row cannot be seen in a part: one that is half of
a pair there, and whose key occurs again in another part. By the hashes of keys that is noticed, and then the whole
has to be compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from olist_pipeline.tablediff.compare import Inspect, compare_plan, finishing, same_rows
from olist_pipeline.tablediff.contract import Contract
from olist_pipeline.tablediff.findings import EQUAL, Counts
from olist_pipeline.tablediff.pairing import duplicate_keys, pair_rows
from olist_pipeline.tablediff.plan import SIDES, Plan, resolve
from olist_pipeline.tablediff.relation import describe
from olist_pipeline.tablediff.report import ColumnSide, Comparison, Ledger, SideCounts
from olist_pipeline.tablediff.sql import literal, parquet
from olist_pipeline.tablediff.workspace import Workspace, workspace

HASH = "h"


@dataclass(frozen=True)
class RestFiles:
    """The Parquet files that a part leaves: rows of `old` and of `new`, and the key hashes of the `equal` pairs."""

    old: Path
    new: Path
    equal: Path


@dataclass(frozen=True)
class Rest:
    """What is left of a part: its `files`, how many rows it had of each side, and how many pairs were equal."""

    files: RestFiles
    rows_old: int
    rows_new: int
    equal: int


def can_be_cut(con: duckdb.DuckDBPyConnection, old: str, new: str, contract: Contract) -> bool:
    """Return whether two relations can be compared in parts: no column is of another type on the other side.

    Where one is, how its cells are read depends on all of them.
    """
    plan = resolve(describe(con, old), describe(con, new), contract, None)
    return not any(pair.retyped for pair in (*plan.keys, *plan.columns))


def rest_of(
    con: duckdb.DuckDBPyConnection, old: str, new: str, contract: Contract, where: str, files: RestFiles
) -> Rest:
    """Take the pairs of equal rows out of the part of two relations that `where` says, and write what is left.

    For relations that `can_be_cut`. Raises RelationError where they cannot be read.
    """
    plan = resolve(describe(con, old, where), describe(con, new, where), contract, where)
    with finishing(plan), workspace(con, wide=plan.is_wide) as work:
        return _rest(work, plan, files)


def compare_rests(
    con: duckdb.DuckDBPyConnection,
    old: str,
    new: str,
    contract: Contract,
    rests: Sequence[Rest],
    *,
    samples: int = 5,
    where: str | None = None,
    inspect: Inspect | None = None,
) -> Comparison | None:
    """Return the comparison of two relations of whose parts `rests` are left; None where the parts do not tell.

    That is where a key of an equal pair is in another part, too, and where files do not keep a type. `where` restricts
    both relations; whole fingerprints of them differ. For the rest see `compare`.
    """
    plan = resolve(describe(con, old, where), describe(con, new, where), contract, where)
    left = plan.reading(*(parquet(*(getattr(rest.files, side) for rest in rests)) for side in SIDES))
    with finishing(plan):
        if not _keeps_types(con, plan, left) or _has_straddling_keys(con, left, rests):
            return None
    found = compare_plan(con, left, samples=samples, same=False, inspect=inspect)
    rows_old, rows_new = (sum(getattr(rest, side) for rest in rests) for side in ("rows_old", "rows_new"))
    return _with_equal(found, rows_old, rows_new, sum(rest.equal for rest in rests))


def _rest(work: Workspace, plan: Plan, files: RestFiles) -> Rest:
    counts = Counts(*(work.count(plan.by_key.side(side)) for side in SIDES))
    keys = _keys_of_rest(work, plan, counts)
    for side, file in zip(SIDES, (files.old, files.new), strict=True):
        _write(work, _rows_of_rest(work, plan, keys, side), file)
    paired = f"(FROM {plan.by_key.side('old')} WHERE NOT {plan.null_key})"
    hashed = f"SELECT hash({plan.key_list()}) AS {HASH} FROM {paired} ANTI JOIN {keys} USING ({plan.key_list()})"
    _write(work, hashed, files.equal)
    [equal] = work.row(f"SELECT count(*) FROM ({hashed})")
    return Rest(files, counts.rows_old, counts.rows_new, equal)


def _keys_of_rest(work: Workspace, plan: Plan, counts: Counts) -> str:
    """Return the table of the keys (k0, ...) whose rows are no pair of equal rows; keys with NULL are not in it."""
    if counts.rows_old == counts.rows_new and same_rows(work, plan):
        return duplicate_keys(work, plan)
    outcome, duplicates = pair_rows(work, plan, counts)
    keys = plan.key_list()
    found = f"SELECT {keys} FROM {outcome.table} WHERE state <> {EQUAL}"
    return work.create("rest", f"{found} UNION ALL SELECT {keys} FROM {duplicates}" if duplicates else found)


def _rows_of_rest(work: Workspace, plan: Plan, keys: str, side: str) -> str:
    """Return the query of a side's rows that are in no pair of equal rows, as they are."""
    rows, hidden = plan.keyed(work, side)
    is_null = " OR ".join(f"s.{name} IS NULL" for name in hidden)
    keyless = f"SELECT s.* EXCLUDE ({', '.join(hidden)}) FROM {rows} WHERE {is_null}"
    return f"{plan.rows_of(work, side, keys)} UNION ALL {keyless}"


def _write(work: Workspace, query: str, path: Path) -> None:
    work.con.execute(f"COPY ({query}) TO {literal(str(path))} (FORMAT parquet)")


def _keeps_types(con: duckdb.DuckDBPyConnection, plan: Plan, left: Plan) -> bool:
    return all(
        describe(con, after.source).columns == before.columns
        for before, after in ((plan.old, left.old), (plan.new, left.new))
    )


def _has_straddling_keys(con: duckdb.DuckDBPyConnection, left: Plan, rests: Sequence[Rest]) -> bool:
    """Return whether the key of a pair of equal rows may occur in another part, too."""
    equal, keys = parquet(*(rest.files.equal for rest in rests)), left.key_list()
    others = " UNION ALL ".join(
        f"SELECT hash({keys}) AS {HASH} FROM {left.by_key.side(side)} WHERE NOT {left.null_key}" for side in SIDES
    )
    found = con.execute(
        f"SELECT EXISTS (SELECT {HASH} FROM {equal} GROUP BY {HASH} HAVING count(*) > 1)"
        f" OR EXISTS (FROM {equal} SEMI JOIN ({others}) USING ({HASH}))"
    ).fetchone()
    return bool(found and found[0])


def _with_equal(found: Comparison, rows_old: int, rows_new: int, equal: int) -> Comparison:
    """Return the comparison of what parts left with their pairs of equal rows; `rows_old`, `rows_new` are of all."""
    columns = tuple(replace(column, equal=column.equal + equal) for column in found.columns)
    old, new = (
        SideCounts(rows, side.equal + equal, side.unequal, side.only, side.duplicate_keyed, side.null_keyed)
        for rows, side in ((rows_old, found.ledger.old), (rows_new, found.ledger.new))
    )
    cells = tuple(ColumnSide(column.column, column.equal, column.unequal) for column in columns)
    return replace(
        found,
        rows_old=rows_old,
        rows_new=rows_new,
        equal=found.equal + equal,
        columns=columns,
        ledger=Ledger(found.table, old, new, cells),
    )
