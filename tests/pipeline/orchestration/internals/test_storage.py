"""Dagster's storage in the environment's PostgreSQL: how it learns where that is, and connections that it keeps."""

import json
from contextlib import closing
from pathlib import Path

import dagster as dg
import psycopg2
import pytest
from alembic.script import ScriptDirectory
from dagster import DagsterRun
from dagster._core.scheduler.instigation import InstigatorType, TickData, TickStatus
from dagster._daemon.types import DaemonHeartbeat
from dagster_postgres.event_log import event_log
from dagster_postgres.run_storage import run_storage
from dagster_postgres.schedule_storage import schedule_storage
from sqlalchemy import event

from olist_pipeline.errors import OlistError
from olist_pipeline.orchestration.internals import storage as module
from olist_pipeline.orchestration.internals.storage import (
    HALF_MADE,
    EnvironmentStorage,
    _alembic_config,
    migrate_storage,
    refuse_others,
)
from olist_pipeline.orchestration.internals.storage_version import needed_version, storage_versions
from olist_pipeline.stores import postgres, schema, server_errors
from tests.pipeline.roles import RUNTIME, alone, as_role
from tests.pipeline.stores.test_events import until

PROJECT = Path(__file__).parents[4]


@pytest.fixture
def storage(dagster_server, monkeypatch):
    monkeypatch.setenv("OLIST_POSTGRES_URL", dagster_server)
    return EnvironmentStorage.from_config_value(None, {})


def backends(server) -> set[int]:
    """Return the server's processes that serve Dagster."""
    rows = postgres.query(server, "SELECT pid FROM pg_stat_activity WHERE application_name = 'dagster-test'")
    return {row["pid"] for row in rows}


def test_the_version_that_dagster_needs_is_the_one_that_alembic_says():
    assert needed_version() == ScriptDirectory.from_config(_alembic_config()).as_revision_number("head")


def test_a_child_process_is_given_no_address_and_finds_it(storage):
    assert json.loads(storage.inst_data.config_yaml) == {}
    child = storage.inst_data.rehydrate(EnvironmentStorage)
    assert child.postgres_url == storage.postgres_url
    assert child.run_storage.get_runs_count() == storage.run_storage.get_runs_count()


@pytest.mark.parametrize("part", [event_log, run_storage, schedule_storage])
def test_a_percent_sign_in_a_path_is_no_variable_of_alembics(part):
    config = part.pg_alembic_config("/home/50%20off/dagster_postgres/part.py")
    assert ScriptDirectory.from_config(config).get_current_head()


def test_a_connection_is_kept_and_one_that_the_server_dropped_is_replaced(dagster_server, monkeypatch):
    server = dagster_server
    monkeypatch.setenv("OLIST_POSTGRES_URL", f"{server}&application_name=dagster-test")
    runs = EnvironmentStorage.from_config_value(None, {}).run_storage
    runs.add_run(DagsterRun(job_name="toy", run_id="8e0ebe86-7f7d-4e9f-8c4a-3c52a1c4f9a1"))
    # The server takes its time to end the process of a connection that was closed.
    until(lambda: len(backends(server)) == 1)
    first = backends(server)
    assert runs.get_runs_count() > 0
    assert backends(server) == first
    postgres.query(
        server, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'dagster-test'"
    )
    assert runs.get_runs_count() > 0
    assert backends(server).isdisjoint(first)


def test_the_columns_of_a_table_are_asked_for_once_and_not_before_each_look_into_it(dagster_server, monkeypatch):
    monkeypatch.setenv("OLIST_POSTGRES_URL", dagster_server)
    storage = EnvironmentStorage.from_config_value(None, {}).event_log_storage
    asked = []
    engine = storage._engine  # type: ignore[attr-defined]
    event.listen(engine, "before_cursor_execute", lambda _, __, statement, *rest: asked.append(statement))
    for is_first in (True, False, False):
        asked.clear()
        storage.get_asset_records([dg.AssetKey("toy")])
        assert any("pg_attribute" in statement for statement in asked) is is_first
        assert asked


