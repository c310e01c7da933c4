"""The home of a database: a server of somebody's belongs to one OLIST_HOME, and another one is refused.

What belongs here: the identity of a home, and whether the database is its own. What does not: the embedded server,
which lies in its home, and who only reads.

Two homes over one database would bring their acts into each other's journals, and compare and release what the other
has validated. An identity goes wherever its home goes, so a home may be moved, copied and restored. Copies differ
by the file that holds it, and are refused while another one is at work: a run holds a lock of the server's.
"""

from __future__ import annotations

import socket
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from pathlib import Path

from psycopg2.errors import ReadOnlySqlTransaction

from olist_pipeline.errors import OlistError
from olist_pipeline.file_locks import alone
from olist_pipeline.files import replacing
from olist_pipeline.owners import refuse_stranger
from olist_pipeline.settings import Settings
from olist_pipeline.stores.postgres import connect, query, server_url, transaction

IDENTITY = "identity"
"""The file of a home that says which it is."""

AT_WORK = 7_153_002
"""The first number of the advisory locks of homes at work; the second is a copy's (see `_number_of`)."""


@dataclass(frozen=True)
class Owner:
    """The home that a database belongs to: its identity, since when, and where it lay when it was used last."""

    identity: str
    place: str
    since: datetime

    def is_gone(self) -> bool:
        """Whether it lay on this machine, and does not any more; of another machine nobody knows."""
        folder, _, machine = self.place.rpartition(" on ")
        try:
            return machine == socket.gethostname() and _read(Path(folder)) != self.identity
        except PermissionError:
            return False


def claim(settings: Settings, url: str) -> None:
    """Let the database belong to this home, if it belongs to none, or to one that is gone from this machine.

    A home that was moved says where it lies now, or it would count as gone. Raises OlistError where the database
    belongs to another, and while a copy of this home is at work with it.
    """
    if settings.postgres_url is None:
        return
    refuse_stranger(settings.home)
    identity = identity_of(settings.home)
    if query(url, _OTHERS, {"at_work": AT_WORK, "own": _number_of(settings.home)}):
        _refuse_copy(settings, owner(url), identity)
    found = owner(url)
    if found is None:
        _write(url, f"{_TAKE} DO NOTHING", settings.home)
        found = owner(url)
    if found is None or (found.identity, found.place) == (identity, _place(settings.home)):
        return
    if found.identity == identity or found.is_gone():
        try:
            _write(url, f"{_TAKE} (only_one) DO UPDATE {_SET}", settings.home)
        except OlistError as error:
            # A standby, or a database that takes no changes: what writes is refused there, what shows is not.
            if found.identity != identity or not isinstance(error.__cause__, ReadOnlySqlTransaction):
                raise
    else:
        raise OlistError(
            f"The database of OLIST_POSTGRES_URL belongs to the home {found.place} since {found.since:%Y-%m-%d}, and"
            f" this one is {settings.home}: give each home a database of its own, or run `olist db adopt` where this"
            " one takes the place of that one."
        )


@contextmanager
def at_work(settings: Settings) -> Iterator[None]:
    """Keep every copy of this home from the database in the block; raises OlistError where one is at work already.

    The lock goes with its connection: where the server ends that, the work goes on.
    """
    if settings.postgres_url is None:
        yield
        return
    identity, own = identity_of(settings.home), _number_of(settings.home)
    with closing(connect(server_url(settings))) as connection:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            cursor.execute("SELECT pg_advisory_xact_lock_shared(%s, %s)", [AT_WORK, own])
            cursor.execute(_OTHERS, {"at_work": AT_WORK, "own": own})
            has_others = cursor.fetchone() is not None
        if has_others:
            _refuse_copy(settings, owner(server_url(settings)), identity)
        yield


def _refuse_copy(settings: Settings, found: Owner | None, identity: str) -> None:
    """Raise OlistError, unless the database belongs to another home anyway, for which there is another sentence."""
    if found is None or found.identity == identity:
        raise OlistError(
            f"Another copy of the home {settings.home} is at work with the database of OLIST_POSTGRES_URL"
            f" (last known: {found.place if found else 'nowhere'}): wait for its end if this one takes its place, else"
            f" give this one a database of its own and remove its file `{IDENTITY}`."
        )


def _number_of(home: Path) -> int:
    """Return what tells this copy of a home from others, wherever it is mounted: two copies are two files."""
    found = (home / IDENTITY).stat()
    digest = blake2b(f"{found.st_ino} {found.st_mtime_ns}".encode(), digest_size=4).digest()
    return int.from_bytes(digest) // 2


def adopt(settings: Settings, url: str) -> Owner | None:
    """Let the database belong to this home from now on; return the other one that it belonged to, None without one."""
    if settings.postgres_url is None:
        raise OlistError("The embedded server lies in its home and belongs to it; OLIST_POSTGRES_URL is not set.")
    former = owner(url)
    _write(url, f"{_TAKE} (only_one) DO UPDATE {_SET}", settings.home)
    return former if former and former.identity != identity_of(settings.home) else None


def owner(url: str) -> Owner | None:
    """Return the home that a database belongs to, None before the first."""
    rows = query(url, "SELECT identity::text, place, since FROM migration.home")
    return Owner(**rows[0]) if rows else None


def identity_of(home: Path) -> str:
    """Return the identity of a home, which is given one where it has none; raises OSError where that cannot be."""
    if known := _read(home):
        return known
    with alone(home / "locks" / f"{IDENTITY}.lock"):
        if known := _read(home):
            return known
        made = str(uuid.uuid4())
        with replacing(home / IDENTITY) as temporary:
            temporary.write_text(f"{made}\n", "utf-8")
        return made


def _read(home: Path) -> str:
    """Return what the identity of a home says; nothing where it is missing or torn."""
    with suppress(FileNotFoundError, NotADirectoryError, ValueError):
        return str(uuid.UUID((home / IDENTITY).read_text("utf-8").strip()))
    return ""


def _write(url: str, statement: str, home: Path) -> None:
    with transaction(url) as connection, connection.cursor() as cursor:
        cursor.execute(statement, [identity_of(home), _place(home)])


def _place(home: Path) -> str:
    return f"{home} on {socket.gethostname()}"


_OTHERS = """
SELECT FROM pg_locks
WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND classid = %(at_work)s AND objid <> %(own)s
"""
_TAKE = "INSERT INTO migration.home AS former (identity, place) VALUES (%s, %s) ON CONFLICT"
_SET = (
    "SET identity = excluded.identity, place = excluded.place,"
    " since = CASE WHEN former.identity = excluded.identity THEN former.since ELSE now() END"
)
