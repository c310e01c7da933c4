"""PostgreSQL: the server, embedded or given, and connections to it.

What belongs here: where the server is, what OLIST_POSTGRES_URL may look like, how all connections are set, and rows to
and from it. What does not: the schema and its versions (`schema`), locks (`locks`), what a person reads of an error
(`server_errors`), and any statement about a particular store.

Where `OLIST_POSTGRES_URL` is not set, an embedded server runs in `$OLIST_HOME/postgres` (`embedded`) for as long as a
process that uses it lives, on a Unix socket.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlencode

import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812 - psycopg2's class is in lower case
from psycopg2.extensions import parse_dsn

from olist_pipeline.errors import OlistError
from olist_pipeline.settings import Settings
from olist_pipeline.stores import embedded, locks, server_errors
from olist_pipeline.stores.server_errors import UNREADABLE, refused, trouble

if TYPE_CHECKING:
    import polars as pl  # a command that must be quick does not wait for it

STATEMENT_SECONDS = 3600
"""No statement takes longer: to append ten million events takes minutes."""

IDLE_SECONDS = 600
"""A transaction that does nothing for so long is one whose program hangs; its locks are taken from it."""

ROWS_A_COPY = 100_000
"""So many rows are written as text at a time, which bounds the memory of it."""

COPY_BYTES = 2**18
"""So much is sent at a time."""

_ESCAPED = {"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"}
"""What would end a cell or a line of PostgreSQL's text format, and how it is written."""

_ESCAPABLE = r"[\\\t\n\r]"
"""Any of these, as a pattern: a class of characters is found three times as fast as one of several texts."""

DAGSTER_STATEMENT_SECONDS = 300
"""Dagster asks for single rows and short lists."""

_LIMITS = {
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
}
"""A server is waited for ten seconds. A connection whose other end is silent for a minute, though it is asked, is dead:
a cable was pulled, or a firewall forgot it. Without these parameters of libpq's that takes two hours."""

TRANSACTION_TIMEOUT_SINCE = 17_00_00
"""The version of PostgreSQL that brought `transaction_timeout`."""

_SET_BY_LIBPQ = ("PGTZ", "PGDATESTYLE", "PGGEQO")
"""Variables of a shell's other work that libpq sets for each session, over what the address sets."""

_LEADING_ELSEWHERE = (
    *("PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGUSER", "PGPASSWORD", "PGPASSFILE", "PGSERVICE"),
    *("PGSERVICEFILE", "PGSYSCONFDIR", "PGREQUIREAUTH", "PGCHANNELBINDING", "PGREQUIREPEER", "PGSSLMODE"),
    *("PGREQUIRESSL", "PGSSLNEGOTIATION", "PGGSSENCMODE", "PGGSSDELEGATION", "PGTARGETSESSIONATTRS"),
    *("PGLOADBALANCEHOSTS", "PGSSLROOTCERT", "PGSSLCERT", "PGSSLKEY"),
)
"""Variables by which libpq finds, and trusts, another server than that of an address which leaves something open."""

# No sentence shows the address: in a malformed one a part of the password may stand anywhere.
_MALFORMED = (
    "OLIST_POSTGRES_URL must look like postgresql://user:password@host:5432/database; write other characters than "
    "letters, digits, '-', '.', '_' and '~' of its parts as percent codes (@ is %40, : is %3A, / is %2F, % is %25)"
)


def server_url(settings: Settings) -> str:
    """Return the `postgresql://` address of the server, starting the embedded one where none is given."""
    _forget(_SET_BY_LIBPQ)
    if settings.postgres_url is None:
        _forget(_LEADING_ELSEWHERE)
        return embedded.url_of(settings.postgres_data)
    return read_address(settings.postgres_url, settings.postgres_password_file)


