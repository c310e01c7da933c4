"""`olist audit`: the business logic in any dbt project or folder of SQL.

What belongs here: the command. What does not: finding anything (`audit`), and how it looks (`audit_view`).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from olist_pipeline.audit.model import SECONDS_A_FILE, State
from olist_pipeline.cli.variables import variables_of
from olist_pipeline.errors import OlistError
from olist_pipeline.near import unknown

if TYPE_CHECKING:
    from olist_pipeline.audit.dialects import Spoken
    from olist_pipeline.audit.profiles import Target

FORMATS = ("table", "json", "csv", "html", "markdown")
ENDINGS = {"md": "markdown", "htm": "html", "txt": "table", "log": "table", "": "table"}
"""What the ending of a file stands for, beside the names of the forms."""
MOST_SECONDS = 86_400


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--dialect", help="The SQL dialect; by default what the project says, else what its SQL looks like.")
@click.option("--target", default="", help="The target to read it for.  [default: that of profiles.yml, else prod]")
@click.option(
    "--format", "form", type=click.Choice(FORMATS), help="How to report.  [default: as --out ends, else table]"
)
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
    target: str,
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

    Nothing of it is run, and no database is asked. Exits with 1 when something could not be read.

    \b
      olist audit ~/shop
      olist audit ~/shop --out audit.html
      olist audit ~/shop --vars '{least_total: 40}' --target prod --fail-on-open
    """
    # Parsing SQL takes longer to import than the help of the command takes.
    from olist_pipeline.audit.audit import audit as run_audit
    from olist_pipeline.audit.trace import is_own, replaced_by_rules
    from olist_pipeline.cli.audit_view import write
    from olist_pipeline.replaced import refuse_unknown_places

    _check(dialect, seconds)
    if as_json and form not in (None, "json"):
        raise OlistError(f"--json and --format {form} are two forms; give one of them.")
    chosen = "json" if as_json else form or _format_of(out)
    if of_ours := is_own(path):
        refuse_unknown_places()
    with _progress() as started:
        found = run_audit(
            path,
            dialect=dialect,
            target=target,
            manifest=manifest,
            waivers=waivers,
            variables=variables_of(variables),
            replaced=replaced_by_rules() if of_ours else lambda finding: (),
            seconds=seconds,
            said=_say,
            started=started,
        )
    write(found, chosen, out, everything=everything)
    is_open = any(entry.state is State.OPEN for entry in found.entries)
    sys.exit(1 if found.problems or (fail_on_open and is_open) else 0)


def _check(dialect: str | None, seconds: float) -> None:
    from sqlglot.dialects.dialect import Dialect

    if not 0 < seconds <= MOST_SECONDS:
        raise OlistError(f"--seconds must be more than 0 and at most {MOST_SECONDS:,}.")
    known = sorted(name for name in Dialect.classes if name)
    if dialect is not None and dialect not in known:
        raise unknown("SQL dialect", dialect, known)


def _say(spoken: Spoken, target: Target) -> None:
    which = f", for the target {target.name} ({target.file})" if target.file else ""
    click.echo(f"Reading it as {spoken.dialect} ({spoken.why}){which}.", err=True)


def _format_of(out: Path | None) -> str:
    """Return the form that a file is to have by its ending; raises OlistError for one that nothing here writes."""
    ending = out.suffix.removeprefix(".").lower() if out else ""
    form = ENDINGS.get(ending, ending)
    if form not in FORMATS:
        raise OlistError(
            f"No report ends in .{ending}; name the file .html, .md, .csv, .json or .txt, or give --format."
        )
    return form


@contextmanager
def _progress() -> Iterator[Callable[[int], Callable[[], None]]]:
    """Show how many files are audited, where somebody looks on."""
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:

        def started(files: int) -> Callable[[], None]:
            task = bar.add_task("Auditing", total=files)
            return lambda: bar.advance(task)

        yield started
