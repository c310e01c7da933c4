"""Where a tree is made: it begins anew where what it had is another engine's, or another home's."""

import dataclasses
import json

import pytest

from olist_pipeline.errors import OlistError
from olist_pipeline.migration.load import load_migration
from olist_pipeline.migration.model import NEW, OLD, REPLAY
from olist_pipeline.migration.profiles import landing_of_spark
from olist_pipeline.orchestration.dbt_build import Build, needed_first
from olist_pipeline.orchestration.dbt_places import make_an_end, make_ready, place_of
from olist_pipeline.settings import Settings
from olist_pipeline.spark.trees import folder_of, reads_of_replay

MONTHS, WHOLE = "dbt_new_months", "dbt_new"


@pytest.fixture
def on_spark(tmp_path):
    (tmp_path / "home").mkdir()
    return Settings(tmp_path / "home", tmp_path / "landing", None, engine="spark", spark_master="local[2]")


def ended(settings, tree, build, *, is_fresh=False):
    """Begin a build, and let it come to a good end."""
    begin(settings, tree, build, is_fresh=is_fresh)
    place_of(settings, tree, on_spark=True).end()


def begin(settings, tree, build, *, is_fresh=False):
    make_ready(settings, load_migration(settings.migration), {}, tree, build, settings.landing, is_fresh=is_fresh)


def made(settings, tree, name):
    """Make a table of a tree, as Spark would."""
    path = folder_of(settings, tree) / f"{tree}.db" / name / "part-0.parquet"
    path.parent.mkdir(parents=True)
    path.touch()
    return path


def test_whole_old_begins_with_nothing(on_spark):
    ended(on_spark, OLD, "dbt_old", is_fresh=True)
    table = made(on_spark, OLD, "dim_date")
    ended(on_spark, OLD, "dbt_old")
    assert table.exists()
    begin(on_spark, OLD, "dbt_old", is_fresh=True)
    assert not table.exists()
    assert landing_of_spark(on_spark, OLD).is_dir()


def test_the_builds_of_new_are_beside_each_other(on_spark):
    place = place_of(on_spark, NEW, on_spark=True)
    ended(on_spark, NEW, MONTHS)
    table = made(on_spark, NEW, "fact_orders")
    assert (place.holds(MONTHS), place.holds(WHOLE)) == (True, False)
    begin(on_spark, NEW, WHOLE)
    place.end()
    assert table.exists()
    assert (place.holds(MONTHS), place.holds(WHOLE)) == (True, True)


def test_in_a_home_that_was_moved_a_tree_begins_anew(on_spark, tmp_path):
    ended(on_spark, NEW, MONTHS)
    made(on_spark, NEW, "fact_orders")
    moved = dataclasses.replace(on_spark, home=on_spark.home.rename(tmp_path / "moved"))
    assert not place_of(moved, NEW, on_spark=True).holds(MONTHS)
    begin(moved, NEW, WHOLE)
    assert {path.name for path in folder_of(moved, NEW).iterdir()} == {"landing", "begun_dbt_new", "at_work"}


def test_a_tree_of_which_a_build_was_cut_off_begins_anew(on_spark):
    place = place_of(on_spark, NEW, on_spark=True)
    ended(on_spark, NEW, MONTHS)
    table = made(on_spark, NEW, "fact_orders")
    begin(on_spark, NEW, WHOLE)
    assert table.exists()
    assert not place.holds(MONTHS), "it has not ended"
    begin(on_spark, NEW, MONTHS)
    assert not table.exists()
    place.end()
    assert (place.holds(MONTHS), place.holds(WHOLE)) == (True, False)


def test_a_tree_in_duckdb_that_began_with_nothing_holds_nothing_until_its_end(on_spark):
    """A backfill after a kill read tables of old that had never been made, and so did the next one."""
    on_duckdb = dataclasses.replace(on_spark, engine="polars")
    place, migration = place_of(on_duckdb, OLD, on_spark=False), load_migration(on_duckdb.migration)
    begin(on_duckdb, OLD, "dbt_old", is_fresh=True)
    assert not place.holds("dbt_old")
    make_an_end(on_duckdb, migration, OLD)
    assert place.holds("dbt_old")
    begin(on_duckdb, OLD, "dbt_old")
    assert place.holds("dbt_old"), "what is made once more is there until it is"


