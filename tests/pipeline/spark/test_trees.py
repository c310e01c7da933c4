"""The trees of dbt on Spark: tables and verdicts are those of DuckDB, over a landing of which much is spoilt."""

import dataclasses
import shutil
import subprocess
from collections import Counter
from functools import partial
from pathlib import Path

import duckdb
import polars as pl
import pytest

from benchmarks.engines import differing_relations
from olist_pipeline.errors import OlistError
from olist_pipeline.intake.span import as_of
from olist_pipeline.migration.load import load_migration
from olist_pipeline.migration.model import NEW, OLD, REPLAY
from olist_pipeline.migration.profiles import database_of, landing_of_spark, write_profile
from olist_pipeline.migration.project import is_relation, new_part, old_part
from olist_pipeline.old_tables import bring, shown_of
from olist_pipeline.orchestration.column_lineage import BY_DUCKDB, Written, column_origins
from olist_pipeline.orchestration.dbt_build import NO_TESTS, window_variables
from olist_pipeline.orchestration.dbt_projects import environment_of, exported
from olist_pipeline.parity.attribution import Evidence, parity_of
from olist_pipeline.parity.by_months import sides_by_months
from olist_pipeline.registry import LANDING
from olist_pipeline.replay import write_replay_landing
from olist_pipeline.settings import DBT, Settings
from olist_pipeline.spark.trees import (
    AS_PARQUET,
    application_of,
    folder_of,
    is_on_spark,
    make_room,
    name_on_spark,
    show,
    write_spark_profile,
)
from olist_pipeline.warehouse import load_manifest, warehouse_tables
from tests.pipeline.spark.conftest import MASTER

TREES = (OLD, REPLAY, NEW)
EVIDENCE = Evidence(Counter(A_RULE=1))
MONTHLY = ("int_orders_enriched", "fact_orders")


class Trees:
    """A home and its trees, built by one engine."""

    def __init__(self, settings):
        self.settings, self.migration = settings, load_migration(settings.migration)
        self.day = as_of(settings.landing, LANDING["orders"])

    def dbt(self, tree, *arguments, on_spark=None, window=None):
        """Run dbt on a tree, as a run does; return what it failed with, nothing where it did not.

        Spark's session is that of this process; DuckDB's database stays open in a process that ran dbt.
        """
        from dbt.cli.main import dbtRunner

        on_spark = is_on_spark(self.settings, self.migration, tree) if on_spark is None else on_spark
        written = (write_spark_profile if on_spark else write_profile)(self.settings, self.migration, tree)
        landing = self.settings.replay_landing if tree == REPLAY else self.settings.landing
        target = self.settings.dbt_target / f"run_{tree}_{on_spark}"
        home = {"OLIST_HOME": str(self.settings.home), "OLIST_AS_OF": self.day.isoformat()}
        paths = ["--project-dir", str(self.migration.old_folder), *written.arguments]
        said = ["--quiet", "--target-path", str(target), "--log-path", str(target)]
        environment = {**home, **environment_of(self.settings, tree, landing, self.day), **window_variables(window)}
        with exported(environment):
            if not on_spark:
                ended = subprocess.run([*DBT, *arguments, *paths, *said], capture_output=True, text=True, check=False)
                return ended.returncode and ended.stdout
            result = dbtRunner().invoke([*arguments, *paths, *said])
        failed = [one.message for one in getattr(result.result, "results", ()) if one.status not in ("success", "pass")]
        return "" if result.success else "; ".join(failed) or str(result.exception)

    def build(self, tree, select=(), window=None):
        """Build a tree, or some of it, and bring it into the warehouse."""
        on_spark = is_on_spark(self.settings, self.migration, tree)
        if on_spark and tree != NEW:
            landing_of_spark(self.settings, tree).mkdir(parents=True, exist_ok=True)
            assert not self.dbt(tree, "run-operation", AS_PARQUET, on_spark=False)
        part = new_part(self.migration) if tree == NEW else old_part(self.migration)
        assert not self.dbt(tree, "build", *NO_TESTS, "--select", *(select or [part.select]), window=window)
        manifest = self.manifest(tree)
        names = {node["alias"] for node in manifest["nodes"].values() if is_relation(node) and part.holds(node)}
        if on_spark:
            show(self.settings, tree, shown_of(manifest, self.migration, tree, names))
        elif tree != NEW:
            bring(self.settings, self.migration, manifest, tree, names)

    def manifest(self, tree):
        """Return the manifest of DuckDB's last build of a tree, or of Spark's."""
        return load_manifest(self.target(tree) / "manifest.json")

    def target(self, tree):
        """Return the folder of artifacts of a tree's builds."""
        return self.settings.dbt_target / f"run_{tree}_{is_on_spark(self.settings, self.migration, tree)}"

    def tables(self):
        return warehouse_tables(self.manifest(NEW), self.migration)

    def verdicts(self):
        """Return the verdict on each table, with all figures and samples, and the fingerprint of both its sides."""
        with duckdb.connect(str(self.settings.warehouse), read_only=True) as connection:
            found = {table.name: parity_of(connection, table, EVIDENCE) for table in self.tables()}
        return {name: (parity.subject, parity.to_dict()) for name, parity in found.items()}


