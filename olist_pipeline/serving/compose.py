"""Composing: another release of the same data, under other routes.

What belongs here: the views by which schema main shows one side of each table, and a copy of a release with other
views. What does not: building from the warehouse (see `build`).

A release has both sides of its tables, so a cutover or a rollback copies one small file and says anew what main shows;
the data files stay where they are. It needs neither the warehouse nor PostgreSQL nor dbt.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from olist_pipeline.errors import OlistError
from olist_pipeline.files import in_words
from olist_pipeline.release_manifest import ABOUT, DATABASE, Release, Route, Side, write_manifest
from olist_pipeline.serving.release import release_folder
from olist_pipeline.serving.release_checks import failing_queries, unchecked
from olist_pipeline.serving.routing import missing_sides, mixtures, served_schemas
from olist_pipeline.serving.timeline import add_acts
from olist_pipeline.stores.routes import Act
from olist_pipeline.tablediff.sql import quote, relation_name


def compose(
    serving: Path, folder: Path, base: Release, routes: Mapping[str, Route], number: int, *, checks: bool = True
) -> Release:
    """Make in `folder`, which is not there yet, release `number`: `base` under other `routes`. Return its manifest.

    `folder` is one of `release.building`, which removes what is left of it. `checks`: run the dashboards' queries whose
    tables change sides; where they cannot be run, the release says so. Raises OlistError for sides that `base` does not
    hold or that may not stand beside each other, when a query fails, and when nothing can be written.
    """
    schemas = served_schemas(base.tables, routes)
    refuse_impossible(base, schemas)
    try:
        folder.mkdir()
        shutil.copyfile(release_folder(serving, base.number) / DATABASE, folder / DATABASE)
        moved = [name for name, schema in schemas.items() if base.tables[name].schema != schema]
        with duckdb.connect(str(folder / DATABASE)) as connection:
            show(connection, {name: schemas[name] for name in moved})
            write_routes(connection, routes, [])
            failing = failing_queries(connection, set(moved)) if checks and not unchecked() else []
        if failing:
            raise OlistError("; ".join(map(str, failing)) + ".")
        release = replace(under(base, routes, schemas, number), unchecked=tuple(unchecked()))
        write_manifest(folder, release)
    except (OSError, duckdb.Error) as error:
        reason = in_words(error) if isinstance(error, OSError) else str(error).splitlines()[0]
        raise OlistError(f"No release can be written in {serving}: {reason}.") from error
    return release


def sign(folder: Path, release: Release, act: Act) -> None:
    """Write into a release that nobody reads yet who switched what, and why."""
    with duckdb.connect(str(folder / DATABASE)) as connection:
        write_routes(connection, release.routes, [act])
    write_manifest(folder, release)


def refuse_impossible(base: Release, schemas: Mapping[str, Side]) -> None:
    """Raise OlistError when `base` cannot be served with these schemas."""
    if missing := missing_sides(base, schemas):
        raise OlistError(
            f"Release {base.number} does not hold the old side of {', '.join(missing)}, which is not built any more; "
            "`olist retire CONTEXT --undo` and `olist run` bring it back."
        )
    if mixed := mixtures(base, schemas):
        raise OlistError("These tables may not be served beside each other: " + "; ".join(mixed) + ".")


def under(base: Release, routes: Mapping[str, Route], schemas: Mapping[str, Side], number: int) -> Release:
    """Return the manifest of `base` under other routes."""
    made_at = datetime.now(UTC).isoformat(timespec="seconds")
    shown = base.showing(schemas)
    return replace(shown, number=number, made_at=made_at, routes=dict(routes), based_on=base.number)


def show(connection: duckdb.DuckDBPyConnection, schemas: Mapping[str, Side]) -> None:
    """Let schema main show each table from its schema."""
    for name, schema in schemas.items():
        connection.execute(f"CREATE OR REPLACE VIEW main.{quote(name)} AS FROM {relation_name(schema, name)}")


def write_routes(connection: duckdb.DuckDBPyConnection, routes: Mapping[str, Route], acts: Sequence[Act]) -> None:
    """Write `about.migration_routes` anew: each context's route, and who changed it when and why.

    That is the last of `acts` on it, else what the table says of the same route.
    """
    rows_by_context = {context: (route, *_last_change(connection, context, route)) for context, route in routes.items()}
    for act in acts:
        for change in act.changes:
            if change.context in rows_by_context:
                rows_by_context[change.context] = (routes[change.context], act.acted_at, act.acted_by, act.reason)
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {ABOUT}")
    connection.execute(
        f"CREATE OR REPLACE TABLE {ABOUT}.migration_routes (position BIGINT, context VARCHAR, route VARCHAR, "
        "changed_at TIMESTAMPTZ, changed_by VARCHAR, reason VARCHAR)"
    )
    rows = [(position, context, *rest) for position, (context, rest) in enumerate(rows_by_context.items(), start=1)]
    for row in rows:
        connection.execute(f"INSERT INTO {ABOUT}.migration_routes VALUES (?, ?, ?, ?::TIMESTAMPTZ, ?, ?)", row)
    add_acts(connection, acts)


def _last_change(connection: duckdb.DuckDBPyConnection, context: str, route: Route) -> tuple[str | None, ...]:
    """Return when, by whom and why a context came to this route, as far as the release says so."""
    try:
        found = connection.execute(
            f"SELECT changed_at::VARCHAR, changed_by, reason FROM {ABOUT}.migration_routes "
            "WHERE context = ? AND route = ?",
            [context, route],
        ).fetchall()
    except duckdb.CatalogException:
        return (None, None, None)
    return tuple(found[0]) if found else (None, None, None)