@pytest.mark.parametrize(
    ("tree", "build", "is_whole", "on_engine", "before", "expected"),
    [
        (NEW, MONTHS, True, True, (), ""),
        (NEW, MONTHS, False, True, (), "months of it"),
        (NEW, WHOLE, True, True, (), "fqn:olist.new"),
        (NEW, WHOLE, False, True, (), "fqn:olist.new"),
        (NEW, WHOLE, True, True, (MONTHS,), ""),
        (NEW, WHOLE, False, True, (MONTHS,), "months of it"),
        (NEW, WHOLE, False, True, (MONTHS, WHOLE), ""),
        (NEW, WHOLE, False, False, (), ""),
        (OLD, "dbt_old", True, True, (), ""),
        (OLD, "dbt_old", False, True, (), "months of it"),
        (OLD, "dbt_old", False, False, (), "months of it"),
        (OLD, "dbt_old", False, True, ("dbt_old",), ""),
    ],
)
def test_what_is_not_there_is_built_first(on_spark, tree, build, is_whole, on_engine, before, expected):
    for name in before:
        ended(on_spark, tree, name)
    asked = Build(build, tree, "months of it", exclude=" waiting ", is_monthly=build == MONTHS)
    place = place_of(on_spark, tree, on_spark=on_engine)
    found = needed_first(asked, load_migration(on_spark.migration), place, is_whole=is_whole, on_spark=on_engine)
    assert found == (["--select", expected, "--exclude", "waiting"] if expected else [])


@pytest.mark.parametrize(("tree", "build"), [(OLD, "dbt_old"), (NEW, MONTHS)])
def test_what_an_engine_made_is_forgotten_once_another_makes_the_tree(on_spark, tree, build):
    on_duckdb = dataclasses.replace(on_spark, engine="polars")
    ended(on_spark, tree, build, is_fresh=tree == OLD)
    table = made(on_spark, tree, "t")
    begin(on_duckdb, tree, build, is_fresh=tree == OLD)
    make_an_end(on_duckdb, load_migration(on_duckdb.migration), tree)
    assert table.exists(), "the warehouse shows it until DuckDB has built its own"
    assert not place_of(on_spark, tree, on_spark=True).holds(build)
    assert place_of(on_spark, tree, on_spark=False).holds(build) is (tree == OLD)
    begin(on_spark, tree, build)
    assert not table.exists()
    assert not place_of(on_spark, tree, on_spark=False).holds(build)


def test_what_says_that_a_build_was_begun_may_be_damaged(on_spark):
    ended(on_spark, OLD, "dbt_old", is_fresh=True)
    place = place_of(on_spark, OLD, on_spark=True)
    [said] = place.folder.glob("begun_*")
    said.write_bytes(b"\xac\x00")
    assert not place.holds("dbt_old")
    ended(on_spark, OLD, "dbt_old")
    assert place.holds("dbt_old")


def test_a_replay_that_read_elsewhere_has_come_to_no_good_end(on_spark):
    place, migration = place_of(on_spark, REPLAY, on_spark=True), load_migration(on_spark.migration)
    for path, is_good in (("/elsewhere/a.csv", False), (f"{landing_of_spark(on_spark, REPLAY)}/orders.parquet", True)):
        begin(on_spark, REPLAY, "dbt_replay", is_fresh=True)
        read = {"metadata": {"Location": f"InMemoryFileIndex(1 paths)[file:{path}]"}}
        scan = {"nodeName": "Scan csv ", "simpleString": "", "children": [], **read}
        started = {"Event": "org.apache.spark.sql.execution.ui.SparkListenerSQLExecutionStart", "executionId": 0}
        said = [{**started, "sparkPlanInfo": scan}, {"Event": "SparkListenerApplicationEnd"}]
        lines = [json.dumps(one, separators=(",", ":")) for one in said]
        (reads_of_replay(on_spark).folder / "local-1").write_text("\n".join(lines))
        if is_good:
            make_an_end(on_spark, migration, REPLAY)
        else:
            with pytest.raises(OlistError, match=rf"^Replay is no proof: something reads {path}, where no accepted"):
                make_an_end(on_spark, migration, REPLAY)
        assert place.holds("dbt_replay") == is_good
