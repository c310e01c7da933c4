"""Serving asset: the release that dashboards read.

What belongs here: wrapping gate and publication. What does not: either of them (`serving`).
"""

from collections.abc import Sequence

import dagster as dg

from olist_pipeline.errors import OlistError
from olist_pipeline.fingerprint import landing_hashes, run_fingerprint
from olist_pipeline.intake.span import as_of
from olist_pipeline.orchestration.dbt import POOL
from olist_pipeline.orchestration.resources import PipelineResource, clear_failures
from olist_pipeline.registry import CONTEXTS
from olist_pipeline.serving.about import about
from olist_pipeline.serving.gate import objections
from olist_pipeline.serving.release import publish
from olist_pipeline.stores import routes
from olist_pipeline.warehouse import NEW, OLD, WarehouseTable, reading

RELEASE = dg.AssetKey(["serving", "release"])


def serving_assets(tables: Sequence[WarehouseTable]) -> list[dg.AssetsDefinition]:
    """Return the release asset over `tables`."""

    @dg.asset(
        key=RELEASE,
        deps=[dg.AssetKey([schema, table.name]) for table in tables for schema in (OLD, NEW)],
        group_name="serving",
        kinds={"duckdb"},
        pool=POOL,
        description=(
            "The next numbered release: each context's tables from the schema that its route names, audited, "
            "published in one atomic step. Refused while a verdict is missing, red or stale."
        ),
    )
    def release(context: dg.AssetExecutionContext, pipeline: PipelineResource) -> dg.MaterializeResult:  # type: ignore[type-arg]
        settings, url = pipeline.settings, pipeline.url
        with clear_failures():
            routed = routes.read_routes(url, CONTEXTS)
            with reading(settings.warehouse) as warehouse:
                refused = objections(settings, url, warehouse, tables, routed)
            if refused:
                raise OlistError("No release is published: " + "; ".join(refused) + ".")
            landing = landing_hashes(settings)
            published = publish(
                settings.serving,
                settings.warehouse,
                tables,
                routed,
                run_id=context.run_id,
                code_and_data=run_fingerprint(settings, landing, routed),
                as_of=as_of(settings.landing).isoformat(),
                landing=landing,
                about=about(settings, url),
            )
            routes.record_release(url, CONTEXTS, published.number)
        return dg.MaterializeResult(
            metadata={
                "release": published.number,
                "as_of": published.as_of,
                "routes": dg.MetadataValue.json(published.routes),
                "rows": dg.MetadataValue.json({name: table["rows"] for name, table in published.tables.items()}),
            }
        )

    return [release]
