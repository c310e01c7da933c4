"""The version of the operational schemas: the database's, the program's, and the way from one to the other.

What belongs here: asking and raising the version. What does not: what a version consists of (`migrations`), and
Dagster's tables, which have versions of their own (`orchestration.internals.storage`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg2

from olist_pipeline.errors import OlistError
from olist_pipeline.settings import Settings
from olist_pipeline.stores import home, locks
from olist_pipeline.stores.postgres import connect, query_rows, server_url, transaction

if TYPE_CHECKING:
    from alembic.config import Config  # it takes half a second to import, and only a migration needs it

HEAD = "0006"
"""The version that this program needs."""

VERSION_SCHEMA = "migration"
VERSION_TABLE = "schema_version"

LEAST_SERVER = 14
"""The least major version of PostgreSQL: CREATE OR REPLACE TRIGGER is of 14, the type xid8 of 13."""

MIGRATION_LOCK = 7_153_001
"""Advisory lock under which one process at a time raises the version."""

OF_FIRST_VERSION = {
    "data_quality.quarantine": "rules",
    "data_quality.parity_results": "verdict",
    "event_store.domain_events": "aggregate_id",
    "event_store.batches": "digest",
    "migration.routes": "route",
    "migration.route_history": "new_route",
    "migration.approvals": "approved_by",
}
"""A column by which a table that has no version yet is known for one of an earlier program's."""

_TAKEN = ("42P07", "42710", "42723", "42725", "42809", "42703", "42P13", "42P16")
"""The codes of errors by which a migration finds a name taken, by something of that kind or of another."""

_OF_OTHERS = (
    "The database has {what} of another program under names of ours ({names}): give the pipeline a database of its own."
)

MIGRATION_SECONDS = 300
"""A migration waits so long for another one."""


@dataclass(frozen=True)
class SchemaState:
    """What a database is, and how its schema stands to this program. `version` is None where it has none.

    `pending` are the revisions to come, `number: what it does` each.
    """

    database: str
    role: str
    server: str
    version: str | None
    pending: tuple[str, ...]

    @property
    def objection(self) -> str:
        """What keeps this program from working with the database, in a sentence; nothing where nothing does."""
        return _objection(self.version)


def ready_url(settings: Settings) -> str:
    """Return the address of the server, whose schema is of this program's version, and which belongs to this home.

    Raises OlistError where it belongs to another.
    """
    url = reading_url(settings)
    home.claim(settings, url)
    return url


def reading_url(settings: Settings) -> str:
    """Return the address of the server, whose schema is of this program's version, for who writes nothing.

    The embedded server is brought to it. A server of somebody's is only asked: `olist db migrate` changes it.
    """
    url = server_url(settings)
    require(url, may_migrate=settings.postgres_url is None)
    return url


def require(url: str, *, may_migrate: bool) -> None:
    """Raise OlistError unless the schema has this program's version; raise an older one if it `may_migrate`."""
    version = database_version(url)
    if version == HEAD:
        return
    if may_migrate and not _is_newer(version):
        migrate(url)
    else:
        raise OlistError(_objection(version))


def database_version(url: str) -> str | None:
    """Return the version of the schema, by one question; None where the database was never migrated.

    Raises OlistError for a server that is too old, and for a database in another encoding than UTF-8: a backup may have
    been restored into one.
    """
    with transaction(url) as connection, connection.cursor() as cursor:
        _refuse_unfit(connection.server_version, connection.info.parameter_status("server_encoding"))
        try:
            cursor.execute(f"SELECT version_num FROM {VERSION_SCHEMA}.{VERSION_TABLE}")
        except (psycopg2.errors.UndefinedTable, psycopg2.errors.InvalidSchemaName):
            connection.rollback()
            return None
        except psycopg2.errors.UndefinedColumn:
            names = f"{VERSION_SCHEMA}.{VERSION_TABLE}"
            raise OlistError(_OF_OTHERS.format(what="tables", names=names)) from None
        row = cursor.fetchone()
    return str(row[0]) if row else None


def state(url: str) -> SchemaState:
    """Return how the database stands to this program, whoever asks."""
    version = database_version(url)
    with transaction(url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT current_database(), current_user, current_setting('server_version')")
        database, role, server = cursor.fetchone() or ("", "", "")
    return SchemaState(database, role, server, version, () if _is_newer(version) else _pending(version))


def migrate(url: str) -> tuple[str | None, str]:
    """Raise the schema to this program's version; return the versions before and after.

    It does nothing where that is the version, and one migration waits for another. Raises OlistError for a newer
    schema, for a server that is too old, for a database in another encoding than UTF-8 or with schemas or tables of
    another program in the place of ours, and for a role that does not own the schema.
    """
    try:
        before = database_version(url)
    except OlistError:
        _refuse_owners(url)
        raise
    if before == HEAD:
        return before, HEAD
    if _is_newer(before):
        raise OlistError(_objection(before))
    _refuse_owners(url)
    if before is None:
        _refuse_others(url)
    from alembic import command

    with sole_migration(url), _one_transaction(url) as config:
        command.upgrade(config, "head")
    return before, HEAD


@contextmanager
def sole_migration(url: str) -> Iterator[None]:
    """Hold the lock under which versions are raised, Dagster's too; raise OlistError where a name is taken."""
    with transaction(url) as connection, connection.cursor() as cursor:
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        cursor.execute("SET LOCAL lock_timeout = %s", [f"{MIGRATION_SECONDS}s"])
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [MIGRATION_LOCK])
        try:
            yield
        except Exception as error:
            found = getattr(error, "orig", error)  # SQLAlchemy keeps the driver's error aside
            if getattr(found, "pgcode", None) not in _TAKEN:
                raise
            raise OlistError(_OF_OTHERS.format(what="something", names=str(found).splitlines()[0])) from error


