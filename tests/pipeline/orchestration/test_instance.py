"""The instance: a run never waits for a pool of one that is over."""

import os
import sys

import dagster as dg
import pytest

from olist_pipeline.errors import OlistError
from olist_pipeline.file_locks import lock_file
from olist_pipeline.orchestration import instance as module
from olist_pipeline.orchestration.instance import LAUNCHED_HERE, fail_killed_runs, sole_run
from olist_pipeline.orchestration.run_process import RunProcess
from olist_pipeline.settings import Settings

FAILURE, STARTED = dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.STARTED
ALIVE, GONE, UNKNOWN = RunProcess.ALIVE, RunProcess.GONE, RunProcess.UNKNOWN


@dg.op
def step():
    """Is never executed."""


@dg.job
def work():
    step()


@pytest.mark.parametrize(
    ("status", "tags", "process", "is_freed"),
    [
        (STARTED, LAUNCHED_HERE, GONE, True),
        (FAILURE, LAUNCHED_HERE, GONE, True),  # a daemon reported it, and was ended before it freed the pool
        (FAILURE, {}, UNKNOWN, True),
        (STARTED, {}, GONE, True),  # it goes on in another process, which asks for the pool anew
        (STARTED, {}, ALIVE, False),
        (STARTED, {}, UNKNOWN, False),
        (FAILURE, {}, ALIVE, False),
    ],
)
def test_the_pools_of_runs_whose_process_is_gone_are_freed(monkeypatch, status, tags, process, is_freed):
    monkeypatch.setattr(module, "process_of", lambda *_: process)
    with dg.DagsterInstance.local_temp() as instance:
        storage = instance.event_log_storage
        storage.set_concurrency_slots("pool", 1)
        run = instance.create_run_for_job(work, tags=tags, status=status)
        for held in (run.run_id, "a run that was removed"):
            storage.claim_concurrency_slot("pool", held, "step")
        fail_killed_runs(instance)
        assert storage.claim_concurrency_slot("pool", "the next run", "step").is_claimed == is_freed


def test_who_is_at_work_in_a_home_is_named(tmp_path, monkeypatch):
    """A backfill is no `olist run`, and whoever pressed Ctrl+Z has forgotten it."""
    settings = Settings.from_env({"OLIST_HOME": str(tmp_path)})
    monkeypatch.setattr(sys, "argv", ["olist", "backfill", "sales", "--from", "2017-01"])
    with (
        sole_run(settings),
        pytest.raises(
            OlistError, match=f"^`olist backfill sales --from 2017-01` .process {os.getpid()}. is at work in"
        ),
        sole_run(settings),
    ):
        pytest.fail("there were two")


@pytest.mark.parametrize("said", ["", '[4194305, "olist run"]', "[1", "[]", "{}"])
def test_a_backup_that_holds_the_lock_is_not_taken_for_who_held_it_last(tmp_path, said):
    (tmp_path / "run.lock").write_text(said)
    with (
        lock_file(tmp_path / "run.lock"),
        pytest.raises(OlistError, match=r"^Another command is at work"),
        sole_run(Settings.from_env({"OLIST_HOME": str(tmp_path)})),
    ):
        pytest.fail("there were two")
