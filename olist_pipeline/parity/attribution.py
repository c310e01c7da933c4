"""Attribution: what the dashboards would see change, and whether quarantine explains it.

What belongs here: the verdict on one table from two comparisons, and what an approval covers. What does not:
comparing two relations (`tablediff`), tracing rows to rules (`causes`, `effects`), and storing verdicts.

`old` against `new` says what changes; `replay` (the old SQL over the accepted rows) against `new` says
whether the new SQL is equivalent. A difference is explained when only quarantined rows can cause it: the new
table then is identical to its replay. A difference from the replay that a person took on themselves, by column and
until a day, is approved: the rows, their keys and the schema must still agree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from enum import StrEnum
from shlex import quote as shell_quote
from typing import Any

import duckdb
import polars as pl

from olist_pipeline.machine import queries_at_once
from olist_pipeline.migration.model import NEW, OLD, REPLAY
from olist_pipeline.months import MonthRange
from olist_pipeline.parity.causes import SCHEMA
from olist_pipeline.parity.effects import CAUSES, Effects, effects_of, link_of
from olist_pipeline.parity.sides import Sides
from olist_pipeline.stores.approvals import Approval
from olist_pipeline.tablediff.contract import fold
from olist_pipeline.tablediff.plan import Plan
from olist_pipeline.tablediff.report import Comparison
from olist_pipeline.tablediff.workspace import Workspace
from olist_pipeline.warehouse import WarehouseTable

NAMED_RULES = 8
"""A sentence names so many rules, the most frequent ones; the report has all of them."""


class ParityVerdict(StrEnum):
    """The verdict on one table; `differs` alone is red."""

    IDENTICAL = "identical"
    EXPLAINED = "explained"
    APPROVED = "approved"
    DIFFERS = "differs"


@dataclass(frozen=True)
class Evidence:
    """What a verdict is found with: quarantined rows by rule, the causes they are traced by, and active approvals."""

    quarantine: Mapping[str, int]
    causes: pl.DataFrame | None = None
    approvals: Sequence[Approval] = ()


@dataclass(frozen=True)
class TableParity:
    """The verdict on one table, with the comparisons that led to it.

    `months` are those that were compared, None for the whole table. `effects` are known where old and new differ.
    """

    table: str
    verdict: ParityVerdict
    direct: Comparison
    equivalence: Comparison
    quarantine: Mapping[str, int]
    subject: str
    effects: Effects | None = None
    approvals: tuple[Approval, ...] = ()
    months: MonthRange | None = None

    @property
    def is_green(self) -> bool:
        """Whether the new table may take the place of the old one."""
        return self.verdict is not ParityVerdict.DIFFERS

    def sentences(self) -> list[str]:
        """Say the verdict and its reasons, a line each."""
        return [*self._verdict(), *(approval.sentence() for approval in self.approvals)]

    def _verdict(self) -> list[str]:
        name = self.table + (f" ({self.months})" if self.months else "")
        effects = self.effects.sentences() if self.effects else []
        match self.verdict:
            case ParityVerdict.IDENTICAL:
                return [f"{name} is identical in old and new ({self.direct.rows_new:,} rows)."]
            case ParityVerdict.EXPLAINED:
                rules = _most_frequent(self.quarantine)
                which = f"of all months: {rules}" if self.months else rules
                why = f"{name} differs from old only by quarantined rows ({which}): it is identical to its replay."
                return [why, *effects, *self.direct.sentences()]
            case ParityVerdict.APPROVED:
                columns = ", ".join(column.column for column in self.equivalence.differing_columns)
                why = f"{name} differs from its replay only in approved columns ({columns})."
                return [why, *effects, *self.equivalence.sentences()]
            case ParityVerdict.DIFFERS if self.equivalence.identical:
                why = f"{name} differs from old, though nothing that it is made of is in quarantine:"
                return [why, *self.direct.sentences(), *effects]
            case ParityVerdict.DIFFERS if said := self.equivalence.spellings():
                why = f"{name} has the rows of its replay, spelled otherwise: let the new SQL say {', '.join(said)}."
                return [why, *self.equivalence.sentences(), *effects]
            case ParityVerdict.DIFFERS:
                why = f"{name} differs from its replay, which quarantine does not explain:"
                return [why, *self.equivalence.sentences(), *effects]

    def sentence(self) -> str:
        """Return the verdict in one line; of a difference its figures, the first of its columns and samples."""
        if self.verdict is not ParityVerdict.DIFFERS:
            return self.sentences()[0]
        seen = self.direct if self.equivalence.identical else self.equivalence
        side = "" if self.equivalence.identical else " (old here is replay)"
        return (
            f"{self.sentences()[0]} {seen.summary()}{side}; `olist parity {shell_quote(self.table)}` shows all of it."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the verdict as JSON-ready values."""
        return {
            "table": self.table,
            "sentence": self.sentence(),
            "verdict": self.verdict.value,
            "months": self.months and str(self.months),
            "sentences": self.sentences(),
            "old_and_new": self.direct.to_dict(),
            "replay_and_new": self.equivalence.to_dict(),
            "quarantined_by_rule": dict(self.quarantine),
            "effects": self.effects and self.effects.to_dict(),
            "approvals": [approval.to_dict() for approval in self.approvals],
        }


