"""`olist run`: the whole graph, with progress and a summary.

What belongs here: what happens before, during and after the run as a person sees it. What does not: the
work, which Dagster runs; and how the summary is made (`summary`).
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from olist_pipeline.cli.output import print_json
from olist_pipeline.cli.summary import print_summary, summarise
from olist_pipeline.errors import OlistError
from olist_pipeline.fingerprint import landing_hashes, run_fingerprint
from olist_pipeline.intake.span import purchase_span
from olist_pipeline.landing.csv_file import path_of, read_text
from olist_pipeline.months import MonthRange
from olist_pipeline.orchestration.instance import bury_killed_runs, execute, prepare, quiet_instance, sole_run
from olist_pipeline.orchestration.jobs import STAGES
from olist_pipeline.registry import CONTEXTS, LANDING
from olist_pipeline.serving import journal
from olist_pipeline.serving.guard import guard
from olist_pipeline.serving.release import current_release
from olist_pipeline.serving.routing import is_of_these_routes
from olist_pipeline.settings import Settings
from olist_pipeline.staging import staged_months
from olist_pipeline.stores.postgres import flush
from olist_pipeline.synthetic import generate

if TYPE_CHECKING:
    import dagster as dg

_COUNTED = re.compile(r"\d+ of \d+ ERROR")
"""A line of dbt that counts an error without saying what is wrong."""

SYNTHETIC_ORDERS = 10_000
SYNTHETIC_SEED = 42


@dataclass
class Progressed:
    """What was seen of a run: seconds a step, the first failure, and asset checks that failed."""

    run_ids: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    failure: str = ""
    failed_checks: list[str] = field(default_factory=list)


@click.command()
@click.option("--force", is_flag=True, help="Run even when nothing has changed since the last release.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def run(force: bool, as_json: bool) -> None:
    """Run everything: landing, validation, old beside new, their comparison, and the next release."""
    settings = Settings.from_env()
    console = Console(file=sys.stderr if as_json else sys.stdout)
    _fill_empty_landing(settings, console)
    check_landing(settings)
    console.print(f"[bold]olist run[/bold]  landing {settings.landing}  home {settings.home}")
    url = prepare(settings)
    if not force and _is_up_to_date(settings, url):
        release = current_release(settings.serving)
        assert release is not None
        if as_json:
            print_json({"changed": False, "release": release.number, "as_of": release.as_of})
        else:
            console.print(
                f"Nothing has changed since release {release.number} (as of {release.as_of}). --force runs anyway."
            )
        return
    seen = _execute(settings, console)
    rolled_back = guard(settings, url, datetime.now(UTC))
    flush(url)
    summary = summarise(settings, url, seen.run_ids, seen.seconds)
    if as_json:
        print_json({"changed": True, **summary})
    else:
        print_summary(console, summary)
    if seen.failure or seen.failed_checks or rolled_back:
        problems = [seen.failure, *(f"The check {name} failed." for name in seen.failed_checks)]
        problems += [f"{change.context} was rolled back to old." for act in rolled_back for change in act.act.changes]
        raise OlistError(" ".join(problem for problem in problems if problem))


def check_landing(settings: Settings) -> None:
    """Raise OlistError for the first landing file that cannot be read, before anything is run."""
    for table in LANDING.values():
        read_text(path_of(settings.landing, table), table)


def _fill_empty_landing(settings: Settings, console: Console) -> None:
    """Generate a synthetic set where landing is empty; a folder of a person's that is not there is a mistake.

    A generator that was killed leaves its hidden folder behind: what it had put in place is not complete.
    """
    may_make = settings.has_own_landing and not settings.landing.exists()
    is_empty = settings.landing.is_dir() and not any(settings.landing.iterdir())
    leftovers = list(settings.landing.glob(".generating-*"))
    if not (may_make or is_empty or leftovers):
        return
    for leftover in leftovers:
        shutil.rmtree(leftover, ignore_errors=True)
    console.print(
        f"Landing is empty: generating {SYNTHETIC_ORDERS:,} synthetic orders (OLIST_DATA_DIR takes real ones)."
    )
    try:
        generate(settings.landing, orders=SYNTHETIC_ORDERS, seed=SYNTHETIC_SEED)
    except ValueError as error:
        raise OlistError(str(error)) from error


def _is_up_to_date(settings: Settings, url: str) -> bool:
    """Return whether the current release was made of the present landing, code and routes."""
    release = current_release(settings.serving)
    if release is None:
        return False
    if release.fingerprint != run_fingerprint(settings, landing_hashes(settings)):
        return False
    return is_of_these_routes(release, journal.recorded_routes(settings.serving, url, CONTEXTS))


def _months(settings: Settings) -> MonthRange:
    """Return the months of landing and of staging: a month that left landing is emptied in staging."""
    first, last = purchase_span(settings.landing, MonthRange.until(date.today()))
    months = {first.date().replace(day=1), last.date().replace(day=1)}
    for context in CONTEXTS.values():
        for table in context.tables:
            months.update(staged_months(settings.staging, context.name, table.name))
    return MonthRange(min(months), max(months))


def _execute(settings: Settings, console: Console) -> Progressed:
    """Run the job in this process and show its steps as they start and end."""
    months = _months(settings)
    seen = Progressed()
    with _progress(console) as progress:
        bar = progress.add_task("loading the asset graph", total=None)
        # dbt's manifest and the graph take seconds to load: only now, so that a wrong file is told at once.
        from olist_pipeline.orchestration.definitions import build_defs

        definitions = build_defs(settings)
        jobs = [definitions.resolve_job_def(stage) for stage in STAGES]
        progress.update(bar, total=sum(len(job.nodes) for job in jobs))
        with sole_run(settings), _output_to_log(settings), quiet_instance(settings) as instance:
            bury_killed_runs(instance)
            for job in jobs:
                run_id, happened = execute(instance, job, months)
                seen.run_ids.append(run_id)
                for event in happened:
                    _see(event, seen)
                    _show(event, seen, progress, bar)
                if seen.failure or seen.failed_checks:
                    break
    return seen


def _see(event: dg.DagsterEvent, seen: Progressed) -> None:
    from dagster import DagsterEventType as Kind

    match event.event_type:
        case Kind.STEP_SUCCESS:
            seen.seconds[str(event.step_key)] = event.step_success_data.duration_ms / 1000
        case Kind.STEP_FAILURE if not seen.failure:
            data = event.step_failure_data
            cause = data.user_failure_data.description if data.user_failure_data else None
            seen.failure = (
                _one_sentence(cause) if cause else f"The step {event.step_key} failed: {_last_words(data.error)}"
            )
        case Kind.ASSET_CHECK_EVALUATION:
            check = event.asset_check_evaluation_data
            if not check.passed and check.severity.value == "ERROR":
                seen.failed_checks.append(f"{check.check_name} of {check.asset_key.to_user_string()}")
        case Kind.RUN_FAILURE if not seen.failure and not seen.failed_checks:
            seen.failure = str(event.message)


def _one_sentence(cause: str) -> str:
    """Return a failure's description, of dbt's the first error alone: its model and what is wrong with it."""
    _, marker, errors = cause.partition("Errors parsed from dbt logs:")
    if not marker:
        return cause
    lines = [line.strip() for line in errors.splitlines()]
    reasons = [line for line in lines if line and not _COUNTED.match(line)]
    return f"dbt failed: {'; '.join(reasons[:3])} (more in logs/run.log below OLIST_HOME)."


def _last_words(error: object) -> str:
    """Return the innermost message of a failed step, without its traceback."""
    cause = error
    while getattr(cause, "cause", None):
        cause = cause.cause  # type: ignore[attr-defined]
    return str(getattr(cause, "message", cause)).strip().splitlines()[0]


def _show(event: dg.DagsterEvent, seen: Progressed, progress: Progress, bar: object) -> None:
    from dagster import DagsterEventType as Kind

    step = str(event.step_key)
    if event.event_type is Kind.STEP_START:
        progress.update(bar, description=step)  # type: ignore[arg-type]
    elif event.event_type is Kind.STEP_SUCCESS:
        progress.console.print(f"  [green]done[/green]    {step:<40} {seen.seconds[step]:6.1f} s", highlight=False)
        progress.advance(bar)  # type: ignore[arg-type]
    elif event.event_type is Kind.STEP_FAILURE:
        progress.console.print(f"  [red]failed[/red]  {step}", highlight=False)


def _progress(console: Console) -> Progress:
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True, redirect_stdout=False, redirect_stderr=False)


@contextmanager
def _output_to_log(settings: Settings) -> Iterator[None]:
    """Send what dbt and Dagster print to `$OLIST_HOME/logs/run.log`; the console keeps its own stream."""
    log = settings.home / "logs" / "run.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w", encoding="utf-8") as file, redirect_stdout(file), redirect_stderr(file):
        yield
