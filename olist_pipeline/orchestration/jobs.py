"""Jobs: the stages of the pipeline.

What belongs here: which assets and checks run together. What does not: when they run.

The stages are jobs of their own because a Dagster run has either partitions or none: in a mixed run every
unpartitioned asset and check would be planned once a month. So validation is a stage after another, by turns of
what is judged by month and what as a whole. Within a stage one process does all: at this
size, starting processes would take most of the time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import dagster as dg

from olist_pipeline.orchestration.validation import staging_key
from olist_pipeline.registry import STEPS
from olist_pipeline.validation.context import Step
from olist_pipeline.warehouse import NEW, OLD, REPLAY

INTAKE, RELEASE = "intake", "release"


def stages(steps: Sequence[Step]) -> list[list[Step]]:
    """Return validation steps in the order in which they can run, together those of one kind: monthly, or not.

    A step can run once the steps are done that publish what it reads. Raises ValueError for steps that wait
    for each other, or for a table that none publishes.
    """
    waiting, done, ordered = list(steps), set[str](), list[list[Step]]()
    while waiting:
        monthly = _runnable([step for step in waiting if step.is_monthly], done)
        together = monthly or _runnable([step for step in waiting if not step.is_monthly], done)
        if not together:
            names = ", ".join(step.name for step in waiting)
            raise ValueError(f"No validation step of {names} can run: they read what none publishes before them")
        ordered.append(together)
        done |= _published(together)
        waiting = [step for step in waiting if step not in together]
    return ordered


def _runnable(steps: Sequence[Step], done: set[str]) -> list[Step]:
    """Return those of `steps` that read nothing but what is done, or what others of them publish."""
    runnable = list(steps)
    while True:
        at_hand = done | _published(runnable)
        kept = [step for step in runnable if set(step.published) <= at_hand]
        if len(kept) == len(runnable):
            return kept
        runnable = kept


def _published(steps: Iterable[Step]) -> set[str]:
    return {f"{table.context}/{table.name}" for step in steps for table in step.tables}


VALIDATION_STAGES = {f"validate_{number}": stage for number, stage in enumerate(stages(STEPS), start=1)}
STAGES = (INTAKE, *VALIDATION_STAGES, RELEASE)
"""The stages, in the order in which they run."""


def pipeline_jobs() -> list[dg.UnresolvedAssetJobDefinition]:
    """Return a job for each stage."""
    staging = [staging_key(table.context, table.name) for step in STEPS for table in step.tables]
    return [
        _job(
            INTAKE,
            dg.AssetSelection.key_prefixes("intake", OLD),
            "Landing to typed rows, and the old pipeline beside it.",
        ),
        *(_validation_job(name, steps) for name, steps in VALIDATION_STAGES.items()),
        _job(
            RELEASE,
            dg.AssetSelection.key_prefixes(REPLAY, NEW, "serving") | dg.AssetSelection.checks_for_assets(*staging),
            "Conservation, the new tables, their parity with the old ones, and the next release.",
        ),
    ]


def _validation_job(name: str, steps: Sequence[Step]) -> dg.UnresolvedAssetJobDefinition:
    made = dg.AssetSelection.assets(
        *(staging_key(table.context, table.name) for step in steps for table in step.tables)
    )
    how = "by month" if steps[0].is_monthly else "as a whole"
    names = ", ".join(step.name for step in steps)
    return _job(name, made.without_checks(), f"Typed rows to accepted and quarantined ones, {how}: {names}.")


def _job(name: str, selection: dg.AssetSelection, description: str) -> dg.UnresolvedAssetJobDefinition:
    return dg.define_asset_job(name, selection=selection, executor_def=dg.in_process_executor, description=description)
