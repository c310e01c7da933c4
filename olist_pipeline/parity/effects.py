"""Effects: what a dashboard will see change from old to new, by the rules that caused it, in rows and in sums.

What belongs here: gathering the differing rows of a comparison by cause. What does not: finding them (`tablediff`),
or finding out what was quarantined (`causes`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from math import isclose, isfinite, isnan
from typing import Any

import duckdb

from olist_pipeline.errors import OlistError
from olist_pipeline.registry import LINKS
from olist_pipeline.tablediff.columns import Family
from olist_pipeline.tablediff.contract import FLOATS, fold
from olist_pipeline.tablediff.findings import EQUAL, ONLY_NEW, ONLY_OLD, UNEQUAL
from olist_pipeline.tablediff.pairs import MAX_DIGITS
from olist_pipeline.tablediff.plan import Plan
from olist_pipeline.tablediff.relation import Relation
from olist_pipeline.tablediff.sql import literal, quote
from olist_pipeline.tablediff.workspace import Workspace

CAUSES = "parity_causes"
"""The name under which the frame of causes (link, value, rules) is known to the connection."""

Number = int | float | Decimal
NUMBERS = (Family.EXACT_NUMBER, Family.BIG_NUMBER, Family.FLOAT)

_EXACT = Context(prec=2 * MAX_DIGITS)
_NEAR = float(FLOATS["DOUBLE"].relative)


@dataclass(frozen=True)
class Effect:
    """What one set of rules did to a table: rows gone, come and changed, and how much each measure moved (new - old).

    `rules` is empty for rows that stand on no quarantined row of their own: they moved with the others, as ranks,
    quintiles and shares of a total do.
    """

    rules: str
    gone: int
    come: int
    changed: int
    moved: Mapping[str, Number]

    def sentence(self) -> str:
        """Say the effect in one line."""
        cause = self.rules or "No quarantined row of their own (they move with the rest)"
        counts = ((self.gone, "gone"), (self.come, "come"), (self.changed, "changed"))
        rows = ", ".join(f"{count:,} {what}" for count, what in counts if count)
        moved = ", ".join(f"{name} {signed(value)}" for name, value in self.moved.items() if value)
        return f"{cause}: rows {rows}{f'; {moved}' if moved else ''}."


@dataclass(frozen=True)
class Effects:
    """What changes in one table. `by_rule`: the most rows first; `totals`: each measure's sum in old and in new.

    `link` is the id by which rows were traced; None for a table whose rows stand on many others: there only the
    totals can be given, and that new is identical to replay is the proof.
    """

    link: str | None
    by_rule: tuple[Effect, ...]
    totals: Mapping[str, tuple[Number, Number]]

    def sentences(self) -> list[str]:
        """Say what changes, a line each: by rule, then the totals that move."""
        moved = [
            f"{name} {number(old)} -> {number(new)} ({signed(difference(old, new))})"
            for name, (old, new) in self.totals.items()
            if not is_same(old, new)
        ]
        return [
            *(effect.sentence() for effect in self.by_rule),
            f"Dashboards will see: {'; '.join(moved) or 'the same sums of every measure'}.",
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return the effects as JSON-ready values; money stays exact, as text."""
        return {
            "link": self.link,
            "by_rule": [
                {
                    "rules": effect.rules,
                    "gone": effect.gone,
                    "come": effect.come,
                    "changed": effect.changed,
                    "moved": {name: _plain(value) for name, value in effect.moved.items()},
                }
                for effect in self.by_rule
            ],
            "totals": {name: [_plain(old), _plain(new)] for name, (old, new) in self.totals.items()},
        }


def link_of(key: Sequence[str]) -> str | None:
    """Return the column of a key by which rows are traced to quarantined ones: the first of `LINKS` that it has."""
    names = {fold(name) for name in key}
    return next((link.name for link in LINKS if fold(link.name) in names), None)


