"""Composing: another release of the same data, under other routes.

What belongs here: the views by which schema main shows one side of each table, and a copy of a release with other
views. What does not: building from the warehouse (see `build`).

A release holds both sides of its tables, so a cutover or a rollback copies one file and says anew what main shows. It
needs neither the warehouse nor PostgreSQL nor dbt.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from olist_pipeline.errors import OlistError
from olist_pipeline.serving.audit import failing_queries
from olist_pipeline.serving.release import DATABASE, Release, new_folder, release_folder, write_manifest
from olist_pipeline.serving.routing import missing_sides, mixtures, served_schemas
from olist_pipeline.stores.routes import Act, Route

ABOUT = "about"


def compose(
    serving: Path, base: Release, routes: Mapping[str, Route], number: int, *, audit: bool = True
) -> tuple[Path, Release]:
    """Return a hidden folder that holds `base` under other `routes`, as release `number`, and its manifest.

    `audit`: run the dashboards' queries whose tables change sides. Raises OlistError for sides that `base` does not
    hold or that may not stand beside each other, and when a query fails.
    """
    schemas = served_schemas(base.tables, routes)
    refuse_impossible(base, schemas)
    folder = new_folder(serving)
    try:
        shutil.copyfile(release_folder(serving, base.number) / DATABASE, folder / DATABASE)
        moved = [name for name, schema in schemas.items() if base.tables[name]["schema"] != schema]
        with duckdb.connect(str(folder / DATABASE)) as connection:
            show(connection, {name: schemas[name] for name in moved})
            tell_routes(connection, routes, [])
            failing = failing_queries(connection, set(moved)) if audit else {}
        if failing:
            raise OlistError(
                "; ".join(f"the dashboard query {name} fails: {why}" for name, why in failing.items()) + "."
            )
        release = under(base, routes, schemas, number)
        write_manifest(folder, release)
    except BaseException as error:
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, OSError | duckdb.Error):
            reason = str(error.strerror if isinstance(error, OSError) else error).splitlines()[0]
            raise OlistError(f"No release can be written in {serving}: {reason}.") from error
        raise
    return folder, release


def sign(folder: Path, release: Release, act: Act) -> None:
    """Write into a release that nobody reads yet who switched what, and why."""
    with duckdb.connect(str(folder / DATABASE)) as connection:
        tell_routes(connection, release.routes, [act])
    write_manifest(folder, release)


def refuse_impossible(base: Release, schemas: Mapping[str, str]) -> None:
    """Raise OlistError when `base` cannot be served with these schemas."""
    if missing := missing_sides(base, schemas):
        raise OlistError(
            f"Release {base.number} does not hold the old side of {', '.join(missing)}, which is not built any more; "
            "`olist retire CONTEXT --undo` and `olist run` bring it back."
        )
    if mixed := mixtures(base, schemas):
        raise OlistError("These tables may not be served beside each other: " + "; ".join(mixed) + ".")


def under(base: Release, routes: Mapping[str, Route], schemas: Mapping[str, str], number: int) -> Release:
    """Return the manifest of `base` under other routes."""
    tables = {
        name: {**table, "schema": schemas[name], "rows": base.sources(name)[schemas[name]]["rows"]}
        for name, table in base.tables.items()
    }
    made_at = datetime.now(UTC).isoformat(timespec="seconds")
    return replace(base, number=number, made_at=made_at, routes=dict(routes), tables=tables, based_on=base.number)


def show(connection: duckdb.DuckDBPyConnection, schemas: Mapping[str, str]) -> None:
    """Let schema main show each table from its schema."""
    for name, schema in schemas.items():
        connection.execute(f'CREATE OR REPLACE VIEW main."{name}" AS FROM "{schema}"."{name}"')


def tell_routes(connection: duckdb.DuckDBPyConnection, routes: Mapping[str, Route], acts: Sequence[Act]) -> None:
    """Write down in `about.migration_routes` each context's route with the last of `acts` on it, else what is there."""
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {ABOUT}")
    connection.execute(
        f"CREATE TABLE IF NOT EXISTS {ABOUT}.migration_routes (position INTEGER, context VARCHAR PRIMARY KEY, "
        "route VARCHAR, changed_at TIMESTAMPTZ, changed_by VARCHAR, reason VARCHAR)"
    )
    for position, (context, route) in enumerate(routes.items(), start=1):
        connection.execute(
            f"INSERT INTO {ABOUT}.migration_routes (position, context, route) VALUES ($1, $2, $3) "
            "ON CONFLICT DO UPDATE SET position = excluded.position, route = excluded.route, "
            "changed_at = CASE WHEN route = excluded.route THEN changed_at END, "
            "changed_by = CASE WHEN route = excluded.route THEN changed_by END, "
            "reason = CASE WHEN route = excluded.route THEN reason END",
            [position, context, route],
        )
    for act in acts:
        for change in act.changes:
            connection.execute(
                f"UPDATE {ABOUT}.migration_routes SET changed_at = $1::TIMESTAMPTZ, changed_by = $2, reason = $3 "
                "WHERE context = $4",
                [act.acted_at, act.acted_by, act.reason, change.context],
            )
