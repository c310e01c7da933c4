"""Building the definitions: everything that Dagster sees of this project.

What belongs here: putting assets, checks, jobs and resources together. What does not: any of them, and the
environment (`olist_pipeline.definitions` brings it).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg
from dagster_duckdb import DuckDBResource

from olist_pipeline.orchestration.checks import parity_checks, reconciliation_checks
from olist_pipeline.orchestration.cutover import cutover_jobs, guard_sensor
from olist_pipeline.orchestration.dbt import dbt_tree_assets, ensure_manifest, parse_arguments
from olist_pipeline.orchestration.description import described
from olist_pipeline.orchestration.forked_dbt import ASKING
from olist_pipeline.orchestration.freshness import freshness_checks
from olist_pipeline.orchestration.intake import intake_assets
from olist_pipeline.orchestration.internals.dbt_cli import OwnDbt
from olist_pipeline.orchestration.internals.executor import continuing_executor
from olist_pipeline.orchestration.jobs import pipeline_jobs
from olist_pipeline.orchestration.landing import landing_specs
from olist_pipeline.orchestration.partition_states import partition_checks
from olist_pipeline.orchestration.resources import Pipeline
from olist_pipeline.orchestration.schedules import schedules
from olist_pipeline.orchestration.sensors import sensors
from olist_pipeline.orchestration.serving import serving_assets
from olist_pipeline.orchestration.validation import validation_assets
from olist_pipeline.serving.journal import retired_contexts
from olist_pipeline.settings import DBT_DIR, Settings
from olist_pipeline.warehouse import load_manifest, warehouse_tables


def build_defs(settings: Settings, resource_overrides: Mapping[str, Any] | None = None) -> dg.Definitions:
    """Return the definitions of one environment; tests override resources by name."""
    manifest = ensure_manifest(settings)
    parsed = load_manifest(manifest)
    tables = warehouse_tables(parsed)
    retired = retired_contexts(settings.serving)
    compared = [table for table in tables if table.context not in retired]
    resources = {
        "pipeline": Pipeline(settings),
        "dbt": OwnDbt(
            project_dir=str(DBT_DIR),
            profiles_dir=str(DBT_DIR),
            dbt_executable=ASKING[0],
            # Each invocation costs two seconds less without its debug log, without artifacts that nothing reads
            # (the manifest is parsed once, see `ensure_manifest`), and looking at its own relations alone.
            global_config_flags=[*ASKING[1:], "--log-level-file", "info", "--no-write-json", "--cache-selected-only"],
            parse=parse_arguments(settings),
        ),
        # dbt alone writes the warehouse; every other opening is for reading.
        "warehouse": DuckDBResource(database=str(settings.warehouse), connection_config={"access_mode": "READ_ONLY"}),
    }
    standing = [*partition_checks(tables), *freshness_checks(settings)]
    assets = [
        *landing_specs(),
        *intake_assets(),
        *validation_assets(),
        *dbt_tree_assets(settings, manifest, retired),
        *serving_assets(tables, parsed, retired),
    ]
    return dg.Definitions(
        assets=described(assets, settings),
        asset_checks=[*reconciliation_checks(), *parity_checks(compared), *standing],
        jobs=[*pipeline_jobs(standing), *cutover_jobs()],
        schedules=schedules(settings),
        sensors=[*sensors(settings, tables), guard_sensor(settings.is_automated)],
        # One process does all of a run: at this size, starting processes would take most of the time.
        executor=continuing_executor,
        resources={**resources, **(resource_overrides or {})},
    )
