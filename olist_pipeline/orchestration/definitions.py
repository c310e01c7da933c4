"""Building the definitions: everything that Dagster sees of this project.

What belongs here: putting assets, checks, jobs and resources together. What does not: any of them, and the
environment (`olist_pipeline.definitions` brings it).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import dagster as dg
from dagster_duckdb import DuckDBResource

from olist_pipeline.errors import OlistError
from olist_pipeline.machine import memory_of_duckdb
from olist_pipeline.migration.load import load_migration
from olist_pipeline.migration.model import OLD
from olist_pipeline.orchestration.checks import parity_checks, reconciliation_checks
from olist_pipeline.orchestration.cutover import cutover_job, guard_sensor, rollback_job
from olist_pipeline.orchestration.dbt import dbt_tree_assets
from olist_pipeline.orchestration.dbt_projects import ensure_manifest
from olist_pipeline.orchestration.description import described, freshness_checks
from olist_pipeline.orchestration.intake import intake_assets, landing_specs
from olist_pipeline.orchestration.internals.executor import continuing_executor
from olist_pipeline.orchestration.jobs import pipeline_jobs
from olist_pipeline.orchestration.partition_states import partition_checks
from olist_pipeline.orchestration.resources import Pipeline
from olist_pipeline.orchestration.schedules import schedules
from olist_pipeline.orchestration.sensors import sensors
from olist_pipeline.orchestration.serving import serving_assets
from olist_pipeline.orchestration.validation import validation_assets
from olist_pipeline.serving.journal import retired_contexts
from olist_pipeline.settings import Settings
from olist_pipeline.tablediff.names import nearest
from olist_pipeline.troubles import place_of, sentence_of
from olist_pipeline.warehouse import load_manifest, served_tables, warehouse_tables


@contextmanager
def _named_with_their_place() -> Iterator[None]:
    """Raise OlistError, with file and line, for what somebody's definitions raise as they are put together."""
    try:
        yield
    except Exception as error:
        place = place_of(error)
        if sentence_of(error) or not place:
            raise
        said = str(error).partition("\n")[0]
        raise OlistError(
            f"{place}: the asset graph cannot be built ({type(error).__name__}: {said}); mend it."
        ) from error


@_named_with_their_place()
def build_defs(settings: Settings) -> dg.Definitions:
    """Return the definitions of one environment."""
    parsed = load_manifest(ensure_manifest(settings))
    migration = load_migration(settings.migration)
    tables = warehouse_tables(parsed, migration)
    served = served_tables(load_manifest(ensure_manifest(settings, OLD)), migration)
    retired = retired_contexts(settings.serving)
    compared = [table for table in tables if table.context not in retired]
    standing = [*partition_checks(tables), *freshness_checks(settings)]
    assets: list[dg.AssetsDefinition | dg.AssetSpec] = [
        *landing_specs(),
        *intake_assets(),
        *validation_assets(),
        *dbt_tree_assets(settings, retired),
        *serving_assets(migration, tables, parsed, retired, served),
    ]
    checks = [*reconciliation_checks(), *parity_checks(compared), *standing]
    refuse_unfit_checks(checks, assets)
    return dg.Definitions(
        assets=described(assets, settings, tables),
        asset_checks=checks,
        jobs=[*pipeline_jobs(standing), cutover_job, rollback_job],
        schedules=schedules(settings),
        sensors=[*sensors(settings, tables), guard_sensor(settings.is_automated)],
        # One process does all of a run: at this size, starting processes would take most of the time.
        executor=continuing_executor,
        resources={
            "pipeline": Pipeline(settings),
            # dbt alone writes the warehouse; every other opening is for reading.
            "warehouse": DuckDBResource(
                database=str(settings.warehouse),
                connection_config={"access_mode": "READ_ONLY", "memory_limit": memory_of_duckdb()},
            ),
        },
    )


def refuse_unfit_checks(checks: Iterable[object], assets: Iterable[dg.AssetsDefinition | dg.AssetSpec]) -> None:
    """Raise OlistError for what is no check, for two of one name, and for one of an asset that nobody makes.

    The last Dagster would never run, and not say so.
    """
    made = [key for one in assets for key in (one.keys if isinstance(one, dg.AssetsDefinition) else [one.key])]
    known = {key.to_user_string() for key in made}
    specs: list[dg.AssetCheckSpec] = []
    for check in checks:
        if not isinstance(check, dg.AssetChecksDefinition):
            called = getattr(check, "__name__", check)
            raise OlistError(f"{called} in the definitions is no check; call the function that returns it: {called}().")
        specs += check.check_specs
    keys = [spec.key for spec in specs]
    for spec in specs:
        if keys.count(spec.key) > 1:
            raise OlistError(f"Two checks of {spec.asset_key.to_user_string()} are called {spec.name}; rename one.")
        named = [spec.asset_key, *(dep.asset_key for dep in spec.additional_deps)]
        for name in (key.to_user_string() for key in named):
            if name not in known:
                which = f"The check {spec.name} names the asset {name}, which nothing makes"
                raise OlistError(f"{which}; {nearest(name, known)}")
