"""Pairing rows by key: the join that accounts for every row, and what precedes it when keys repeat.

Belongs here: which rows are equal, unequal, or on one side only. Does not belong here: what differs in them
(`findings.py`), and rows whose key does not identify them (`groups.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from olist_pipeline.tablediff.findings import EQUAL, ONLY_NEW, ONLY_OLD, UNEQUAL, Counts, Outcome, few_rows
from olist_pipeline.tablediff.plan import SIDES, Plan
from olist_pipeline.tablediff.workspace import Workspace

SKETCH_BUCKETS = 4096
ROWS_PER_KEY = 1.5
"""When a row of old is expected to share its key with more rows than this, itself included, no join is tried before
duplicate keys are found: pairs of duplicate keys multiply."""


def pair_rows(work: Workspace, plan: Plan, counts: Counts) -> tuple[Outcome, str | None]:
    """Pair the rows that a key identifies and fill in the counts.

    Return what pairing found, and the table of the keys that occur more than once, None where none does.
    """
    counts.null_old, counts.null_new = (work.count(f"{plan.by_key.side(side)} WHERE {plan.null_key}") for side in SIDES)
    outcome = _join_unique(work, plan, counts)
    if outcome is not None:
        return outcome, None
    duplicates = duplicate_keys(work, plan)
    counts.duplicate_old, counts.duplicate_new = (
        work.count(f"{keyed} SEMI JOIN {duplicates} USING ({plan.key_list()})")
        for keyed in map(plan.by_key.side, SIDES)
    )
    return _settled(work, plan, counts, _join(work, plan, counts, duplicates)), duplicates


def _join_unique(work: Workspace, plan: Plan, counts: Counts) -> Outcome | None:
    """Join as if keys were unique. Return the outcome, or None when there are duplicate keys."""
    if _rows_per_key(work, plan) > ROWS_PER_KEY:
        return None
    joined = _join(work, plan, counts, None)
    [most] = work.row(f"SELECT coalesce(max(n), 0) FROM {joined.table} WHERE state <> {EQUAL}")
    if counts.every_row_paired_once and most <= 1:
        return _settled(work, plan, counts, joined)
    work.drop(joined.table)
    return None


def _rows_per_key(work: Workspace, plan: Plan) -> float:
    """Estimate how many rows of old a row of old shares its key with, itself included; off by 2 % of one row.

    The squared sizes of hash buckets exceed what chance gives by the number of pairs with equal keys.
    """
    rows, squares = work.row(
        "SELECT coalesce(sum(n), 0), coalesce(sum(n * n), 0) FROM (SELECT CAST(count(*) AS HUGEINT) AS n FROM"
        f" {plan.by_key.side('old')} WHERE NOT {plan.null_key} GROUP BY hash({plan.key_list()}) & {SKETCH_BUCKETS - 1})"
    )
    if not rows:
        return 0.0
    return float((squares - rows * rows / SKETCH_BUCKETS) / rows)


def duplicate_keys(work: Workspace, plan: Plan) -> str:
    """Create the table of keys that occur more than once on either side."""
    keys = plan.key_list()
    repeated = (
        f"SELECT {keys} FROM {plan.by_key.side(side)} WHERE NOT {plan.null_key} GROUP BY {keys} HAVING count(*) > 1"
        for side in ("old", "new")
    )
    return work.create("duplicates", " UNION ".join(repeated))


@dataclass(frozen=True)
class Joined:
    """What the join wrote (`table`, see `_join`) and read: relations with the keys, and the hashes of a wide table."""

    table: str
    old: str
    new: str


def _join(work: Workspace, plan: Plan, counts: Counts, duplicates: str | None) -> Joined:
    """Pair rows by key, fill in the counts, and write a table (state, n, k0, ...) of what is not equal.

    Equal rows collapse into one row without a key. A row of any other state has its key, and n = 1 when the
    key is unique. Of a wide table, rows are taken for unequal when their hashes differ.
    """
    if plan.is_wide:
        old, new = (work.create(f"{side}_hashes", f"FROM {plan.hashes(side)}") for side in ("old", "new"))
        same = " AND ".join(f"o.h{number} = n.h{number}" for number in range(len(plan.blocks)))
    else:
        old, new = plan.side("old"), plan.side("new")
        same = plan.all_equal
    joined = Joined(_outcome(work, plan, old, new, same, duplicates), old, new)
    _count(work, counts, joined.table)
    return joined


def _outcome(work: Workspace, plan: Plan, old: str, new: str, same: str, duplicates: str | None) -> str:
    without = f" ANTI JOIN {duplicates} USING ({plan.key_list()})" if duplicates else ""
    state = (
        f"CASE WHEN n.k0 IS NULL THEN {ONLY_OLD} WHEN o.k0 IS NULL THEN {ONLY_NEW}"
        f" WHEN {same} THEN {EQUAL} ELSE {UNEQUAL} END"
    )
    either = ", ".join(f"coalesce(o.k{i}, n.k{i}) AS k{i}" for i in range(len(plan.keys)))
    unless_equal = ", ".join(f"CASE WHEN state <> {EQUAL} THEN k{i} END AS k{i}" for i in range(len(plan.keys)))
    return work.create(
        "outcome",
        f"SELECT state, {unless_equal}, count(*) AS n FROM (SELECT {state} AS state, {either}"
        f" FROM (FROM {old}{without} WHERE NOT {plan.null_key}) AS o"
        f" FULL OUTER JOIN (FROM {new}{without} WHERE NOT {plan.null_key}) AS n"
        f" ON {plan.same_key('o', 'n')}) GROUP BY ALL",
    )


def _settled(work: Workspace, plan: Plan, counts: Counts, joined: Joined) -> Outcome:
    """Return the outcome of a join with unique keys; that of a wide table once cells settle what its hashes say."""
    unequal = f"(FROM {joined.table} WHERE state = {UNEQUAL})"
    if not counts.unequal:
        return Outcome(joined.table, {})
    if not plan.is_wide:
        return Outcome(joined.table, {0: unequal})
    found = {
        number: _unequal_keys(work, block, unequal)
        for number, block in _differing_blocks(work, few_rows(work, plan, counts, unequal, counts.unequal), joined)
    }
    keys = plan.key_list()
    nothing = ", ".join(f"NULL AS k{i}" for i in range(len(plan.keys)))
    together = work.create("unequal", " UNION ".join(f"SELECT {keys} FROM {table}" for table in found.values()))
    outcome = work.create(
        "outcome",
        f"SELECT {UNEQUAL} AS state, {keys}, 1 AS n FROM {together}"
        f" UNION ALL SELECT state, {keys}, n FROM {joined.table} WHERE state NOT IN ({EQUAL}, {UNEQUAL})"
        f" UNION ALL SELECT {EQUAL}, {nothing}, {counts.equal + counts.unequal} - count(*) FROM {together}",
    )
    _count(work, counts, outcome)
    return Outcome(outcome, found)


def _differing_blocks(work: Workspace, plan: Plan, joined: Joined) -> Iterator[tuple[int, Plan]]:
    """Yield the blocks of a wide plan in which the hashes of a pair differ, with their numbers."""
    flags = ", ".join(f"bool_or(o.h{number} <> n.h{number})" for number in range(len(plan.blocks)))
    differ = work.row(
        f"SELECT {flags} FROM (FROM {joined.table} WHERE state = {UNEQUAL}) AS u"
        f" JOIN {joined.old} AS o ON {plan.same_key('u', 'o')} JOIN {joined.new} AS n ON {plan.same_key('u', 'n')}"
    )
    return ((number, block) for number, block in enumerate(plan.blocks) if differ[number])


def _unequal_keys(work: Workspace, plan: Plan, keys: str) -> str:
    """Return a relation of the keys, out of `keys`, whose rows are unequal in a column of the plan."""
    found = work.create(
        "cells",
        f"SELECT {plan.key_list('u')}, {plan.all_equal} AS same FROM {keys} AS u {plan.both_sides}",
    )
    return f"(SELECT {plan.key_list()} FROM {found} WHERE NOT same)"


def _count(work: Workspace, counts: Counts, outcome: str) -> None:
    found = dict(work.rows(f"SELECT state, sum(n) FROM {outcome} GROUP BY state"))
    counts.equal, counts.unequal = found.get(EQUAL, 0), found.get(UNEQUAL, 0)
    counts.only_old, counts.only_new = found.get(ONLY_OLD, 0), found.get(ONLY_NEW, 0)
