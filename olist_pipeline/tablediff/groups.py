"""Rows whose key does not identify them: duplicate keys and keys with NULL, compared as multisets, a key at a time.

Belongs here: grouping such rows, comparing the groups, their counts and samples. Does not belong here: finding out
which keys are duplicate (`compare.py`).
"""

from __future__ import annotations

from olist_pipeline.tablediff.plan import Plan
from olist_pipeline.tablediff.report import Groups, GroupSample, Row
from olist_pipeline.tablediff.sql import ascending
from olist_pipeline.tablediff.workspace import Workspace

DUPLICATE, NULL_KEY = "duplicate", "null"


def same_groups(work: Workspace, plan: Plan, reason: str, samples: int) -> Groups:
    """Return the groups of two sides that are known to hold the same rows; all of them are identical."""
    condition, least = {NULL_KEY: (plan.null_key, 1), DUPLICATE: (f"NOT {plan.null_key}", 2)}[reason]
    keys = plan.key_list()
    texts = ", ".join(f"any_value(kt{i}) AS kt{i}" for i in range(len(plan.keys)))
    found = work.create(
        "groups",
        f"SELECT {keys}, {texts}, count(*) AS n FROM {plan.side('old')} WHERE {condition}"
        f" GROUP BY {keys} HAVING count(*) >= {least}",
    )
    count, rows = work.row(f"SELECT count(*), coalesce(sum(n), 0) FROM {found}")
    shown = work.rows(
        f"SELECT n, {plan.key_texts('g')} FROM {found} AS g ORDER BY {ascending(plan.key_list('g'))} LIMIT {samples}"
    )
    work.drop(found)
    return Groups(
        rows_old=rows,
        rows_new=rows,
        identical=count,
        samples=tuple(GroupSample(plan.key_row(key), True, n, n, (), ()) for n, *key in shown),
    )


def compare_groups(
    work: Workspace, plan: Plan, *, null_keys: bool, duplicates: str | None, samples: int
) -> dict[str, Groups]:
    """Compare, by reason, the rows with NULL in their key and those whose key is in the table `duplicates`.

    null_keys: whether there are any of the former.
    """
    sources = []
    for side in ("old", "new"):
        if null_keys:
            sources.append(
                f"SELECT '{side}' AS side, '{NULL_KEY}' AS reason, * FROM {plan.side(side)} WHERE {plan.null_key}"
            )
        if duplicates:
            sources.append(
                f"SELECT '{side}' AS side, '{DUPLICATE}' AS reason, * FROM {plan.side(side)}"
                f" SEMI JOIN {duplicates} USING ({plan.key_list()})"
            )
    nothing = {DUPLICATE: Groups(), NULL_KEY: Groups()}
    if not sources:
        return nothing
    rows = work.create("irregular", " UNION ALL ".join(sources))
    groups = _group(work, plan, rows)
    counted = work.rows(
        "SELECT reason, count(*) FILTER (WHERE same), count(*) FILTER (WHERE NOT same),"
        f" CAST(sum(rows_old) AS BIGINT), CAST(sum(rows_new) AS BIGINT) FROM {groups} GROUP BY reason"
    )
    return nothing | {
        reason: Groups(old, new, identical, differing, _group_samples(work, plan, rows, groups, reason, samples))
        for reason, identical, differing, old, new in counted
    }


