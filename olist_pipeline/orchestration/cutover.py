"""Cutover and rollback from the Dagster UI, and the guard after every run.

What belongs here: jobs with their launchpad forms, and the sensor. What does not: acts, their gate and regressions
(`serving`).
"""

import dagster as dg
from pydantic import Field

from olist_pipeline.errors import OlistError
from olist_pipeline.orchestration.internals.executor import continuing_executor
from olist_pipeline.orchestration.resources import PipelineResource, clear_failures
from olist_pipeline.registry import CONTEXTS
from olist_pipeline.serving import journal, standby
from olist_pipeline.serving.gate import gated_cutover
from olist_pipeline.serving.guard import guard_now
from olist_pipeline.serving.rollback import rollback
from olist_pipeline.serving.switch import Switched

GUARD_SECONDS = 60
_NAMES = ", ".join(CONTEXTS)


class CutoverForm(dg.Config):
    """What the launchpad asks for before a cutover."""

    context: str = Field(description=f"The context to serve from the new pipeline: {_NAMES}.")
    by: str = Field(description="Who does it; it is kept in the history.")
    reason: str = Field(default="", description="Why; needed with force.")
    force: bool = Field(default=False, description="Overrule the gate; kept in the history with its objections.")


class RollbackForm(dg.Config):
    """What the launchpad asks for before a rollback."""

    context: str = Field(description=f"The context to serve from the old pipeline again: {_NAMES}.")
    by: str = Field(description="Who does it; it is kept in the history.")
    reason: str = Field(description="Why.")
    to: int | None = Field(default=None, description="Point to this kept release, whatever else it takes back.")


@dg.op(name="switch_to_new")
def _switch_to_new(context: dg.OpExecutionContext, config: CutoverForm, pipeline: PipelineResource) -> None:
    with clear_failures():
        done = gated_cutover(
            pipeline.settings, pipeline.url, config.context, by=config.by, reason=config.reason, force=config.force
        )
    _finish(context, pipeline, done)


@dg.op(name="switch_to_old")
def _switch_to_old(context: dg.OpExecutionContext, config: RollbackForm, pipeline: PipelineResource) -> None:
    with clear_failures():
        done = rollback(pipeline.settings, config.context, by=config.by, reason=config.reason, to=config.to)
    _finish(context, pipeline, done)


def _finish(context: dg.OpExecutionContext, pipeline: PipelineResource, done: Switched) -> None:
    serving = pipeline.settings.serving
    try:
        journal.bring_to_database(serving, pipeline.url)
    except OlistError as error:
        context.log.warning(f"Kept in the journal, and brought to PostgreSQL by whoever finds it up next: {error}")
    standby.prepare(serving)
    context.add_output_metadata({"act": dg.MetadataValue.json(done.to_dict())})


@dg.job(name="cutover", executor_def=continuing_executor)
def cutover_job() -> None:
    """Serve a context from the new pipeline. Refused, with everything that is missing, while the gate is closed."""
    _switch_to_new()


@dg.job(name="rollback", executor_def=continuing_executor)
def rollback_job() -> None:
    """Serve a context from the old pipeline again, in a moment."""
    _switch_to_old()


def guard_sensor(is_automated: bool) -> dg.SensorDefinition:
    """Return the sensor that runs the guard, running from the start where automation is on."""

    @dg.sensor(
        name="guard",
        minimum_interval_seconds=GUARD_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING if is_automated else dg.DefaultSensorStatus.STOPPED,
        description="Rolls back and blocks a context whose parity, reconciliation, freshness or queries got worse.",
    )
    def sensor(pipeline: PipelineResource) -> dg.SkipReason:
        with clear_failures():
            guarded = guard_now(pipeline.settings, pipeline.url)
            if guarded.problems:
                raise OlistError(" ".join(guarded.problems))
        said = "; ".join(f"{context} was rolled back" for context in guarded.rolled_back)
        return dg.SkipReason(said or "Nothing that is served from new has regressed.")

    return sensor
