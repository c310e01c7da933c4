"""Projects of strangers as the old side: what reads elsewhere turns replay red, and the guide's own runs as it is."""

import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from olist_pipeline.files import tree_hash
from olist_pipeline.migration.load import load_migration
from olist_pipeline.migration.proof import refusal
from olist_pipeline.old_tables import load_raw
from olist_pipeline.orchestration.dbt import dbt_tree_assets
from olist_pipeline.orchestration.dbt_build import NO_TESTS
from olist_pipeline.orchestration.dbt_projects import dbt_of, ensure_manifest, environment_of, exported, variables_of
from olist_pipeline.orchestration.resources import Pipeline
from olist_pipeline.parity.attribution import Evidence, parity_of
from olist_pipeline.settings import PROJECT_DIR, Settings
from olist_pipeline.warehouse import load_manifest, warehouse_tables
from tests.shared import shared_dbt

FOREIGN = PROJECT_DIR / "tests" / "foreign"
MIGRATION = """
version: 1
contexts: olist_pipeline.olist_contexts
old: {{project: cityhire, profile: {{file: cityhire/profiles.yml}}}}
landing:
  raw_schema: raw
  files:
    rides.csv: {{source: raw.rides, types: {{minutes: integer, fare: "decimal(10, 2)"}}}}
    bicycles.csv: {{source: raw.bicycles}}
    docks.csv: {{source: raw.docks}}
new: {{project: {dbt}, folder: models/new}}
besides: [{{seed: zones, reason: They are the company's}}]
"""
ELSEWHERE = """
sources:
  - name: elsewhere
    meta: {{external_location: "{landing}/docks.csv"}}
    tables:
      - name: docks
  - name: other
    schema: other
    tables:
      - name: rides
"""


@pytest.fixture(scope="module", autouse=True)
def dbt():
    """All of dbt here is started by the one server of the tests."""
    with exported(shared_dbt()):
        yield


@pytest.fixture(scope="module")
def tampered(tmp_path_factory) -> tuple[str, dict[str, Path]]:
    """What dbt says of replay where the project reads landing in ways of its own, and the places."""
    folder = tmp_path_factory.mktemp("tampered")
    shutil.copytree(FOREIGN / "cityhire", folder / "cityhire")
    shutil.copytree(FOREIGN / "landing", folder / "landing")
    models = folder / "cityhire" / "models"
    (models / "hard_coded.sql").write_text(f"select * from read_csv('{folder}/landing/rides.csv')")
    (models / "elsewhere.yml").write_text(ELSEWHERE.format(landing=folder / "landing"))
    other = folder / "other.duckdb"
    duckdb.connect(str(other)).close()
    (models / "attached.sql").write_text(f"{{{{ config(pre_hook=\"attach '{other}' as other\") }}}} select 1 as a")
    (models / "globbed.sql").write_text(f"select * from glob('{folder}/landing/*.csv')")
    (models / "by_macro.sql").write_text("select * from {{ rides_of('rides.csv') }}")
    of_macro = f"{{% macro rides_of(file) %}} read_csv('{folder}/landing/{{{{ file }}}}') {{% endmacro %}}"
    (folder / "cityhire" / "macros" / "rides_of.sql").write_text(of_macro)
    (models / "as_text.sql").write_text(f"select * from query('from read_text(''{folder}/landing/rides.csv'')')")
    (models / "own_location.sql").write_text("select * from {{ source('elsewhere', 'docks') }}")
    (models / "other_schema.sql").write_text("select * from {{ source('other', 'rides') }}")
    project = folder / "cityhire" / "dbt_project.yml"
    hook = f"  - \"create table bookkeeping.loaded as from read_csv('{folder}/landing/bicycles.csv')\"\n"
    project.write_text(project.read_text().replace("on-run-end:\n", f"on-run-end:\n{hook}"))
    migration = folder / "migration.yml"
    migration.write_text(MIGRATION.format(dbt=PROJECT_DIR / "dbt"))
    settings = Settings(folder / "home", folder / "landing", None, migration=migration)
    shutil.copytree(folder / "landing", settings.replay_landing)
    dbt = dbt_of(settings, "replay")
    old = load_manifest(ensure_manifest(settings, "old"))
    load_raw(settings, load_migration(migration), old, "replay", settings.replay_landing)
    reading = (settings, "replay", settings.replay_landing, date(2023, 6, 1))
    variables = variables_of(*reading)
    with exported(environment_of(*reading)):
        invocation = dbt.cli(["build", *NO_TESTS, *variables], target_path=folder / "target", raise_on_error=False)
    said = "\n".join(str(event.raw_event["info"]["msg"]) for event in invocation.stream_raw_events())
    return said, {"folder": folder, "home": settings.home}


