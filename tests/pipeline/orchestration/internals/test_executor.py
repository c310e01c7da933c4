"""A run that goes on in another process does not make again what it has made."""

import os
import signal
from datetime import date

import dagster as dg
import pytest
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import execute_run_iterator

from olist_pipeline.months import MonthRange
from olist_pipeline.orchestration.internals.executor import continuing_executor
from olist_pipeline.orchestration.partitions import MONTHS, know_months, range_tags

TWO_MONTHS = MonthRange(date(2017, 7, 1), date(2017, 8, 1))


class Work:
    """Three assets in a row, by month, as a whole and by a check proven; `done` says what was executed."""

    def __init__(self, instance, log):
        self.instance, self.log = instance, log

        @dg.asset(partitions_def=MONTHS)
        def first() -> None:
            self.note("first")

        @dg.asset(deps=[first], partitions_def=MONTHS)
        def second() -> None:
            self.note("second")

        @dg.asset_check(asset=second, blocking=True)
        def proven() -> dg.AssetCheckResult:
            self.note("proven")
            return dg.AssetCheckResult(passed=True)

        @dg.asset(deps=[second])
        def last() -> None:
            self.note("last")

        job = dg.define_asset_job("work", executor_def=continuing_executor)
        definitions = dg.Definitions([first, second, last], asset_checks=[proven], jobs=[job])
        self.job = definitions.resolve_job_def("work")
        know_months(instance, TWO_MONTHS)
        self.run = instance.create_run_for_job(self.job, tags=range_tags(TWO_MONTHS))

    def note(self, name):
        with self.log.open("a") as log:
            log.write(f"{name}\n")

    @property
    def done(self):
        return self.log.read_text().split()

    def execute(self, until=None):
        """Execute the run in a process, which dies at the event `until`."""
        process = os.fork()
        if process == 0:
            try:
                run = self.instance.get_run_by_id(self.run.run_id)
                for event in execute_run_iterator(InMemoryJob(self.job), run, self.instance):
                    if until == (event.step_key, event.event_type):
                        os.kill(os.getpid(), signal.SIGKILL)
            finally:
                os._exit(0)
        _, status = os.waitpid(process, 0)
        assert os.WIFSIGNALED(status) is (until is not None)

    def launch_again(self):
        event = dg.DagsterEvent(dg.DagsterEventType.PIPELINE_STARTING.value, "work")
        self.instance.report_dagster_event(event, self.run.run_id)

    @property
    def status(self):
        return self.instance.get_run_by_id(self.run.run_id).status

    def times_made(self, asset, month):
        wanted = dg.AssetRecordsFilter(dg.AssetKey(asset), asset_partitions=[month] if month else None)
        records = self.instance.fetch_materializations(wanted, limit=100).records
        return [record.run_id for record in records].count(self.run.run_id)


@pytest.fixture(scope="module")
def instance(tmp_path_factory):
    with dg.DagsterInstance.local_temp(str(tmp_path_factory.mktemp("instance"))) as instance:
        yield instance


@pytest.fixture
def work(instance, tmp_path):
    return Work(instance, tmp_path / "done")


STEPS = ["first", "second", "second_proven", "last"]
ENDED, BEGUN = dg.DagsterEventType.STEP_SUCCESS, dg.DagsterEventType.STEP_START


def test_steps_that_came_to_their_end_are_left_out_however_often_a_run_is_cut_off(work):
    for step in STEPS:
        work.execute(until=(step, ENDED))
        assert work.status is dg.DagsterRunStatus.STARTED
        work.launch_again()
    work.execute()
    assert work.status is dg.DagsterRunStatus.SUCCESS
    assert work.done == ["first", "second", "proven", "last"]
    for asset, month in [("first", "2017-07-01"), ("first", "2017-08-01"), ("second", "2017-08-01"), ("last", None)]:
        assert work.times_made(asset, month) == 1


def test_a_step_that_was_cut_off_is_executed_anew(work):
    work.execute(until=("second", BEGUN))
    work.launch_again()
    work.execute()
    assert work.status is dg.DagsterRunStatus.SUCCESS
    assert work.done == ["first", "second", "proven", "last"]
