"""Jobs: the three stages of the pipeline.

What belongs here: which assets and checks run together. What does not: when they run.

The stages are jobs of their own because a Dagster run has either partitions or none: in a mixed run every
unpartitioned asset and check would be planned once a month. Within a stage one process does all: at this
size, starting processes would take most of the time.
"""

from __future__ import annotations

import dagster as dg

from olist_pipeline.contexts import CONTEXTS
from olist_pipeline.orchestration.validation import staging_key
from olist_pipeline.warehouse import NEW, OLD, REPLAY

INTAKE, VALIDATE, RELEASE = "intake", "validate", "release"
STAGES = (INTAKE, VALIDATE, RELEASE)
"""The stages, in the order in which they run."""


def pipeline_jobs() -> list[dg.UnresolvedAssetJobDefinition]:
    """Return a job for each stage."""
    staging = dg.AssetSelection.assets(
        *(staging_key(context.name, table.name) for context in CONTEXTS.values() for table in context.tables)
    )
    return [
        _job(
            INTAKE,
            dg.AssetSelection.key_prefixes("intake", OLD),
            "Landing to typed rows, and the old pipeline beside it.",
        ),
        _job(VALIDATE, staging.without_checks(), "Typed rows to accepted and quarantined ones, by month."),
        _job(
            RELEASE,
            dg.AssetSelection.key_prefixes(REPLAY, NEW, "serving")
            | dg.AssetSelection.checks_for_assets(
                *(staging_key(context.name, table.name) for context in CONTEXTS.values() for table in context.tables)
            ),
            "Conservation, the new tables, their parity with the old ones, and the next release.",
        ),
    ]


def _job(name: str, selection: dg.AssetSelection, description: str) -> dg.UnresolvedAssetJobDefinition:
    return dg.define_asset_job(name, selection=selection, executor_def=dg.in_process_executor, description=description)