def read_address(url: str, password_file: Path | None = None) -> str:
    """Return the address that PostgreSQL and Dagster read alike: user, password and database, all else in the query.

    `password_file` holds the password alone, but for a line end. Raises OlistError for a malformed address and for a
    file that cannot be read.
    """
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.partition("+")[0] not in ("postgres", "postgresql"):
        raise OlistError(f"{_MALFORMED}; it begins otherwise.")
    user, has_user, _ = rest.rpartition("@")
    if has_user and set(user) & set("@/?#[] "):
        raise OlistError(f"{_MALFORMED}; what stands before its last @ is no user and password.")
    try:
        parts = {name: str(value) for name, value in parse_dsn(f"postgresql://{rest}").items()}
    except (psycopg2.Error, UnicodeError):  # percent codes may be of no text in UTF-8
        raise OlistError(f"{_MALFORMED}; PostgreSQL cannot read it.") from None
    if not all(port.isdigit() or not port for port in parts.get("port", "").split(",")):
        raise OlistError(f"{_MALFORMED}; its port is no number.")
    if password_file is not None:
        if parts.get("password"):
            raise OlistError(
                "OLIST_POSTGRES_URL has a password, and OLIST_POSTGRES_PASSWORD_FILE names another; leave one out."
            )
        parts["password"] = password_of(password_file, "OLIST_POSTGRES_PASSWORD_FILE")
    return _address_of(parts)


def _address_of(parts: dict[str, str]) -> str:
    rest = dict(parts)
    user, password, database = (quote(rest.pop(name, ""), safe="") for name in ("user", "password", "dbname"))
    who = f"{user}:{password}@" if password else f"{user}@" if user else ""
    # Hosts are in the query, where sockets and several servers can be said, too.
    query = urlencode(rest, quote_via=quote, safe="")
    return f"postgresql://{who}/{database}{'?' if query else ''}{query}"


