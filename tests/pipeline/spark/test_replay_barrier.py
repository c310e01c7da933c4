"""A replay on Spark that reads past its sources, in whatever way: each model that does is named, and no other."""

import os
import subprocess
import sys

import polars as pl
import pytest

from olist_pipeline.migration.load import load_migration
from olist_pipeline.migration.model import REPLAY
from olist_pipeline.migration.profiles import landing_of_spark
from olist_pipeline.migration.proof import REMEDY
from olist_pipeline.settings import Settings
from olist_pipeline.spark.trees import environment_of_spark, reads_of_replay, refusal_on_spark, write_spark_profile
from tests.pipeline.spark.conftest import DEFAULTS, MASTER

MIGRATION = """
version: 1
contexts: olist_pipeline.olist_contexts
old: {project: foreign, spark: true}
landing: {environment: OLIST_DATA_DIR}
new: {project: foreign, spark: true}
"""
PROJECT = "name: foreign\nconfig-version: 2\nprofile: foreign\nmodels: {+materialized: table}\n"
MODELS = {
    "own": "select * from parquet.`{{ env_var('OLIST_LANDING_PARQUET') }}/orders.parquet`",
    "of_own": "select count(*) as orders from {{ ref('own') }}",
    "by_path": "select * from csv.`ELSEWHERE/rows.csv`",
    "by_view": """{{ config(pre_hook="create or replace temporary view there using csv options (path 'ELSEWHERE')") }}
        select count(*) as n from there""",
    "by_table": """{{ config(pre_hook="create table if not exists replay.here using csv options (path 'ELSEWHERE')") }}
        select * from replay.here""",
    "by_macro": """{% set n = run_query("select count(*) from text.`ELSEWHERE/rows.csv`").columns[0].values()[0]
        if execute else 0 %} select {{ n }} as n""",
    "by_call": "select reflect('java.lang.System', 'getProperty', 'user.dir') as folder",
}


@pytest.mark.spark
def test_whatever_reads_elsewhere_is_named(tmp_path):
    elsewhere, home, project = tmp_path / "elsewhere", tmp_path / "home of é", tmp_path / "foreign"
    for folder in (elsewhere, home, project / "models"):
        folder.mkdir(parents=True)
    (elsewhere / "rows.csv").write_text("a\nb\n")
    (tmp_path / "migration.yml").write_text(MIGRATION)
    (project / "dbt_project.yml").write_text(PROJECT)
    for name, sql in MODELS.items():
        (project / "models" / f"{name}.sql").write_text(sql.replace("ELSEWHERE", str(elsewhere)))
    (tmp_path / "spark-defaults.conf").write_text(DEFAULTS)
    settings = Settings(home, tmp_path / "landing", None, engine="spark", spark_master=MASTER)
    migration = load_migration(tmp_path / "migration.yml")
    landing = landing_of_spark(settings, REPLAY)
    landing.mkdir(parents=True)
    pl.DataFrame({"a": [1]}).write_parquet(landing / "orders.parquet")
    reads_of_replay(settings).begin()
    profile = write_spark_profile(settings, migration, REPLAY)
    paths = ["--target-path", str(tmp_path / "target"), "--log-path", str(tmp_path / "logs")]
    environment = {**os.environ, **environment_of_spark(settings, REPLAY), "SPARK_CONF_DIR": str(tmp_path)}
    ended = subprocess.run(
        [sys.executable, "-m", "dbt.cli.main", "run", "--project-dir", str(project), *profile.arguments, *paths],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout
    said = refusal_on_spark(settings, migration)
    assert said.startswith("Replay is no proof: ")
    assert said.endswith(f", where no accepted rows are; {REMEDY}.")
    found = said.removeprefix("Replay is no proof: ").partition(", where no")[0].split(", ")
    # A macro's own statement makes no table.
    assert sorted(found) == [
        f"something reads {elsewhere}/rows.csv",
        "the model by_call calls reflect",
        f"the model by_path reads {elsewhere}/rows.csv",
        f"the model by_table reads {elsewhere}",
        f"the model by_view reads {elsewhere}",
    ]
