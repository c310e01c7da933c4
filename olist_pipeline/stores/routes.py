"""Routes: what serving reads for each context, and the history of changes.

What belongs here: reading and changing routes. What does not: whether a change is allowed (the gate says).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from olist_pipeline.stores.postgres import query, transaction

Route = Literal["old", "shadow", "new", "retired"]
FIRST_ROUTE: Route = "shadow"
"""A context that is in the graph runs beside the old one, and is compared, from its first day."""


def read_routes(url: str, contexts: Iterable[str]) -> dict[str, Route]:
    """Return the route of each of `contexts`."""
    rows = query(url, "SELECT context, route FROM migration.routes")
    routes = {row["context"]: row["route"] for row in rows}
    return {context: routes.get(context, FIRST_ROUTE) for context in contexts}


def change_route(url: str, context: str, route: Route, *, changed_by: str, reason: str) -> None:
    """Route `context` to `route`; who changed it and why is kept in the history."""
    with transaction(url) as connection, connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO migration.routes (context, route, changed_by, reason) VALUES (%s, %s, %s, %s)
            ON CONFLICT (context) DO UPDATE SET
                route = excluded.route, changed_at = now(), changed_by = excluded.changed_by,
                reason = excluded.reason
            """,
            (context, route, changed_by, reason),
        )


def record_release(url: str, contexts: Iterable[str], release: int) -> None:
    """Note which release serves `contexts` now, without a change of their routes."""
    with transaction(url) as connection, connection.cursor() as cursor:
        for context in contexts:
            cursor.execute(
                "UPDATE migration.routes SET release = %s WHERE context = %s AND release IS DISTINCT FROM %s",
                (release, context, release),
            )
