"""Validation assets: one step a context, an asset a table, a partition a month.

What belongs here: wrapping the validation step. What does not: the step itself (`steps`).
"""

from collections.abc import Iterator

import dagster as dg

from olist_pipeline.contexts import CONTEXTS, Context
from olist_pipeline.orchestration.intake import intake_key
from olist_pipeline.orchestration.partitions import MONTHS, describe, months_of
from olist_pipeline.orchestration.resources import PipelineResource, clear_failures
from olist_pipeline.steps import run_validation


def staging_key(context: str, table: str) -> dg.AssetKey:
    """Return the asset key of a context's accepted rows of a table."""
    return dg.AssetKey([context, table])


def validation_assets() -> list[dg.AssetsDefinition]:
    """Return the validation steps of all registered contexts."""
    return [_validation_step(context) for context in CONTEXTS.values()]


def _validation_step(moved: Context) -> dg.AssetsDefinition:
    inputs = [intake_key(table.name) for table in moved.tables]

    @dg.multi_asset(
        name=f"validate_{moved.name}",
        specs=[
            dg.AssetSpec(
                staging_key(moved.name, table.name),
                deps=inputs,
                group_name=moved.name,
                kinds={"polars", "parquet"},
                description=(
                    f"Accepted rows of {table.name} with their derived attributes. Rows that break a rejecting "
                    "rule go to quarantine, with every rule that they break."
                ),
            )
            for table in moved.tables
        ],
        partitions_def=MONTHS,
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def validate(context: dg.AssetExecutionContext, pipeline: PipelineResource) -> Iterator[dg.MaterializeResult]:  # type: ignore[type-arg]
        months = months_of(context.partition_keys)
        with clear_failures():
            report = run_validation(pipeline.settings, pipeline.url, moved, months, context.run_id)
        context.log.info(f"{moved.name}, {describe(months)}: {report.events:,} new events")
        for name, table in report.tables.items():
            yield dg.MaterializeResult(
                asset_key=staging_key(moved.name, name),
                metadata={
                    "accepted": table.accepted,
                    "quarantined": table.quarantined,
                    "quarantined_by_rule": dg.MetadataValue.json(table.rules),
                    "flagged_by_rule": dg.MetadataValue.json(table.flags),
                    "events": report.events,
                    "months": describe(months),
                },
            )

    return validate
