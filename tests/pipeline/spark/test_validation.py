"""Validation in tasks: whatever Polars makes of a landing in this process, tasks make too, file by file."""

import dataclasses
import pickle

import pyarrow as pa
import pytest

from olist_pipeline import steps
from olist_pipeline.registry import STEPS
from olist_pipeline.spark.tasks import run_on_spark
from olist_pipeline.validation import units
from olist_pipeline.validation.units import Runner
from tests.pipeline.spark.conftest import MASTER, ORDERS, ROWS
from tests.pipeline.spark.left import validate_all


class TasksHere:
    """A session whose tasks run in this process: the last first, and each twice, as if its executor was lost."""

    def range(self, start, end, step, numPartitions):  # noqa: N803 - Spark's own name
        assert numPartitions == end - start, "one partition a unit"
        self.numbers = range(start, end, step)
        return self

    def mapInArrow(self, task, schema):  # noqa: N802 - Spark's own name
        self.sent = pickle.dumps(task)
        return self

    def collect(self):
        answers = []
        for number in reversed(self.numbers):
            batch = pa.RecordBatch.from_pydict({"id": [number]})
            for _ in range(2):
                answered = [answer.to_pylist()[0] for answer in pickle.loads(self.sent)([batch])]
            answers += answered
        return answers


@pytest.fixture(autouse=True)
def small_units(monkeypatch):
    monkeypatch.setattr(units, "ROWS_A_UNIT", ROWS)


@pytest.mark.long
def test_tasks_leave_the_same_rows_and_events(on_one, on_polars, database, monkeypatch, tmp_path):
    seen = []

    def run(pieces, work):
        seen.append(len(pieces))
        return run_on_spark(TasksHere(), [], pieces, work)

    monkeypatch.setattr(steps, "runner_of", lambda settings, step: Runner(run, 4))
    assert validate_all(dataclasses.replace(on_one, home=tmp_path / "tasks")).differences_from(on_polars) == []
    assert max(seen) > 12, "units were not made smaller"


@pytest.mark.spark
def test_spark_leaves_the_same_rows_and_events(session, on_one, on_polars, database, tmp_path):
    on_spark = validate_all(dataclasses.replace(on_one, home=tmp_path / "spark", engine="spark", spark_master=MASTER))
    assert on_spark.differences_from(on_polars) == []
    was_on_spark = {name for name, report in on_spark.reports.items() if report.place.get("spark_application")}
    assert was_on_spark == {step.name for step in STEPS if step.is_monthly}


def test_the_comparison_sees_what_differs(on_polars):
    assert not any(report.place for report in on_polars.reports.values())
    assert len(on_polars.quarantine) > ORDERS / 4
    assert len(on_polars.events) > ORDERS
    assert any(".2of" in path for path in on_polars.staging), "no month was cut"
    path, rows = next((path, rows) for path, rows in on_polars.staging.items() if rows.height > 1)
    changed = dataclasses.replace(on_polars, staging={**on_polars.staging, path: rows[1:].vstack(rows[:1])})
    assert changed.differences_from(on_polars) == [f"{path} differs"]
    event = on_polars.events[0]
    later = (event[0], event[1] + 1, *event[2:])
    changed = dataclasses.replace(on_polars, events=[later, *on_polars.events[1:]])
    assert changed.differences_from(on_polars) == ["events differ"]
    changed = dataclasses.replace(on_polars, quarantine=on_polars.quarantine[1:])
    assert changed.differences_from(on_polars) == ["quarantine differs"]
    less = dict(list(on_polars.staging.items())[1:])
    assert len(dataclasses.replace(on_polars, staging=less).differences_from(on_polars)) == 1
