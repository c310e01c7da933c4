"""What is said of an application of Spark that dbt started, and where it leaves its logs."""

import pytest

from olist_pipeline.migration.model import OLD
from olist_pipeline.settings import Settings
from olist_pipeline.spark.trees import application_of, environment_of_spark


@pytest.fixture
def on_spark(tmp_path):
    home = tmp_path / 'a "home" of é'
    home.mkdir()
    return Settings(home, tmp_path / "landing", None, engine="spark", spark_master="local[2]")


def test_java_finds_the_files_of_its_logs_whatever_the_home_is_called(on_spark):
    options = environment_of_spark(on_spark, OLD)["SPARK_SUBMIT_OPTS"]
    assert '"-Dderby.stream.error.file=' in options
    assert 'a \\"home\\" of é/logs/derby.log"' in options
    [log] = (on_spark.home / "dbt" / "profiles").rglob("log.properties")
    assert log.as_uri() in options
    assert 'a "home" of \\u00e9/logs/spark.log' in log.read_text("ascii")


def test_the_last_application_of_a_folder_is_that_of_its_last_invocation(tmp_path):
    assert application_of("local[2]", tmp_path) == {"spark_master": "local[2]"}
    said = ["spark.app.id is local-1", 'other", "spark.app.id is local-2", "level"', "Done."]
    (tmp_path / "dbt.log").write_text("\n".join(said))
    assert application_of("local[2]", tmp_path) == {"spark_master": "local[2]", "spark_application": "local-2"}
