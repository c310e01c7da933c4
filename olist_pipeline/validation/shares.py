"""Shares: how much of a table's landing rows quarantine holds, what most of them broke, and what that means.

What belongs here: the one definition of too large a share, and of one that stops a run; its cause and its sentence.
What does not: rejecting rows, what is not stored yet (`landing_shares`), and stopping anything (checks, the gate and
the command line do).

A row that was rejected for the sake of others (PARENT_REJECTED, CHILD_REJECTED) counts in the share of its table, but
is no cause: the sentence names the rule that began it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from olist_pipeline.intake.codes import (
    FOR_OTHERS,
    MALFORMED_ROW,
    MISSING,
    ORDER_MONTH_OUT_OF_RANGE,
    PARENT_REJECTED,
    TRUNCATED_ROW,
    UNPARSEABLE,
)
from olist_pipeline.intake.places import place_of
from olist_pipeline.landing.table import TEXT_COLUMN, LandingTable
from olist_pipeline.near import visible_name
from olist_pipeline.settings import CutoverRules
from olist_pipeline.stores import quarantine
from olist_pipeline.validation.table import StagedTable

HALF = 0.5
HANDFUL = 10
"""Of fewer quarantined rows than this a share says little: one bad row of a tiny table is a bad row. Such a table stops
a run only where none of its rows is left."""
SHOWN = 60
"""So many characters of an offending text are shown."""


@dataclass(frozen=True)
class Broken:
    """The rows of a table that broke one rule, and the first of them: its file, row number and cells as text.

    `dated` is the column that gives a row of the table its month, if it has one.
    """

    table: str
    rule: str
    rows: int
    file: str
    row: int
    payload: Mapping[str, str | None]
    aggregate: str
    dated: str | None = None

    def _column(self) -> str | None:
        """Return the cell that broke the rule; None where it is about the whole row or its relatives."""
        for structural in (UNPARSEABLE, MISSING):
            if structural.covers(self.rule):
                return next((name for name in self.payload if structural.of(name) == self.rule), None)
        return {
            MALFORMED_ROW.code: TEXT_COLUMN,
            TRUNCATED_ROW.code: TEXT_COLUMN,
            ORDER_MONTH_OUT_OF_RANGE.code: self.dated,
        }.get(self.rule)

    def sample(self) -> str:
        """Return where the first of the rows stands, and its offending text."""
        where = f"row {self.row:,} of {self.file}"
        column = self._column()
        if column is None:
            return f"{where}, {self.aggregate}" if self.aggregate else where
        text = self.payload.get(column) or ""
        shown = repr(text if len(text) <= SHOWN else f"{text[:SHOWN]}...") if text else "is empty"
        return f"{where}: {column} {shown}"


@dataclass(frozen=True)
class Share:
    """How many of a table's landing rows are in quarantine; `cause` is what most of them broke, None where unknown."""

    table: str
    landing: int
    quarantined: int
    limit: float
    cause: Broken | None = None

    @property
    def share(self) -> float:
        """The share of the landing rows, from 0 to 1; 0 of a table without rows."""
        return self.quarantined / self.landing if self.landing else 0.0

    @property
    def is_large(self) -> bool:
        """Whether it is above OLIST_QUARANTINE_LIMIT, so that it is an alert and a cutover is refused."""
        return self.share > self.limit

    @property
    def stops(self) -> bool:
        """Whether no release may be made of what is left: above a half, or above the limit where that is higher."""
        is_most = self.share > max(HALF, self.limit)
        return is_most and (self.quarantined >= HANDFUL or self.quarantined >= self.landing)

    def sentence(self) -> str:
        """Say the share with its cause and a sample, without a full stop."""
        share, limit = 100 * self.share, 100 * self.limit
        said = (
            f"{self.quarantined:,} of {self.landing:,} rows of {self.table} are rejected "
            f"({beside(share, limit, 2)}%, limit {beside(limit, share, 2)}%)"
        )
        cause = self.cause
        if cause is None:
            return said
        if cause.table != self.table:
            return f"{said}, for the sake of {cause.table}, which break {cause.rule}, e.g. {cause.sample()}"
        return f"{said}, {cause.rows:,} by {cause.rule}, e.g. {cause.sample()}"

    def to_dict(self) -> dict[str, Any]:
        """Return the share as JSON-ready values."""
        return {
            "table": self.table,
            "landing": self.landing,
            "quarantined": self.quarantined,
            "share": round(self.share, 4),
            "rule": self.cause.rule if self.cause else None,
            "stops": self.stops,
            "sentence": self.sentence(),
        }


