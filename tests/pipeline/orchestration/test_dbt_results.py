"""What dbt did is said of assets that are in the graph, and of no others."""

from contextlib import contextmanager, nullcontext

import dagster as dg
import duckdb
import pytest

from olist_pipeline.orchestration import dbt_results
from olist_pipeline.orchestration.dbt_results import Bringing, events_of, unmade
from olist_pipeline.orchestration.internals import dbt_cli
from olist_pipeline.settings import Settings
from olist_pipeline.tablediff.sql import relation_name

ELSEWHERE = dg.AssetObservation(dg.AssetKey(["new", "new__dim_date"]), description="run along, not asked for")
NOTHING = Bringing(nullcontext)
PASSED = dg.AssetCheckResult(passed=True, asset_key=dg.AssetKey(["new", "fact_orders"]), check_name="unique")


def happened():
    yield ELSEWHERE
    yield PASSED


def test_a_test_that_another_run_asks_for_is_said_of_no_asset(tmp_path):
    context = dg.build_asset_context()
    assert list(events_of(happened(), context, {}, tmp_path / "warehouse.duckdb", tmp_path, NOTHING)) == [PASSED]


def test_rows_are_counted_whatever_a_table_is_called(tmp_path):
    names = ["fact_orders", 'a "b".c', "select"]
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as connection:
        connection.execute("CREATE SCHEMA old")
        for name in names:
            connection.execute(f"CREATE TABLE {relation_name('old', name)} AS FROM range(3)")
    keys = {dg.AssetKey(["old", name]) for name in [*names, "gone"]}
    assert dbt_results._row_counts(tmp_path / "warehouse.duckdb", keys) == {
        dg.AssetKey(["old", name]): 3 for name in names
    }


def test_rows_of_views_are_counted_where_they_are_tables_of_spark(tmp_path):
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as connection:
        connection.execute("CREATE SCHEMA old; CREATE VIEW old.facts AS FROM range(3)")
    key = dg.AssetKey(["old", "facts"])
    assert dbt_results._row_counts(tmp_path / "warehouse.duckdb", {key}, counts_views=True) == {key: 3}
    assert dbt_results._row_counts(tmp_path / "warehouse.duckdb", {key}) == {}


def test_what_dbt_failed_with_comes_after_what_it_did(tmp_path):
    def failing():
        yield from happened()
        raise RuntimeError("dbt failed")

    events = events_of(failing(), dg.build_asset_context(), {}, tmp_path / "warehouse.duckdb", tmp_path, NOTHING)
    assert next(events) == PASSED
    with pytest.raises(RuntimeError, match="dbt failed"):
        next(events)


def test_the_warehouse_is_opened_only_within_its_block(tmp_path):
    """dbt old brings its tables beside whatever else has the warehouse open."""
    done = []

    @contextmanager
    def alone():
        done.append("alone")
        yield
        done.append("free")

    def dbt():
        done.append("dbt")
        yield PASSED

    bringing = Bringing(alone, lambda names: done.append("brought"))
    list(events_of(dbt(), dg.build_asset_context(), {}, tmp_path / "warehouse.duckdb", tmp_path, bringing))
    assert done == ["dbt", "alone", "brought", "free"]


def test_an_interrupted_run_waits_for_nothing_that_follows_dbt(tmp_path, monkeypatch):
    monkeypatch.setattr(dbt_cli._running, "is_interrupted", True)
    bringing = Bringing(nullcontext, lambda names: pytest.fail("brought"))
    with pytest.raises(dg.Failure, match="interrupted"):
        list(events_of(happened(), dg.build_asset_context(), {}, tmp_path / "warehouse.duckdb", tmp_path, bringing))


def test_a_warehouse_that_finds_its_disk_full_is_a_sentence(tmp_path):
    def bring(_):
        raise duckdb.TransactionException('Failed to commit: Could not write file "/x.wal": No space left on device')

    bringing = Bringing(nullcontext, bring)
    with pytest.raises(dg.Failure) as raised:
        list(events_of(happened(), dg.build_asset_context(), {}, tmp_path / "warehouse.duckdb", tmp_path, bringing))
    assert str(raised.value.description).endswith("No space left on device; free space and run again.")


@pytest.mark.parametrize(
    ("query", "needed"),
    [
        ("FROM read_parquet('{staging}/sales/orders/*.parquet')", "reads sales/orders, and staging of it is empty"),
        ("FROM read_csv('{replay}/olist_orders_dataset.csv')", "reads sales/orders, and staging of it is empty"),
        ("FROM read_csv('{replay}/olist_orders_dataset/*.csv')", "reads sales/orders, and staging of it is empty"),
        ("FROM old.dim_date", "reads replay/dim_date, which has not been made"),
        ("FROM old.strange", ""),
        ("FROM read_csv('/elsewhere/orders.csv')", ""),
        ("FROM read_csv('{replay}/strange.csv')", ""),
    ],
)
def test_what_no_step_has_made_yet_is_named(tmp_path, query, needed):
    settings = Settings(tmp_path, tmp_path / "landing", None)
    query = query.format(staging=settings.staging, replay=settings.replay_landing)
    with duckdb.connect() as connection:
        connection.execute("CREATE SCHEMA old")
        with pytest.raises(duckdb.Error) as raised:
            connection.execute(query)
    said = unmade(str(raised.value), "replay", settings, {"dim_date"})
    assert said == "" if not needed else said.startswith(f"dbt replay {needed}; materialise ")
