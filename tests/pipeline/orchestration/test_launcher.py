"""The health of a run, as its code server tells it."""

import json

import dagster as dg
import pytest
from dagster._core.launcher.base import WorkerStatus
from dagster._core.storage.tags import GRPC_INFO_TAG

from olist_pipeline.orchestration import launcher
from olist_pipeline.orchestration.launcher import WatchedRunLauncher
from tests.end_to_end.dagster_server import free_port


@pytest.fixture
def instance():
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def watched(instance):
    watched = WatchedRunLauncher()
    watched.register_instance(instance)
    return watched


def started(instance, **tags):
    @dg.job
    def work():
        pass

    return instance.create_run_for_job(work, tags=tags, status=dg.DagsterRunStatus.STARTED)


def test_a_run_of_the_command_line_is_left_alone(instance, watched):
    assert watched.check_run_worker_health(started(instance)).status is WorkerStatus.RUNNING


def test_a_code_server_that_is_silent_is_waited_for_and_then_given_up(instance, watched, monkeypatch):
    run = started(instance, **{GRPC_INFO_TAG: json.dumps({"host": "localhost", "port": free_port()})})
    assert watched.check_run_worker_health(run).status is WorkerStatus.RUNNING
    monkeypatch.setattr(launcher, "PATIENCE", 0.0)
    assert watched.check_run_worker_health(run).status is WorkerStatus.NOT_FOUND


def test_the_instance_of_the_project_has_this_launcher(tmp_path, settings, monkeypatch):
    from olist_pipeline.orchestration.instance import prepare, quiet_instance

    for name in ("OLIST_HOME", "OLIST_DATA_DIR", "OLIST_ENGINE", "OLIST_AUTOMATION", "DAGSTER_HOME"):
        monkeypatch.setenv(name, "")  # preparing sets them
    monkeypatch.setenv("OLIST_POSTGRES_URL", settings.postgres_url)
    prepare(settings)
    with quiet_instance(settings) as instance:
        assert isinstance(instance.run_launcher, WatchedRunLauncher)
        assert instance.run_monitoring_enabled
        assert instance.run_retries_enabled
