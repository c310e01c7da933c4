"""Locks: who holds the one that a statement of ours waits for.

What belongs here: looking, while a statement waits, and saying it in a sentence. What does not: how long it waits
(`postgres`), and taking locks.

PostgreSQL tells who blocks whom only for as long as it lasts: once a statement has given up, nobody knows any more.
So a thread looks at what has taken longer than a moment, over a connection of its own.
"""

from __future__ import annotations

import os
import threading
import time
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import psycopg2
from psycopg2.extensions import TRANSACTION_STATUS_ACTIVE, make_dsn
from psycopg2.extensions import connection as Connection  # noqa: N812 - psycopg2's class is in lower case

from olist_pipeline.stores.server_errors import trouble

if TYPE_CHECKING:
    from sqlalchemy import Engine

LOOK_SECONDS = 1.5
"""At least two looks fall into the time that a statement waits (see `server_errors.LOCK_SECONDS`)."""

LONGEST_QUERY = 120


@dataclass(eq=False)
class Watched:
    """Something that may wait for a lock: its connection, since when, and who blocked it when it was looked at last."""

    connection: Connection
    since: float = field(default_factory=time.monotonic)
    blocker: str = ""


_watched: set[Watched] = set()
_started = threading.Lock()


def watch(connection: Connection) -> Watched:
    """Watch what is done on `connection` from now on, until `forget`."""
    one = Watched(connection)
    _watched.add(one)
    # Held by the thread for as long as there is one; a forked child has none.
    if _started.acquire(blocking=False):
        threading.Thread(target=_look_for_ever, name="lock watch", daemon=True).start()
    return one


def forget(one: Watched) -> None:
    """End watching."""
    _watched.discard(one)


def watch_engine(engine: Engine) -> None:
    """Watch each statement of a SQLAlchemy engine; one that fails raises the sentence of `server_errors.trouble`."""
    from sqlalchemy import event

    def begin(_connection: Any, cursor: Any, _statement: Any, _parameters: Any, context: Any, _many: Any) -> None:
        context.olist_watched = watch(cursor.connection)

    def end(_connection: Any, _cursor: Any, _statement: Any, _parameters: Any, context: Any, _many: Any) -> None:
        forget(context.olist_watched)

    def fail(failure: Any) -> None:
        one = getattr(failure.execution_context, "olist_watched", None)
        if one is not None:
            forget(one)
        error = failure.original_exception
        # Where there is no connection yet it is Dagster's to handle, which connects anew; a commit is no statement.
        known = trouble(error, one.blocker if one else "") if isinstance(error, psycopg2.Error) else None
        if known and failure.connection is not None:
            raise known from error

    event.listen(engine, "before_cursor_execute", begin)
    event.listen(engine, "after_cursor_execute", end)
    event.listen(engine, "handle_error", fail)


def blocker_of(connection: Connection, process: int) -> str:
    """Return who holds the lock that a process of the server waits for, in words; nothing where it waits for none."""
    with connection.cursor() as cursor:
        cursor.execute(_BLOCKERS, {"process": process})
        row = cursor.fetchone()
    if row is None:
        return ""
    target, holder, application, role, since, query, waits_for, others = row
    return (
        f"{'process' if not application else application + ', process'} {holder} of the role {role},"
        f" holds {target}"
        + (f" since {since}" if since else "")
        + (f" (`{_short(query)}`)" if query else "")
        + (f", and itself waits for process {waits_for}" if waits_for else "")
        + (f", and {others} more" if others else "")
        + f"; wait for its end, or end it by `SELECT pg_terminate_backend({waits_for or holder})`, then run again."
    )


# Who may not read another's activity sees neither its query nor its start.
_BLOCKERS = """
WITH wanted AS (
    SELECT pg_blocking_pids(%(process)s) AS holders, coalesce(
        (SELECT CASE WHEN relation IS NOT NULL THEN 'the table ' || relation::regclass
                     WHEN locktype = 'advisory' THEN 'the lock of `olist db migrate`'
                     ELSE 'a row that it has changed' END
         FROM pg_locks WHERE pid = %(process)s AND NOT granted LIMIT 1),
        'a lock') AS target
)
SELECT target, a.pid, nullif(a.application_name, ''), a.usename, to_char(a.xact_start, 'YYYY-MM-DD HH24:MI:SS TZ'),
       nullif(a.query, '<insufficient privilege>'), (pg_blocking_pids(a.pid))[1], cardinality(holders) - 1
FROM wanted JOIN pg_stat_activity a ON a.pid = ANY(holders)
ORDER BY a.xact_start NULLS LAST LIMIT 1
"""


def _short(query: str) -> str:
    text = " ".join(query.split())
    return text if len(text) <= LONGEST_QUERY else f"{text[:LONGEST_QUERY]} ..."


def _address(connection: Connection) -> str:
    """Return how the connection was made, with the password, which psycopg2 hides."""
    parameters: dict[str, str] = connection.info.dsn_parameters
    password = connection.info.password
    return make_dsn(**parameters, **({"password": password} if password else {}))


def _look_for_ever() -> None:
    while True:
        time.sleep(LOOK_SECONDS)
        now = time.monotonic()
        for one in list(_watched):
            if now - one.since > LOOK_SECONDS and one.connection.info.transaction_status == TRANSACTION_STATUS_ACTIVE:
                # Whatever goes wrong here the statement itself will say.
                with suppress(psycopg2.Error), closing(psycopg2.connect(_address(one.connection))) as connection:
                    one.blocker = blocker_of(connection, one.connection.get_backend_pid()) or one.blocker


def _forget_all() -> None:
    global _started
    _watched.clear()
    _started = threading.Lock()


os.register_at_fork(after_in_child=_forget_all)
