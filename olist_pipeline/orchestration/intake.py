"""Landing assets, the files, external to the graph; and an intake asset for each that a context has taken over.

What belongs here: wrapping the intake step, which observes the version of a file that it read. What does not: the step
itself (`steps`).
"""

from datetime import date

import dagster as dg

from olist_pipeline.landing.table import LandingTable
from olist_pipeline.orchestration.partitions import follow_data, is_forced
from olist_pipeline.orchestration.resources import PipelineResource, clear_failures
from olist_pipeline.registry import DATED, LANDING
from olist_pipeline.steps import run_intake


def landing_key(table: str) -> dg.AssetKey:
    """Return the asset key of a landing file."""
    return dg.AssetKey(["landing", table])


def landing_specs() -> list[dg.AssetSpec]:
    """Return the external assets of landing."""
    return [
        dg.AssetSpec(
            landing_key(name),
            group_name="landing",
            description=f"`{table.file}` as it arrives. {table.record.__doc__ or ''}",
            kinds={"csv"},
            metadata={"file": table.file, "columns": dg.MetadataValue.json(list(table.columns))},
        )
        for name, table in LANDING.items()
    ]


def intake_key(table: str) -> dg.AssetKey:
    """Return the asset key of a table's intake."""
    return dg.AssetKey(["intake", table])


def intake_assets() -> list[dg.AssetsDefinition]:
    """Return the intake assets of all registered contexts."""
    return [_intake_asset(table) for table in LANDING.values()]


def _intake_asset(table: LandingTable) -> dg.AssetsDefinition:
    deps = [landing_key(table.name), *([intake_key(table.parent.table.name)] if table.parent else [])]

    @dg.asset(
        key=intake_key(table.name),
        deps=deps,
        group_name="intake",
        kinds={"polars", "parquet"},
        description=(
            f"Rows of `{table.file}` as typed records, with the structural rules that they break: missing and "
            "unparseable cells, duplicate keys, orphans. Bad rows go to quarantine."
        ),
    )
    def intake(context: dg.AssetExecutionContext, pipeline: PipelineResource) -> dg.MaterializeResult:  # type: ignore[type-arg]
        with clear_failures():
            settings, url, forced = pipeline.settings, pipeline.url, is_forced(context.run.tags)
            report = run_intake(settings, url, table, date.today(), context.run_id, is_forced=forced)
            if table == DATED:
                # Whoever took in a later month from the UI finds it there.
                follow_data(context.instance, settings)
        # Not as its data version: of an external asset Dagster keeps that with who reads it, and does not look at it
        # when it says what is out of date, so all would be from the second run on.
        context.log_event(dg.AssetObservation(landing_key(table.name), metadata={"content_hash": report.landing_hash}))
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": report.rows,
                "rejected": report.rejected,
                "rejected_by_rule": dg.MetadataValue.json(report.rules),
            },
            data_version=dg.DataVersion(report.landing_hash),
        )

    return intake
