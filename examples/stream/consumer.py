"""A consumer of the event store: several workers, each event once, in the order of each aggregate.

What belongs here: who reads what, and where reading goes on. What does not: how the tail is read (the pipeline's
`stores.tail`), and what an event does (`sales`).

Aggregates are spread over a fixed number of shares, each with its place in the store. A worker takes a share by a lock
that goes with its transaction, reads on from the share's place, and commits what the events did together with the new
place. So a worker that is killed has done nothing of its slice, another one takes the share at once, and nothing is
lost or repeated. What leaves the database (a mail, a message) cannot be undone: its receiver should know an event again
by `event_id`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from psycopg2.extensions import connection as Connection  # noqa: N812 - psycopg2's class is in lower case

from olist_pipeline.stores import tail
from olist_pipeline.stores.postgres import connect, transaction

SHARES = 8
"""More than there will be workers; fixed once a consumer has begun."""

Apply = Callable[[Connection, Sequence[dict[str, Any]]], None]
"""Does what events ask for, oldest first, within the transaction of a connection."""


class Consumer:
    """One that follows the event store under a name of its own; raises OlistError where it cannot be followed."""

    def __init__(self, url: str, name: str, apply: Apply, *, limit: int = 500) -> None:
        self._url, self._name, self._apply, self._limit = url, name, apply, limit
        self._next = 0
        with transaction(url) as connection, connection.cursor() as cursor:
            tail.require_own_numbers(connection)
            cursor.execute("SELECT to_regclass('stream.checkpoints') IS NOT NULL")
            if cursor.fetchone() != (True,):
                cursor.execute("SELECT pg_advisory_xact_lock(hashtext('stream.checkpoints'))")
                cursor.execute(_TABLE)
            cursor.execute(_BEGIN, [name, SHARES])

    def run(self, *, until: Callable[[], bool], pause: float = 0.2) -> int:
        """Follow the store until somebody says so, and return the number of events that were applied."""
        connection, applied = connect(self._url), 0
        try:
            while not until():
                found = self.step(connection)
                applied += found
                if not found:
                    time.sleep(pause)
        finally:
            connection.close()
        return applied

    def step(self, connection: Connection) -> int:
        """Look at every share that nobody holds, once; return the number of events that were applied."""
        first, self._next = self._next, (self._next + 1) % SHARES
        return sum(self._take(connection, (first + number) % SHARES) for number in range(SHARES))

    def _take(self, connection: Connection, share: int) -> int:
        with connection, connection.cursor() as cursor:
            # Until something is written, the transaction has no id, and so holds up no reader of the tail.
            cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext(%s), %s)", [f"stream {self._name}", share])
            if cursor.fetchone() != (True,):
                return 0
            cursor.execute(_CHECKPOINT, [self._name, share])
            [transaction_id, position] = cursor.fetchone() or (0, 0)
            place = tail.Checkpoint(transaction_id, position)
            found = tail.read(connection, place, tail.Wanted(share=share, shares=SHARES), self._limit)
            if found.end != place:
                self._apply(connection, found.events)
                cursor.execute(_MOVE, [*found.end, self._name, share])
            return len(found.events)


_TABLE = """
CREATE SCHEMA IF NOT EXISTS stream;
CREATE TABLE IF NOT EXISTS stream.checkpoints (
    consumer       text   NOT NULL,
    share          int    NOT NULL,
    transaction_id bigint NOT NULL DEFAULT 0,
    position       bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (consumer, share)
);
"""
_BEGIN = "INSERT INTO stream.checkpoints (consumer, share) SELECT %s, generate_series(0, %s - 1) ON CONFLICT DO NOTHING"
_CHECKPOINT = "SELECT transaction_id, position FROM stream.checkpoints WHERE consumer = %s AND share = %s"
_MOVE = "UPDATE stream.checkpoints SET transaction_id = %s, position = %s WHERE consumer = %s AND share = %s"
