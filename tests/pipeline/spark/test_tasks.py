"""Tasks: what they answer for a unit, and what is said of one that failed. Those at the end run on Spark."""

import pickle
from datetime import date
from functools import partial

import pyarrow as pa
import pytest

from olist_pipeline.errors import OlistError
from olist_pipeline.migration.code import own_python_hash
from olist_pipeline.spark.tasks import Task, TaskError, cause_of, name_of, run_on_spark
from olist_pipeline.validation.units import Unit

MONTHS = (date(2017, 10, 1), date(2017, 11, 1), date(2017, 12, 1))
UNITS = [Unit(MONTHS), Unit(MONTHS[:1], "order_id", 1, 3), Unit(None)]


def refusing(sentence, unit):
    raise OlistError(sentence)


def failing(unit):
    raise ValueError(f"no {name_of(unit)}\n here")


def failing_at(number, unit):
    if unit.number == number:
        failing(unit)
    return unit.number


def answers(work, *numbers, code=None, paths=()):
    """Return what a task answers for some of `UNITS`."""
    units = tuple(pickle.dumps(unit) for unit in UNITS)
    batch = pa.RecordBatch.from_pydict({"id": list(numbers)})
    task = Task(work if isinstance(work, bytes) else pickle.dumps(work), units, paths, code or own_python_hash())
    return [batch.to_pylist()[0] for batch in task([batch])]


def test_a_task_answers_with_a_report_for_each_of_its_units():
    found = answers(name_of, 2, 0)
    assert [(row["number"], pickle.loads(row["report"]), row["refusal"]) for row in found] == [
        (2, "all rows", None),
        (0, "2017-10 to 2017-12", None),
    ]
    assert pickle.loads(answers(name_of, 1)[0]["report"]) == "2017-10.2of3"


def test_what_a_person_can_mend_is_an_answer():
    [found] = answers(partial(refusing, "Intake is missing."), 0)
    assert found["report"] is None
    assert found["refusal"].startswith("Intake is missing. (said by Spark's executor on ")


def test_another_version_of_the_code_is_refused():
    [found] = answers(name_of, 0, code="another")
    assert "has another version of this project" in found["refusal"]
    assert found["report"] is None


def test_an_error_names_its_unit_and_its_cause():
    with pytest.raises(TaskError, match=r"^2017-10\.2of3 on .+: ValueError: no 2017-10\.2of3 here$"):
        answers(failing, 1)


def test_contexts_beside_the_migration_file_are_found(tmp_path):
    (tmp_path / "shop_of_a_test.py").write_text("def work(unit):\n    return 'worked'\n")
    # As pickle refers to a function of a module that this process has not imported.
    work = b"cshop_of_a_test\nwork\n."
    assert pickle.loads(answers(work, 0, paths=(str(tmp_path),))[0]["report"]) == "worked"


def test_the_cause_of_a_task_is_said_without_what_spark_says_around_it():
    said = (
        "Job aborted due to stage failure: Task 1 in stage 0.0 failed 4 times, most recent failure: Lost task 1.3\n"
        '  File "worker.py", line 1, in main\n'
        "olist_pipeline.spark.tasks.TaskError: 2017-10 on a: ValueError: bad.\n\n"
        "\tat org.apache.spark.Spark.run(Spark.scala:1)\n"
    )
    assert cause_of(Exception(said)) == (
        "A task of Spark failed for 2017-10 on a: ValueError: bad; run again once that is mended."
    )


def test_where_the_project_is_not_installed_the_missing_module_is_named():
    said = "An exception was thrown:\nTraceback (most recent call last):\nModuleNotFoundError: No module named 'polars'"
    assert cause_of(Exception(said)) == (
        "Spark gave the work up: ModuleNotFoundError: No module named 'polars'; logs/spark.log below OLIST_HOME says "
        "more."
    )
    assert cause_of(Exception("Connection refused\n  more")).startswith("Spark gave the work up: Connection refused; ")
    assert cause_of(ValueError()).startswith("Spark gave the work up: ValueError; ")


def test_what_the_driver_failed_with_is_said_without_where_it_was_called():
    said = (
        "An error occurred while calling o61.collectToPython.\n"
        ": org.apache.spark.SparkException: Job 3 cancelled because SparkContext was shut down\n\tat o.X(X:1)\n"
        "Caused by: java.io.IOException: closed\n"
    )
    assert cause_of(Exception(said)).startswith(
        "Spark gave the work up: org.apache.spark.SparkException: Job 3 cancelled because SparkContext was shut down; "
    )


def test_executors_that_were_lost_may_need_more_memory():
    said = (
        "An error occurred while calling o61.collectToPython.\n"
        ": org.apache.spark.SparkException: Job aborted due to stage failure: Task 0 in stage 0.0 failed 4 times, most "
        "recent failure: Lost task 0.3 in stage 0.0 (TID 3) (a executor 1): ExecutorLostFailure (executor 1 exited "
        "caused by one of the running tasks) Reason: Command exited with code 137\nDriver stacktrace:\n\tat o.X(X:1)\n"
    )
    assert cause_of(Exception(said)) == (
        "Spark lost each executor that worked on a unit: Command exited with code 137; give executors more memory "
        "(spark.executor.memory, spark.executor.memoryOverhead) and run again."
    )


@pytest.mark.spark
def test_reports_come_back_in_the_order_of_units(session):
    units = [Unit(None, number=number) for number in range(7)]
    assert run_on_spark(session, [], units, partial(failing_at, -1)) == list(range(7))
    assert run_on_spark(session, [], [], failing) == []


@pytest.mark.spark
def test_a_failed_task_ends_in_its_own_cause(session):
    units = [Unit(None, number=number) for number in range(3)]
    with pytest.raises(OlistError, match=r"^A task of Spark failed for all rows on .+: ValueError: no all rows here; "):
        run_on_spark(session, [], units, partial(failing_at, 2))
    with pytest.raises(OlistError, match=r"^Landing is empty\. \(said by Spark's executor on "):
        run_on_spark(session, [], units, partial(refusing, "Landing is empty."))
