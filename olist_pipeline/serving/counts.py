"""Counts: the rows of each table, flag and rule, as the stores and staging hold them now.

What belongs here: counting. What does not: the tables that a release makes of it (`about`), and showing them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from olist_domain.kernel.rules import Severity
from olist_pipeline.engine.names import FLAGS
from olist_pipeline.registry import CONTEXTS
from olist_pipeline.settings import CutoverRules, Settings
from olist_pipeline.staging import intake_path, is_staged, scan_intake, scan_staging
from olist_pipeline.stores import quarantine
from olist_pipeline.validation.shares import Counted, Share, stored_shares


@dataclass(frozen=True)
class TableCount:
    """The rows of a staged table: in its landing file (None where it has none), accepted and quarantined."""

    context: str
    table: str
    landing: int | None
    accepted: int
    quarantined: int


@dataclass(frozen=True)
class FlagCount:
    """The accepted rows of a table that carry the flag of a rule."""

    table: str
    rule: str
    rows: int


@dataclass(frozen=True)
class RuleCount:
    """The rows of a table that a rule kept out, or flagged."""

    context: str
    table: str
    code: str
    severity: Severity
    rows: int


def table_counts(settings: Settings, url: str) -> list[TableCount]:
    """Return the rows of each table."""
    return [
        TableCount(
            context.name,
            table.name,
            landing=_height(settings, table.source.name) if table.source else None,
            accepted=_accepted(settings, context.name, table.name),
            quarantined=quarantine.number_of_rows(url, table.name, table.source.name) if table.source else 0,
        )
        for context in CONTEXTS.values()
        for table in context.tables
    ]


def large_shares(url: str, counts: Iterable[TableCount], rules: CutoverRules) -> list[Share]:
    """Return the shares of quarantine that are above the limit, the worst first; `counts` as of `table_counts`."""
    by_name = {(count.context, count.table): count for count in counts}
    counted = [
        Counted(table, count.landing, count.quarantined)
        for context in CONTEXTS.values()
        for table in context.tables
        if (count := by_name[context.name, table.name]).landing is not None
    ]
    return stored_shares(url, counted, rules)


def flag_counts(settings: Settings) -> list[FlagCount]:
    """Return the rows of every flag that accepted rows carry."""
    counts: list[FlagCount] = []
    for context in CONTEXTS.values():
        for staged in context.tables:
            if not is_staged(settings.staging, context.name, staged.name):
                continue
            flags = scan_staging(settings.staging, context.name, staged.name).select(pl.col(FLAGS).explode())
            by_rule = flags.drop_nulls().group_by(FLAGS).len().sort("len", FLAGS, descending=[True, False]).collect()
            counts += [FlagCount(staged.name, rule, rows) for rule, rows in by_rule.rows()]
    return counts


def rule_counts(url: str, flagged: Iterable[FlagCount]) -> list[RuleCount]:
    """Return the rows of every rule, zeros included, book by book.

    Rows are the quarantined ones of a rejecting rule, and of a flagging one those of `flagged` (see `flag_counts`).
    The structural rules that rows of a context broke follow its rulebooks.
    """
    flags = {(count.table, count.rule): count.rows for count in flagged}
    counts: list[RuleCount] = []
    for context in CONTEXTS.values():
        broken = quarantine.counts_by_rule(url, [table.name for table in context.tables])
        rejects = {(row["source_table"], row["rule"]): row["rows"] for row in broken}
        in_rulebooks = [(book.table, rule.code, rule.severity) for book in context.rulebooks for rule in book.rules]
        of_no_rulebook = rejects.keys() - {(table, code) for table, code, _ in in_rulebooks}
        structural = [(table, code, Severity.REJECT) for table, code in sorted(of_no_rulebook)]
        rows = flags | rejects
        counts += [
            RuleCount(context.name, table, code, severity, rows.get((table, code), 0))
            for table, code, severity in [*in_rulebooks, *structural]
        ]
    return counts


def _height(settings: Settings, name: str) -> int:
    if not intake_path(settings.intake, name).exists():
        return 0
    return int(scan_intake(settings.intake, name).select(pl.len()).collect().item())


def _accepted(settings: Settings, context: str, name: str) -> int:
    if not is_staged(settings.staging, context, name):
        return 0
    return int(scan_staging(settings.staging, context, name).select(pl.len()).collect().item())
