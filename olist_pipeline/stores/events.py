"""The event store: domain events, appended once and never changed.

What belongs here: reading events. What does not: which events there are, and appending them (`appending`).

An event's version counts the events of its aggregate in the order in which they were appended. `transaction_id` and
`position` let a tailing reader miss nothing: it reads below the oldest transaction that is still running.
"""

from __future__ import annotations

from typing import Any

from olist_pipeline.stores.postgres import query


def count_by_type(url: str, run_ids: list[str] | None = None) -> dict[str, int]:
    """Return the number of events of each type, of some runs or of all."""
    rows = query(
        url,
        "SELECT event_type, count(*) AS events FROM event_store.domain_events "
        "WHERE %(run_ids)s::text[] IS NULL OR run_id = ANY(%(run_ids)s) GROUP BY event_type ORDER BY event_type",
        {"run_ids": run_ids},
    )
    return {row["event_type"]: row["events"] for row in rows}


_MATCHING = """
    (%(aggregate_id)s IS NULL OR aggregate_id = %(aggregate_id)s)
    AND (%(event_type)s IS NULL OR event_type = %(event_type)s)
"""


def number_of(url: str, *, aggregate_id: str | None, event_type: str | None) -> int:
    """Return how many events match every filter which is not None."""
    statement = f"SELECT count(*) AS events FROM event_store.domain_events WHERE {_MATCHING}"
    [counted] = query(url, statement, {"aggregate_id": aggregate_id, "event_type": event_type})
    return int(counted["events"])


def find(url: str, *, aggregate_id: str | None, event_type: str | None, limit: int) -> list[dict[str, Any]]:
    """Return events that match every filter which is not None, in the order of appending."""
    return query(
        url,
        f"""
        SELECT event_id::text, event_type, context, aggregate_type, aggregate_id, version, payload,
               occurred_at, recorded_at, run_id
        FROM event_store.domain_events
        WHERE {_MATCHING}
        ORDER BY transaction_id, position LIMIT %(limit)s
        """,
        {"aggregate_id": aggregate_id, "event_type": event_type, "limit": limit},
    )
