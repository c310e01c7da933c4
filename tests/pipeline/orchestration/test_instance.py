"""The instance: a run never waits for a pool of one that is over."""

import dagster as dg
import pytest

from olist_pipeline.orchestration import instance as module
from olist_pipeline.orchestration.instance import LAUNCHED_HERE, fail_killed_runs
from olist_pipeline.orchestration.run_process import RunProcess

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