@pytest.fixture(scope="module")
def on_duckdb(on_one, on_polars):
    trees = Trees(on_one)
    write_replay_landing(trees.settings, trees.migration)
    for tree in (OLD, REPLAY):
        database_of(trees.settings, trees.migration, tree).parent.mkdir(exist_ok=True)
    for tree in TREES:
        trees.build(tree)
    return trees


@pytest.fixture(scope="module")
def on_spark(session, on_duckdb, tmp_path_factory):
    """The same home on Spark: its own folder, over the same landing and staging."""
    home = tmp_path_factory.mktemp("trees") / "home [of] Spark's"
    home.mkdir()
    for name in ("staging", "replay_landing"):
        shutil.copytree(on_duckdb.settings.home / name, home / name)
    # One session has one folder of tables, and the trees of a pipeline have one each.
    (home / "warehouse").mkdir()
    tables = Path(session.conf.get("spark.sql.warehouse.dir").removeprefix("file:"))
    tables.mkdir(exist_ok=True)
    for tree in TREES:
        folder_of(dataclasses.replace(on_duckdb.settings, home=home), tree).symlink_to(tables)
    trees = Trees(dataclasses.replace(on_duckdb.settings, home=home, engine="spark", spark_master=MASTER))
    for tree in TREES:
        trees.build(tree)
    yield trees
    for name in ("spark.sql.timestampType", "spark.sql.session.timeZone"):
        session.conf.unset(name)


def differing(one, other):
    """Return the relations of two warehouses, which have the same, that differ in a column, a type or a row."""
    with duckdb.connect() as connection:
        for name, trees in (("one", one), ("other", other)):
            connection.execute(
                f"ATTACH '{str(trees.settings.warehouse).replace(chr(39), chr(39) * 2)}' AS {name} (READ_ONLY)"
            )
        names = {
            side: {
                tuple(row)
                for row in connection.execute(
                    "SELECT schema_name, table_name FROM duckdb_columns() WHERE database_name = $side "
                    "AND schema_name IN ('old', 'replay', 'new')",
                    {"side": side},
                ).fetchall()
            }
            for side in ("one", "other")
        }
        # Old's staging models are views of its own database, which nobody else reads.
        assert names["one"] == names["other"]
        assert Counter(tree for tree, _ in names["one"]) == dict.fromkeys(TREES, len(one.tables()))
        found = []
        for tree, table in sorted(names["one"]):
            found += differing_relations(connection, f"{tree}.{table}", f"one.{tree}.{table}", f"other.{tree}.{table}")
        return found


@pytest.mark.spark
def test_spark_builds_the_same_tables(on_spark, on_duckdb):
    assert differing(on_duckdb, on_spark) == []


@pytest.mark.spark
def test_the_verdicts_are_the_same(on_spark, on_duckdb):
    expected = on_duckdb.verdicts()
    assert on_spark.verdicts() == expected
    assert len({parity["verdict"] for _, parity in expected.values()}) > 1, "nothing was spoilt"


@pytest.mark.spark
def test_tasks_find_the_same_verdicts(session, on_spark, on_duckdb):
    from olist_pipeline.spark.runner import spark_runner

    monthly = [table for table in on_spark.tables() if table.is_monthly]
    runner, folder = spark_runner(on_spark.settings), on_spark.settings.outbox / "parity"
    with duckdb.connect(str(on_spark.settings.warehouse), read_only=True) as connection:
        sides = sides_by_months(connection, monthly, None, runner, folder)
        found = {table.name: parity_of(connection, table, EVIDENCE, None, sides[table.name]) for table in monthly}
    expected = on_duckdb.verdicts()
    assert len(found) > 3
    assert {name: (parity.subject, parity.to_dict()) for name, parity in found.items()} == {
        name: expected[name] for name in found
    }
    assert len(list(folder.rglob("*.parquet"))) > len(found) * 6, "a table was not cut"


@pytest.mark.spark
def test_columns_come_from_the_same_columns(on_spark, on_duckdb):
    def found(trees, tree, written):
        manifest, compiled = on_duckdb.manifest(tree), trees.target(tree) / "compiled"
        queries = {
            uid: compiled / node["package_name"] / node["original_file_path"]
            for uid, node in manifest["nodes"].items()
            if node["resource_type"] == "model"
        }
        return {
            uid: column_origins(manifest, uid, query.read_text("utf-8"), written)
            for uid, query in queries.items()
            if query.exists()
        }

    for tree in TREES:
        expected = found(on_duckdb, tree, BY_DUCKDB)
        assert len(expected) >= len(on_duckdb.tables())
        assert found(on_spark, tree, Written("spark", partial(name_on_spark, tree))) == expected