@dg.asset(pool="somewhere", partitions_def=dg.StaticPartitionsDefinition(["a", "b"]))
def toy() -> dg.MaterializeResult:
    return dg.MaterializeResult(metadata={"rows": 1}, tags={"a": "b"})


@dg.asset_check(asset=toy)
def toy_check() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=True)


def test_dagster_works_as_a_role_that_may_create_nothing(granted, tmp_path, monkeypatch):
    """Everything that a daemon, a sensor and a run keep in the storage."""
    monkeypatch.setenv("OLIST_POSTGRES_URL", as_role(granted, RUNTIME))
    (tmp_path / "dagster.yaml").write_text((PROJECT / "dagster.yaml").read_text())
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        instance.event_log_storage.set_concurrency_slots("somewhere", 1)
        job = dg.Definitions(assets=[toy], asset_checks=[toy_check]).resolve_implicit_global_asset_job_def()
        result = job.execute_in_process(instance=instance, partition_key="a")
        assert result.success
        assert instance.get_materialized_partitions(dg.AssetKey("toy")) == {"a"}
        assert instance.event_log_storage.get_asset_check_execution_history(toy_check.check_key, limit=1)
        instance.add_daemon_heartbeat(DaemonHeartbeat(1.0, "SENSOR", "id", []))
        assert set(instance.get_daemon_heartbeats()) == {"SENSOR"}
        tick = instance.create_tick(
            TickData("origin", "name", InstigatorType.SENSOR, TickStatus.STARTED, 1.0, selector_id="selector")
        )
        instance.update_tick(tick.with_status(TickStatus.SUCCESS, end_timestamp=2.0))
        instance.purge_ticks("origin", "selector", before=3.0)
        instance.run_storage.set_cursor_values({"key": "value"})
        instance.add_dynamic_partitions("months", ["a", "b"])
        instance.delete_dynamic_partition("months", "a")
        instance.wipe_assets([dg.AssetKey("toy")])
        instance.delete_run(result.run_id)
        assert instance.get_run_by_id(result.run_id) is None


@pytest.fixture
def unprepared(server):
    """A database of the same server without the tables of Dagster."""
    alone(server, "CREATE DATABASE half_made")
    address = server.replace("@/postgres?", "@/half_made?")
    schema.migrate(address)
    yield address
    alone(server, "DROP DATABASE half_made WITH (FORCE)")


class KilledError(BaseException):
    """Ends a process in the middle, as far as what it leaves is concerned."""


def public(url):
    """Return the indexes and the columns of what is in the schema `public`."""
    indexes = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'"
    columns = "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
    return set(postgres.query_rows(url, indexes)), set(postgres.query_rows(url, columns))


@pytest.mark.parametrize("killed_in", ["PostgresEventLogStorage._init_db", "PostgresEventLogStorage.upgrade"])
def test_tables_that_a_killed_process_was_making_are_made_anew(unprepared, dagster_server, monkeypatch, killed_in):
    def die(_):
        raise KilledError

    with monkeypatch.context() as patched:
        patched.setattr(f"dagster_postgres.event_log.event_log.{killed_in}", die)
        with pytest.raises(KilledError):
            migrate_storage(unprepared)
    alone(unprepared, "DROP INDEX idx_run_tags")  # each is made in a transaction of its own
    refuse_others(unprepared)
    migrate_storage(unprepared)
    assert public(unprepared) == public(dagster_server)
    assert postgres.query_rows(unprepared, "SELECT obj_description('migration'::regnamespace)") == [(None,)]


