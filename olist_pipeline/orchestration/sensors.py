"""Sensors: who looks at landing, quarantine, parity and failed runs while nobody does.

What belongs here: cursors, and what a look leads to: runs or alerts. What does not: comparing landing with what was
taken in (`changes`), delivering alerts (`alerts`), the guard of what is served (`cutover`).

A look is repeated when the daemon was killed before it could keep the cursor. So a request for a run has a run key
made of the cursor that it started from, which Dagster launches once, and an alert a key under which it arrives once.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from shlex import quote as shell_quote
from typing import Any

import dagster as dg
from pydantic import TypeAdapter

from olist_pipeline.alerts import Alert, send
from olist_pipeline.data_months import all_months
from olist_pipeline.errors import OlistError
from olist_pipeline.landing.fetched import fetch_landing
from olist_pipeline.landing.folder import readable_landing, state_of
from olist_pipeline.orchestration.changes import (
    Content,
    Request,
    affected_months,
    changed_parts,
    describe_changes,
    ingested_content,
    landing_content,
    plan,
    unfinished,
)
from olist_pipeline.orchestration.failures import failures_of_run
from olist_pipeline.orchestration.jobs import DUAL_RUN, keys_of
from olist_pipeline.orchestration.partitions import follow_data, know_months, knows_months, range_tags
from olist_pipeline.orchestration.resources import PipelineResource
from olist_pipeline.registry import CONTEXTS, LANDING
from olist_pipeline.settings import Settings
from olist_pipeline.stores.postgres import query
from olist_pipeline.validation.shares import Counted, stored_shares
from olist_pipeline.warehouse import WarehouseTable

AUTOMATION_IS_OFF = "Automation is off in this environment; OLIST_AUTOMATION=1 switches it on."
LANDING_QUEUE = {"olist/queue": "landing"}
"""The tag of runs that a change of landing asked for: one runs after the other, in the order of the changes."""

_OVERLAP = 200
"""So many results before the last seen are looked at again: a transaction may end after one that began later."""

Often = dict[str, Any]
"""How often a sensor looks, and whether it does at first: arguments of a sensor's decorator."""

Look = dict[str, list[Any] | None]
"""File -> its state (see `state_of`), None where it is missing."""


@dataclass
class LandingCursor:
    """What the landing sensor remembers.

    `look` is the last look, `settled` the last one that was dealt with; `content` is what was last asked for, and
    `number` counts the changes, so that a content that comes back is a change again.
    """

    look: Look = field(default_factory=dict)
    settled: Look = field(default_factory=dict)
    content: Content | None = None
    number: int = 0

    @classmethod
    def parse(cls, text: str | None) -> "LandingCursor":
        """Return the cursor that `text` says; a new one where there is none, or none of this version.

        A new one compares landing with what was taken in. Its run keys are none that were used before.
        """
        if not text:
            return cls()
        with suppress(ValueError):
            return TypeAdapter(cls).validate_json(text, strict=True)
        return cls(number=int(_digest(text)[:8], 16))

    def text(self) -> str:
        """Return the cursor as Dagster keeps it."""
        return json.dumps(asdict(self), sort_keys=True)


def sensors(settings: Settings, tables: tuple[WarehouseTable, ...]) -> list[dg.SensorDefinition]:
    """Return the sensors; they are switched on at first where the environment is automated."""
    status = dg.DefaultSensorStatus.RUNNING if settings.is_automated else dg.DefaultSensorStatus.STOPPED
    often = {"minimum_interval_seconds": settings.look_seconds, "default_status": status}
    return [
        _landing_sensor(tables, often),
        _result_sensor("quarantine_rate", "reconciliation", _quarantine_alerts, often),
        _result_sensor("parity_regression", "parity", _regression_alerts, often),
        _failure_sensor(often),
    ]


def look_at(settings: Settings) -> Look:
    """Return how the landing files look now."""
    return {table.file: state_of(settings.landing, table) for table in LANDING.values()}


