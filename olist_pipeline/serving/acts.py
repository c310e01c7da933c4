"""What a switch of routes adds to what a release says of the migration's progress.

What belongs here: the act in the timeline, and the route in the scorecard, of a release that was made of another. What
does not: what a run says of them (`progress`), and `about.migration_routes` (`compose`).

A rollback takes a copy and these few statements, so this module needs neither stores nor frames.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import duckdb

from olist_pipeline.release_manifest import Route
from olist_pipeline.stores.routes import SERVED_FROM_NEW, Act


def add_acts(connection: duckdb.DuckDBPyConnection, routes: Mapping[str, Route], acts: Sequence[Act]) -> None:
    """Add `acts` to what a release says, which was made of another; nothing where that says nothing of progress."""
    [there] = connection.execute(
        "SELECT count(*) FROM duckdb_tables() WHERE schema_name = 'about' AND table_name IN "
        "('migration_criteria', 'migration_timeline')"
    ).fetchall()
    if there != (2,):
        return
    for act in acts:
        for change in act.changes:
            route = routes.get(change.context, change.route)
            connection.execute(
                "INSERT INTO about.migration_timeline VALUES (?::TIMESTAMPTZ, ?, ?, ?, ?)",
                [act.acted_at, f"{act.action}: {change.former} to {route}", change.context, act.acted_by, act.reason],
            )
            connection.execute(
                "UPDATE about.migration_criteria SET value = $route, is_green = $green, since = CASE WHEN is_green IS "
                "DISTINCT FROM $green THEN $at::TIMESTAMPTZ ELSE since END WHERE name = 'route' AND context = $context",
                {"route": route, "green": route in SERVED_FROM_NEW, "at": act.acted_at, "context": change.context},
            )
