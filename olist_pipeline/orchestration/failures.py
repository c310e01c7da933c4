"""Failures: what stopped a run, in the words of the checks and steps that did.

What belongs here: from the events of a run to its sentences, for whoever tells of a run (the command line, `olist
status`, alerts). What does not: the sentence of a check, which is its description and made with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import dagster as dg
from dagster import DagsterEventType as Kind

from olist_pipeline.dbt_process import CALLS, KILLED, WAS_KILLED, without_colours
from olist_pipeline.errors import OlistError
from olist_pipeline.files import remedy_for
from olist_pipeline.troubles import NO_MEMORY, place_among

TELLING = {Kind.STEP_FAILURE, Kind.ASSET_CHECK_EVALUATION, Kind.RUN_FAILURE, Kind.RUN_CANCELED}
"""The kinds of events that `failures_of` reads."""

_ENDED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
_CHECK_FAILED = "DagsterAssetCheckFailedError"
"""The name of the error with which Dagster ends a step of checks: it is not exported."""

_DBT_ERRORS = "Errors parsed from dbt logs:"
_NO_REASON = re.compile(
    r"Failure in (test|model|seed|snapshot)|Got \d+ results?|compiled code at|\d+ of \d+ (ERROR|FAIL)|"
    r"Encountered an error:$|Please ensure the name, data_type, and|^\| -"
)
"""Lines of dbt on tests, whose checks say it better, and lines that say of an error no more than another does."""
_DBT_ENDED = re.compile(r"The dbt CLI process .*failed with exit code `(-?\d+)`", re.DOTALL)
"""What dagster-dbt says of an invocation, and how it goes on where dbt logged no error."""
_BY_DUCKDB = "RuntimeError: Query interrupted"
"""What DuckDB raises in the place of what the handler of a signal has raised."""
_CHECKS_TWICE = "duplicate AssetCheckPlanned events"
"""What Dagster says of a check that it has noted again: it could not tell whether it had, for the server was gone."""
_LOG = "(more in logs/run.log below OLIST_HOME)"
_NAMES = re.compile(r"^(?:[\w.]*(?:Error|Exception): )*(?:\[Errno \d+\] )?")
"""The names of Python and of the system for what is known and can be mended."""

SHOWN = 4
"""So many of dbt's errors are shown."""


def failures_of(events: Iterable[dg.DagsterEvent]) -> list[str]:
    """Return what stopped a run, a sentence each: its checks, then its steps; none where nothing did."""
    happened = [event for event in events if event.event_type in TELLING]
    found = [_of_check(event) for event in happened if event.event_type is Kind.ASSET_CHECK_EVALUATION]
    found += [_of_step(event) for event in happened if event.event_type is Kind.STEP_FAILURE]
    ends = [_of_end(event) for event in happened if event.event_type in (Kind.RUN_FAILURE, Kind.RUN_CANCELED)]
    return list(dict.fromkeys(filter(None, found))) or ends[-1:]


def failures_of_run(instance: dg.DagsterInstance, run_id: str) -> list[str]:
    """Return what stopped a run that `instance` knows, as `failures_of` does."""
    logged = instance.all_logs(run_id, of_type=TELLING)
    return failures_of(entry.get_dagster_event() for entry in logged if entry.is_dagster_event)


def is_of_interrupt(error: Any) -> bool:
    """Return whether the error of a step came of an interrupt, which Dagster alone would not know of DuckDB's."""
    message = str(error.message).strip() if error else ""
    kind = message.partition(": ")[0]
    of_it = message == _BY_DUCKDB or kind.endswith(dg.DagsterExecutionInterruptedError.__name__)
    return of_it or bool(error and is_of_interrupt(error.cause))


def last_failure(instance: dg.DagsterInstance, jobs: Sequence[str]) -> tuple[str, list[str]]:
    """Return the id of the last run of `jobs` that has ended, and what stopped it; no id where none has."""
    runs = [run for job in jobs for run in instance.get_run_records(dg.RunsFilter(job_name=job, statuses=_ENDED), 1)]
    if not runs:
        return "", []
    last = max(runs, key=lambda run: run.storage_id).dagster_run
    return last.run_id, failures_of_run(instance, last.run_id)


def _of_check(event: dg.DagsterEvent) -> str:
    check = event.asset_check_evaluation_data
    if check.passed or check.severity is not dg.AssetCheckSeverity.ERROR:
        return ""
    said = (check.description or "failed").strip().rstrip(".")
    return f"The check {check.check_name} of {check.asset_key.to_user_string()}: {said}."


def _of_step(event: dg.DagsterEvent) -> str:
    data = event.step_failure_data
    error = data.error
    if error and error.cls_name == _CHECK_FAILED:
        return ""  # its checks have said it
    message = data.user_failure_data.description if data.user_failure_data else None
    if message is None:
        return _of_error(event.step_key, error)
    if _DBT_ERRORS in message:
        return _of_dbt(message)
    if ended := _DBT_ENDED.match(message):
        code = int(ended[1])
        how = WAS_KILLED if code in KILLED else f"it ended before it was done, with exit code {code}; run again"
        return f"dbt failed in the step {event.step_key}: {how} {_LOG}."
    return message.replace(NO_MEMORY.format("this"), NO_MEMORY.format(f"the step {event.step_key}"))


def _of_end(event: dg.DagsterEvent) -> str:
    """Return what ended a run: the sentence of what was raised beside its steps, else Dagster's own."""
    # Of a run that was killed a later one says that it has failed, and knows no more.
    data = event.job_failure_data if event.event_type is Kind.RUN_FAILURE else None
    error = data.error if data else None
    return _sentence_within(error) or str(event.message)


def _of_dbt(message: str) -> str:
    """Return dbt's own first errors: the models, and what is wrong with them."""
    said = without_colours(message.partition(_DBT_ERRORS)[2].partition(CALLS)[0])
    reasons = [line for line in map(str.strip, said.splitlines()) if line and not _NO_REASON.search(line)]
    shown = "; ".join(reasons[:SHOWN])
    return f"dbt failed: {shown}{_what_to_do(shown)} {_LOG}." if reasons else ""


def _of_error(step: str | None, error: Any) -> str:
    """Return the innermost message of a failed step without its traceback, or the sentence that is on the way to it."""
    if sentence := _sentence_within(error):
        return sentence
    if is_of_interrupt(error):
        return "The run was interrupted: what was finished is kept, the rest is made by the same command again."
    kind, said, place = "", str(error), ""
    while error:
        kind, _, said = str(error.message).strip().partition(": ")
        place = place_among(error.stack) or place
        error = error.cause
    if _CHECKS_TWICE in said:
        return "PostgreSQL was lost for a moment as the run began, and Dagster noted its checks twice; run again."
    words = ": ".join(filter(None, (kind, said))).splitlines()[0].rstrip(".")
    if remedy := _what_to_do(words):
        return f"The step {step} failed: {_NAMES.sub('', words)}{remedy}."
    where = f" ({place})" if place else ""
    return f"The step {step} failed: {words}{where}."


def _sentence_within(error: Any) -> str:
    """Return the sentence of the first error of ours among an error and what it came from; '' where there is none."""
    while error:
        kind, _, said = str(error.message).strip().partition(": ")
        if kind.endswith(OlistError.__name__):
            return said
        error = error.cause
    return ""


def _what_to_do(said: str) -> str:
    remedy = remedy_for(said)
    return f"; {remedy} and run again" if remedy else ""