def parities_of(
    connection: duckdb.DuckDBPyConnection,
    tables: Sequence[tuple[WarehouseTable, Evidence]],
    months: MonthRange | None = None,
    sides: Mapping[str, Sides] | None = None,
) -> Iterator[TableParity]:
    """Yield the verdict on each table, in their order; some are compared side by side (see `parity_of`)."""

    def parity(table: WarehouseTable, evidence: Evidence) -> TableParity:
        with connection.cursor() as own:
            compared = (sides or {}).get(table.name)
            return parity_of(own, table, evidence, months, compared and replace(compared, connection=own))

    with ThreadPoolExecutor(queries_at_once()) as beside:
        yield from beside.map(parity, *zip(*tables, strict=True))


def parity_of(
    connection: duckdb.DuckDBPyConnection,
    table: WarehouseTable,
    evidence: Evidence,
    months: MonthRange | None = None,
    sides: Sides | None = None,
) -> TableParity:
    """Return the verdict on a table, or on some `months` of a monthly one.

    `sides` are those of the table, where they were compared month by month somewhere else (`by_months`).
    """
    sides = sides or Sides(connection, table, months)
    of_old, of_replay, of_new = (sides.digest(schema) for schema in (OLD, REPLAY, NEW))
    effects: list[Effects] = []

    def inspect(work: Workspace, plan: Plan, outcome: str) -> None:
        effects.append(effects_of(work, plan, outcome, link_of(table.key), table.measures))

    connection.register(CAUSES, pl.DataFrame(schema=SCHEMA) if evidence.causes is None else evidence.causes)
    try:
        direct = sides.compare(OLD, same=of_old == of_new, inspect=inspect)
    finally:
        connection.unregister(CAUSES)
    equivalence = sides.compare(REPLAY, same=of_replay == of_new)
    approvals = tuple(approval for approval in evidence.approvals if approval.table == table.name)
    return TableParity(
        table=table.name,
        verdict=_verdict(direct, equivalence, evidence.quarantine, approvals),
        direct=direct,
        equivalence=equivalence,
        quarantine=evidence.quarantine,
        subject=f"{of_old}:{of_new}",
        effects=sides.whole(effects),
        approvals=approvals,
        months=months,
    )


def parity_subject(
    connection: duckdb.DuckDBPyConnection, table: WarehouseTable, months: MonthRange | None = None
) -> str:
    """Return the fingerprint of what a parity verdict speaks of: the rows of the old and of the new table.

    `connection` is to the warehouse, or to a release, whose new tables have the names and columns of old.
    """
    return ":".join(Sides(connection, table, months).digest(schema) for schema in (OLD, NEW))


def _verdict(
    direct: Comparison, equivalence: Comparison, quarantine: Mapping[str, int], approvals: Sequence[Approval]
) -> ParityVerdict:
    if not equivalence.identical:
        covered = _covers(approvals, equivalence)
        return ParityVerdict.APPROVED if covered else ParityVerdict.DIFFERS
    if direct.identical:
        return ParityVerdict.IDENTICAL
    return ParityVerdict.EXPLAINED if quarantine else ParityVerdict.DIFFERS


def _most_frequent(quarantine: Mapping[str, int]) -> str:
    """Say by which rules rows are in quarantine, of which the most frequent come first."""
    named = [f"{rule} {rows:,}" for rule, rows in list(quarantine.items())[:NAMED_RULES]]
    left = len(quarantine) - len(named)
    return ", ".join(named) + (f" and {left} rules more" if left else "")


def _covers(approvals: Sequence[Approval], comparison: Comparison) -> bool:
    """Return whether two tables differ in nothing but cells of approved columns."""
    approved = {fold(approval.column) for approval in approvals}
    same_rows = not (
        comparison.schema
        or comparison.only_in_old
        or comparison.only_in_new
        or comparison.duplicates.differing
        or comparison.null_keys.differing
    )
    return same_rows and {fold(column.column) for column in comparison.differing_columns} <= approved
