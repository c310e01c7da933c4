"""Dagster's storage in the environment's PostgreSQL: how it is told where that is, and connections that it keeps."""

import json

import pytest
from dagster import DagsterRun

from olist_pipeline.orchestration.storage import EnvironmentStorage
from olist_pipeline.stores import postgres


@pytest.fixture
def storage(dagster_server, monkeypatch):
    monkeypatch.setenv("OLIST_POSTGRES_URL", dagster_server)
    return EnvironmentStorage.from_config_value(None, {})


def backends(server) -> set[int]:
    """Return the server's processes that serve Dagster."""
    rows = postgres.query(server, "SELECT pid FROM pg_stat_activity WHERE application_name = 'dagster-test'")
    return {row["pid"] for row in rows}


def test_a_child_process_is_told_the_address(storage, monkeypatch):
    monkeypatch.setenv("OLIST_POSTGRES_URL", "postgresql://nobody@127.0.0.1:1/none")
    told = json.loads(storage.inst_data.config_yaml)
    child = storage.inst_data.rehydrate(EnvironmentStorage)
    assert child.postgres_url == told["postgres_url"] == storage.postgres_url
    assert child.run_storage.get_runs_count() == storage.run_storage.get_runs_count()


def test_a_connection_is_kept_and_one_that_the_server_dropped_is_replaced(dagster_server, monkeypatch):
    server = dagster_server
    monkeypatch.setenv("OLIST_POSTGRES_URL", f"{server}&application_name=dagster-test")
    runs = EnvironmentStorage.from_config_value(None, {}).run_storage
    runs.add_run(DagsterRun(job_name="toy", run_id="8e0ebe86-7f7d-4e9f-8c4a-3c52a1c4f9a1"))
    first = backends(server)
    assert runs.get_runs_count() > 0
    assert backends(server) == first
    assert len(first) == 1
    postgres.query(
        server, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'dagster-test'"
    )
    assert runs.get_runs_count() > 0
    assert backends(server).isdisjoint(first)
