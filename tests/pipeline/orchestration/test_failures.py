"""What stopped a run, in the words of its checks and steps: the same for whoever tells of it."""

from contextlib import suppress
from pathlib import Path

import dagster as dg
import pytest

from olist_pipeline.errors import OlistError
from olist_pipeline.orchestration.dbt_projects import ensure_manifest
from olist_pipeline.orchestration.dbt_results import FAILED_ROWS, sentence_of_test
from olist_pipeline.orchestration.failures import failures_of, last_failure
from olist_pipeline.orchestration.instance import LAUNCHED_HERE, fail_killed_runs
from olist_pipeline.orchestration.resources import clear_failures
from olist_pipeline.troubles import sentence_of
from olist_pipeline.warehouse import load_manifest

DBT_BROKE = """failed with exit code `2`. Errors parsed from dbt logs:

Encountered an error:
[Errno 21] Is a directory: '/home/dbt/graph_summary.json'
Traceback (most recent call last):
  File "main.py", line 1, in <module>
"""
DBT_SAID = """failed with exit code `1`. Errors parsed from dbt logs:

\x1b[31mDatabase Error in model fact_orders (models/old/core/fact_orders.sql)\x1b[0m

  Parser Error: no such thing

1 of 3 ERROR creating sql table model

Failure in test unique_x (models/x.yml)

  Got 3 results, configured to fail if != 0
"""
DBT_CONTRACT = """failed with exit code `1`. Errors parsed from dbt logs:

Failure in model t (models/t.sql)

  Compilation Error in model t (models/t.sql)
    This model has an enforced contract that failed.
    Please ensure the name, data_type, and number of columns in your contract match the columns in your definition.

    | column_name | definition_type | contract_type | mismatch_reason       |
    | ----------- | --------------- | ------------- | --------------------- |
    | is_slo      |                 | BOOLEAN       | missing in definition |
"""
DBT_ENDED = """The dbt CLI process with command

`python ask.py build --select fqn:olist.old`

failed with exit code `{code}`. Check the stdout in the Dagster compute logs for the full information about the error.
"""


RAISED = f"{__file__}:{Path(__file__).read_text('utf-8').splitlines().index('                raise raises') + 1}"


def run(result, raises=None):
    """Run one asset with one blocking check, which gives `result`; return the run's events and its instance."""

    @dg.asset(check_specs=[dg.AssetCheckSpec("proof", asset="orders", blocking=True)])
    def orders():
        if raises:
            with clear_failures():
                raise raises
        yield dg.MaterializeResult(check_results=[result])

    instance = dg.DagsterInstance.ephemeral()
    done = dg.materialize([orders], instance=instance, raise_on_error=False)
    return done, instance


def checked(passed, severity=dg.AssetCheckSeverity.ERROR):
    return dg.AssetCheckResult(check_name="proof", passed=passed, severity=severity, description="3 rows are lost.")


@pytest.mark.parametrize(
    ("result", "raises", "sentences"),
    [
        (checked(True), None, []),
        (checked(False, dg.AssetCheckSeverity.WARN), None, []),
        (checked(False), None, ["The check proof of orders: 3 rows are lost."]),
        (checked(True), OlistError("The file is empty."), ["The file is empty."]),
        (
            checked(True),
            ValueError("no such column"),
            [f"The step orders failed: ValueError: no such column ({RAISED})."],
        ),
        (
            checked(True),
            RuntimeError("Updated 2 rows for a check as a result of duplicate AssetCheckPlanned events."),
            ["PostgreSQL was lost for a moment as the run began, and Dagster noted its checks twice; run again."],
        ),
        (
            checked(True),
            Exception('Could not write file "/x": No space left on device.'),
            ['The step orders failed: Could not write file "/x": No space left on device; free space and run again.'],
        ),
        (
            checked(True),
            Exception("OSError: [Errno 28] No space left on device"),
            ["The step orders failed: No space left on device; free space and run again."],
        ),
        (
            checked(True),
            dg.Failure(sentence_of(MemoryError())),
            [
                "There is not enough memory for the step orders; end other programs or take a larger machine, and "
                "run again."
            ],
        ),
        (
            checked(True),
            dg.Failure(DBT_SAID),
            [
                "dbt failed: Database Error in model fact_orders (models/old/core/fact_orders.sql); Parser Error: no "
                "such thing (more in logs/run.log below OLIST_HOME)."
            ],
        ),
        (
            checked(True),
            dg.Failure(DBT_CONTRACT),
            [
                "dbt failed: Compilation Error in model t (models/t.sql); "
                "This model has an enforced contract that failed.; "
                "| column_name | definition_type | contract_type | mismatch_reason       |; "
                "| is_slo      |                 | BOOLEAN       | missing in definition | "
                "(more in logs/run.log below OLIST_HOME)."
            ],
        ),
        (
            checked(True),
            dg.Failure(DBT_BROKE),
            [
                "dbt failed: [Errno 21] Is a directory: '/home/dbt/graph_summary.json' (more in logs/run.log below "
                "OLIST_HOME)."
            ],
        ),
    ],
)
def test_a_run_tells_what_stopped_it(result, raises, sentences):
    done, instance = run(result, raises)
    assert failures_of(done.all_events) == sentences
    assert last_failure(instance, ["no such job"]) == ("", [])
    assert last_failure(instance, [done.dagster_run.job_name]) == (done.run_id, sentences)


