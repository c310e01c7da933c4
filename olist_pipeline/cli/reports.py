"""The reporting commands over the stores: `status`, `quarantine` and `events`.

What belongs here: reading the stores and printing what they say. What does not: changing anything.
"""

from __future__ import annotations

from typing import Any

import click
from rich.console import Console

from olist_pipeline.audit.trace import percent_by_context
from olist_pipeline.cli.output import JSON, print_json, print_rows, table
from olist_pipeline.cli.summary import flag_counts, rule_counts, table_counts, verdict_rows
from olist_pipeline.months import month_text
from olist_pipeline.registry import CONTEXTS
from olist_pipeline.serving.release import current_release
from olist_pipeline.settings import Settings
from olist_pipeline.staging import staged_months
from olist_pipeline.stores import events as event_store
from olist_pipeline.stores import quarantine as quarantine_store
from olist_pipeline.stores import routes, verdicts
from olist_pipeline.stores.postgres import ready_url


@click.command()
@JSON
def status(as_json: bool) -> None:
    """Show each context's route, months, rows, rules, verdicts, and the release that is served."""
    settings = Settings.from_env()
    url = ready_url(settings)
    release = current_release(settings.serving)
    parity = verdict_rows(url)
    rows = [_context_status(settings, url, name, parity) for name in CONTEXTS]
    audited = percent_by_context()
    rows = [{**row, "logic_moved": audited.get(row["context"])} for row in rows]
    tables = table_counts(settings, url)
    flagged = flag_counts(settings)
    rules = rule_counts(url, flagged)
    report = {
        "contexts": rows,
        "tables": tables,
        "rules": rules,
        "flagged_by_rule": flagged,
        "release": release and {"number": release.number, "as_of": release.as_of, "made_at": release.made_at},
    }
    if as_json:
        print_json(report)
        return
    console = Console()
    columns = ["context", "route", "months", "rules", "derivations", "parity", "conservation", "logic_moved"]
    print_rows(console, "Contexts", rows, columns)
    print_rows(console, "Rows", tables, ["table", "landing", "accepted", "quarantined"])
    _print_rules(console, rules)
    served = f"Release {release.number}, as of {release.as_of}, made {release.made_at}" if release else "No release yet"
    console.print(served)


@click.command()
@click.option("--table", help="Only rows of this landing table.")
@click.option("--rule", help="Only rows that broke this rule.")
@click.option("--id", "aggregate_id", help="Only rows of this aggregate, e.g. an order id.")
@click.option("--limit", default=20, show_default=True, help="At most so many rows.")
@JSON
def quarantine(table: str | None, rule: str | None, aggregate_id: str | None, limit: int, as_json: bool) -> None:
    """Show quarantined rows with the rules they broke, where they stand in landing, and their cells."""
    url = ready_url(Settings.from_env())
    rows = quarantine_store.find(url, table=table, rule=rule, aggregate_id=aggregate_id, limit=limit)
    if as_json:
        print_json(rows)
        return
    shown = [{**row, "rules": ", ".join(row["rules"]), "cells": _cells(row)} for row in rows]
    print_rows(Console(), "Quarantine", shown, ["source_file", "source_row", "rules", "cells"])


@click.command()
@click.option("--id", "aggregate_id", help="Only events of this aggregate, e.g. an order id.")
@click.option("--type", "event_type", help="Only events of this type, e.g. OrderApproved.")
@click.option("--limit", default=20, show_default=True, help="At most so many events.")
@JSON
def events(aggregate_id: str | None, event_type: str | None, limit: int, as_json: bool) -> None:
    """Show domain events in the order in which they were recorded."""
    url = ready_url(Settings.from_env())
    rows = event_store.find(url, aggregate_id=aggregate_id, event_type=event_type, limit=limit)
    if as_json:
        print_json(rows)
        return
    columns = ["occurred_at", "event_type", "aggregate_id", "version", "payload"]
    print_rows(Console(), "Domain events", rows, columns)


def _context_status(settings: Settings, url: str, name: str, parity_rows: list[dict[str, Any]]) -> dict[str, Any]:
    monthly = [table for table in CONTEXTS[name].tables if table.is_monthly]
    months = staged_months(settings.staging, name, monthly[0].name) if monthly else []
    has_none = "none yet" if monthly else "not by month"
    conservation = [v for (context, _), v in verdicts.latest(url, "conservation").items() if context == name]
    own = [row["verdict"] for row in parity_rows if row["context"] == name]
    return {
        "context": name,
        "route": routes.read_routes(url, [name])[name],
        "rules": sum(len(book.rules) for book in CONTEXTS[name].rulebooks),
        "derivations": sum(len(book.derivations) for book in CONTEXTS[name].rulebooks),
        "months": f"{month_text(months[0])} to {month_text(months[-1])}" if months else has_none,
        "parity": ", ".join(f"{own.count(kind)} {kind}" for kind in dict.fromkeys(own)) or "not compared",
        "conservation": "holds" if conservation and all(v.is_green for v in conservation) else "does not hold",
    }


def _print_rules(console: Console, rules: list[dict[str, Any]]) -> None:
    """Print the rules with their rows; those that no row broke are dim."""
    columns = ["context", "table", "rule", "severity", "rows"]
    shown = [[rule[name] for name in ("context", "table", "code", "severity", "rows")] for rule in rules]
    rendered = table("Rules", columns, shown)
    for row, rule in zip(rendered.rows, rules, strict=True):
        row.style = "" if rule["rows"] else "dim"
    console.print(rendered)


def _cells(row: dict[str, Any]) -> str:
    """Return the cells that a row's rules name, or its key cells where they name none."""
    payload: dict[str, Any] = row["payload"]
    named = [name for name in payload if any(rule.endswith(f"_{name.upper()}") for rule in row["rules"])]
    return ", ".join(f"{name}={payload[name]!r}" for name in named or list(payload)[:3])
