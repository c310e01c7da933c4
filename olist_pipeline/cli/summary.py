"""The summary of a run: what came in, what became of it, and what dashboards now read.

What belongs here: gathering the figures from the stores and printing them. What does not: computing them.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rich.console import Console

from olist_pipeline.cli.output import inert, print_rows, table, tell_shares
from olist_pipeline.registry import CONTEXTS
from olist_pipeline.serving.counts import flag_counts, large_shares, table_counts
from olist_pipeline.serving.release import current_release
from olist_pipeline.settings import Settings
from olist_pipeline.stores import events, quarantine, routes, verdicts


def summarise(settings: Settings, url: str, run_ids: list[str], seconds: dict[str, float]) -> dict[str, Any]:
    """Return the figures of the stores as they are, and of the given runs where they belong to one."""
    release, tables = current_release(settings.serving), table_counts(settings, url)
    return {
        "run_ids": run_ids,
        "tables": [asdict(count) for count in tables],
        "quarantined_by_rule": [
            row
            for context in CONTEXTS.values()
            for row in quarantine.counts_by_rule(url, [t.name for t in context.tables])
        ],
        "flagged_by_rule": [asdict(count) for count in flag_counts(settings)],
        "events": asdict(events.count_by_type(url, run_ids)),
        "too_much_rejected": [share.to_dict() for share in large_shares(url, tables, settings.cutover)],
        "parity": verdicts.parity_rows(url),
        "routes": dict(routes.read_routes(url, CONTEXTS)),
        "release": asdict(release) if release else None,
        "seconds": seconds,
    }


def print_summary(console: Console, summary: dict[str, Any]) -> None:
    """Print the summary for a person."""
    console.print()
    print_rows(console, "Rows", summary["tables"], ["table", "landing", "accepted", "quarantined"])
    tell_shares(console, summary["too_much_rejected"])
    for title, key, column in (
        ("Quarantined, by rule", "quarantined_by_rule", "source_table"),
        ("Accepted with a flag, by rule", "flagged_by_rule", "table"),
    ):
        rows = [[row[column], row["rule"], row["rows"]] for row in summary[key]]
        console.print(table(title, ["table", "rule", "rows"], rows) if rows else f"{title}: none")
    recorded = summary["events"]["recorded"]
    console.print(
        table("Events recorded by this run", ["event", "events"], recorded.items())
        if recorded
        else f"Events recorded by this run: none{', all were known' if summary['events']['in_store'] else ''}"
    )
    compared = [
        [row["table"], row["verdict"], row["why"]]
        for row in summary["parity"]
        if summary["routes"].get(row["context"]) != "retired"
    ]
    title = "Parity, old against new"
    console.print(table(title, ["table", "verdict", "why"], compared) if compared else f"{title}: none")
    console.print(table("Seconds", ["step", "seconds"], sorted(summary["seconds"].items(), key=lambda item: -item[1])))
    _print_release(console, summary)


def _print_release(console: Console, summary: dict[str, Any]) -> None:
    release = summary["release"]
    if release is None:
        console.print("No release has been published yet.")
        return
    routed = ", ".join(f"{context} {route}" for context, route in summary["routes"].items())
    console.print(f"[bold]Release {release['number']}[/bold]  as of {release['as_of']}  routes: {routed}")
    for sentence in release["unchecked"]:
        console.print(f"[red]Not checked:[/red] {inert(sentence)}.")
    console.print(
        "Next: [bold]make dev[/bold] shows this run in the Dagster UI; `olist parity TABLE`, `olist quarantine`"
    )
    console.print("and `olist events` say more; dashboards read serving/current/serving.duckdb.")