def test_a_run_that_was_interrupted_says_so():
    """`olist status` named the error of Dagster's that the signal came to."""

    @dg.asset
    def orders():
        raise dg.DagsterExecutionInterruptedError

    instance = dg.DagsterInstance.ephemeral()
    with suppress(dg.DagsterExecutionInterruptedError):
        dg.materialize([orders], instance=instance, raise_on_error=False)
    [run] = instance.get_runs()
    [sentence] = last_failure(instance, [run.job_name])[1]
    assert sentence == "The run was interrupted: what was finished is kept, the rest is made by the same command again."


def test_a_run_that_was_killed_says_so_while_the_next_is_at_work():
    """That one found it, and has not ended: `olist status` beside it shows the killed run as the last."""

    @dg.op
    def step():
        """Is never executed."""

    @dg.job
    def work():
        step()

    with dg.DagsterInstance.local_temp() as instance:
        killed = instance.create_run_for_job(work, tags=LAUNCHED_HERE, status=dg.DagsterRunStatus.STARTED)
        fail_killed_runs(instance)
        run, [said] = last_failure(instance, ["work"])
    assert run == killed.run_id
    assert said.startswith("The process of this run was killed")


def test_a_sentence_is_said_alone_wherever_it_was_raised():
    """What is asked of the server before a step begins its work is not within the blocks that expect failures."""

    @dg.asset
    def orders():
        raise OlistError("The file is empty.")

    done = dg.materialize([orders], instance=dg.DagsterInstance.ephemeral(), raise_on_error=False)
    assert failures_of(done.all_events) == ["The file is empty."]


def test_a_failed_test_of_dbt_names_its_model_its_rows_and_its_query(parsed_project, tmp_path):
    manifest = load_manifest(ensure_manifest(parsed_project))
    [uid] = [
        uid
        for uid, node in manifest["nodes"].items()
        if node["resource_type"] == "test" and node["name"] == "unique_new__fact_payments_payment_key"
    ]
    metadata = {"unique_id": dg.MetadataValue.text(uid), FAILED_ROWS: dg.MetadataValue.int(3)}
    said = sentence_of_test(metadata, manifest, tmp_path)
    assert said.startswith("dbt's test unique of new.fact_payments.payment_key fails for 3 rows; logs/run.log")
    cut_off = {**metadata, "status": dg.MetadataValue.text("error"), FAILED_ROWS: dg.MetadataValue.int(0)}
    assert "payment_key did not come to its end (error); logs/" in sentence_of_test(cut_off, manifest, tmp_path)
    node = manifest["nodes"][uid]
    query = tmp_path / "compiled" / "olist" / node["original_file_path"] / f"{node['name']}.sql"
    query.parent.mkdir(parents=True)
    query.touch()
    assert f"{query} selects them" in sentence_of_test(metadata, manifest, tmp_path)


@pytest.mark.parametrize(
    ("code", "how"),
    [
        (-9, "it was killed, by somebody or where memory ran out; end other programs and run again"),
        (137, "it was killed, by somebody or where memory ran out; end other programs and run again"),
        (4, "it ended before it was done, with exit code 4; run again"),
    ],
)
def test_a_dbt_that_ended_without_an_error_is_said_without_its_command(code, how):
    done, _ = run(checked(True), dg.Failure(DBT_ENDED.format(code=code)))
    said = f"dbt failed in the step orders: {how} (more in logs/run.log below OLIST_HOME)."
    assert failures_of(done.all_events) == [said]


def test_a_sentence_that_came_from_an_error_is_shown_though_nobody_made_a_failure_of_it():
    @dg.asset
    def orders():
        try:
            raise ValueError("permission denied for table parity_results")
        except ValueError as error:
            raise OlistError("The role may not do this.") from error

    done = dg.materialize([orders], instance=dg.DagsterInstance.ephemeral(), raise_on_error=False)
    assert failures_of(done.all_events) == ["The role may not do this."]
