"""The comparison of two relations, row by row and cell by cell, inside DuckDB.

Belongs here: pairing rows, counting them and finding what differs. Does not belong here: how two cells compare
(`columns.py`), what the result says (`report.py`), why rows differ or whether that is acceptable.

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
    | columns of two types            | never the same schema; values still compare, see `columns.py`      |

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
   count. With unique keys its pairs account for every row; when they do not, or when an estimate says that
   the join would explode, duplicate keys are found first and kept out of it.
3. What differs, and only that, is read again for columns, changes and samples.

All of it runs in one transaction (the caller's, if there is one), so that every scan sees the same rows, and
writes temporary tables only, which are gone when it ends. It reads its relations several times: materialise an
expensive view first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import duckdb

from olist_pipeline.tablediff.columns import Pair
from olist_pipeline.tablediff.contract import Contract, RelationError
from olist_pipeline.tablediff.fingerprint import row_sums
from olist_pipeline.tablediff.groups import DUPLICATE, NULL_KEY, compare_groups, same_groups
from olist_pipeline.tablediff.plan import Plan, resolve
from olist_pipeline.tablediff.relation import describe, first_line
from olist_pipeline.tablediff.report import (
    Change,
    ColumnDifference,
    ColumnSide,
    Comparison,
    Groups,
    Ledger,
    RowSample,
    Side,
)
from olist_pipeline.tablediff.sql import ascending
from olist_pipeline.tablediff.workspace import Workspace, workspace

KEY_EXAMINATION_ROWS = 1_000_000
"""Up to here tables with equal fingerprints still have their keys examined; it costs more than the fast path."""

SKETCH_BUCKETS = 4096
ROWS_PER_KEY = 1.5
"""When a row of old is expected to share its key with more rows than this, itself included, no join is tried before
duplicate keys are found: pairs of duplicate keys multiply."""

COPIED_SHARE = 0.1
"""Up to this share of rows, the rows that are not equal are copied to be read again; beyond it the relations are."""

EQUAL, UNEQUAL, ONLY_OLD, ONLY_NEW = range(4)


def compare(
    con: duckdb.DuckDBPyConnection,
    old: str,
    new: str,
    contract: Contract,
    *,
    samples: int = 5,
    where: str | None = None,
    same: bool | None = None,
    inspect: Callable[[Workspace, Plan, str], None] | None = None,
) -> Comparison:
    """Compare two relations under a contract.

    old, new: relation names (`old.fact_orders`) or anything that can stand after FROM. where: a condition that
    restricts both, to compare one partition. samples: how many keys, groups and changes to show of each kind.
    same: whether whole fingerprints of both (see `fingerprint`) agree, where the caller has taken them already.
    inspect: is called with the workspace, the plan and the table of what is not equal (state, n, k0, ...; see
    `_join`) while these are there, so not when fingerprints decided.

    Never writes to a database file; a read-only connection will do. Raises ContractError when the contract does
    not fit the relations, RelationError when they cannot be read, LedgerError when the counts do not add up.
    """
    plan = resolve(describe(con, old, where), describe(con, new, where), contract, where)
    try:
        with workspace(con) as work:
            return _compare(work, plan, samples, same, inspect)
    except duckdb.Error as error:
        raise RelationError(
            f"Comparing {contract.table}, DuckDB could not finish reading {old} and {new}: {first_line(error)}"
        ) from error


@dataclass
class Counts:
    """Where the rows went."""

    rows_old: int
    rows_new: int
    equal: int = 0
    unequal: int = 0
    only_old: int = 0
    only_new: int = 0
    null_old: int = 0
    null_new: int = 0
    duplicate_old: int = 0
    duplicate_new: int = 0

    @property
    def every_row_paired_once(self) -> bool:
        """True when the pairs account for every row, which they do only if no paired key is duplicate."""
        pairs = self.equal + self.unequal
        return (
            pairs + self.only_old + self.null_old == self.rows_old
            and pairs + self.only_new + self.null_new == self.rows_new
        )


def _compare(
    work: Workspace,
    plan: Plan,
    samples: int,
    same: bool | None,
    inspect: Callable[[Workspace, Plan, str], None] | None,
) -> Comparison:
    counts = Counts(*(work.row(f"SELECT count(*) FROM {plan.side(side)}")[0] for side in ("old", "new")))
    if counts.rows_old == counts.rows_new and (_same_rows(work, plan) if same is None else same):
        return _same(work, plan, counts, samples)
    counts.null_old, counts.null_new = (
        work.row(f"SELECT count(*) FROM {plan.side(side)} WHERE {plan.null_key}")[0] for side in ("old", "new")
    )
    outcome = _join_unique(work, plan, counts)
    duplicates = None
    if outcome is None:
        duplicates = _duplicate_keys(work, plan)
        counts.duplicate_old, counts.duplicate_new = (
            work.row(f"SELECT count(*) FROM {plan.side(side)} SEMI JOIN {duplicates} USING ({plan.key_list()})")[0]
            for side in ("old", "new")
        )
        outcome = _join(work, plan, counts, duplicates)
    groups = compare_groups(
        work, plan, null_keys=counts.null_old + counts.null_new > 0, duplicates=duplicates, samples=samples
    )
    if inspect is not None:
        inspect(work, plan, outcome)
    plan = _narrowed(work, plan, counts, outcome)
    return _report(
        plan,
        counts,
        columns=_column_differences(work, plan, counts, outcome, samples),
        groups=groups,
        samples={
            UNEQUAL: _row_samples(work, plan, outcome, UNEQUAL, counts.unequal, samples),
            ONLY_OLD: _row_samples(work, plan, outcome, ONLY_OLD, counts.only_old, samples),
            ONLY_NEW: _row_samples(work, plan, outcome, ONLY_NEW, counts.only_new, samples),
        },
    )


def _same_rows(work: Workspace, plan: Plan) -> bool:
    """Tell whether both sides certainly hold the same rows."""
    pairs = (*plan.keys, *plan.columns)
    if any(pair.retyped for pair in pairs):
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
    columns = tuple(_column(pair, counts.equal, 0, None, ()) for pair in plan.columns)
    return _report(plan, counts, columns=columns, groups=groups, samples={}, fast=True, examined=examined)


def _join_unique(work: Workspace, plan: Plan, counts: Counts) -> str | None:
    """Join as if keys were unique. Return the outcome, or None when there are duplicate keys."""
    if _rows_per_key(work, plan) > ROWS_PER_KEY:
        return None
    outcome = _join(work, plan, counts, None)
    [most] = work.row(f"SELECT coalesce(max(n), 0) FROM {outcome} WHERE state <> {EQUAL}")
    if counts.every_row_paired_once and most <= 1:
        return outcome
    work.drop(outcome)
    return None


def _rows_per_key(work: Workspace, plan: Plan) -> float:
    """Estimate how many rows of old a row of old shares its key with, itself included; off by 2 % of one row.

    The squared sizes of hash buckets exceed what chance gives by the number of pairs with equal keys.
    """
    rows, squares = work.row(
        "SELECT coalesce(sum(n), 0), coalesce(sum(n * n), 0) FROM (SELECT CAST(count(*) AS HUGEINT) AS n FROM"
        f" {plan.side('old')} WHERE NOT {plan.null_key} GROUP BY hash({plan.key_list()}) & {SKETCH_BUCKETS - 1})"
    )
    if not rows:
        return 0.0
    return float((squares - rows * rows / SKETCH_BUCKETS) / (1 - 1 / SKETCH_BUCKETS) / rows)


def _duplicate_keys(work: Workspace, plan: Plan) -> str:
    """Create the table of keys that occur more than once on either side."""
    keys = plan.key_list()
    repeated = (
        f"SELECT {keys} FROM {plan.side(side)} WHERE NOT {plan.null_key} GROUP BY {keys} HAVING count(*) > 1"
        for side in ("old", "new")
    )
    return work.create("duplicates", " UNION ".join(repeated))


def _join(work: Workspace, plan: Plan, counts: Counts, duplicates: str | None) -> str:
    """Pair rows by key, fill in the counts, and return a table (state, n, k0, ...) of what is not equal.

    Equal rows collapse into one row without a key. A row of any other state has its key, and n = 1 when the
    key is unique.
    """
    without = f" ANTI JOIN {duplicates} USING ({plan.key_list()})" if duplicates else ""
    old, new = (f"(FROM {plan.side(side)}{without} WHERE NOT {plan.null_key})" for side in ("old", "new"))
    state = (
        f"CASE WHEN n.k0 IS NULL THEN {ONLY_OLD} WHEN o.k0 IS NULL THEN {ONLY_NEW}"
        f" WHEN {plan.all_equal} THEN {EQUAL} ELSE {UNEQUAL} END"
    )
    either = ", ".join(f"coalesce(o.k{i}, n.k{i}) AS k{i}" for i in range(len(plan.keys)))
    unless_equal = ", ".join(f"CASE WHEN state <> {EQUAL} THEN k{i} END AS k{i}" for i in range(len(plan.keys)))
    outcome = work.create(
        "outcome",
        f"SELECT state, {unless_equal}, count(*) AS n FROM ("
        f"SELECT {state} AS state, {either} FROM {old} AS o FULL OUTER JOIN {new} AS n"
        f" ON {plan.same_key('o', 'n')}) GROUP BY ALL",
    )
    found = dict(work.rows(f"SELECT state, sum(n) FROM {outcome} GROUP BY state"))
    counts.equal, counts.unequal = found.get(EQUAL, 0), found.get(UNEQUAL, 0)
    counts.only_old, counts.only_new = found.get(ONLY_OLD, 0), found.get(ONLY_NEW, 0)
    return outcome


def _narrowed(work: Workspace, plan: Plan, counts: Counts, outcome: str) -> Plan:
    """Return a plan over copies of the rows that are not equal, when these are few: they are read repeatedly."""
    if counts.unequal + counts.only_old + counts.only_new > COPIED_SHARE * (counts.rows_old + counts.rows_new):
        return plan
    copies = {
        side: work.create(
            f"{side}_rows",
            f"SELECT s.* FROM {plan.side(side)} AS s SEMI JOIN (FROM {outcome} WHERE state <> {EQUAL}) AS u"
            f" ON {plan.same_key('s', 'u')}",
        )
        for side in ("old", "new")
    }
    return replace(plan, copies=copies)


def _column_differences(
    work: Workspace, plan: Plan, counts: Counts, outcome: str, samples: int
) -> tuple[ColumnDifference, ...]:
    """Compare the unequal rows column by column."""
    if not counts.unequal or not plan.columns:
        return tuple(_column(pair, counts.equal, 0, None, ()) for pair in plan.columns)
    cells = []
    for i, pair in enumerate(plan.columns):
        difference = pair.difference(f"o.m{i}", f"n.m{i}") if pair.unit is not None else "NULL::DOUBLE"
        cells.append(f"{plan.equal(i)} AS e{i}")
        cells += [f"CASE WHEN NOT {plan.equal(i)} THEN {side}.ct{i} END AS {side}{i}" for side in ("o", "n")]
        cells.append(f"CASE WHEN NOT {plan.equal(i)} THEN {difference} END AS d{i}")
    unequal = work.create(
        "unequal",
        f"SELECT {plan.key_texts('o')}, {', '.join(cells)} FROM (FROM {outcome} WHERE state = {UNEQUAL}) AS u"
        f" JOIN {plan.side('old')} AS o ON {plan.same_key('u', 'o')}"
        f" JOIN {plan.side('new')} AS n ON {plan.same_key('u', 'n')}",
    )
    totals = work.row(
        "SELECT "
        + ", ".join(
            f"count(*) FILTER (WHERE e{i}), count(*) FILTER (WHERE NOT e{i}), max(d{i})"
            for i in range(len(plan.columns))
        )
        + f" FROM {unequal}"
    )
    return tuple(
        _column(
            pair,
            counts.equal + totals[3 * i],
            totals[3 * i + 1],
            totals[3 * i + 2],
            _changes(work, plan, unequal, i, samples) if totals[3 * i + 1] else (),
        )
        for i, pair in enumerate(plan.columns)
    )


def _column(
    pair: Pair, equal: int, unequal: int, largest: float | None, changes: tuple[Change, ...]
) -> ColumnDifference:
    return ColumnDifference(
        column=pair.name,
        old_type=pair.old.type,
        new_type=pair.new.type,
        tolerance=str(pair.tolerance),
        equal=equal,
        unequal=unequal,
        largest=largest,
        unit=pair.unit,
        changes=changes,
    )


def _changes(work: Workspace, plan: Plan, unequal: str, i: int, samples: int) -> tuple[Change, ...]:
    """Return the most frequent changes of column `i`."""
    key = ", ".join(f"k{j} := kt{j}" for j in range(len(plan.keys)))
    found = work.rows(
        f"SELECT o{i}, n{i}, count(*) AS n, min(struct_pack({key})) AS sample FROM {unequal} WHERE NOT e{i}"
        f" GROUP BY o{i}, n{i} ORDER BY n DESC, {ascending(f'o{i}, n{i}')} LIMIT {samples}"
    )
    return tuple(Change(old, new, count, plan.key_row(list(sample.values()))) for old, new, count, sample in found)


def _row_samples(
    work: Workspace, plan: Plan, outcome: str, kind: int, count: int, samples: int
) -> tuple[RowSample, ...]:
    """Return the rows with the lowest keys of one kind, old and new side by side."""
    if not count:
        return ()
    found = work.rows(
        f"WITH chosen AS MATERIALIZED (FROM {outcome} WHERE state = {kind}"
        f" ORDER BY {ascending(plan.key_list())} LIMIT {samples})"
        f" SELECT o.k0 IS NOT NULL, n.k0 IS NOT NULL, {plan.texts('o')}, {plan.texts('n')} FROM chosen AS u"
        f" LEFT JOIN {plan.side('old')} AS o ON {plan.same_key('u', 'o')}"
        f" LEFT JOIN {plan.side('new')} AS n ON {plan.same_key('u', 'n')}"
        f" ORDER BY {ascending(plan.key_list('u'))}"
    )
    width, keys = len(plan.keys) + len(plan.columns), len(plan.keys)
    result = []
    for in_old, in_new, *values in found:
        old, new = values[:width], values[width:]
        result.append(
            RowSample(
                key=plan.key_row((old if in_old else new)[:keys]),
                old=plan.row(old) if in_old else None,
                new=plan.row(new) if in_new else None,
            )
        )
    return tuple(result)


def _report(
    plan: Plan,
    counts: Counts,
    *,
    columns: tuple[ColumnDifference, ...],
    groups: dict[str, Groups],
    samples: dict[int, tuple[RowSample, ...]],
    fast: bool = False,
    examined: bool = True,
) -> Comparison:
    ledger = Ledger(
        table=plan.contract.table,
        old=Side(counts.rows_old, counts.equal, counts.unequal, counts.only_old, counts.duplicate_old, counts.null_old),
        new=Side(counts.rows_new, counts.equal, counts.unequal, counts.only_new, counts.duplicate_new, counts.null_new),
        columns=tuple(ColumnSide(column.column, column.equal, column.unequal) for column in columns),
    )
    duplicates, nulls = groups[DUPLICATE], groups[NULL_KEY]
    differing = counts.unequal + counts.only_old + counts.only_new + duplicates.differing + nulls.differing
    return Comparison(
        table=plan.contract.table,
        where=plan.where,
        identical=not differing and not plan.schema,
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
        columns=columns,
        excluded=dict(plan.contract.excluded),
        unequal_samples=samples.get(UNEQUAL, ()),
        only_in_old_samples=samples.get(ONLY_OLD, ()),
        only_in_new_samples=samples.get(ONLY_NEW, ()),
        ledger=ledger,
    )
