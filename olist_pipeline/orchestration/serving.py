"""Serving asset: the release that dashboards read.

What belongs here: wrapping gate and publication. What does not: either of them (`serving`).
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import dagster as dg

from olist_pipeline.migration.model import NEW, OLD, Migration
from olist_pipeline.orchestration.dbt import POOL
from olist_pipeline.orchestration.dbt_projects import today_of
from olist_pipeline.orchestration.graph_names import relation_key
from olist_pipeline.orchestration.resources import PipelineResource, clear_failures
from olist_pipeline.provenance import code_hash, released_inputs, run_fingerprint
from olist_pipeline.registry import CONTEXTS
from olist_pipeline.serving import journal
from olist_pipeline.serving.about import about
from olist_pipeline.serving.build import Publication, publish, references_of
from olist_pipeline.serving.gate import objections, parity_runs, subject
from olist_pipeline.stores import routes
from olist_pipeline.warehouse import WarehouseTable, sole_use

RELEASE = dg.AssetKey(["serving", "release"])


def serving_assets(
    migration: Migration,
    tables: Sequence[WarehouseTable],
    manifest: Mapping[str, Any],
    retired: Collection[str],
    served: Sequence[WarehouseTable],
) -> list[dg.AssetsDefinition]:
    """Return the release asset over `tables`, and over `served` ones, which have an old side alone.

    Those of `retired` contexts have a new side alone. `manifest` is the new project's. The release is of the code as it
    is now, when it is loaded: what is edited in the middle of a run is new to the next one.
    """
    references, code = references_of(manifest, tables, migration), code_hash(migration)
    sides = {table.name: (NEW,) if table.context in retired else (OLD, NEW) for table in tables}
    deps = [relation_key(schema, table.names(schema)) for table in tables for schema in sides[table.name]]
    deps += [relation_key(OLD, table.name) for table in served]
    has_old = bool(served) or any(OLD in of_table for of_table in sides.values())

    @dg.asset(
        key=RELEASE,
        deps=deps,
        group_name="serving",
        kinds={"duckdb"},
        pool=POOL,
        description=(
            "The next numbered release: both sides of each table, of which dashboards see the one that the routes "
            "name; audited, published in one atomic step. Refused while a verdict is missing, red or stale."
        ),
    )
    def release(context: dg.AssetExecutionContext, pipeline: PipelineResource) -> dg.MaterializeResult:  # type: ignore[type-arg]
        settings, url = pipeline.settings, pipeline.url
        with clear_failures():
            inputs = released_inputs(settings, has_old=has_old)
            publication = Publication(
                [*tables, *served],
                run_id=context.run_id,
                fingerprint=run_fingerprint(settings, inputs, code),
                code=code,
                as_of=today_of(settings).isoformat(),
                landing=inputs,
                references=references,
                parity_runs=parity_runs(url),
                retired=retired,
                about=about(settings, url, context.run_id),
            )
            with sole_use(settings):
                published = publish(
                    settings.serving,
                    settings.warehouse,
                    publication,
                    lambda: journal.recorded_routes(settings.serving, url, CONTEXTS),
                    lambda stored, routed: objections(
                        settings, url, tables, routed, lambda table: subject(stored[table.name].sources)
                    ),
                )
            routes.record_release(url, CONTEXTS, published.number)
        return dg.MaterializeResult(
            metadata={
                "release": published.number,
                "as_of": published.as_of,
                "routes": dg.MetadataValue.json(dict(published.routes)),
                "not_checked": dg.MetadataValue.json(list(published.unchecked)),
                "rows": dg.MetadataValue.json({name: table.rows for name, table in published.tables.items()}),
            }
        )

    return [release]
