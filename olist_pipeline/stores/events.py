"""The event store: domain events, appended once and never changed.

What belongs here: reading events. What does not: which events there are, and appending them (`appending`).

An event's version counts the events of its aggregate in the order in which they were appended. `transaction_id` and
`position` let a tailing reader miss nothing: it reads below the oldest transaction that is still running.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from olist_pipeline.stores.postgres import query


@dataclass(frozen=True)
class TypeCounts:
    """Numbers of events by type: of some runs, and of all."""

    recorded: dict[str, int]
    in_store: dict[str, int]


def count_by_type(url: str, run_ids: Sequence[str] = ()) -> TypeCounts:
    """Count the events of each type, those of `run_ids` besides, in one scan of the store."""
    rows = query(
        url,
        "SELECT event_type, count(*) AS in_store, count(*) FILTER (WHERE run_id = ANY(%s)) AS recorded "
        "FROM event_store.domain_events GROUP BY event_type ORDER BY event_type",
        [list(run_ids)],
    )
    recorded = {row["event_type"]: row["recorded"] for row in rows if row["recorded"]}
    return TypeCounts(recorded, {row["event_type"]: row["in_store"] for row in rows})


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