@pytest.mark.parametrize(
    ("who", "file"),
    [
        ("the model hard_coded", "landing/rides.csv"),
        ("the model own_location", "landing/docks.csv"),
        ("a hook (on-run-end)", "landing/bicycles.csv"),
        ("the model globbed", "landing/*.csv"),
        ("the model by_macro", "landing/rides.csv"),
        ("the model as_text", "landing/rides.csv"),
        ("the model attached", "other.duckdb"),
    ],
)
def test_what_reads_elsewhere_is_refused_and_named(tampered, who, file):
    said, places = tampered
    sentence = refusal(said)
    assert sentence.startswith("Replay is no proof: ")
    assert f"{who} reads {places['folder']}/{file}" in sentence


def test_a_table_that_nobody_loads_is_not_there(tampered):
    said, _ = tampered
    assert "other_schema" in said
    assert "does not exist" in said


def test_what_reads_landing_alone_is_built(tampered):
    _, places = tampered
    with duckdb.connect(str(places["home"] / "replay" / "hire.duckdb"), read_only=True) as connection:
        assert connection.execute("SELECT count(*) FROM dwh.ride_list").fetchall() == [(200,)]
        tables = {row[0] for row in connection.execute("SELECT table_name FROM information_schema.tables").fetchall()}
        assert connection.execute("SELECT count(*) FROM dwh.zones").fetchall() == [(2,)]
    assert not tables & {
        "hard_coded",
        "own_location",
        "other_schema",
        "loaded",
        "attached",
        "globbed",
        "by_macro",
        "as_text",
    }


@pytest.mark.long
class TestGuide:
    """The project of the guide: the nine files through a variable, thirty models, dbt_utils, the clock."""

    @pytest.fixture(scope="class")
    def settings(self, finished, server_folder):
        world = finished.copy_to(server_folder / "guide")
        payments = world.landing / "olist_order_payments_dataset.csv"
        # The guide's project lets DuckDB guess the types of the files: a word among the numbers fails its models.
        payments.write_text(payments.read_text().replace(",abc\n", ",1.00\n"))
        return replace(world.settings, migration=FOREIGN / "guide.yml")

    @pytest.fixture(scope="class")
    def built(self, settings):
        """The settings, once old and replay were built of the guide's project."""
        before = tree_hash(FOREIGN / "guide", suffixes=(".sql", ".yml", ".json", ".log"))
        trees = [asset for asset in dbt_tree_assets(settings) if asset.op.name in ("dbt_old", "dbt_replay")]
        made = {key for tree in trees for key in tree.keys}
        upstream = [dg.AssetSpec(key) for key in {key for tree in trees for key in tree.dependency_keys} - made]
        done = dg.materialize([*trees, *upstream], selection=trees, resources={"pipeline": Pipeline(settings)})
        assert done.success
        assert tree_hash(FOREIGN / "guide", suffixes=(".sql", ".yml", ".json", ".log")) == before
        return settings

    def test_it_runs_as_it_is_with_a_failed_test_that_stops_nothing(self, built):
        with duckdb.connect(str(built.home / "old" / "warehouse.duckdb"), read_only=True) as connection:
            made = connection.execute("SELECT count(*) FROM information_schema.tables").fetchall()
        assert made == [(30,)]

    def test_its_tables_are_compared_under_its_own_names(self, built):
        migration = load_migration(built.migration)
        manifest = load_manifest(ensure_manifest(built))
        tables = {table.name: table for table in warehouse_tables(manifest, migration)}
        with duckdb.connect(str(built.warehouse), read_only=True) as warehouse:
            verdicts = {
                name: parity_of(warehouse, table, Evidence({"ORDER_WITHOUT_ITEMS": 1})).verdict.value
                for name, table in tables.items()
            }
            names = warehouse.execute(
                "FROM duckdb_tables() SELECT table_name WHERE schema_name = 'old' AND table_name LIKE 'mart_r%'"
            ).fetchall()
        assert verdicts == {"dim_sellers": "identical", "fact_payments": "explained"}
        assert names == [("mart_revenue_by_month",)], "a table without a pair is brought along"
