"""The comparison of two relations, row by row and cell by cell, inside DuckDB.

Belongs here: the law of a comparison, its steps, and the account of all rows. Does not belong here: pairing rows
(`pairing.py`), how two cells compare (`pairs.py`), what the result says (`report.py`), why rows differ or whether that
is acceptable.

What is equal
-------------

    | values                          | are                                                                |
    |---------------------------------|--------------------------------------------------------------------|
    | NULL and NULL                   | equal                                                              |
    | NULL and anything else          | unequal; '', 'NULL', 0 and NaN are not NULL                        |
    | NaN and NaN, of any sign        | equal; NaN and anything else are unequal                           |
    | 0.0 and -0.0                    | equal                                                              |
    | infinities                      | equal to themselves only, with any tolerance                       |
    | text                            | equal byte by byte: case, accents and trailing blanks count, under |
    |                                 | every collation                                                    |
    | JSON                            | equal as text                                                      |
    | timestamps, times               | equal at full precision, down to nanoseconds                       |
    | intervals, times with time zone | equal when they print the same: 1 month is not 30 days             |
    | lists, structs, maps, ...       | equal by value and order, NULLs inside included; tolerances do not |
    |                                 | reach inside                                                       |
    | numbers with a tolerance        | equal when the true difference is within it, bounds included       |
    | columns of two types            | never the same schema; values still compare, see `pairs.py`        |

Floats have a relative tolerance of 1e-9 unless the contract says otherwise; all else is exact.

Where a row goes
----------------

    | row                                             | counted as                                          |
    |-------------------------------------------------|-----------------------------------------------------|
    | a part of its key is NULL                       | null-keyed, compared as a multiset with the rows of |
    |                                                 | the same key, NULL being equal to NULL              |
    | its key occurs more than once on either side    | duplicate-keyed, compared as a multiset likewise    |
    | its key occurs once on both sides               | equal, or unequal in at least one column            |
    | its key occurs once on one side                 | only in old, only in new                            |

Keys compare exactly, as values do without a tolerance. In a multiset, the rows of either side are sorted by
the columns without a tolerance, then by those with one, and compared in that order: equal multisets are always
found equal, and a multiset within tolerance of another too when one column has a tolerance; with several, rows
that cross within the tolerance may be reported as differing, never the other way round.

An excluded column is not compared in presence, type, order or value. All other columns that are not on both
sides, or not at the same place, in the same type and spelling, are schema differences, and tables with one are
never identical. Empty relations have equal rows like any others, and schemas that still must agree.

How it is done
--------------

1. Counts, and when they agree fingerprints (`fingerprint.py`). If those agree too, the rows are the same.
2. Otherwise one full outer join on the key classifies and counts every row; equal rows leave nothing but their
   count. Cells are compared in it, or, in a wide table, hashes of whole blocks of columns, as fingerprints are; where
   these differ, and only there, cells are compared next. With unique keys the pairs of the join account for every row;
   when they do not, or when an estimate says that the join would explode, duplicate keys are found first and kept out
   of it.
3. What differs, and only that, is read again for columns, changes and samples.

All of it runs in one transaction (the caller's, if there is one), so that every scan sees the same rows, and
writes temporary tables only, which are gone when it ends. It reads its relations several times: materialise an
expensive view first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import duckdb

from olist_pipeline.tablediff.contract import Contract, RelationError
from olist_pipeline.tablediff.findings import (
    ONLY_NEW,
    ONLY_OLD,
    UNEQUAL,
    Counts,
    Findings,
    column_difference,
    find_differences,
)
from olist_pipeline.tablediff.fingerprint import row_sums
from olist_pipeline.tablediff.groups import DUPLICATE, NULL_KEY, compare_groups, same_groups
from olist_pipeline.tablediff.pairing import pair_rows
from olist_pipeline.tablediff.plan import Plan, resolve
from olist_pipeline.tablediff.reading import with_values
from olist_pipeline.tablediff.relation import describe, first_line
from olist_pipeline.tablediff.report import (
    ColumnSide,
    Comparison,
    Groups,
    Ledger,
    SideCounts,
)
from olist_pipeline.tablediff.workspace import Workspace, workspace

KEY_EXAMINATION_ROWS = 1_000_000
"""Up to here tables with equal fingerprints still have their keys examined; it costs more than the fast path."""


Inspect = Callable[[Workspace, Plan, str], None]
"""Looks at the workspace, the plan and the table of what is not equal (state, n, k0, ...; see `pairing.py`)."""


def compare(
    con: duckdb.DuckDBPyConnection,
    old: str,
    new: str,
    contract: Contract,
    *,
    samples: int = 5,
    where: str | None = None,
    same: bool | None = None,
    inspect: Inspect | None = None,
) -> Comparison:
    """Compare two relations under a contract.

    old, new: relation names (`old.fact_orders`) or anything that can stand after FROM. where: a condition that
    restricts both, to compare one partition. samples: how many keys, groups and changes to show of each kind.
    same: whether whole fingerprints of both (see `fingerprint`) agree, where the caller has taken them already.
    inspect: is called while there is something to look at, so not when fingerprints decided.

    Never writes to a database file; a read-only connection will do. Raises ContractError when the contract does
    not fit the relations, RelationError when they cannot be read, LedgerError when the counts do not add up.
    """
    plan = resolve(describe(con, old, where), describe(con, new, where), contract, where)
    return compare_plan(con, plan, samples=samples, same=same, inspect=inspect)


def compare_plan(
    con: duckdb.DuckDBPyConnection,
    plan: Plan,
    *,
    samples: int = 5,
    same: bool | None = None,
    inspect: Inspect | None = None,
) -> Comparison:
    """Compare what a plan has resolved; see `compare`."""
    with finishing(plan), workspace(con, wide=plan.is_wide) as work:
        return _compare(work, with_values(work, plan), samples, same, inspect)


@contextmanager
def finishing(plan: Plan) -> Iterator[None]:
    """Raise RelationError where DuckDB cannot finish what is read in the block."""
    try:
        yield
    except duckdb.Error as error:
        raise RelationError(
            f"Comparing {plan.contract.table}, DuckDB could not finish reading {plan.old.name} and {plan.new.name}:"
            f" {first_line(error)}"
        ) from error


def _compare(work: Workspace, plan: Plan, samples: int, same: bool | None, inspect: Inspect | None) -> Comparison:
    counts = Counts(*(work.count(plan.by_key.side(side)) for side in ("old", "new")))
    if counts.rows_old == counts.rows_new and (same_rows(work, plan) if same is None else same):
        return _same(work, plan, counts, samples)
    outcome, duplicates = pair_rows(work, plan, counts)
    null_keys = bool(counts.null_old or counts.null_new)
    groups = compare_groups(work, plan, null_keys=null_keys, duplicates=duplicates, samples=samples)
    if inspect is not None:
        inspect(work, plan, outcome.table)
    return _report(plan, counts, find_differences(work, plan, counts, outcome, samples), groups)


def same_rows(work: Workspace, plan: Plan) -> bool:
    """Tell whether both sides certainly hold the same rows; of a wide table the join hashes them, which is enough."""
    pairs = (*plan.keys, *plan.columns)
    if plan.is_wide or any(pair.retyped for pair in pairs):
        return False
    sums = row_sums(work.con, plan.old.source, [pair.old for pair in pairs])
    return sums == row_sums(work.con, plan.new.source, [pair.new for pair in pairs])


def _same(work: Workspace, plan: Plan, counts: Counts, samples: int) -> Comparison:
    """Report two sides that hold the same rows: what is known of one side's keys holds for the other."""
    examined = counts.rows_old <= KEY_EXAMINATION_ROWS
    groups = {
        reason: same_groups(work, plan, reason, samples) if examined else Groups() for reason in (DUPLICATE, NULL_KEY)
    }
    counts.duplicate_old = counts.duplicate_new = groups[DUPLICATE].rows_old
    counts.null_old = counts.null_new = groups[NULL_KEY].rows_old
    counts.equal = counts.rows_old - counts.duplicate_old - counts.null_old
    nothing = Findings(tuple(column_difference(pair, counts.equal) for pair in plan.columns), {}, ())
    return _report(plan, counts, nothing, groups, fast=True, examined=examined)


