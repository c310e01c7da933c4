"""What a release says of the migration itself: parity, reconciliation, quarantine, rules and words.

What belongs here: gathering what the stores and staging hold as the tables of the schema `about` of a release. What
does not: counting (see `counts`), making a release (see `build`), its routes, which a switch tells anew (see
`compose`), and showing these tables.

Dashboards read a release and nothing else, so what they show of the migration has to stand inside.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import duckdb
import polars as pl

from olist_domain.kernel.rules import Rule
from olist_pipeline.engine.history import Columns
from olist_pipeline.intake.codes import STRUCTURAL_RULES
from olist_pipeline.months import MONTH
from olist_pipeline.parity.effects import is_same, number_of
from olist_pipeline.registry import CONTEXTS
from olist_pipeline.release_manifest import ABOUT
from olist_pipeline.serving.counts import FlagCount, flag_counts, rule_counts, table_counts
from olist_pipeline.serving.progress import progress
from olist_pipeline.settings import Settings
from olist_pipeline.stores import verdicts
from olist_pipeline.stores.postgres import query
from olist_pipeline.tablediff.sql import quote

_PARITY: Columns = {
    **dict.fromkeys(("context", "table_name", "verdict"), pl.String),
    "is_green": pl.Boolean,
    **dict.fromkeys(("rows_old", "rows_new", "equal_rows"), pl.Int64),
    **dict.fromkeys(("measures", "why"), pl.String),
    "recorded_at": pl.Datetime("us", "UTC"),
}
_RECONCILIATION = {
    **dict.fromkeys(("context", "table_name", "landing_table"), pl.String),
    **dict.fromkeys(("landing", "accepted", "quarantined"), pl.Int64),
    "holds": pl.Boolean,
}
_QUARANTINE = {
    **dict.fromkeys(("context", "source_table", "rule"), pl.String),
    MONTH: pl.Date,
    "rows": pl.Int64,
}
_RULES = {
    **dict.fromkeys(("context", "table_name", "code", "severity", "statement", "replaces"), pl.String),
    "rows": pl.Int64,
}
_DEFINITIONS = dict.fromkeys(("context", "table_name", "name", "definition"), pl.String)


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
            verdict.why,
            verdict.recorded_at,
        )
        for verdict in verdicts.latest(url, "parity").values()
        if verdict.context in CONTEXTS
    ]
    return pl.DataFrame(rows, _PARITY, orient="row")


def _moved(effects: Mapping[str, Any] | None) -> str:
    """Return by how much each measure of a table differs from old to new, in percent of old; the same ones together."""
    totals = {name: (number_of(old), number_of(new)) for name, (old, new) in (effects or {}).get("totals", {}).items()}
    moved = [
        f"{name} {_change(float(old), float(new))}" for name, (old, new) in totals.items() if not is_same(old, new)
    ]
    same = [name for name, (old, new) in totals.items() if is_same(old, new)]
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
    return pl.DataFrame(counted, _QUARANTINE)


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
