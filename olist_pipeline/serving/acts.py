"""What a switch of routes adds to what a release says of the migration's progress.

What belongs here: the act in the timeline, and the route in the scorecard, of a release that was made of another. What
does not: what a run says of them (`progress`), and `about.migration_routes` (`compose`).

A rollback takes a copy and these few statements, so this module needs neither stores nor frames.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import duckdb

from olist_pipeline.stores.routes import SERVED_FROM_NEW, Act


def add_acts(connection: duckdb.DuckDBPyConnection, acts: Iterable[Act]) -> None:
    """Add those of `acts` that a release does not tell yet; nothing where it says nothing of progress."""
    [there] = connection.execute(
        "SELECT count(*) FROM duckdb_tables() WHERE schema_name = 'about' AND table_name IN "
        "('migration_criteria', 'migration_timeline')"
    ).fetchall()
    if there != (2,):
        return
    for act in acts:
        for change in act.changes:
            about = {"at": act.acted_at, "context": change.context}
            known = connection.execute(
                'FROM about.migration_timeline WHERE "at" = $at::TIMESTAMPTZ AND context = $context', about
            ).fetchall()
            if known:
                continue
            connection.execute(
                "INSERT INTO about.migration_timeline VALUES ($at::TIMESTAMPTZ, $what, $context, $by, $why)",
                {
                    **about,
                    "what": what_of(act.action, change.former, change.route),
                    "by": act.acted_by,
                    "why": why_of(act.reason, act.overridden),
                },
            )
            connection.execute(
                "UPDATE about.migration_criteria SET value = $route, is_green = $green, since = CASE WHEN is_green IS "
                "DISTINCT FROM $green THEN $at::TIMESTAMPTZ ELSE since END WHERE name = 'route' AND context = $context",
                {**about, "route": change.route, "green": change.route in SERVED_FROM_NEW},
            )


def what_of(action: str, former: str, route: str) -> str:
    """Return what an act did to a route, in words."""
    return action if former == route else f"{action}: {former} to {route}"


def why_of(reason: str, overridden: Sequence[str]) -> str:
    """Return why an act was done, with what it overruled."""
    return f"{reason} (overruled: {'; '.join(overridden)})" if overridden else reason
