"""`olist status`: how everything stands, on one screen.

What belongs here: the command, and printing. What does not: gathering what it shows (`standing`), changing anything,
and single rows, verdicts and rules (`quarantine`, `parity`, `rules` show them).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from olist_pipeline.cli.output import JSON, inert, print_json, print_rows, table, tell_shares, tell_unrecorded
from olist_pipeline.cli.visible import visible
from olist_pipeline.release_manifest import no_release
from olist_pipeline.settings import Settings


@click.command()
@click.option("--rules", "show_rules", is_flag=True, help="Print every rule with its rows, too.")
@JSON
def status(show_rules: bool, as_json: bool) -> None:
    """Show each context's route, last run, freshness, months, quarantine and parity, and the release that is served."""
    settings = Settings.from_env()
    # Rows are counted with frames, which take longer to import than the help of the command takes.
    from olist_pipeline.cli.standing import standing

    report = standing(settings)
    if as_json:
        print_json(report)
    else:
        _print(Console(), report, settings.serving, show_rules=show_rules)


def _print(console: Console, report: Mapping[str, Any], serving: Path, *, show_rules: bool) -> None:
    running = ["context", "route", "last run", "months", "missing", "failed", "streak"]
    proven = ["context", "quarantine", "parity", "reconciliation", "logic moved"]
    shown = [
        {
            **row,
            "last run": _ago(row),
            "quarantine": f"{row['quarantine_rate']:.2%}",
            "logic moved": "" if row["logic_moved"] is None else f"{row['logic_moved']} %",
        }
        for row in report["contexts"]
    ]
    tell_unrecorded(console, report["unrecorded"])
    print_rows(console, "Contexts", shown, running)
    print_rows(console, "Proofs", shown, proven)
    print_rows(console, "Rows", report["tables"], ["table", "landing", "accepted", "quarantined"])
    for sentence in unaccounted(report["tables"]):
        console.print(Text(visible(sentence), style="red"), soft_wrap=True)
    tell_shares(console, report["too_much_rejected"])
    if failure := report["last_failure"]:
        said = f"The last run ({failure['run_id'][:8]}) failed. {' '.join(failure['problems'])}"
        console.print(Text(visible(said), style="red"), soft_wrap=True)
    if show_rules:
        _print_rules(console, report["rules"])
    release = report["release"]
    served = (
        f"Release {release['number']}, as of {release['as_of']}, made {release['made_at']}"
        if release
        else str(no_release(serving))
    )
    console.print(inert(served), highlight=False, soft_wrap=True)
    for sentence in release["unchecked"] if release else ():
        console.print(f"[red]Not checked:[/red] {inert(sentence)}.")
    console.print(f"Automation is {'on' if report['automation'] else 'off (OLIST_AUTOMATION)'}")
    for row in report["contexts"]:
        for state in ("failed", "missing"):
            if row[state]:
                console.print(f"Mend {row['context']}: `olist backfill {row['context']} --only {state}`")
    for alert in report["alerts"]:
        console.print(f"[yellow]{inert(str(alert['at']))}[/yellow]", inert(str(alert["text"])), highlight=False)


def unaccounted(tables: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a sentence for each table whose landing rows are not all accepted or quarantined; `tables` as reported.

    A file of staging that is gone shows so: who made it, and Dagster, remember that it was made.
    """
    return [
        f"{row['table']}: {row['landing']:,} rows of landing, but {found:,} accepted or in quarantine; "
        f"`olist backfill {row['context']}` validates them again."
        for row in tables
        if row["landing"] is not None and (found := row["accepted"] + row["quarantined"]) != row["landing"]
    ]


def _ago(row: Mapping[str, Any]) -> str:
    if row["last_run"] is None:
        return "never"
    return f"{row['age_hours']:.1f} h ago, {'fresh' if row['is_fresh'] else 'stale'}"


def _print_rules(console: Console, rules: Sequence[Mapping[str, Any]]) -> None:
    """Print the rules with their rows; those that no row broke are dim."""
    columns = ["context", "table", "rule", "severity", "rows"]
    shown = [[rule[name] for name in ("context", "table", "code", "severity", "rows")] for rule in rules]
    rendered = table("Rules", columns, shown)
    for row, rule in zip(rendered.rows, rules, strict=True):
        row.style = "" if rule["rows"] else "dim"
    console.print(rendered)