def _report(
    plan: Plan,
    counts: Counts,
    found: Findings,
    groups: dict[str, Groups],
    *,
    fast: bool = False,
    examined: bool = True,
) -> Comparison:
    ledger = Ledger(
        table=plan.contract.table,
        old=SideCounts(
            counts.rows_old, counts.equal, counts.unequal, counts.only_old, counts.duplicate_old, counts.null_old
        ),
        new=SideCounts(
            counts.rows_new, counts.equal, counts.unequal, counts.only_new, counts.duplicate_new, counts.null_new
        ),
        columns=tuple(ColumnSide(column.column, column.equal, column.unequal) for column in found.columns),
    )
    duplicates, nulls = groups[DUPLICATE], groups[NULL_KEY]
    return Comparison(
        table=plan.contract.table,
        where=plan.where,
        identical=not (counts.differing or duplicates.differing or nulls.differing or plan.schema),
        fast_path=fast,
        keys_examined=examined,
        rows_old=counts.rows_old,
        rows_new=counts.rows_new,
        equal=counts.equal,
        unequal=counts.unequal,
        only_in_old=counts.only_old,
        only_in_new=counts.only_new,
        duplicates=duplicates,
        null_keys=nulls,
        schema=plan.schema,
        columns=found.columns,
        excluded=dict(plan.contract.excluded),
        notes=found.notes,
        unequal_samples=found.samples.get(UNEQUAL, ()),
        only_in_old_samples=found.samples.get(ONLY_OLD, ()),
        only_in_new_samples=found.samples.get(ONLY_NEW, ()),
        ledger=ledger,
    )