def landing_tick(
    settings: Settings, tables: tuple[WarehouseTable, ...], cursor: LandingCursor, today: date
) -> tuple[list[tuple[str, Request]], LandingCursor, str]:
    """Return the requests that a look leads to, each with its run key, the next cursor, and what is to be said."""
    try:
        fetch_landing(settings)
    except OlistError as error:
        _tell(settings, "landing_unusable", _digest(str(error)), str(error), {"files": [str(error)]})
        return [], cursor, str(error)
    look = look_at(settings)
    if look == cursor.settled:
        return [], cursor, "Landing is as it was."
    if missing := [file for file, state in look.items() if state is None]:
        return [], replace(cursor, look=look), f"The upload is not complete: {', '.join(missing)} missing."
    if look != cursor.look:
        growing = ", ".join(file for file in look if look[file] != cursor.look.get(file))
        return [], replace(cursor, look=look), f"Waiting until {growing} looks the same twice."
    try:
        landing = readable_landing(settings, LANDING.values())
        problems = list(filter(None, (unfinished(landing, table) for table in LANDING.values())))
    except OlistError as error:
        problems = [str(error)]
    if problems:
        _tell(settings, "landing_unusable", _digest(look), " ".join(problems), {"files": problems})
        return [], replace(cursor, look=look), " ".join(problems)
    content = landing_content(landing, today, settings.outbox)
    if look_at(settings) != look:
        return [], replace(cursor, look=look_at(settings)), "Landing changed while it was read."
    before = ingested_content(settings) if cursor.content is None else cursor.content
    changed = changed_parts(before, content)
    if not changed:
        return [], LandingCursor(look, look, content, cursor.number), "The files were touched, not changed."
    months = all_months(settings)
    wanted = plan(affected_months(changed, tables, months)) if before else [Request(tuple(CONTEXTS), months)]
    start = _digest([cursor.number, content])
    keyed = [(f"landing-{cursor.number + 1}-{start}-{place}", request) for place, request in enumerate(wanted)]
    return keyed, LandingCursor(look, look, content, cursor.number + 1), f"Changed: {describe_changes(changed)}."


def _landing_sensor(tables: tuple[WarehouseTable, ...], often: Often) -> dg.SensorDefinition:
    @dg.sensor(
        name="landing",
        job_name=DUAL_RUN,
        **often,
        description="Runs the contexts and months that a change of landing touches, once the upload is complete.",
    )
    def landing(context: dg.SensorEvaluationContext, pipeline: PipelineResource) -> dg.SensorResult:
        settings = pipeline.settings
        if not settings.is_automated:
            return dg.SensorResult(skip_reason=AUTOMATION_IS_OFF)
        requests, cursor, said = landing_tick(settings, tables, LandingCursor.parse(context.cursor), date.today())
        context.log.info(said)
        if not requests:
            # After an upgrade or a restore nothing changes, and the UI would have no months until the night.
            if not knows_months(context.instance):
                with suppress(OlistError):
                    follow_data(context.instance, settings)
            return dg.SensorResult(skip_reason=said, cursor=cursor.text())
        assert context.repository_def is not None, "a sensor of this project looks at its own graph"
        graph = context.repository_def.asset_graph
        follow_data(context.instance, settings)
        for _, request in requests:
            if request.months:
                know_months(context.instance, request.months)
        runs = [_run_request(key, request, graph) for key, request in requests]
        return dg.SensorResult(run_requests=runs, cursor=cursor.text())

    return landing


def _run_request(key: str, request: Request, graph: Any) -> dg.RunRequest:
    return dg.RunRequest(
        run_key=key,
        job_name=DUAL_RUN,
        asset_selection=[
            *keys_of(request.contexts, graph, monthly=True, whole=not request.is_monthly_only),
            *keys_of(request.whole, graph, monthly=False, whole=True),
        ],
        asset_check_keys=[] if request.is_monthly_only else None,
        tags={
            **LANDING_QUEUE,
            "olist/contexts": ",".join([*request.contexts, *request.whole]),
            **(range_tags(request.months) if request.months else {}),
        },
    )