@pytest.mark.spark
def test_a_build_says_in_which_application_it_was(session, on_spark):
    found = application_of(MASTER, on_spark.target(NEW))
    assert found == {"spark_master": MASTER, "spark_application": session.sparkContext.applicationId}


@pytest.mark.spark
def test_a_window_of_months_is_built_alone_and_a_month_that_lost_its_rows_is_emptied(on_spark, on_duckdb):
    folder = on_duckdb.settings.staging / "sales" / "orders"
    months = sorted({path.name[:7] for path in folder.glob("*.parquet")})
    gone, changed, beyond = months[1], months[2], months[-1]
    for trees in (on_duckdb, on_spark):
        staged = trees.settings.staging / "sales" / "orders"
        for path in (*staged.glob(f"{gone}*"), *staged.glob(f"{beyond}*"), next(staged.glob(f"{changed}*"))):
            path.unlink()
        window = tuple(trees.day.fromisoformat(f"{month}-01") for month in (gone, changed))
        trees.build(NEW, [f"new__{name}" for name in MONTHLY], window)
        with duckdb.connect(str(trees.settings.warehouse), read_only=True) as connection:
            left = connection.execute("SELECT DISTINCT strftime(order_month, '%Y-%m') FROM new.fact_orders").fetchall()
        # Nobody asked for what lies beyond the window.
        assert (gone in dict.fromkeys(month for (month,) in left), (beyond,) in left) == (False, True)
    assert differing(on_duckdb, on_spark) == []


@pytest.mark.spark
def test_a_null_that_a_contract_forbids_ends_the_build(on_spark):
    file = next((on_spark.settings.staging / "sales" / "orders").glob("*.parquet"))
    pl.read_parquet(file, glob=False).with_columns(pl.lit(None, pl.String).alias("order_id")).write_parquet(file)
    said = on_spark.dbt(NEW, "build", *NO_TESTS, "--select", "new__int_orders_enriched", "--full-refresh")
    assert "int_orders_enriched.order_id is null, and its contract forbids that" in said


@pytest.mark.parametrize(
    ("engine", "master", "can", "expected"),
    [
        ("spark", "local[2]", True, True),
        ("spark", "spark://host:7077", True, True),
        ("spark", "sc://host", True, False),
        ("spark", "local[2]", False, False),
        ("polars", "local[2]", True, False),
    ],
)
def test_a_tree_is_on_spark_where_engine_and_project_say_so(tmp_path, engine, master, can, expected):
    settings = Settings(tmp_path, tmp_path, None, engine=engine, spark_master=master)
    ours = load_migration(settings.migration)
    migration = ours.model_copy(update={"old": ours.old.model_copy(update={"spark": can}), "new": ours.new})
    assert is_on_spark(settings, migration, OLD) is is_on_spark(settings, migration, REPLAY) is expected
    assert is_on_spark(settings, migration, NEW) is (expected or not can)


def test_tables_on_spark_take_the_place_of_tables_and_give_it_back(tmp_path):
    settings = Settings(tmp_path, tmp_path, None)
    (folder_of(settings, OLD) / "old.db" / "t").mkdir(parents=True)
    pl.DataFrame({"a": [2], "b": [3]}).write_parquet(folder_of(settings, OLD) / "old.db" / "t" / "part-0.parquet")
    node = {"alias": "t", "columns": {"b": {}}, "config": {"materialized": "table"}}
    with duckdb.connect(str(settings.warehouse)) as connection:
        connection.execute("CREATE SCHEMA old")
        connection.execute("CREATE TABLE old.t AS SELECT 1 AS a")
    for _ in range(2):
        show(settings, OLD, {"t": node})
        with duckdb.connect(str(settings.warehouse)) as connection:
            assert connection.execute("FROM old.t").fetchall() == [(3,)]
    with duckdb.connect(str(settings.warehouse)) as connection:
        make_room(connection, "TABLE", "warehouse", "old", "t")
        make_room(connection, "TABLE", "old", "t")
        connection.execute("CREATE TABLE old.t AS SELECT 1 AS a")


def test_a_table_that_spark_did_not_make_is_named(tmp_path):
    node = {"alias": "t", "columns": {}, "config": {"materialized": "incremental"}}
    with pytest.raises(OlistError, match=r"^t of the new tables on Spark cannot be read: IO Error: No files found"):
        show(Settings(tmp_path, tmp_path, None), NEW, {"t": node})
