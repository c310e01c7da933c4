"""The health of a run, as its process and its code server tell it, and what becomes of it when the process is gone."""

import json
import signal
import subprocess
import sys
from contextlib import contextmanager, nullcontext
from logging import getLogger

import dagster as dg
import pytest
from dagster._core.launcher.base import ResumeRunContext, WorkerStatus
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin
from dagster._core.storage.tags import GRPC_INFO_TAG
from dagster._daemon.monitoring.run_monitoring import monitor_started_run
from dagster._grpc.types import CanCancelExecutionResult
from dagster_shared.serdes import serialize_value

from olist_pipeline.errors import OlistError
from olist_pipeline.orchestration.instance import prepare, quiet_instance
from olist_pipeline.orchestration.launcher import WatchedRunLauncher
from tests.end_to_end.dagster_server import free_port

HOLD = """
import sys, time
from types import SimpleNamespace
from olist_pipeline.orchestration.run_process import hold
hold(SimpleNamespace(root_directory=sys.argv[1]), sys.argv[2])
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def instance():
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def watched(instance):
    watched = WatchedRunLauncher()
    watched.register_instance(instance)
    return watched


def started(instance, *, by_command_line=False):
    """A started run; of the code server that started it nothing is left."""

    @dg.job
    def work():
        pass

    origin = RemoteJobOrigin(RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("olist"), "__repository__"), "work")
    server = {GRPC_INFO_TAG: json.dumps({"host": "localhost", "port": free_port()})}
    return instance.create_run_for_job(
        work,
        status=dg.DagsterRunStatus.STARTED,
        tags={} if by_command_line else server,
        remote_job_origin=None if by_command_line else origin,
    )


@contextmanager
def process_of(instance, run):
    """The process of a run, which does nothing, and is dead when this ends."""
    arguments = [sys.executable, "-c", HOLD, instance.root_directory, run.run_id]
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE)
    try:
        assert process.stdout.readline() == b"held\n"
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def answering(monkeypatch, watched, *, is_child):
    """Let the code server answer."""

    class Server:
        def can_cancel_execution(self, request, timeout):
            return serialize_value(CanCancelExecutionResult(can_cancel=is_child))

    monkeypatch.setattr(watched, "_get_grpc_client_for_termination", lambda run_id: Server())


def health(watched, run):
    return watched.check_run_worker_health(run).status


@pytest.mark.parametrize("is_child", [True, False])
def test_a_run_whose_process_cannot_be_seen_lives_if_its_code_server_says_so(instance, watched, monkeypatch, is_child):
    answering(monkeypatch, watched, is_child=is_child)
    expected = WorkerStatus.RUNNING if is_child else WorkerStatus.NOT_FOUND
    assert health(watched, started(instance)) is expected


def test_a_silent_code_server_is_waited_for_when_it_alone_can_tell(instance, watched):
    assert health(watched, started(instance)) is WorkerStatus.RUNNING


@pytest.mark.parametrize("server", ["silent", "started anew", "none"])
def test_a_run_lives_as_long_as_its_process(instance, watched, monkeypatch, server):
    """Whatever became of the code server: a run that outlived it is left to finish."""
    if server == "started anew":
        answering(monkeypatch, watched, is_child=False)
    run = started(instance, by_command_line=server == "none")
    with process_of(instance, run):
        assert health(watched, run) is WorkerStatus.RUNNING
    assert health(watched, run) is WorkerStatus.NOT_FOUND


def test_a_run_whose_process_is_gone_returns_to_the_queue_without_its_pools(instance, watched):
    pools, run = instance.event_log_storage, started(instance)
    pools.set_concurrency_slots("duckdb", 1)
    assert pools.claim_concurrency_slot("duckdb", run.run_id, "dbt_new").is_claimed
    with process_of(instance, run):
        pass
    watched.resume_run(ResumeRunContext(run, workspace=None, resume_attempt_number=1))
    assert instance.get_run_by_id(run.run_id).status is dg.DagsterRunStatus.QUEUED
    assert pools.claim_concurrency_slot("duckdb", "another run", "dbt_old").is_claimed
    assert health(watched, run) is WorkerStatus.RUNNING, "its next process has not begun"
    with process_of(instance, run):
        assert health(watched, run) is WorkerStatus.RUNNING
    assert health(watched, run) is WorkerStatus.NOT_FOUND


def test_a_run_of_a_command_line_that_was_killed_does_not_go_on(instance, watched):
    run = started(instance, by_command_line=True)
    assert health(watched, run) is WorkerStatus.RUNNING, "it has not begun"
    with process_of(instance, run):
        pass
    with pytest.raises(OlistError, match="run it again"):
        watched.resume_run(ResumeRunContext(run, workspace=None, resume_attempt_number=1))


def test_a_run_that_outlived_its_code_server_can_be_cancelled(instance, watched):
    run = started(instance)
    with process_of(instance, run) as process:
        assert watched.terminate(run.run_id)
        assert process.wait(timeout=20) == -signal.SIGINT
    assert instance.get_run_by_id(run.run_id).status is dg.DagsterRunStatus.CANCELING


def test_the_process_of_a_run_waits_for_another_one_that_still_lives(instance):
    run = started(instance)
    with process_of(instance, run) as first:
        second = subprocess.Popen([*first.args], stdout=subprocess.PIPE)
        with pytest.raises(subprocess.TimeoutExpired):
            second.wait(timeout=1)
        first.kill()
        assert second.stdout.readline() == b"held\n"
        second.kill()
        second.wait()
        second.stdout.close()


@pytest.fixture
def of_the_project(settings, dagster_server, monkeypatch):
    """The settings of an environment that is prepared: its instance is the one of `dagster.yaml`."""
    for name in ("OLIST_HOME", "OLIST_DATA_DIR", "OLIST_ENGINE", "OLIST_AUTOMATION", "DAGSTER_HOME"):
        monkeypatch.setenv(name, "")  # preparing sets them
    monkeypatch.setenv("OLIST_POSTGRES_URL", settings.postgres_url)
    prepare(settings)
    return settings


def test_run_monitoring_lets_a_run_go_on_but_not_one_of_the_command_line(of_the_project):
    with dg.DagsterInstance.from_config(str(of_the_project.dagster_home)) as instance:
        assert isinstance(instance.run_launcher, WatchedRunLauncher)
        assert instance.run_retries_enabled
        queue = instance.get_concurrency_config().run_queue_config
        assert (queue.max_concurrent_runs, queue.max_user_code_failure_retries) == (4, 120)
        runs = [started(instance), started(instance, by_command_line=True)]
        for run in runs:
            with process_of(instance, run):
                pass
        for run, ends in zip(runs, (nullcontext(), pytest.raises(OlistError)), strict=True):
            with ends:
                monitor_started_run(instance, None, instance.get_run_record_by_id(run.run_id), getLogger("test"))
        assert [instance.get_run_by_id(run.run_id).status.value for run in runs] == ["QUEUED", "FAILURE"]


def test_a_run_of_the_command_line_that_is_interrupted_has_failed(of_the_project):
    with quiet_instance(of_the_project) as instance:
        assert not instance.run_will_resume("any run")