def password_of(path: Path, named_by: str) -> str:
    """Return the password that a file holds; raises OlistError, with what `named_by` names it, where there is none."""
    try:
        password = path.read_text("utf-8").removesuffix("\n").removesuffix("\r")
    except (OSError, UnicodeDecodeError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or "it is no text in UTF-8"
        raise OlistError(f"{named_by}, {path}, cannot be read: {reason}.") from None
    if not password or not password.isprintable():
        raise OlistError(f"{named_by}, {path}, must hold the password alone, on one line.")
    return password


def _forget(variables: Sequence[str]) -> None:
    """Take variables of libpq's out of the environment, for this process and those that it starts."""
    for name in variables:
        os.environ.pop(name, None)


def dagster_url(url: str, *, statement_seconds: int = DAGSTER_STATEMENT_SECONDS) -> str:
    """Return `url` for Dagster's storage.

    It needs psycopg2: with psycopg 3 its event log fails on NOTIFY. Its many small commits do not wait for
    the disk; what a power failure could take is the log of the last moment, never the operational stores.
    """
    options = {**session_options(statement_seconds), "synchronous_commit": "off"}
    _, _, rest = with_options(url, options).partition("://")
    return f"postgresql+psycopg2://{rest}"


def session_options(statement_seconds: int = STATEMENT_SECONDS) -> dict[str, str]:
    """Return the settings of PostgreSQL that each session begins with, whatever the server or the role has."""
    return {
        "search_path": "public",
        "default_transaction_isolation": "read committed",
        # Times are shown as they come, and Dagster takes those that bear no zone for UTC.
        "TimeZone": "UTC",
        "lock_timeout": f"{server_errors.LOCK_SECONDS}s",
        "statement_timeout": f"{statement_seconds}s",
        "idle_in_transaction_session_timeout": f"{IDLE_SECONDS}s",
        # A run keeps its connections, and asks nothing while dbt works.
        "idle_session_timeout": "0",
    }


def with_options(url: str, options: Mapping[str, str]) -> str:
    """Return `url` with settings for its sessions, and limits for what does not answer; its own hold nevertheless.

    The name of the application is `olist` where neither `url` nor PGAPPNAME (which commands set) says another.
    """
    address, _, query = url.partition("?")
    # In an address of PostgreSQL's a plus is a plus.
    given = dict(parse_qsl(query.replace("+", "%2B"), keep_blank_values=True))
    settings = " ".join(f"-c {name}={value.replace(' ', chr(92) + ' ')}" for name, value in options.items())
    given["options"] = f"{settings} {given['options']}" if given.get("options") else settings
    for name, value in {"fallback_application_name": "olist", **_LIMITS}.items():
        given.setdefault(name, value)
    given["client_encoding"] = "utf8"  # of what COPY sends and gets, whatever PGCLIENTENCODING says
    return f"{address}?{urlencode(given, quote_via=quote, safe='/')}"


def connect(url: str) -> Connection:
    """Return a connection in autocommit-off mode; raises OlistError when the server does not let us in."""
    try:
        connection = psycopg2.connect(with_options(url, session_options()))
        let_transactions_last(connection)
    except psycopg2.OperationalError as error:
        raise refused(error) from error
    except psycopg2.ProgrammingError:
        raise OlistError(UNREADABLE) from None
    return connection


def let_transactions_last(connection: Connection) -> None:
    """Lift the server's limit of whole transactions: an append takes minutes, and its statements have a limit each.

    One that the address sets holds. It cannot be one of the settings that a session begins with, for a server that does
    not know it refuses them.
    """
    if connection.server_version < TRANSACTION_TIMEOUT_SINCE or "transaction_timeout" in connection.dsn:
        return
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("SET transaction_timeout = 0")
    connection.autocommit = False


@contextmanager
def transaction(url: str) -> Iterator[Connection]:
    """Yield a connection whose work is committed when the block succeeds, and undone when it does not."""
    connection = connect(url)
    watched = locks.watch(connection)
    try:
        yield connection
        connection.commit()
    except psycopg2.Error as error:
        known = trouble(error, watched.blocker)
        if known is None:
            raise
        raise known from error
    finally:
        locks.forget(watched)
        connection.close()


def flush(url: str) -> None:
    """Bring every earlier commit to the disk, also those that did not wait for it (see `dagster_url`)."""
    with transaction(url) as connection, connection.cursor() as cursor:
        # A transaction with an id of its own commits durably, and the log is flushed in order.
        cursor.execute("SELECT pg_current_xact_id()")


def query(url: str, statement: str, parameters: Sequence[object] | dict[str, object] = ()) -> list[dict[str, Any]]:
    """Return the rows of one reading statement, as dictionaries by column name."""
    with transaction(url) as connection, connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def query_rows(url: str, statement: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
    """Return the rows of one reading statement, as tuples in the order of its columns."""
    with transaction(url) as connection, connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall()


def copy_frame(connection: Connection, frame: pl.DataFrame, table: str, *, freeze: bool = False) -> None:
    """Load `frame` into `table`, whose columns have the frame's names, with COPY.

    With `freeze` its rows need no later visit; the table must have been made in the same transaction.
    """
    columns = ", ".join(f'"{name}"' for name in frame.columns)
    options = "FORMAT text, FREEZE" if freeze else "FORMAT text"
    slices = frame.iter_slices(ROWS_A_COPY)
    with connection.cursor() as cursor, ThreadPoolExecutor(1) as beside:
        waiting = [beside.submit(_written, rows) for rows in islice(slices, 1)]
        while waiting:
            text = waiting.pop().result()
            # The next rows are written while the server reads these.
            waiting = [beside.submit(_written, rows) for rows in islice(slices, 1)]
            cursor.copy_expert(f"COPY {table} ({columns}) FROM STDIN ({options})", text, size=COPY_BYTES)


def _written(rows: pl.DataFrame) -> io.BytesIO:
    """Return rows in PostgreSQL's text format, which is shorter than CSV, and cheaper to write and to read."""
    import polars as pl

    texts = [column.name for column in rows if column.dtype == pl.String and column.str.contains(_ESCAPABLE).any()]
    buffer = io.BytesIO()
    rows.with_columns(pl.col(texts).str.replace_many(_ESCAPED)).write_csv(
        buffer,
        include_header=False,
        separator="\t",
        quote_style="never",
        null_value=r"\N",
        datetime_format="%Y-%m-%d %H:%M:%S%.6f",
    )
    buffer.seek(0)
    return buffer


def copied(
    connection: Connection, statement: str, schema: Mapping[str, pl.DataType | type[pl.DataType]]
) -> pl.DataFrame:
    """Return the rows of a reading statement, by COPY; `schema` names its columns, of which none is null."""
    import polars as pl

    buffer = io.BytesIO()
    with connection.cursor() as cursor:
        cursor.copy_expert(f"COPY ({statement}) TO STDOUT (FORMAT csv)", buffer)
    if not buffer.tell():
        return pl.DataFrame(schema=schema)
    buffer.seek(0)
    return pl.read_csv(buffer, glob=False, has_header=False, schema=schema, empty_string_is_null=False)
