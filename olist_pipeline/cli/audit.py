"""`olist audit`: the business logic in any dbt project or folder of SQL.

What belongs here: the command, and the table for the terminal. What does not: finding anything (`audit`).
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.columns import Columns
from rich.console import Console
from rich.panel import Panel
from rich.progress import Progress
from sqlglot.dialects.dialect import Dialect

from olist_pipeline.audit import pages, report, yaml_file
from olist_pipeline.audit.audit import audit as run_audit
from olist_pipeline.audit.model import Audit, Copies, Entry, Level, State
from olist_pipeline.audit.pool import SECONDS_A_FILE
from olist_pipeline.audit.trace import is_own, replaced_by_rules
from olist_pipeline.cli.output import inert, table
from olist_pipeline.errors import OlistError
from olist_pipeline.files import given_away
from olist_pipeline.near import unknown

FORMATS = ("table", "json", "csv", "html", "markdown")
ENDINGS = {"md": "markdown"}
MOST_SECONDS = 86_400
WIDTH_OF_FILE = 200
MOST_PANELS = 6
MOST_FINDINGS, MOST_GROUPS, MOST_CONTEXTS, MOST_PROBLEMS, MOST_LINES = 12, 3, 12, 6, 8
"""What a screen shows; `--all` and a file show everything."""
COLOUR_OF_STATE = {State.OPEN: "red", State.MIGRATED: "green", State.WAIVED: "yellow"}


Item = TypeVar("Item")


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--dialect", help="The SQL dialect; by default what the project says, else what its SQL looks like.")
@click.option("--format", "form", type=click.Choice(FORMATS), help="How to report.  [default: table]")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write the report to a file.")
@click.option("--manifest", type=click.Path(path_type=Path), help="dbt's manifest.json, where it is not in target/.")
@click.option("--vars", "variables", help="Variables of the project, as dbt takes them: '{key: value}' (YAML).")
@click.option("--waivers", type=click.Path(path_type=Path), help="Findings that stay, with reasons (YAML).")
@click.option("--fail-on-open", is_flag=True, help="Exit with 1 when a finding is neither migrated nor waived.")
@click.option("--seconds", default=SECONDS_A_FILE, show_default=True, help="Give up a file after so long.")
@click.option("--all", "everything", is_flag=True, help="Print all findings, not the most urgent.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def audit(
    path: Path,
    dialect: str | None,
    form: str | None,
    out: Path | None,
    manifest: Path | None,
    variables: str | None,
    waivers: Path | None,
    fail_on_open: bool,
    seconds: float,
    everything: bool,
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
            variables=_variables(variables),
            replaced=replaced_by_rules() if is_own(path) else lambda finding: (),
            seconds=seconds,
            said=lambda spoken: click.echo(f"Reading it as {spoken.dialect} ({spoken.why}).", err=True),
            started=started,
        )
    _write(found, chosen, out, everything=everything)
    is_open = any(entry.state is State.OPEN for entry in found.entries)
    sys.exit(1 if found.problems or (fail_on_open and is_open) else 0)


def _check(dialect: str | None, seconds: float) -> None:
    if not 0 < seconds <= MOST_SECONDS:
        raise OlistError(f"--seconds must be more than 0 and at most {MOST_SECONDS:,}.")
    known = sorted(name for name in Dialect.classes if name)
    if dialect is not None and dialect not in known:
        raise unknown("SQL dialect", dialect, known)


def _variables(text: str | None) -> dict[str, Any]:
    if not text:
        return {}
    try:
        given = yaml_file.parse(text)
    except yaml_file.YamlError as error:
        raise OlistError(f"--vars cannot be read as YAML ({error}); write it as '{{key: value}}'.") from None
    if not isinstance(given, dict):
        raise OlistError("--vars must be a mapping of names to values; write it as '{key: value}'.")
    return {str(name): value for name, value in given.items()}


def _format_of(out: Path | None) -> str:
    ending = out.suffix.removeprefix(".").lower() if out else ""
    ending = ENDINGS.get(ending, ending)
    return ending if ending in FORMATS else "table"


@contextmanager
def _progress() -> Iterator[Callable[[int], Callable[[], None]]]:
    """Show how many files are audited, where somebody looks on."""
    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:

        def started(files: int) -> Callable[[], None]:
            task = bar.add_task("Auditing", total=files)
            return lambda: bar.advance(task)

        yield started


def _write(found: Audit, form: str, out: Path | None, *, everything: bool) -> None:
    if form == "table":
        if out is None:
            _print(found, Console(), everything=everything)
        else:
            with given_away(), out.open("w", encoding="utf-8") as file:
                _print(found, Console(file=file, width=WIDTH_OF_FILE), everything=True)
        return
    forms = {"json": report.as_json, "csv": report.as_csv, "html": pages.as_html, "markdown": pages.as_markdown}
    text = forms[form](found)
    if form != "html":
        for warning in found.warnings:
            click.echo(warning, err=True)
    if out is None:
        click.echo(text, nl=False)
    else:
        with given_away():
            out.write_text(text, "utf-8")
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
