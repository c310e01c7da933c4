"""Validation assets: an asset a staged table, made by the steps of the contexts; monthly tables by month.

What belongs here: wrapping the validation step. What does not: the step itself (`steps`).
"""

from collections.abc import Iterator, Mapping

import dagster as dg

from olist_pipeline.orchestration.intake import intake_key
from olist_pipeline.orchestration.partitions import MONTHS, describe, is_forced, months_of
from olist_pipeline.orchestration.resources import PipelineResource, clear_failures
from olist_pipeline.registry import DATED, STEPS
from olist_pipeline.steps import run_validation
from olist_pipeline.validation.context import Imported, ValidationStep
from olist_pipeline.validation.table import StagedTable


def staging_key(context: str, table: str) -> dg.AssetKey:
    """Return the asset key of a context's accepted rows of a table."""
    return dg.AssetKey([context, table])


def asset_key(declared: str) -> dg.AssetKey:
    """Return the asset key of what a step declares to read: an intake table, or `context/table`."""
    context, _, table = declared.rpartition("/")
    return staging_key(context, table) if context else intake_key(table)


def validation_assets() -> list[dg.AssetsDefinition]:
    """Return the validation steps of all registered contexts."""
    return [_validation_step(step) for step in STEPS]


def step_name(step: ValidationStep) -> str:
    """Return the name of a validation step in Dagster.

    Dagster takes the partitions of a run from the last of its asset steps by name; where that one has any, it plans
    every check of the run, and every whole table, once a month. So monthly steps have names that come early.
    """
    return f"by_month__validate_{step.name}" if step.is_monthly else f"validate_{step.name}"


def _validation_step(step: ValidationStep) -> dg.AssetsDefinition:
    for function in (step.validate, step.overview):
        if isinstance(function, Imported):
            function.load()  # one that is not there is said before anything runs

    @dg.multi_asset(
        name=step_name(step),
        specs=[_spec(table, step) for table in step.tables],
        partitions_def=MONTHS if step.is_monthly else None,
        backfill_policy=dg.BackfillPolicy.single_run() if step.is_monthly else None,
    )
    def validate(context: dg.AssetExecutionContext, pipeline: PipelineResource) -> Iterator[dg.MaterializeResult]:  # type: ignore[type-arg]
        with clear_failures():
            months = months_of(context.partition_keys) if step.is_monthly else None
            settings, url, forced = pipeline.settings, pipeline.url, is_forced(context.run.tags)
            report = run_validation(settings, url, step, months, context.run_id, DATED, is_forced=forced)
        validated = "all months" if months is None else describe(months)
        context.log.info(f"{step.name}, {validated}: {report.events:,} new events")
        if report.place:
            context.instance.add_run_tags(context.run_id, {f"olist/{key}": text for key, text in report.place.items()})
        for table in step.tables:
            counts = report.tables[table.name]
            yield dg.MaterializeResult(
                asset_key=staging_key(table.context, table.name),
                metadata={
                    "accepted": counts.accepted,
                    "quarantined": counts.quarantined,
                    # Dagster plots numbers over time, each entry by itself.
                    **{f"quarantined by {rule}": rows for rule, rows in counts.rules.items()},
                    "quarantined_by_rule": dg.MetadataValue.json(counts.rules),
                    "flagged_by_rule": dg.MetadataValue.json(counts.flags),
                    "events": report.events,
                    "months": validated,
                    **place_metadata(report.place),
                },
            )

    return validate


def place_metadata(place: Mapping[str, str]) -> dict[str, dg.MetadataValue]:
    """Return the metadata entries of where something was worked on: addresses can be followed."""
    value = {True: dg.MetadataValue.url, False: dg.MetadataValue.text}
    return {name: value[text.startswith("http")](text) for name, text in place.items()}


def _spec(table: StagedTable, step: ValidationStep) -> dg.AssetSpec:
    what = (
        f"Accepted rows of {table.name} with their derived attributes. Rows that break a rejecting rule go to "
        "quarantine, with every rule that they break."
        if table.source
        else f"What the accepted rows of the context add up to, one row for each {table.identity}."
    )
    return dg.AssetSpec(
        staging_key(table.context, table.name),
        deps=[asset_key(declared) for declared in (*step.intake, *step.published)],
        group_name=table.context,
        kinds={"polars", "parquet"},
        description=what,
    )
