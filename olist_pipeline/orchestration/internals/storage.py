"""Dagster's storage: the PostgreSQL of the environment, embedded or given.

What belongs here: pointing Dagster to the server, how it talks to it, and raising the version of its tables. What does
not: asking for that version (`storage_version`), the server (`stores.postgres`), and our own tables (`stores.schema`).

Left alone, Dagster creates its tables where it finds none, which takes a right that the runtime role does not have. So
it does that in the embedded server only; elsewhere `olist db migrate` does.

Private: `ConfigurableClassData`, without which Dagster cannot tell a child process of a storage that is not its own;
the parts of the storage, the `_engine` of each, and `_has_asset_key_col_on_connection` of one, which asks for the
columns of a table before each look into it; `ALEMBIC_SCRIPTS_LOCATION`, where the versions of its tables are; and the
metadata of the parts, by which the names of its tables are known.
Publicly, a storage is given a URL in `dagster.yaml`, which would have to hold the password and could not start the
embedded server; and `optimize_for_webserver` keeps connections, but for the webserver alone.
"""

from __future__ import annotations

import os
import time
from typing import Any

import psycopg2
from alembic.config import Config
from dagster._core.storage.event_log.schema import SqlEventLogStorageMetadata
from dagster._core.storage.runs.schema import RunStorageSqlMetadata
from dagster._core.storage.schedules.schema import ScheduleStorageSqlMetadata
from dagster._core.storage.sql import ALEMBIC_SCRIPTS_LOCATION
from dagster._serdes import ConfigurableClassData
from dagster_postgres import DagsterPostgresStorage
from dagster_postgres.event_log import event_log
from dagster_postgres.run_storage import run_storage
from dagster_postgres.schedule_storage import schedule_storage
from dagster_postgres.utils import create_pg_engine
from sqlalchemy import Engine, event

from olist_pipeline.errors import OlistError
from olist_pipeline.files import keep_private
from olist_pipeline.orchestration.internals.storage_version import refuse_unknown, storage_versions
from olist_pipeline.settings import Settings
from olist_pipeline.stores.locks import watch_engine
from olist_pipeline.stores.postgres import dagster_url, let_transactions_last, query_rows, transaction
from olist_pipeline.stores.schema import VERSION_SCHEMA, reading_url, sole_migration
from olist_pipeline.stores.server_errors import trouble

LOST_SECONDS = 5
"""A server that is started again within that time is waited for."""

TABLES = (RunStorageSqlMetadata, SqlEventLogStorageMetadata, ScheduleStorageSqlMetadata)
"""What Dagster's tables are, a part of the storage each."""

HALF_MADE = "The tables of Dagster are being made"
"""What is noted in the database while that is so: Dagster makes each in a transaction of its own."""

EVENTS_AT_ONCE = "1000"
"""A run over many months tells of each table in each month: Dagster stores so many of these events together."""


def _alembic_config(*_: object) -> Config:
    """Return Dagster's configuration of Alembic: where the revisions are.

    Dagster reads the same from a file, and Alembic takes a % in the path of that file for the beginning of a variable.
    """
    config = Config()
    config.set_main_option("script_location", ALEMBIC_SCRIPTS_LOCATION)
    return config


for _part in (event_log, run_storage, schedule_storage):
    _part.pg_alembic_config = _alembic_config  # type: ignore[attr-defined]


class EnvironmentStorage(DagsterPostgresStorage):
    """The storage that `dagster.yaml` names: it needs no address, so every Dagster command works as it is."""

    def __init__(
        self, postgres_url: str, inst_data: ConfigurableClassData | None = None, *, creates_tables: bool = False
    ) -> None:
        super().__init__(postgres_url, should_autocreate_tables=creates_tables, inst_data=inst_data)
        # A run asks thousands of times. Left alone, the storage connects anew each time, which costs a third of the
        # run, most of it in the server. A connection that the server dropped meanwhile is noticed and replaced. Two are
        # kept: a step of dbt has a thread beside the others.
        for part in (self._event_log_storage, self._run_storage, self._schedule_storage):
            part._engine = create_pg_engine(
                postgres_url, isolation_level="AUTOCOMMIT", pool_size=2, max_overflow=20, pool_pre_ping=True
            )
            watch_engine(part._engine)
            _give_up_once_lost(part._engine)
        _remember_columns(self._event_log_storage)

    def dispose(self) -> None:
        """Close the connections."""
        for part in (self._event_log_storage, self._run_storage, self._schedule_storage):
            part.dispose()
            part._engine.dispose()

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """Return no field: child processes are started with it on their command line, where all can read an address."""
        return {}

    @classmethod
    def from_config_value(  # type: ignore[override]
        cls, inst_data: ConfigurableClassData | None, config_value: dict[str, Any]
    ) -> EnvironmentStorage:
        """Return the storage at the environment's server, which is started where none is."""
        # Webserver and daemon load nothing else of ours, and keep logs.
        keep_private()
        os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", EVENTS_AT_ONCE)
        settings = Settings.from_env()
        return cls(
            dagster_url(reading_url(settings)),
            inst_data=ConfigurableClassData(__name__, cls.__name__, "{}"),
            creates_tables=settings.postgres_url is None,
        )


