"""What Spark says that it read: all that is not replay's own is found, and what is not said in full is no proof."""

import json

import pytest

from olist_pipeline.errors import OlistError
from olist_pipeline.migration.proof import REMEDY
from olist_pipeline.spark import reads
from olist_pipeline.spark.reads import ReadLog, refusal_of

PLANNED = "org.apache.spark.sql.execution.ui.SparkListenerSQL"
END = {"Event": "SparkListenerApplicationEnd", "Timestamp": 1}


def node(name, *children, location=None, said=""):
    metadata = {"Location": location} if location else {}
    return {"nodeName": name, "simpleString": said or name, "children": list(children), "metadata": metadata}


def planned(plan, number=0, kind="ExecutionStart"):
    return {"Event": f"{PLANNED}{kind}", "executionId": number, "sparkPlanInfo": plan}


def files(*paths):
    return f"InMemoryFileIndex({len(paths)} path{'s' * (len(paths) > 1)})[{', '.join(paths)}]"


@pytest.fixture
def log(tmp_path):
    """A log into which a test writes what Spark says, and what it is asked then."""
    made = ReadLog(tmp_path / "reads")
    made.begin()

    def elsewhere(*events, end=END):
        lines = [json.dumps(event, separators=(",", ":")) for event in (*events, *([end] if end else []))]
        (made.folder / "app-1").write_text("\n".join(lines))
        return made.elsewhere([tmp_path / "own"])

    return elsewhere


def test_what_lies_below_an_allowed_folder_may_be_read(log, tmp_path):
    plan = node("Project", node("Scan parquet ", location=files(f"file:{tmp_path}/own/a", f"file:{tmp_path}/own/b")))
    assert log(planned(plan), planned(node("Scan OneRowRelation")), planned(node("LocalTableScan"))) == []


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        (node("Scan csv ", location=files("file:/elsewhere/a.csv")), "reads /elsewhere/a.csv"),
        (node("Scan parquet ", location=files("hdfs://host/a")), "reads hdfs://host/a"),
        (node("Scan parquet ", location="InMemoryFileIndex(2 paths)[file:/a, ...]"), "reads InMemoryFileIndex(2 paths"),
        (node("Scan JDBCRelation(orders) [numPartitions=1]"), "reads by Scan JDBCRelation(orders) [numPartitions=1]"),
        (node("BatchScan orders"), "reads by BatchScan orders"),
        (node("Scan hive replay.x"), "reads by Scan hive replay.x"),
        (node("ScriptTransformation"), "reads by ScriptTransformation"),
        (node("Execute LoadDataCommand"), "reads by LoadDataCommand"),
        (node("Execute AddJarsCommand"), "reads by AddJarsCommand"),
        (node("Project", said="Project [reflect(java.nio.file.Files, readString, x) AS a#1]"), "calls reflect"),
    ],
)
@pytest.mark.parametrize("kind", ["ExecutionStart", "AdaptiveExecutionUpdate"])
def test_what_is_read_elsewhere_is_found_however_deep_it_is(log, plan, said, kind):
    [found] = log(planned(node("AdaptiveSparkPlan", node("Exchange", plan)), kind=kind))
    assert found.startswith(f"something {said}")


def test_a_folder_that_is_called_alike_is_another_one_and_so_is_what_lies_above(log, tmp_path):
    for path in (f"{tmp_path}/own2/a", f"{tmp_path}/own/../a"):
        assert log(planned(node("Scan parquet ", location=files(f"file:{path}")))) == [f"something reads {path}"]


def test_a_link_leads_to_what_is_read(log, tmp_path):
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "link").symlink_to(tmp_path / "landing")
    assert log(planned(node("Scan text ", location=files(f"file:{tmp_path}/own/link/a"))))


def test_the_model_is_named(log):
    insert = "Execute InsertIntoHadoopFsRelationCommand"
    begun = node(
        insert, node("WriteFiles"), said=f"{insert} file:/home, of é/replay.db/orders, false, Parquet, [path=x]"
    )
    read = node("ResultQueryStage", node("Scan csv ", location=files("file:/a.csv")))
    later = planned(read, number=4, kind="AdaptiveExecutionUpdate")
    assert refusal_of(log(planned(begun, number=4), later)) == (
        f"Replay is no proof: the model orders reads /a.csv, where no accepted rows are; {REMEDY}."
    )
    assert refusal_of([]) == ""


def test_a_log_that_ends_too_early_is_no_proof(log, monkeypatch):
    monkeypatch.setattr(reads, "PATIENCE_SECONDS", 0)
    with pytest.raises(OlistError, match=r"^Spark did not say all that replay read .* so it is no proof; run again"):
        log(planned(node("LocalTableScan")), end=None)