def effects_of(work: Workspace, plan: Plan, outcome: str, link: str | None, measures: Sequence[str]) -> Effects:
    """Return the effects behind the `outcome` of a comparison (`tablediff`), traced by the key column `link`.

    The connection knows the causes as `parity_causes`. A measure that only one side has is left out: the
    comparison reports that column.
    """
    totals = totals_of(work.con, plan.old, plan.new, measures)
    names = list(totals)
    place = next((i for i, pair in enumerate(plan.keys) if link and fold(pair.name) == fold(link)), None)
    if link is None or place is None:
        return Effects(None, (), totals)
    counts = ", ".join(f"count(*) FILTER (WHERE u.state = {state})" for state in (ONLY_OLD, ONLY_NEW, UNEQUAL))
    sums = "".join(f", coalesce(sum(o.v{i}), 0), coalesce(sum(n.v{i}), 0)" for i in range(len(names)))
    rows = work.rows(
        f"SELECT coalesce(c.rules, ''), {counts}{sums} FROM (FROM {outcome} WHERE state <> {EQUAL}) AS u"
        f" LEFT JOIN {_side(plan, 0, place, names)} AS o ON {plan.same_key('u', 'o')}"
        f" LEFT JOIN {_side(plan, 1, place, names)} AS n ON {plan.same_key('u', 'n')}"
        f" LEFT JOIN {CAUSES} AS c ON c.link = {literal(link)} AND c.value = coalesce(o.id, n.id)"
        " GROUP BY 1 ORDER BY count(*) DESC, 1"
    )
    found = [
        Effect(rules, gone, come, changed, dict(zip(names, map(difference, values[::2], values[1::2]), strict=True)))
        for rules, gone, come, changed, *values in rows
    ]
    return Effects(link, tuple(found), totals)


def number(value: Number) -> str:
    """Return a number as a person reads it, with its own digits."""
    return f"{value:,}" if not isinstance(value, float) else f"{value:,.6g}"


def signed(value: Number) -> str:
    """Return a difference with its sign."""
    return f"{'+' if value > 0 else ''}{number(value)}"


def _side(plan: Plan, which: int, place: int, measures: Sequence[str]) -> str:
    """Return a side with its keys, the id in question as text, and the measures as v<i>."""
    source = (plan.old, plan.new)[which].source
    keys = ", ".join(f"{pair.key_forms()[which]} AS k{i}" for i, pair in enumerate(plan.keys))
    pair = plan.keys[place]
    values = "".join(f", {quote(name)} AS v{i}" for i, name in enumerate(measures))
    return f"(SELECT {keys}, {(pair.old, pair.new)[which].text} AS id{values} FROM {source})"


def totals_of(
    con: duckdb.DuckDBPyConnection, old: Relation, new: Relation, measures: Sequence[str]
) -> dict[str, tuple[Number, Number]]:
    """Return the sums of each of `measures` that both relations have; raises OlistError for one that is no number."""
    for side, column in ((side, side.find(name)) for side in (old, new) for name in measures):
        if column and column.family not in NUMBERS and column.type != "BOOLEAN":
            raise OlistError(
                f"The measure {column.name} of {old.name} is {column.type} in {side.name}, which has no sum; take it "
                "out of `measures` of that pair in the migration file."
            )
    names = [name for name in measures if old.find(name) and new.find(name)]
    if not names:
        return {}
    sums = ", ".join(f"coalesce(sum({quote(name)}), 0)" for name in names)
    rows = [con.execute(f"SELECT {sums} FROM {side.source}").fetchall()[0] for side in (old, new)]
    return dict(zip(names, zip(*rows, strict=True), strict=True))


def added(parts: Iterable[Mapping[str, tuple[Number, Number]]]) -> dict[str, tuple[Number, Number]]:
    """Return the sums of the measures of all parts together, exact where they are."""
    found: dict[str, tuple[Number, Number]] = {}
    for part in parts:
        for name, sums in part.items():
            found[name] = sums if name not in found else tuple(map(_plus, found[name], sums))  # type: ignore[assignment]
    return found


def _plus(one: Number, other: Number) -> Number:
    if isinstance(one, Decimal) and isinstance(other, Decimal):
        return _EXACT.add(one, other)
    return one + other  # type: ignore[operator]


def is_same(old: Number, new: Number) -> bool:
    """Return whether two sums are the same: those of doubles depend on the order of rows, so they need only be as near
    as two equal doubles are.
    """
    is_double = isinstance(old, float) or isinstance(new, float)
    return old == new or (isnan(old) and isnan(new)) or (is_double and isclose(old, new, rel_tol=_NEAR))


def number_of(plain: float | str) -> Number:
    """Return a number as `Effects.to_dict` gives it."""
    return Decimal(plain) if isinstance(plain, str) else plain


def difference(old: Number, new: Number) -> Number:
    """Return new - old, exact where both are: old may have summed doubles up, and new decimals."""
    if is_same(old, new):
        return 0
    if isinstance(old, float) or isinstance(new, float):
        return float(new) - float(old)
    return new - old if isinstance(old, int) and isinstance(new, int) else _EXACT.subtract(new, old)


def _plain(value: Number) -> int | float | str:
    """Return a number as JSON has it: exact ones, and what divisions by zero left of a sum (inf, nan), as text."""
    return value if isinstance(value, int) or (isinstance(value, float) and isfinite(value)) else str(value)