def _group(work: Workspace, plan: Plan, rows: str) -> str:
    """Create the table of keys (reason, k0, ..., rows_old, rows_new, same) of the rows to compare as multisets."""
    columns = list(enumerate(plan.columns))
    order = [f"c{i}" for i, pair in columns if pair.tolerance.exact]
    # The form of a number may be its text, which is in another order.
    order += [name for i, pair in columns if not pair.tolerance.exact for name in (f"m{i}", f"c{i}")]
    ordered = f" ORDER BY {ascending(', '.join(order))}" if order else ""
    ranked = f"(SELECT *, row_number() OVER (PARTITION BY side, {plan.key_list()}{ordered}) AS place FROM {rows})"
    either = ", ".join(f"coalesce(o.k{i}, n.k{i}) AS k{i}" for i in range(len(plan.keys)))
    return work.create(
        "groups",
        f"SELECT reason, {plan.key_list()}, count(*) FILTER (WHERE in_old) AS rows_old,"
        " count(*) FILTER (WHERE in_new) AS rows_new, bool_and(same) AS same FROM ("
        f"SELECT coalesce(o.reason, n.reason) AS reason, {either}, o.side IS NOT NULL AS in_old,"
        " n.side IS NOT NULL AS in_new,"
        f" o.side IS NOT NULL AND n.side IS NOT NULL AND {plan.all_equal} AS same"
        f" FROM (FROM {ranked} WHERE side = 'old') AS o FULL OUTER JOIN (FROM {ranked} WHERE side = 'new') AS n"
        f" ON {plan.same_key('o', 'n', nulls=True)} AND o.place = n.place) GROUP BY ALL",
    )


def _group_samples(
    work: Workspace, plan: Plan, rows: str, groups: str, reason: str, samples: int
) -> tuple[GroupSample, ...]:
    """Return the groups with the lowest keys, differing ones first, with the rows that make them differ."""
    chosen = work.create(
        "chosen",
        f"SELECT row_number() OVER (ORDER BY same, {ascending(plan.key_list())}) AS number, * FROM {groups}"
        f" WHERE reason = '{reason}' QUALIFY number <= {samples}",
    )
    names = work.rows(
        f"SELECT g.number, any_value(g.same), any_value(g.rows_old), any_value(g.rows_new),"
        f" {', '.join(f'any_value(r.kt{i})' for i in range(len(plan.keys)))}"
        f" FROM {chosen} AS g JOIN {rows} AS r ON {plan.same_key('g', 'r', nulls=True)}"
        " GROUP BY g.number ORDER BY g.number"
    )
    excess = _excess_rows(work, plan, rows, chosen, samples)
    work.drop(chosen)
    return tuple(
        GroupSample(
            key=plan.key_row(key),
            identical=same,
            old_rows=old,
            new_rows=new,
            old=tuple(excess.get((number, "old"), [])),
            new=tuple(excess.get((number, "new"), [])),
        )
        for number, same, old, new, *key in names
    )


def _excess_rows(work: Workspace, plan: Plan, rows: str, chosen: str, samples: int) -> dict[tuple[int, str], list[Row]]:
    """Return, for differing groups, the rows that one side has more often than the other."""
    forms = [f"r.c{i}" for i in range(len(plan.columns))]
    texts = [f"r.kt{i}" for i in range(len(plan.keys))] + [f"r.ct{i}" for i in range(len(plan.columns))]
    columns = ", ".join(f"any_value({text}) AS t{i}" for i, text in enumerate(texts))
    shown = ", ".join(f"t{i}" for i in range(len(texts)))
    found = work.rows(
        f"SELECT number, more, {shown} FROM (SELECT *, row_number() OVER ("
        f"PARTITION BY number, more > 0 ORDER BY {ascending(shown)}) AS place FROM ("
        f"SELECT g.number, {columns},"
        " count(*) FILTER (WHERE r.side = 'old') - count(*) FILTER (WHERE r.side = 'new') AS more"
        f" FROM {chosen} AS g JOIN {rows} AS r ON {plan.same_key('g', 'r', nulls=True)} WHERE NOT g.same"
        f" GROUP BY {', '.join(['g.number', *forms])} HAVING more <> 0)) WHERE place <= {samples}"
        " ORDER BY number, place"
    )
    excess: dict[tuple[int, str], list[Row]] = {}
    for number, more, *values in found:
        side = "old" if more > 0 else "new"
        listed = excess.setdefault((number, side), [])
        listed += [plan.row(values)] * min(abs(more), samples - len(listed))
    return excess
