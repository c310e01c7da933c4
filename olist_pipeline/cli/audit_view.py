"""What `olist audit` shows: the tables for the terminal, and the forms for a file.

What belongs here: how an audit looks on a screen, and where its forms are written. What does not: the command
(`audit`), finding anything, and the forms (`audit.report`, `audit.pages`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import click
from rich.columns import Columns
from rich.console import Console
from rich.panel import Panel

from olist_pipeline.audit import pages, report
from olist_pipeline.audit.model import Audit, Copies, Entry, Level, State
from olist_pipeline.cli.output import inert, table
from olist_pipeline.files import given_away, writing

WIDTH_OF_FILE = 200
MOST_PANELS = 6
MOST_FINDINGS, MOST_GROUPS, MOST_CONTEXTS, MOST_PROBLEMS, MOST_LINES = 12, 3, 12, 6, 8
"""What a screen shows; `--all` and a file show everything."""
COLOUR_OF_STATE = {State.OPEN: "red", State.MIGRATED: "green", State.WAIVED: "yellow"}

Item = TypeVar("Item")


def write(found: Audit, form: str, out: Path | None, *, everything: bool) -> None:
    """Print an audit in one of the forms, or write it to a file and print how much it is."""
    if form == "table":
        if out is None:
            _print(found, Console(), everything=everything)
        else:
            with given_away(), writing(out), out.open("w", encoding="utf-8") as file:
                _print(found, Console(file=file, width=WIDTH_OF_FILE), everything=True)
            _say_written(found, out)
        return
    forms = {"json": report.as_json, "csv": report.as_csv, "html": pages.as_html, "markdown": pages.as_markdown}
    text = forms[form](found)
    if form != "html":
        for warning in found.warnings:
            click.echo(warning, err=True)
    if out is None:
        click.echo(text, nl=False)
    else:
        with given_away(), writing(out):
            out.write_text(text, "utf-8")
        _say_written(found, out)


def _say_written(found: Audit, out: Path) -> None:
    click.echo(f"{_number(len(found.entries), 'finding')} in {_number(found.files, 'file')}: {out}", err=True)


def _print(found: Audit, console: Console, *, everything: bool) -> None:
    def most(items: Sequence[Item], number: int) -> Sequence[Item]:
        return items if everything else items[:number]

    problems = report.gathered(found.problems)
    for problem in most(problems, MOST_PROBLEMS):
        console.print(f"[red]{inert(problem)}[/red]", soft_wrap=True)
    _say_left(len(problems) - len(most(problems, MOST_PROBLEMS)), "problems", console)
    summary = report.summary(found)
    keys = ["context", "findings", "high_priority", "points", "copied", "open", "done_percent"]
    rows = [[row[key] for key in keys] for row in most(summary, MOST_CONTEXTS)]
    titles = [key.replace("_", " ").replace("percent", "%") for key in keys]
    if rows:
        console.print(table("Where to begin: contexts from the simplest to the most complex", titles, rows))
    _say_left(len(summary) - len(rows), "contexts", console)
    near = [copies for copies in found.copies if not copies.exact]
    if near:
        console.print("\n[bold red]Nearly the same, with other thresholds or branches[/bold red]")
    for copies in most(near, MOST_GROUPS):
        _print_near(copies, console, everything=everything)
    _say_left(len(near) - len(most(near, MOST_GROUPS)), "groups of near copies", console)
    urgent = report.most_urgent(found)
    if urgent:
        console.print("\n[bold]The most urgent findings[/bold]" if not everything else "\n[bold]Findings[/bold]")
    for entry in most(urgent, MOST_FINDINGS):
        _print_entry(entry, console)
    _say_left(len(urgent) - len(most(urgent, MOST_FINDINGS)), "findings", console)
    for warning in found.warnings:
        console.print(f"[yellow]{inert(warning)}[/yellow]", soft_wrap=True)
    unread = f"; {_number(len(found.problems), 'problem')}, see above" if found.problems else ""
    levels = Counter(entry.priority for entry in found.entries)
    counts = ", ".join(f"{levels[level]} {level}" for level in (Level.HIGH, Level.MEDIUM, Level.LOW))
    total = f"{_number(len(found.entries), 'finding')} ({counts}) in {_number(found.files, 'file')}"
    console.print(f"\n{total}, read as {found.dialect} ({inert(found.why)}){unread}.", soft_wrap=True)


def _number(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' * (number != 1)}"


def _say_left(number: int, what: str, console: Console) -> None:
    if number > 0:
        console.print(f"  ... and {number:,} more {what}: --all prints them, --out audit.html writes a page")


def _print_entry(entry: Entry, console: Console) -> None:
    finding = entry.finding
    where = f"{finding.file}:{finding.line}"
    state = "" if entry.state is State.OPEN else f"  [{COLOUR_OF_STATE[entry.state]}]{entry.state}[/] {inert(entry.by)}"
    urgency = f"{entry.priority} ({entry.why})"
    console.print(
        f"  [cyan]{inert(where)}  {inert(finding.column)}[/cyan]  {finding.kind}, {urgency}{state}", soft_wrap=True
    )
    console.print(f"      {inert(finding.statement)}", soft_wrap=True)


def _print_near(copies: Copies, console: Console, *, everything: bool) -> None:
    panels = [
        Panel(inert(_short(finding.sql, everything)), title=inert(f"{finding.file}:{finding.line} {finding.column}"))
        for finding in copies.findings[: MOST_PANELS if everything else 2]
    ]
    console.print(Columns(panels, equal=True, expand=True))
    for finding, difference in list(zip(copies.findings[1:], copies.differences, strict=True))[
        : None if everything else 3
    ]:
        console.print(f"  {inert(finding.place)} differs from {inert(copies.findings[0].place)}: {inert(difference)}",
                      soft_wrap=True)  # fmt: skip
    _say_left(0 if everything else len(copies.findings) - 4, "of them", console)


def _short(sql: str, everything: bool) -> str:
    most = MOST_LINES * 60
    return sql if everything or len(sql) <= most else f"{sql[:most]} ... [cut]"