@dataclass(frozen=True)
class Counted:
    """A table's landing rows, and how many of them are in quarantine."""

    table: StagedTable
    landing: int
    quarantined: int


def stored_shares(url: str, counts: Iterable[Counted], rules: CutoverRules) -> list[Share]:
    """Return the shares of stored tables that are above the limit, with their causes, the worst first."""
    counted = list(counts)
    large = [one for one in counted if one.table.source and _share(one, rules).is_large]
    if not large:
        return []
    sources = {one.table.source.name: one.table.source for one in counted if one.table.source}
    found: dict[str, list[Broken]] = {}
    for row in quarantine.first_by_rule(url):
        broken = broken_by(row, sources.get(row["source_table"]))
        found.setdefault(row["source_table"], []).append(broken)
        for one in large:
            # It accepts rows of another table's landing: those that intake rejected there are missing here as well.
            if row["step"] == "intake" and _is_of_another(one.table, row["source_table"]):
                found.setdefault(one.table.name, []).append(broken)
    parents = {one.table.name: _parent_of(one.table) for one in counted}
    shares = (with_cause(_share(one, rules), found, parents) for one in large)
    return sorted(shares, key=_causes_first)


def share_of(url: str, counted: Counted, rules: CutoverRules) -> Share:
    """Return the share of one stored table, with its cause where it is above the limit."""
    return next(iter(stored_shares(url, [counted], rules)), _share(counted, rules))


def beside(value: float, bound: float, digits: int) -> str:
    """Return a number with at least so many digits, and with as many as tell it from a bound: 5.004 is not 5."""
    side = value > bound, value < bound
    enough = (more for more in range(digits, 15) if (round(value, more) > bound, round(value, more) < bound) == side)
    return f"{value:.{next(enough, 15)}f}"


def _share(counted: Counted, rules: CutoverRules) -> Share:
    return Share(counted.table.name, counted.landing, counted.quarantined, rules.quarantine_limit)


def _causes_first(share: Share) -> tuple[bool, float, str]:
    return (share.cause is not None and share.cause.table != share.table, -share.share, share.table)


def _is_of_another(table: StagedTable, landing: str) -> bool:
    return table.source is not None and table.source.name == landing != table.name


def _parent_of(table: StagedTable) -> str | None:
    """Return the table for whose sake rows are rejected: the parent, or the owner of rows that are accepted twice."""
    source = table.source
    if source is None or source.name != table.name:
        return source.name if source else None
    return source.parent.table.name if source.parent else None


def with_cause(share: Share, found: Mapping[str, list[Broken]], parents: Mapping[str, str | None]) -> Share:
    """Return a share with its cause.

    `found` has by table what its rejected rows broke, `parents` for whose sake they may have been rejected.
    """
    return replace(share, cause=_cause(share.table, found, parents))


def _cause(table: str, found: Mapping[str, list[Broken]], parents: Mapping[str, str | None]) -> Broken | None:
    """Return what most rows of a table broke; what was rejected for others is followed to what these broke."""
    most = _most(found.get(table, []))
    if most is None or most.rule not in FOR_OTHERS:
        return most
    parent, above = parents.get(table), most
    while above.rule == PARENT_REJECTED.code and parent and (broken := _most(found.get(parent, []))):
        parent, above = parents.get(parent), broken
    if above.rule not in FOR_OTHERS:
        return above
    return _most([one for rules in found.values() for one in rules if one.rule not in FOR_OTHERS]) or most


def _most(rules: Iterable[Broken]) -> Broken | None:
    return max(rules, key=lambda one: (one.rows, one.rule not in FOR_OTHERS), default=None)


def broken_by(row: Mapping[str, Any], source: LandingTable | None) -> Broken:
    """Return what the first row of a rule says, which has the columns of `quarantine.first_by_rule`."""
    place = place_of(row["source_file"], row["source_row"])
    return Broken(
        table=row["source_table"],
        rule=row["rule"],
        rows=row["rows"],
        file=place[0],
        row=place[1],
        payload=row["payload"],
        aggregate=f"{row['aggregate_type']} {visible_name(row['aggregate_id'])}" if row["aggregate_id"] else "",
        dated=source.month_of if source else None,
    )