def refuse_downgrade() -> None:
    """Raise OlistError, in the place of the way back to an older version."""
    raise OlistError(
        "A schema goes back to an older version only by restoring a backup: what the newer one keeps would be lost"
        " (see docs/postgres.md)."
    )


def migrations() -> Config:
    """Return the configuration by which Alembic finds the revisions."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "olist_pipeline.stores:migrations")
    return config


@contextmanager
def _one_transaction(url: str) -> Iterator[Config]:
    """Yield Alembic's configuration over a transaction in which there is a place for the version."""
    import sqlalchemy

    engine = sqlalchemy.create_engine(
        "postgresql+psycopg2://", creator=lambda: connect(url), poolclass=sqlalchemy.pool.NullPool
    )
    locks.watch_engine(engine)
    with engine.begin() as connection:
        # To build an index over many events takes as long as it takes.
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        _make_place(connection)
        config = migrations()
        config.attributes["connection"] = connection
        yield config


def _make_place(connection: Any) -> None:
    """Create the schema in which Alembic keeps the version; one that is there needs no right to create it."""
    found = connection.exec_driver_sql(f"SELECT 1 FROM pg_namespace WHERE nspname = '{VERSION_SCHEMA}'")
    if found.first() is None:
        connection.exec_driver_sql(f"CREATE SCHEMA {VERSION_SCHEMA}")


def _pending(version: str | None) -> tuple[str, ...]:
    if version == HEAD:
        return ()
    from alembic.script import ScriptDirectory

    revisions = reversed(list(ScriptDirectory.from_config(migrations()).walk_revisions()))
    return tuple(f"{one.revision}: {one.doc}" for one in revisions if version is None or one.revision > version)


def _is_newer(version: str | None) -> bool:
    return version is not None and version > HEAD


def _objection(version: str | None) -> str:
    if version == HEAD:
        return ""
    if version is None:
        return (
            "The database has no schema of this program's, or one from before it had versions:"
            " run `olist db migrate` as the role that owns it."
        )
    if _is_newer(version):
        return f"The database has schema version {version}, this program knows up to {HEAD}: update the program."
    return f"The database has schema version {version}, this program needs {HEAD}: run `olist db migrate` as its owner."


def _refuse_others(url: str) -> None:
    """Raise OlistError where there are tables of another program under the names of ours, or no place for Dagster's."""
    statement = """
        SELECT name FROM unnest(%s::text[], %s::text[]) AS ours (name, attribute)
        WHERE to_regclass(name) IS NOT NULL AND NOT EXISTS (
            SELECT FROM pg_attribute WHERE attrelid = to_regclass(name) AND attname = attribute
        )
    """
    others = [name for (name,) in query_rows(url, statement, [list(OF_FIRST_VERSION), list(OF_FIRST_VERSION.values())])]
    if others:
        raise OlistError(_OF_OTHERS.format(what="tables", names=", ".join(others)))
    if not query_rows(url, "SELECT FROM pg_namespace WHERE nspname = 'public'"):
        raise OlistError(
            "The database has no schema `public`, where Dagster's tables go: CREATE SCHEMA public, and let the owner of"
            " the pipeline's tables create tables there."
        )


def _refuse_owners(url: str) -> None:
    """Raise OlistError where a schema of ours is another role's, which is another program's perhaps."""
    statement = """
        SELECT nspname, pg_get_userbyid(nspowner), current_user FROM pg_namespace
        WHERE nspname = ANY(%s) AND NOT pg_has_role(nspowner, 'USAGE') ORDER BY 1
    """
    schemas = sorted({VERSION_SCHEMA, *(name.partition(".")[0] for name in OF_FIRST_VERSION)})
    for name, owner, role in query_rows(url, statement, [schemas]):
        raise OlistError(
            f"The schema {name} belongs to the role {owner}, and this is {role}: run `olist db migrate` as {owner} if"
            " it is this program's, else give the pipeline a database of its own."
        )


def _refuse_unfit(server_version: int, encoding: str | None) -> None:
    if server_version < LEAST_SERVER * 10_000:
        raise OlistError(
            f"PostgreSQL {server_version // 10_000} is too old: version {LEAST_SERVER} or later is needed."
        )
    if encoding not in ("UTF8", None):  # a pooler may not say
        raise OlistError(
            f"The database is in {encoding}, which cannot hold every text of landing: create one by"
            " CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0, and name it in OLIST_POSTGRES_URL."
        )