def test_tables_that_another_migration_makes_meanwhile_are_no_strangers(unprepared, monkeypatch):
    """A migration that was suspended for a while goes on where another one is done."""
    asked = storage_versions

    def asked_before_the_other_came(url):
        found = asked(url)
        monkeypatch.setattr(module, "storage_versions", asked)
        migrate_storage(url)
        return found

    monkeypatch.setattr(module, "storage_versions", asked_before_the_other_came)
    refuse_others(unprepared)
    assert module._tables_there(unprepared)


def test_tables_that_are_used_stay_though_nobody_said_that_they_are_made(unprepared):
    migrate_storage(unprepared)
    alone(unprepared, f"COMMENT ON SCHEMA migration IS '{HALF_MADE}'")
    alone(unprepared, "INSERT INTO runs (run_id, status) VALUES ('r1', 'SUCCESS')")
    migrate_storage(unprepared)
    assert postgres.query_rows(unprepared, "SELECT run_id FROM runs") == [("r1",)]


def test_a_program_of_dagsters_hears_what_comes_before_it(server, monkeypatch):
    alone(server, "CREATE DATABASE unprepared")
    monkeypatch.setenv("OLIST_POSTGRES_URL", server.replace("@/postgres?", "@/unprepared?"))
    try:
        with pytest.raises(OlistError, match="run `olist db migrate`"):
            EnvironmentStorage.from_config_value(None, {})
    finally:
        alone(server, "DROP DATABASE unprepared WITH (FORCE)")


def test_a_statement_of_dagsters_that_waits_for_a_lock_ends_in_a_sentence(dagster_server, monkeypatch):
    """It waits the shortest time in which somebody looks."""
    monkeypatch.setattr(server_errors, "LOCK_SECONDS", 3.5)
    storage = EnvironmentStorage(postgres.dagster_url(dagster_server))
    with closing(psycopg2.connect(dagster_server)) as holder:
        holder.cursor().execute("LOCK TABLE runs")
        with pytest.raises(OlistError, match=rf"process {holder.get_backend_pid()} .*the table runs .*run again"):
            storage.run_storage.get_runs_count()
    assert storage.run_storage.get_runs_count() >= 0
    storage.dispose()


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("SELECT pg_terminate_backend(pg_backend_pid())", "was stopped, or ended this connection"),
        ("DO $$ BEGIN RAISE EXCEPTION 'why' USING ERRCODE = '53100'; END $$", "disk is full"),
    ],
)
def test_a_statement_of_dagsters_that_the_server_ends_is_a_sentence_and_the_next_is_answered(
    dagster_server, statement, words
):
    storage = EnvironmentStorage(postgres.dagster_url(dagster_server))
    with pytest.raises(OlistError, match=words), storage._run_storage.connect() as connection:
        connection.exec_driver_sql(statement)
    assert storage.run_storage.get_runs_count() >= 0
    storage.dispose()


def test_a_commit_of_dagsters_to_a_server_that_has_stopped_is_a_sentence(dagster_server):
    storage = EnvironmentStorage(postgres.dagster_url(dagster_server))
    engine = storage._run_storage._engine.execution_options(isolation_level="READ COMMITTED")

    def commit_too_late():
        with engine.begin() as connection:
            [process] = connection.exec_driver_sql("SELECT pg_backend_pid()").one()
            postgres.query(dagster_server, "SELECT pg_terminate_backend(%s)", [process])

    with pytest.raises(OlistError, match="was stopped, or ended this connection"):
        commit_too_late()
    assert storage.run_storage.get_runs_count() >= 0
    storage.dispose()


def test_no_limit_of_the_servers_ends_a_transaction_of_dagsters(dagster_server):
    alone(dagster_server, "ALTER ROLE postgres SET transaction_timeout = '9s'")
    try:
        storage = EnvironmentStorage(postgres.dagster_url(dagster_server))
        with storage._run_storage.connect() as connection:
            assert connection.exec_driver_sql("SHOW transaction_timeout").scalar() == "0"
        storage.dispose()
    finally:
        alone(dagster_server, "ALTER ROLE postgres RESET ALL")
