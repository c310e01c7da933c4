"""The tail of the event store: every event once, in the order in which it became certain.

What belongs here: reading on from a place. What does not: where a reader keeps its place, what it does with an event,
and appending events.

The order is that of transaction ids, then positions. A reader stops below the oldest transaction that is still running
(see `_CERTAIN`): whatever is appended later has a higher transaction id, so nothing can come to stand before a
place that was read. A reader by `position` alone would pass over what a slow writer commits late.

The events of an aggregate come in the order of their versions where its writers wait for each other before their
transactions have an id, as they do for an advisory lock, and not for a row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from psycopg2.extensions import connection as Connection  # noqa: N812 - psycopg2's class is in lower case

from olist_pipeline.errors import OlistError

LAST_POSITION = 2**63 - 1
LIMIT = 1_000


class Checkpoint(NamedTuple):
    """How far a reader has come: all up to this event is read. Prints as `TRANSACTION:POSITION`."""

    transaction_id: int
    position: int

    def __str__(self) -> str:
        return f"{self.transaction_id}:{self.position}"


START = Checkpoint(0, 0)
"""Before every event."""


def checkpoint_of(text: str) -> Checkpoint:
    """Return the place that `text` says; raises OlistError where it says none."""
    transaction, colon, position = text.partition(":")
    if colon and _is_number(transaction) and _is_number(position):
        return Checkpoint(int(transaction), int(position))
    raise OlistError(
        f"{text!r} is no checkpoint of the event store; take what a reader printed, or 0:0 for the beginning."
    )


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 19 and int(text) <= LAST_POSITION


@dataclass(frozen=True)
class Wanted:
    """Which events a reader wants: of one aggregate, of one type, of one of `shares` parts of all aggregates."""

    aggregate_id: str | None = None
    event_type: str | None = None
    share: int = 0
    shares: int = 1


EVERYTHING = Wanted()


@dataclass(frozen=True)
class Slice:
    """What was read in one go: wanted events, oldest first, and the place behind all that was looked at.

    `is_last`: there was nothing certain after it at that moment.
    """

    events: list[dict[str, Any]]
    end: Checkpoint
    is_last: bool


def read(connection: Connection, after: Checkpoint, wanted: Wanted = EVERYTHING, limit: int = LIMIT) -> Slice:
    """Return the wanted ones of the next `limit` events after a place.

    An event has event_id, event_type, context, aggregate_type, aggregate_id, version, payload, occurred_at,
    recorded_at, run_id and `checkpoint`. Read each slice in a transaction of its own, in READ COMMITTED: a transaction
    goes on with the partitions that it has seen.
    """
    with connection.cursor() as cursor:
        # In a statement of its own, before the events are looked for: events come with partitions, and a statement is
        # planned, with the partitions that are there, before its snapshot is taken. One statement would pass over a
        # partition that was committed between the two.
        cursor.execute(_CERTAIN)
        [certain] = cursor.fetchone() or (None,)
        cursor.execute(_READ, {**after._asdict(), **vars(wanted), "certain": certain, "limit": limit})
        names = [column.name for column in cursor.description or ()]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    for row in rows:
        row["checkpoint"] = Checkpoint(int(row.pop("transaction_id")), row.pop("position"))
    events = [row for row in rows if row.pop("is_wanted")]
    return Slice(events, rows[-1]["checkpoint"] if rows else after, len(rows) < limit)


def present(connection: Connection) -> Checkpoint:
    """Return the place before everything that is not certain yet: what a reader from here reads is new."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1")
        [transaction_id] = cursor.fetchone() or (0,)
    return Checkpoint(transaction_id, LAST_POSITION)


def require_own_numbers(connection: Connection) -> None:
    """Raise OlistError where events have transaction ids that this server has not come to.

    A dump that was restored brings the ids of its server. New events would come to stand before those that were read.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT max(transaction_id)::text, pg_snapshot_xmax(pg_current_snapshot())::text,"
            " max(transaction_id) >= pg_snapshot_xmax(pg_current_snapshot()) FROM event_store.domain_events"
        )
        row: Mapping[int, Any] | tuple[Any, ...] = cursor.fetchone() or (None, None, False)
    if row[2]:
        raise OlistError(
            f"The events were restored from a server that had come to transaction {row[0]}, this one is at {row[1]};"
            " let it catch up (docs/postgres.md, Backup and restore), or readers would miss what is appended now."
        )


# A transaction is over for a snapshot a moment before it lets others know of its partitions; it gives up the lock on
# its own id only after that. So the oldest id that is locked still counts as running.
_CERTAIN = """
WITH oldest AS (SELECT pg_snapshot_xmin(pg_current_snapshot()) AS running)
SELECT (running::text::bigint - greatest((
    SELECT max(age(transactionid)) - age(running::xid) FROM pg_locks
    WHERE locktype = 'transactionid' AND mode = 'ExclusiveLock' AND granted
), 0))::text FROM oldest
"""

_READ = """
WITH slice AS MATERIALIZED (
    SELECT * FROM event_store.domain_events
    WHERE (transaction_id, position) > (%(transaction_id)s::text::xid8, %(position)s)
      AND transaction_id < %(certain)s::text::xid8
    ORDER BY transaction_id, position LIMIT %(limit)s
), marked AS (
    SELECT *, (%(aggregate_id)s IS NULL OR aggregate_id = %(aggregate_id)s)
          AND (%(event_type)s IS NULL OR event_type = %(event_type)s)
          AND (%(shares)s = 1
               OR abs(hashtextextended(aggregate_type || ' ' || aggregate_id, 0) %% %(shares)s) = %(share)s)
          AS is_wanted
    FROM slice
)
SELECT event_id::text, event_type, context, aggregate_type, aggregate_id, version,
       CASE WHEN is_wanted THEN payload END AS payload, occurred_at, recorded_at, run_id,
       transaction_id::text, position, is_wanted
FROM marked ORDER BY marked.transaction_id, marked.position
"""
