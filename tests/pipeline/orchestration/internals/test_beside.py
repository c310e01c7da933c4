"""A step that waits for another process does not hold up the others, and the rest of a run is as it was."""

import os
import signal
import threading

import dagster as dg
import duckdb
import pytest
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import execute_run_iterator

from olist_pipeline.orchestration.failures import failures_of
from olist_pipeline.orchestration.internals import executor
from olist_pipeline.orchestration.internals.beside import BESIDE
from olist_pipeline.orchestration.internals.executor import continuing_executor

SECONDS = 60
BESIDE_TAG = {BESIDE: "true"}


@pytest.fixture(scope="module")
def instance(tmp_path_factory):
    pools = {"concurrency": {"pools": {"granularity": "op", "default_limit": 1}}}
    with dg.DagsterInstance.local_temp(str(tmp_path_factory.mktemp("instance")), overrides=pools) as instance:
        yield instance


def executed(instance, *assets):
    """Execute a job of `assets`; return whether it succeeded and the events of its steps, as (step, kind)."""
    events = events_of(instance, assets)
    succeeded = events[-1].event_type is dg.DagsterEventType.RUN_SUCCESS
    return succeeded, [(event.step_key, event.event_type) for event in events]


def events_of(instance, assets, checks=()):
    """Execute a job of `assets` and `checks`; return its events."""
    jobs = [dg.define_asset_job("work", executor_def=continuing_executor)]
    job = dg.Definitions(assets, asset_checks=checks, jobs=jobs).resolve_job_def("work")
    return list(execute_run_iterator(InMemoryJob(job), instance.create_run_for_job(job), instance))


def test_a_step_that_waits_and_one_that_works_are_executed_at_the_same_time(instance):
    begun, answered = threading.Event(), threading.Event()

    @dg.asset(op_tags=BESIDE_TAG)
    def asking() -> None:
        begun.set()
        assert answered.wait(SECONDS)

    @dg.asset
    def working() -> None:
        assert begun.wait(SECONDS)
        assert threading.current_thread() is threading.main_thread()
        answered.set()

    succeeded, events = executed(instance, asking, working)
    assert succeeded
    kinds = dg.DagsterEventType
    for step in ("asking", "working"):
        own = [kind for key, kind in events if key == step and kind in (kinds.STEP_START, kinds.STEP_SUCCESS)]
        assert own == [kinds.STEP_START, kinds.STEP_SUCCESS]


def test_steps_of_one_pool_are_never_executed_at_the_same_time(instance):
    inside, most = [], []

    def held():
        inside.append(1)
        most.append(len(inside))
        threading.Event().wait(0.1)
        inside.pop()

    @dg.asset(op_tags=BESIDE_TAG, pool="one")
    def first() -> None:
        held()

    @dg.asset(op_tags=BESIDE_TAG, pool="one")
    def second() -> None:
        held()

    @dg.asset(pool="one")
    def third() -> None:
        held()

    succeeded, _ = executed(instance, first, second, third)
    assert succeeded
    assert most == [1, 1, 1]
    assert instance.event_log_storage.get_concurrency_info("one").active_slot_count == 0


def test_what_needs_a_step_that_failed_in_its_thread_is_not_executed_and_the_others_are(instance):
    done = []

    @dg.asset(op_tags=BESIDE_TAG)
    def failing() -> None:
        raise dg.Failure("no")

    @dg.asset(deps=[failing])
    def dependent() -> None:
        done.append("dependent")

    @dg.asset
    def other() -> None:
        done.append("other")

    succeeded, events = executed(instance, failing, dependent, other)
    assert not succeeded
    assert ("failing", dg.DagsterEventType.STEP_FAILURE) in events
    assert done == ["other"]


def test_an_interrupt_ends_what_a_step_in_a_thread_waits_for(instance, monkeypatch):
    begun, ended = threading.Event(), threading.Event()
    monkeypatch.setattr(executor, "interrupt_running", ended.set)

    @dg.asset(op_tags=BESIDE_TAG)
    def asking() -> None:
        begun.set()
        assert ended.wait(SECONDS)
        raise dg.Failure("interrupted")

    @dg.asset
    def interrupting() -> None:
        assert begun.wait(SECONDS)
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()

    succeeded, events = executed(instance, asking, interrupting)
    assert not succeeded
    assert ended.is_set()
    assert ("interrupting", dg.DagsterEventType.STEP_SUCCESS) in events


def test_an_interrupt_that_comes_to_a_query_of_duckdb_ends_the_run(instance):
    """DuckDB raises another error in its place: the other steps went on to their ends, for minutes."""

    @dg.asset
    def asking() -> None:
        threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
        duckdb.execute("SELECT sum(a.range * b.range) FROM range(30000) a, range(30000) b")

    @dg.asset
    def other() -> None:
        pytest.fail("it was begun")

    assert failures_of(events_of(instance, [asking, other])) == [
        "The run was interrupted: what was finished is kept, the rest is made by the same command again."
    ]


@pytest.mark.parametrize("tags", [{}, BESIDE_TAG])
@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda: None, "no"),
        (lambda: True, "no"),
        (lambda: (yield from ()), "no"),
        (lambda: (yield True), "no"),
        (lambda: (yield from [dg.AssetCheckResult(passed=True)] * 2), "more than one"),
    ],
)
def test_a_check_that_does_not_say_what_it_found_fails_and_the_others_go_on(instance, tags, answer, said):
    done = []

    @dg.asset
    def made() -> None: ...

    @dg.asset(deps=[made])
    def other() -> None:
        done.append("other")

    silent = dg.asset_check(asset=made, name="silent", op_tags=tags)(answer)
    events = events_of(instance, [made, other], [silent])
    assert failures_of(events) == [f"The check silent of made returns {said} AssetCheckResult; let it return one."]
    ended = [event.event_type for event in events if event.step_key == "made_silent"][-1]
    assert ended is dg.DagsterEventType.STEP_FAILURE
    assert events[-1].event_type is dg.DagsterEventType.RUN_FAILURE
    assert done == ["other"]


def test_of_checks_that_are_asked_in_part_only_nothing_is_missed(instance):
    @dg.asset
    def made() -> None: ...

    @dg.multi_asset_check(specs=[dg.AssetCheckSpec(name, asset=made) for name in ("one", "other")], can_subset=True)
    def found():
        yield dg.AssetCheckResult(asset_key=made.key, check_name="one", passed=True)

    assert failures_of(events_of(instance, [made], [found])) == []
