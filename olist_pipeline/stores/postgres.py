"""PostgreSQL: the server, embedded or given, its schema, and connections.

What belongs here: where the server is and that it has our schemas. What does not: any statement about a
particular store.

Where `OLIST_POSTGRES_URL` is not set, an embedded server runs in `$OLIST_HOME/postgres` (`embedded`) for as long as a
process that uses it lives, on a Unix socket.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812 - psycopg2's class is in lower case

from olist_pipeline.errors import OlistError
from olist_pipeline.settings import Settings
from olist_pipeline.stores import embedded

if TYPE_CHECKING:
    import polars as pl  # a command that must be quick does not wait for it

SCHEMA_LOCK = 7_153_001
"""Advisory lock under which one process at a time brings the schema up to date."""


def server_url(settings: Settings) -> str:
    """Return the `postgresql://` address of the server, starting the embedded one where none is given."""
    if settings.postgres_url is None:
        return embedded.url_of(settings.postgres_data)
    scheme, separator, rest = settings.postgres_url.partition("://")
    if not separator or not scheme.startswith("postgres"):
        raise OlistError(
            f"OLIST_POSTGRES_URL must look like postgresql://user@host/database, not {settings.postgres_url!r}."
        )
    return f"postgresql://{rest}"


def ready_url(settings: Settings) -> str:
    """Return the address of the server with the operational schemas in place."""
    url = server_url(settings)
    create_schema(url)
    return url


def dagster_url(url: str) -> str:
    """Return `url` for Dagster's storage.

    It needs psycopg2: with psycopg 3 its event log fails on NOTIFY. Its many small commits do not wait for
    the disk; what a power failure could take is the log of the last moment, never the operational stores.
    """
    _, _, rest = url.partition("://")
    return f"postgresql+psycopg2://{rest}{'&' if '?' in rest else '?'}options=-csynchronous_commit%3Doff"


def connect(url: str) -> Connection:
    """Return a connection in autocommit-off mode; raises OlistError when the server does not answer."""
    try:
        return psycopg2.connect(url, connect_timeout=10)
    except psycopg2.OperationalError as error:
        reason = str(error).strip().splitlines()[0]
        raise OlistError(
            f"PostgreSQL does not answer ({reason}); start it, or unset OLIST_POSTGRES_URL for the embedded one."
        ) from error


@contextmanager
def transaction(url: str) -> Iterator[Connection]:
    """Yield a connection whose work is committed when the block succeeds, and undone when it does not."""
    connection = connect(url)
    try:
        with connection:
            yield connection
    except psycopg2.errors.DiskFull as error:
        raise OlistError("PostgreSQL's disk is full; free space and run again.") from error
    finally:
        connection.close()


def create_schema(url: str) -> None:
    """Bring the operational schemas up to date; does nothing where they are."""
    statements = files("olist_pipeline.stores").joinpath("schema.sql").read_text("utf-8")
    with transaction(url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", (SCHEMA_LOCK,))
        cursor.execute("SET LOCAL client_min_messages = warning")
        cursor.execute(statements)


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


def copy_frame(connection: Connection, frame: pl.DataFrame, table: str) -> None:
    """Load `frame` into the temporary table `table`, whose columns have the frame's names, with COPY."""
    buffer = io.BytesIO()
    frame.write_csv(buffer, include_header=False, datetime_format="%Y-%m-%d %H:%M:%S%.6f")
    buffer.seek(0)
    columns = ", ".join(f'"{name}"' for name in frame.columns)
    with connection.cursor() as cursor:
        cursor.copy_expert(f"COPY {table} ({columns}) FROM STDIN (FORMAT csv)", buffer)
