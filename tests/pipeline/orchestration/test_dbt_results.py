"""What dbt did is said of assets that are in the graph, and of no others."""

import dagster as dg
import pytest

from olist_pipeline.orchestration.dbt_results import events_of

ELSEWHERE = dg.AssetObservation(dg.AssetKey(["new", "new__dim_date"]), description="run along, not asked for")
PASSED = dg.AssetCheckResult(passed=True, asset_key=dg.AssetKey(["new", "fact_orders"]), check_name="unique")


def happened():
    yield ELSEWHERE
    yield PASSED


def test_a_test_that_another_run_asks_for_is_said_of_no_asset(tmp_path):
    context = dg.build_asset_context()
    assert list(events_of(happened(), context, {}, tmp_path / "warehouse.duckdb", tmp_path)) == [PASSED]


def test_what_dbt_failed_with_comes_after_what_it_did(tmp_path):
    def failing():
        yield from happened()
        raise RuntimeError("dbt failed")

    events = events_of(failing(), dg.build_asset_context(), {}, tmp_path / "warehouse.duckdb", tmp_path)
    assert next(events) == PASSED
    with pytest.raises(RuntimeError, match="dbt failed"):
        next(events)
