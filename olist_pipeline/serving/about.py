"""What a release says of the migration itself: parity, reconciliation, quarantine, rules and words.

What belongs here: counting what the stores and staging hold, and gathering it as the tables of the schema `about` of a
release. What does not: making a release (see `build`), its routes, which a switch tells anew (see `compose`), and
showing these tables.

Dashboards read a release and nothing else, so what they show of the migration has to stand inside.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import duckdb
import polars as pl

from olist_domain.kernel.rules import Rule, Severity
from olist_pipeline.engine.rulebooks import FLAGS
from olist_pipeline.intake.codes import STRUCTURAL_RULES
from olist_pipeline.months import MONTH
from olist_pipeline.registry import CONTEXTS
from olist_pipeline.serving.compose import ABOUT
from olist_pipeline.serving.progress import progress
from olist_pipeline.settings import CutoverRules, Settings
from olist_pipeline.staging import intake_path, is_staged, scan_staging
from olist_pipeline.stores import quarantine, verdicts
from olist_pipeline.stores.postgres import query
from olist_pipeline.tablediff.sql import quote
from olist_pipeline.validation.shares import Counted, Share, stored_shares

_PARITY = pl.Schema(
    [
        ("context", pl.String),
        ("table_name", pl.String),
        ("verdict", pl.String),
        ("is_green", pl.Boolean),
        ("rows_old", pl.Int64),
        ("rows_new", pl.Int64),
        ("equal_rows", pl.Int64),
        ("measures", pl.String),
        ("why", pl.String),
        ("recorded_at", pl.Datetime("us", "UTC")),
    ]
)
_RECONCILIATION = pl.Schema(
    [
        ("context", pl.String),
        ("table_name", pl.String),
        ("landing_table", pl.String),
        ("landing", pl.Int64),
        ("accepted", pl.Int64),
        ("quarantined", pl.Int64),
        ("holds", pl.Boolean),
    ]
)
_QUARANTINE = pl.Schema(
    [
        ("context", pl.String),
        ("source_table", pl.String),
        ("rule", pl.String),
        (MONTH, pl.Date),
        ("rows", pl.Int64),
    ]
)
_RULES = pl.Schema(
    [
        ("context", pl.String),
        ("table_name", pl.String),
        ("code", pl.String),
        ("severity", pl.String),
        ("statement", pl.String),
        ("replaces", pl.String),
        ("rows", pl.Int64),
    ]
)
_DEFINITIONS = pl.Schema(
    [
        ("context", pl.String),
        ("table_name", pl.String),
        ("name", pl.String),
        ("definition", pl.String),
    ]
)


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


def about(settings: Settings, url: str, run_id: str | None = None) -> dict[str, pl.DataFrame]:
    """Return the tables of the schema `about`, by name, as the stores are now.

    `migration_parity` has a row a warehouse table, `migration_reconciliation` a staged
    table, `migration_quarantine` a table, rule and order month, `migration_rules` a rule, `migration_definitions` a
    derivation; `progress` says what its tables have. Counts are rows. `run_id` is the run that makes the release.
    """
    flags = flag_counts(settings)
    return {
        "migration_parity": _parity(url),
        "migration_reconciliation": _reconciliation(settings, url),
        "migration_quarantine": _quarantine(url),
        "migration_rules": _rules(url, flags),
        "migration_definitions": definitions(),
        **progress(settings, url, run_id),
    }


def definitions() -> pl.DataFrame:
    """Return what every derived attribute means, in the words of the domain, for whoever reads it on a dashboard."""
    rows = [
        (context.name, book.table, derivation.name, " ".join((derivation.compute.__doc__ or "").split()))
        for context in CONTEXTS.values()
        for book in context.rulebooks
        for derivation in book.derivations
    ]
    return pl.DataFrame(rows, _DEFINITIONS, orient="row")


def write(connection: duckdb.DuckDBPyConnection, tables: Mapping[str, pl.DataFrame]) -> None:
    """Write `tables` to the schema `about` of the database of a release, which may be written."""
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {ABOUT}")
    for name, frame in tables.items():
        connection.register("incoming", frame)
        connection.execute(f"CREATE OR REPLACE TABLE {ABOUT}.{quote(name)} AS FROM incoming")
        connection.unregister("incoming")


def table_counts(settings: Settings, url: str) -> list[TableCount]:
    """Return the rows of each table."""
    return [
        TableCount(
            context.name,
            table.name,
            landing=_height(settings, table.source.name) if table.source else None,
            accepted=_accepted(settings, context.name, table.name),
            quarantined=len(quarantine.source_rows(url, table.name, table.source.name)) if table.source else 0,
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


def _parity(url: str) -> pl.DataFrame:
    rows = [
        (
            verdict.context,
            verdict.table,
            verdict.verdict,
            verdict.is_green,
            verdict.report["old_and_new"]["rows_old"],
            verdict.report["old_and_new"]["rows_new"],
            verdict.report["old_and_new"]["equal"],
            _moved(verdict.report.get("effects")),
            verdict.report["sentences"][0],
            verdict.recorded_at,
        )
        for verdict in verdicts.latest(url, "parity").values()
        if verdict.context in CONTEXTS
    ]
    return pl.DataFrame(rows, _PARITY, orient="row")


def _moved(effects: Mapping[str, Any] | None) -> str:
    """Return by how much each measure of a table differs from old to new, in percent of old; the same ones together."""
    totals = {name: (float(old), float(new)) for name, (old, new) in (effects or {}).get("totals", {}).items()}
    moved = [f"{name} {_change(old, new)}" for name, (old, new) in totals.items() if old != new]
    same = [name for name, (old, new) in totals.items() if old == new]
    return "; ".join([*moved, *([f"the same: {', '.join(same)}"] if same else [])])


def _change(old: float, new: float) -> str:
    return f"{new / old - 1:+.2%}" if old else f"{new - old:+,g}"


def _reconciliation(settings: Settings, url: str) -> pl.DataFrame:
    holds = {key: verdict.is_green for key, verdict in verdicts.latest(url, "reconciliation").items()}
    sources = {
        (context.name, table.name): table.source.name if table.source else None
        for context in CONTEXTS.values()
        for table in context.tables
    }
    rows = []
    for count in table_counts(settings, url):
        key = (count.context, count.table)
        counts = (count.landing, count.accepted, count.quarantined)
        rows.append((*key, sources[key], *counts, holds.get(key)))
    return pl.DataFrame(rows, _RECONCILIATION, orient="row")


def _quarantine(url: str) -> pl.DataFrame:
    tables = [table.name for context in CONTEXTS.values() for table in context.tables]
    counted = query(
        url,
        """
        SELECT context, source_table, rule, order_month, count(*) AS rows
        FROM data_quality.quarantine, unnest(rules) AS rule
        WHERE source_table = ANY(%s) GROUP BY context, source_table, rule, order_month
        ORDER BY context, source_table, rule, order_month
        """,
        [tables],
    )
    return pl.DataFrame([tuple(row.values()) for row in counted], _QUARANTINE, orient="row")


def _rules(url: str, flags: Iterable[FlagCount]) -> pl.DataFrame:
    in_rulebooks = {
        (book.table, rule.code): rule
        for context in CONTEXTS.values()
        for book in context.rulebooks
        for rule in book.rules
    }
    rows = []
    for count in rule_counts(url, flags):
        rule = in_rulebooks.get((count.table, count.code))
        said = _said(rule, count.code)
        rows.append((count.context, count.table, count.code, str(count.severity), *said, count.rows))
    return pl.DataFrame(rows, _RULES, orient="row")


def _said(rule: Rule[Any] | None, code: str) -> tuple[str, str]:
    """Return the statement of a rule and what it replaces; a rule of no rulebook is a structural one."""
    if rule is not None:
        return rule.statement, ", ".join(rule.replaces)
    return next((structural.statement for structural in STRUCTURAL_RULES if structural.covers(code)), ""), ""


def _height(settings: Settings, name: str) -> int:
    path = intake_path(settings.intake, name)
    return (
        int(pl.scan_parquet(path, glob=False, hive_partitioning=False).select(pl.len()).collect().item())
        if path.exists()
        else 0
    )


def _accepted(settings: Settings, context: str, name: str) -> int:
    if not is_staged(settings.staging, context, name):
        return 0
    return int(scan_staging(settings.staging, context, name).select(pl.len()).collect().item())
