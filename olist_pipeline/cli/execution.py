"""Executions: a job run in this process, with its steps on the console as they start and end.

What belongs here: showing a run, and what was seen of it. What does not: which job is run, and the summary.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from olist_pipeline.cli.interrupts import Interrupted, received
from olist_pipeline.cli.loading import loading
from olist_pipeline.errors import OlistError
from olist_pipeline.months import MonthRange
from olist_pipeline.orchestration.failures import failures_of
from olist_pipeline.orchestration.instance import execute, fail_killed_runs, quiet_instance, sole_run
from olist_pipeline.serving.guard import Guarded
from olist_pipeline.settings import Settings

if TYPE_CHECKING:
    import dagster as dg


@dataclass
class Progressed:
    """What was seen of a run: seconds a step, what stopped it (a sentence each), and what the guard did after it."""

    run_ids: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    guarded: Guarded = field(default_factory=Guarded)

    def failures(self) -> list[str]:
        """Return everything that failed, a sentence each, and what the guard had to do or could not."""
        rolled_back = (f"The guard rolled {context} back to old." for context in self.guarded.rolled_back)
        return [*self.problems, *rolled_back, *self.guarded.problems]

    def raise_failure(self) -> None:
        """Raise OlistError with all of `failures`, if there are any."""
        if failures := self.failures():
            raise OlistError(" ".join(failures))


@dataclass(frozen=True)
class Planned:
    """A job to run over `months`; where `is_monthly_only` is set, its monthly tables alone, without checks.

    `tags` are those of its run, such as `COMPARED_WHOLE` and `FORCED` (`orchestration.partitions`).
    """

    job: str
    months: MonthRange
    tags: Mapping[str, str] = field(default_factory=dict)
    is_monthly_only: bool = False


_BLOCKED = "blocked by limit for pool"
"""What Dagster says, again and again, of a step that waits for its pool."""


def run_jobs(settings: Settings, console: Console, plan: Sequence[Planned]) -> Progressed:
    """Run jobs one after the other in this process, until one fails, and show their steps as they start and end."""
    seen = Progressed()
    with _progress(console) as progress:
        bar = progress.add_task("loading the asset graph", total=None)
        # dbt's manifest and the graph take seconds to load: only now, so that a wrong file is reported at once.
        with loading():
            from olist_pipeline.orchestration.definitions import build_defs
            from olist_pipeline.orchestration.jobs import monthly_part

            definitions = build_defs(settings)
            jobs = [definitions.resolve_job_def(planned.job) for planned in plan]
            jobs = [monthly_part(job) if one.is_monthly_only else job for job, one in zip(jobs, plan, strict=True)]
        progress.update(bar, total=sum(len(job.nodes) for job in jobs))
        with sole_run(settings), _output_to_log(settings), quiet_instance(settings) as instance:
            fail_killed_runs(instance)
            for job, planned in zip(jobs, plan, strict=True):
                run_id, happened = execute(instance, job, planned.months, planned.tags)
                seen.run_ids.append(run_id)
                seen.problems = failures_of(_shown(happened, seen, progress, bar))
                if received():
                    raise Interrupted
                if seen.problems:
                    break
    return seen


def _shown(
    happened: Iterator[dg.DagsterEvent], seen: Progressed, progress: Progress, bar: TaskID
) -> Iterator[dg.DagsterEvent]:
    for event in happened:
        _show(event, seen, progress, bar)
        yield event


def _show(event: dg.DagsterEvent, seen: Progressed, progress: Progress, bar: TaskID) -> None:
    from dagster import DagsterEventType as Kind

    step = str(event.step_key)
    if event.event_type is Kind.STEP_START:
        progress.update(bar, description=step)
    elif event.event_type is Kind.STEP_SUCCESS:
        seen.seconds[step] = event.step_success_data.duration_ms / 1000
        progress.console.print(f"  [green]done[/green]    {step:<40} {seen.seconds[step]:6.1f} s", highlight=False)
        progress.advance(bar)
    elif event.event_type is Kind.ENGINE_EVENT and _BLOCKED in str(event.message):
        progress.console.print(f"  waits   {step:<40} for another run", highlight=False)
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