def _remember_columns(storage: Any) -> None:
    """Let the storage remember which columns its table of assets has: it reads them before it reads any asset.

    Only those that are there, for a migration may bring one.
    """
    asked, known = storage._has_asset_key_col_on_connection, set[str]()

    def has(connection: Any, column: str) -> bool:
        if column not in known and asked(connection, column):
            known.add(column)
        return column in known

    storage._has_asset_key_col_on_connection = has


def _give_up_once_lost(engine: Engine) -> None:
    """Let a connection fail at once, with one sentence, where the server has not answered for `LOST_SECONDS`.

    Dagster tries each question six times in as many seconds, whatever came of the one before; a run whose server has
    stopped asks a dozen.
    """
    failed_since: list[float] = []

    def connect(dialect: Any, _: Any, arguments: Any, options: Any) -> Any:
        try:
            connection = dialect.connect(*arguments, **options)
            let_transactions_last(connection)
        except psycopg2.OperationalError as error:
            now = time.monotonic()
            failed_since.append(now)
            if now - failed_since[0] > LOST_SECONDS:
                raise trouble(error) or error from error
            raise
        failed_since.clear()
        return connection

    event.listen(engine, "do_connect", connect)


def refuse_others(url: str) -> None:
    """Raise OlistError where Dagster's tables cannot be: a newer Dagster's or another program's are in their place."""
    # In this order: a migration beside this one notes that tables are being made, makes them, and gives them a version
    # before it takes its note away.
    found, is_half_made = _tables_there(url), _is_half_made(url)
    before, _ = storage_versions(url)
    refuse_unknown(before)
    if found and before is None and not is_half_made:
        raise OlistError(
            f"The schema public has tables of another program under names of Dagster's"
            f" ({', '.join(found)}): give the pipeline a database of its own."
        )


def migrate_storage(url: str) -> tuple[str | None, str]:
    """Create Dagster's tables, or bring them to the version that it needs; return the versions before and after.

    Tables that a killed process was making are made anew. Raises OlistError as `refuse_others` does.
    """
    before, needed = storage_versions(url)
    if before == needed and not _is_half_made(url):
        return before, needed
    refuse_others(url)
    with sole_migration(url):
        if _is_half_made(url) and not _are_used(url):
            _drop_tables(url)
        before, needed = storage_versions(url)
        if before is None:
            _note(url, HALF_MADE)
        storage = EnvironmentStorage(dagster_url(url, statement_seconds=0), creates_tables=True)
        # As `dagster instance migrate` does, which finds no instance here.
        storage._run_storage.upgrade()
        storage._run_storage.migrate()
        storage._event_log_storage.upgrade()
        storage._event_log_storage.reindex_assets()
        storage._schedule_storage.upgrade()
        storage._schedule_storage.migrate()
        storage.dispose()
        if _is_half_made(url):
            _note(url, None)
    return before, needed


def _tables_there(url: str) -> list[str]:
    names = sorted({name for part in TABLES for name in part.tables})
    statement = """
        SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace('public') AND relname = ANY(%s) ORDER BY 1
    """
    found = query_rows(url, statement, [names])
    return [name for (name,) in found]


def _is_half_made(url: str) -> bool:
    said = query_rows(url, "SELECT obj_description(to_regnamespace(%s), 'pg_namespace')", [VERSION_SCHEMA])
    return said == [(HALF_MADE,)]


def _note(url: str, text: str | None) -> None:
    """Note what is going on, by a comment on our own schema."""
    with transaction(url) as connection, connection.cursor() as cursor:
        cursor.execute(f"COMMENT ON SCHEMA {VERSION_SCHEMA} IS %s", [text])


def _are_used(url: str) -> bool:
    """Return whether there is a run: the tables were made then, and who made them was killed before saying so."""
    return "runs" in _tables_there(url) and query_rows(url, "SELECT EXISTS (SELECT 1 FROM public.runs)") == [(True,)]


def _drop_tables(url: str) -> None:
    with transaction(url) as connection, connection.cursor() as cursor:
        for name in (*_tables_there(url), "alembic_version"):
            cursor.execute(f'DROP TABLE IF EXISTS public."{name}" CASCADE')
