"""The event store: domain events, appended once and never changed.

What belongs here: appending and reading events. What does not: which events there are.

An event's id is derived from its content, so appending the same events again appends nothing; a whole batch
that was appended before is known by its digest, for nothing ever leaves the store. An event's version
counts the events of its aggregate in the order in which they were appended. `transaction_id` and `position`
let a tailing reader miss nothing: it reads below the oldest transaction that is still running.
"""

from __future__ import annotations

import hashlib
from typing import Any

import polars as pl
import psycopg2

from olist_pipeline.stores.postgres import copy_frame, query, transaction

ATTEMPTS = 5


def append(url: str, events: pl.DataFrame, run_id: str) -> int:
    """Append those of `events` that are not there yet, and return their number.

    `events` has event_type, context, aggregate_type, aggregate_id, payload (JSON text) and occurred_at, each
    aggregate's events in their order. Two writers of one aggregate may collide on a version: the later one
    then starts anew.
    """
    digest = _digest(events)
    if query(url, "SELECT 1 AS known FROM event_store.batches WHERE digest = %s", [digest]):
        return 0
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return _append_once(url, events, digest, run_id)
        except psycopg2.errors.UniqueViolation:
            if attempt == ATTEMPTS:
                raise
    return 0


def count_by_type(url: str, run_ids: list[str] | None = None) -> dict[str, int]:
    """Return the number of events of each type, of some runs or of all."""
    rows = query(
        url,
        "SELECT event_type, count(*) AS events FROM event_store.domain_events "
        "WHERE %(run_ids)s::text[] IS NULL OR run_id = ANY(%(run_ids)s) GROUP BY event_type ORDER BY event_type",
        {"run_ids": run_ids},
    )
    return {row["event_type"]: row["events"] for row in rows}


def find(url: str, *, aggregate_id: str | None, event_type: str | None, limit: int) -> list[dict[str, Any]]:
    """Return events that match every filter which is not None, in the order of appending."""
    return query(
        url,
        """
        SELECT event_id::text, event_type, context, aggregate_type, aggregate_id, version, payload,
               occurred_at, recorded_at, run_id
        FROM event_store.domain_events
        WHERE (%(aggregate_id)s IS NULL OR aggregate_id = %(aggregate_id)s)
          AND (%(event_type)s IS NULL OR event_type = %(event_type)s)
        ORDER BY position LIMIT %(limit)s
        """,
        {"aggregate_id": aggregate_id, "event_type": event_type, "limit": limit},
    )


def _digest(events: pl.DataFrame) -> bytes:
    """Return a digest of the rows and their order, over two independent 64-bit hashes of each row."""
    digest = hashlib.blake2b(digest_size=16)
    for seed in (1, 2):
        digest.update(events.hash_rows(seed).to_numpy().tobytes())
    return digest.digest()


def _append_once(url: str, events: pl.DataFrame, digest: bytes, run_id: str) -> int:
    with transaction(url) as connection:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL work_mem = '256MB'")
            cursor.execute(_INCOMING)
        copy_frame(connection, events.with_row_index("ordinal"), "incoming")
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE incoming")
            cursor.execute(_APPEND, {"run_id": run_id})
            appended = int(cursor.rowcount)
            cursor.execute("INSERT INTO event_store.batches (digest) VALUES (%s) ON CONFLICT DO NOTHING", [digest])
            return appended


_INCOMING = """
CREATE TEMPORARY TABLE incoming (
    ordinal bigint, event_type text, context text, aggregate_type text, aggregate_id text, payload jsonb,
    occurred_at timestamp
) ON COMMIT DROP
"""

# jsonb::text is canonical (keys sorted, blanks fixed), so equal content has one id whoever wrote it.
_APPEND = """
WITH identified AS (
    SELECT DISTINCT ON (event_id) * FROM (
        SELECT *, md5(
            jsonb_build_array(context, event_type, aggregate_id, occurred_at, payload)::text
        )::uuid AS event_id
        FROM incoming
    ) AS hashed ORDER BY event_id, ordinal
), fresh AS (
    SELECT i.* FROM identified i
    WHERE NOT EXISTS (SELECT FROM event_store.domain_events e WHERE e.event_id = i.event_id)
), known AS (
    SELECT e.aggregate_type, e.aggregate_id, max(e.version) AS version
    FROM event_store.domain_events e
    WHERE (e.aggregate_type, e.aggregate_id) IN (SELECT aggregate_type, aggregate_id FROM fresh)
    GROUP BY e.aggregate_type, e.aggregate_id
)
INSERT INTO event_store.domain_events (
    event_id, event_type, context, aggregate_type, aggregate_id, version, payload, occurred_at, run_id
)
SELECT event_id, event_type, context, aggregate_type, aggregate_id,
       coalesce(known.version, 0)
           + row_number() OVER (PARTITION BY aggregate_type, aggregate_id ORDER BY ordinal),
       payload, occurred_at, %(run_id)s
FROM fresh LEFT JOIN known USING (aggregate_type, aggregate_id)
ORDER BY ordinal
"""
