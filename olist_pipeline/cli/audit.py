"""`olist audit`: the business logic in any dbt project or folder of SQL.

What belongs here: the command, and the table for the terminal. What does not: finding anything (`audit`).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.columns import Columns
from rich.console import Console
from rich.panel import Panel
from rich.progress import Progress
from sqlglot.dialects.dialect import Dialect

from olist_pipeline.audit import report
from olist_pipeline.audit.audit import audit as run_audit
from olist_pipeline.audit.model import Audit, Copies, Entry, Level, State
from olist_pipeline.audit.pool import SECONDS_A_FILE
from olist_pipeline.audit.trace import is_own, replaced_by_rules
from olist_pipeline.cli.output import inert, table
from olist_pipeline.errors import OlistError
from olist_pipeline.files import given_away

FORMATS = ("table", "json", "csv", "html")
MOST_SECONDS = 86_400
WIDTH_OF_FILE = 200
MOST_PANELS = 6
COLOUR_OF_STATE = {State.OPEN: "red", State.MIGRATED: "green", State.WAIVED: "yellow"}


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--dialect", help="The SQL dialect; by default that of the manifest or profile, else duckdb.")
@click.option("--format", "form", type=click.Choice(FORMATS), help="How to report.  [default: table]")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write the report to a file.")
@click.option("--manifest", type=click.Path(path_type=Path), help="dbt's manifest.json, where it is not in target/.")
@click.option("--waivers", type=click.Path(path_type=Path), help="Findings that stay, with reasons (YAML).")
@click.option("--fail-on-open", is_flag=True, help="Exit with 1 when a finding is neither migrated nor waived.")
@click.option("--seconds", default=SECONDS_A_FILE, show_default=True, help="Give up a file after so long.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def audit(
    path: Path,
    dialect: str | None,
    form: str | None,
    out: Path | None,
    manifest: Path | None,
    waivers: Path | None,
    fail_on_open: bool,
    seconds: float,
    as_json: bool,
) -> None:
    """Find the business logic in the SQL of PATH: a dbt project, a folder of SQL files or one file.

    Exits with 1 when something could not be read.
    """
    _check(dialect, seconds)
    chosen = "json" if as_json else form or _format_of(out)
    with _progress() as started:
        found = run_audit(
            path,
            dialect=dialect,
            manifest=manifest,
            waivers=waivers,
            replaced=replaced_by_rules() if is_own(path) else lambda finding: (),
            seconds=seconds,
            started=started,
        )
    _write(found, chosen, out)
    is_open = any(entry.state is State.OPEN for entry in found.entries)
    sys.exit(1 if found.problems or (fail_on_open and is_open) else 0)


def _check(dialect: str | None, seconds: float) -> None:
    if not 0 < seconds <= MOST_SECONDS:
        raise OlistError(f"--seconds must be more than 0 and at most {MOST_SECONDS:,}.")
    known = sorted(name for name in Dialect.classes if name)
    if dialect is not None and dialect not in known:
        raise OlistError(f"--dialect {dialect} is not known; known are: {', '.join(known)}.")


def _format_of(out: Path | None) -> str:
    ending = out.suffix.removeprefix(".").lower() if out else ""
    return ending if ending in FORMATS else "table"


@contextmanager
def _progress() -> Iterator[Callable[[int], Callable[[], None]]]:
    """Show how many files are audited, where somebody looks on."""
    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:

        def started(files: int) -> Callable[[], None]:
            task = bar.add_task("Auditing", total=files)
            return lambda: bar.advance(task)

        yield started


def _write(found: Audit, form: str, out: Path | None) -> None:
    if form == "table":
        if out is None:
            _print(found, Console())
        else:
            with given_away(), out.open("w", encoding="utf-8") as file:
                _print(found, Console(file=file, width=WIDTH_OF_FILE))
        return
    text = {"json": report.as_json, "csv": report.as_csv, "html": report.as_html}[form](found)
    if out is None:
        click.echo(text, nl=False)
    else:
        with given_away():
            out.write_text(text, "utf-8")
        click.echo(f"{len(found.entries)} findings in {found.files} files: {out}", err=True)


def _print(found: Audit, console: Console) -> None:
    for problem in found.problems:
        where = f"{problem.file}:{problem.line}" if problem.line else problem.file
        console.print(f"[red]{inert(where)}[/red]  {inert(problem.message)}", soft_wrap=True)
    keys = ["context", "findings", "high_priority", "points", "copied", "open", "done_percent"]
    rows = [[row[key] for key in keys] for row in report.summary(found)]
    titles = [key.replace("_", " ").replace("percent", "%") for key in keys]
    console.print(table("Where to begin: contexts from the simplest to the most complex", titles, rows))
    near = [copies for copies in found.copies if not copies.exact]
    if near:
        console.print("\n[bold red]Nearly the same, with other thresholds or branches[/bold red]")
    for copies in near:
        _print_near(copies, console)
    for level in (Level.HIGH, Level.MEDIUM, Level.LOW):
        chosen = [entry for entry in found.entries if entry.priority is level]
        if chosen:
            console.print(f"\n[bold]Priority {level}[/bold]")
        for entry in chosen:
            _print_entry(entry, console)
    unread = f"; {len(found.problems)} problems, see above" if found.problems else ""
    console.print(f"\n{len(found.entries)} findings in {found.files} files, read as {found.dialect}{unread}.")


def _print_entry(entry: Entry, console: Console) -> None:
    finding = entry.finding
    facts = [str(finding.kind), f"complexity {entry.complexity}"]
    if entry.copies > 1:
        facts.append(f"{entry.copies} copies")
    where = f"{finding.file}:{finding.line}"
    state = f"[{COLOUR_OF_STATE[entry.state]}]{entry.state}[/] {inert(entry.by)}".strip()
    console.print(f"  [cyan]{inert(where)}  {inert(finding.column)}[/cyan]  {', '.join(facts)}", soft_wrap=True)
    console.print(f"      {inert(finding.statement)}", soft_wrap=True)
    console.print(f"      {state}", soft_wrap=True)


def _print_near(copies: Copies, console: Console) -> None:
    panels = [
        Panel(inert(finding.sql), title=inert(f"{finding.file}:{finding.line} {finding.column}"))
        for finding in copies.findings[:MOST_PANELS]
    ]
    console.print(Columns(panels, equal=True, expand=True))
    for finding, difference in zip(copies.findings[1:], copies.differences, strict=True):
        console.print(f"  {inert(finding.place)} differs from {inert(copies.findings[0].place)}: {inert(difference)}")