def _result_sensor(name: str, comparison: str, alerts_of: Any, often: Often) -> dg.SensorDefinition:
    """Return a sensor that looks at each stored result of a comparison once and sends the alerts it is worth."""

    @dg.sensor(name=name, **often, description=alerts_of.__doc__)
    def look(context: dg.SensorEvaluationContext, pipeline: PipelineResource) -> dg.SensorResult:
        settings = pipeline.settings
        if not settings.is_automated:
            return dg.SensorResult(skip_reason=AUTOMATION_IS_OFF)
        # In Dagster's UI anybody may write a cursor.
        kept = context.cursor or ""
        seen = int(kept) if kept.isdecimal() else 0
        results = query(pipeline.url, _RESULTS, {"comparison": comparison, "after": seen - _OVERLAP})
        alerts = [alert for result in results for alert in alerts_of(settings, pipeline.url, result)]
        for alert in alerts:
            send(settings, alert, wait=True)
        last = max([seen, *(result["result_id"] for result in results)])
        said = " ".join(alert.text for alert in alerts) or f"{last - seen} new results, nothing to tell."
        return dg.SensorResult(skip_reason=said, cursor=str(last))

    return look


_RESULTS = """
SELECT * FROM (
    SELECT result_id, context, table_name, verdict, is_green, report, run_id,
           lag(is_green) OVER (PARTITION BY context, table_name ORDER BY result_id) AS was_green
    FROM data_quality.parity_results WHERE comparison = %(comparison)s
) AS results
WHERE result_id > %(after)s ORDER BY result_id
"""


def _quarantine_alerts(settings: Settings, url: str, result: Mapping[str, Any]) -> Iterator[Alert]:
    """Alerts when quarantine holds a larger share of a table's landing rows than OLIST_QUARANTINE_LIMIT."""
    context, ledger = CONTEXTS.get(result["context"]), result["report"]
    tables = [table for table in context.tables if table.name == result["table_name"]] if context else []
    counted = [Counted(table, ledger.get("landing") or 0, ledger.get("quarantined") or 0) for table in tables]
    for share in stored_shares(url, counted, settings.cutover):
        text = f"{share.sentence()}: see `olist quarantine --table {share.table}`."
        yield _alert("quarantine_rate", result, text, f"olist quarantine --table {share.table}")


def _regression_alerts(settings: Settings, url: str, result: Mapping[str, Any]) -> Iterator[Alert]:
    """Alerts when the parity of a table turns from green to red."""
    if not result["is_green"] and result["was_green"] is not False:
        table = result["table_name"]
        command = f"olist parity {shell_quote(table)}"
        text = f"Parity of {table} ({result['context']}) is red: {result['verdict']}; see `{command}`."
        yield _alert("parity_regressed", result, text, command)


def _alert(kind: str, result: Mapping[str, Any], text: str, command: str) -> Alert:
    details = {name: result[name] for name in ("context", "table_name", "verdict", "run_id")}
    return Alert(kind, str(result["result_id"]), text, command=command, run_id=str(result["run_id"]), details=details)


def _failure_sensor(often: Often) -> dg.SensorDefinition:
    @dg.run_failure_sensor(
        name="run_failure",
        **often,
        description="Alerts for every run that failed, with the first step that did.",
    )
    def run_failure(context: dg.RunFailureSensorContext, pipeline: PipelineResource) -> dg.SkipReason | None:
        if not pipeline.settings.is_automated:
            return dg.SkipReason(AUTOMATION_IS_OFF)
        run = context.dagster_run
        failed = [event.step_key for event in context.get_step_failure_events()]
        where = f" in {failed[0]}" if failed else ""
        why = " ".join(failures_of_run(context.instance, run.run_id)) or _first_line(context.failure_event.message)
        text = f"The run {run.run_id[:8]} of {run.job_name} failed{where}: {why}"
        details = {"job": run.job_name, "run_id": run.run_id, "steps": failed, "tags": dict(run.tags)}
        # Whatever is mended by then, a run of everything takes in what is missing.
        alert = Alert("run_failed", run.run_id, text, command="olist run", run_id=run.run_id, details=details)
        send(pipeline.settings, alert, wait=True)
        return None

    return run_failure


def _tell(settings: Settings, kind: str, key: str, text: str, details: Mapping[str, Any]) -> None:
    send(settings, Alert(kind, key, text, command="olist status", details=details), wait=True)


def _digest(value: object) -> str:
    return hashlib.blake2b(json.dumps(value, sort_keys=True).encode(), digest_size=8).hexdigest()


def _first_line(text: str | None) -> str:
    return (text or "").strip().split("\n", 1)[0]
