"""Jobs: what can be run as one thing: a context, both pipelines, or everything anew.

What belongs here: which assets and checks run together. What does not: when they run (`schedules`, `sensors`).

A job runs over a range of months: monthly tables are made for those months, in one run; everything else as a whole.
One process does all: at this size, starting processes would take most of the time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import dagster as dg

from olist_pipeline.orchestration.dbt_build import FULL_REFRESH
from olist_pipeline.orchestration.intake import intake_key
from olist_pipeline.orchestration.internals.executor import continuing_executor
from olist_pipeline.orchestration.partitions import FORCED
from olist_pipeline.registry import CONTEXTS, LANDING
from olist_pipeline.validation.context import Context

DUAL_RUN, FULL_REFRESH_JOB, FRESHNESS = "dual_run", "full_refresh", "freshness"


def all_job_names() -> list[str]:
    """Return the names of the jobs that make tables: those of the contexts and of the whole graph."""
    return [*map(job_name, CONTEXTS), DUAL_RUN, FULL_REFRESH_JOB]


def job_name(context: str) -> str:
    """Return the name of a context's job."""
    return f"{context}_job"


def pipeline_jobs(standing: Sequence[dg.AssetChecksDefinition]) -> list[dg.UnresolvedAssetJobDefinition]:
    """Return the job of each context, those of the whole graph, and that of the `standing` checks."""
    return [
        *map(_context_job, CONTEXTS.values()),
        _job(
            DUAL_RUN,
            dg.AssetSelection.all(),
            "Both pipelines side by side: intake and validation, old, replay and new, the proofs, the next release.",
        ),
        _job(
            FULL_REFRESH_JOB,
            dg.AssetSelection.all(),
            "The same as dual_run, with every monthly table built anew as a whole.",
            {FULL_REFRESH: "true", **FORCED},
        ),
        _job(
            FRESHNESS,
            dg.AssetSelection.checks(*standing),
            "The standing checks: whether tables are fresh, and whether a month is missing or failed.",
        ),
    ]


def context_selection(moved: Context) -> dg.AssetSelection:
    """Return all that belongs to a context: its intake, staging, old, replay and new tables."""
    own_intake = [intake_key(table.name) for table in moved.landing]
    return dg.AssetSelection.groups(moved.name) | dg.AssetSelection.assets(*own_intake)


def keys_of(contexts: Iterable[str], graph: Any, *, monthly: bool, whole: bool) -> list[dg.AssetKey]:
    """Return the assets of `contexts` in Dagster's asset graph: by month, with their intake; as a whole; or both."""
    keys = {key for name in contexts for key in context_selection(CONTEXTS[name]).resolve(graph)}
    wanted = _of_months(keys, graph) if monthly else set()
    if whole:
        wanted |= {key for key in keys if not graph.get(key).is_partitioned}
    return sorted(wanted)


def monthly_part(job: dg.JobDefinition) -> dg.JobDefinition:
    """Return the part of a job that takes in its files and makes monthly tables of them.

    It has no checks: more months are to come before the proofs.
    """
    keys = _of_months(job.asset_layer.selected_asset_keys, job.asset_layer.asset_graph)
    return job.get_subset(asset_selection=keys, asset_check_selection=set())


def _of_months(keys: Iterable[dg.AssetKey], graph: Any) -> set[dg.AssetKey]:
    """Return those of `keys` that are by month, with their intake: without it they would be made of older files."""
    intake = {intake_key(table) for table in LANDING}
    return {key for key in keys if key in intake or graph.get(key).is_partitioned}


def _context_job(moved: Context) -> dg.UnresolvedAssetJobDefinition:
    files = ", ".join(table.name for table in moved.landing)
    what = f"The {moved.name} context, old and new: intake of {files}, validation, its tables and their proofs."
    return _job(job_name(moved.name), context_selection(moved), what, {"olist/context": moved.name})


def _job(
    name: str, selection: dg.AssetSelection, description: str, tags: dict[str, str] | None = None
) -> dg.UnresolvedAssetJobDefinition:
    return dg.define_asset_job(
        name, selection=selection, executor_def=continuing_executor, description=description, tags=tags
    )
