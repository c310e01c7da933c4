"""The asset graph: its keys, checks and jobs, and the pure helpers that build it."""

import json
from dataclasses import replace
from datetime import date

import dagster as dg
import pytest

from olist_pipeline.errors import OlistError
from olist_pipeline.months import month_text
from olist_pipeline.orchestration.dbt import build_arguments, ensure_manifest, waiting_models
from olist_pipeline.orchestration.definitions import build_defs
from olist_pipeline.orchestration.jobs import STAGES, VALIDATION_STAGES, stages
from olist_pipeline.orchestration.partitions import MONTHS, describe, months_of
from olist_pipeline.orchestration.resources import clear_failures
from olist_pipeline.registry import STEPS
from olist_pipeline.warehouse import load_manifest, warehouse_tables
from tests.tables import LANDING, MONTHLY, STAGED, TABLES

OLD_VIEWS = {
    "stg_orders",
    "stg_order_items",
    "stg_order_payments",
    "stg_order_reviews",
    "stg_customers",
    "stg_sellers",
    "stg_products",
    "stg_categories",
    "stg_geolocation",
}


@pytest.fixture(scope="module")
def environment(parsed_project):
    return parsed_project


@pytest.fixture(scope="module")
def graph(environment):
    return build_defs(environment).resolve_asset_graph()


def keys(graph, prefix):
    return {key.path[-1] for key in graph.get_all_asset_keys() if key.path[0] == prefix}


def test_every_stage_has_its_assets(graph):
    assert keys(graph, "landing") == keys(graph, "intake") == LANDING
    for context, tables in STAGED.items():
        assert keys(graph, context) == tables
    assert keys(graph, "old") == keys(graph, "replay") == TABLES | OLD_VIEWS
    assert keys(graph, "new") == TABLES
    assert keys(graph, "serving") == {"release"}


def test_old_reads_landing_and_the_others_read_what_validation_accepted(graph):
    def parents(*path):
        return {key.to_user_string() for key in graph.get(dg.AssetKey(list(path))).parent_keys}

    assert parents("old", "stg_orders") == {"landing/orders"}
    assert parents("replay", "stg_orders") == {"sales/orders"}
    assert parents("new", "int_orders_enriched") == {"sales/orders"}
    assert parents("new", "dim_date") == set()
    assert "new/fact_orders" in parents("serving", "release")


def test_every_new_table_has_parity_and_every_step_conservation(graph):
    checks = {(key.asset_key.to_user_string(), key.name) for key in graph.asset_check_keys}
    assert {asset for asset, name in checks if name == "parity"} == {f"new/{table}" for table in TABLES}
    assert {asset for asset, name in checks if name == "conservation"} == {
        *(f"intake/{table}" for table in LANDING),
        *(f"{context}/{table}" for context, tables in STAGED.items() for table in tables),
    }
    assert not any(asset.startswith("replay/") for asset, _ in checks), "replay's tests are old's"


def test_groups_are_contexts_and_stages(graph):
    assert {graph.get(key).group_name for key in graph.get_all_asset_keys()} == {
        "landing",
        "intake",
        "serving",
        *STAGED,
    }


def test_what_orders_bear_is_partitioned_by_month(graph):
    partitioned = {key.to_user_string() for key in graph.get_all_asset_keys() if graph.get(key).is_partitioned}
    assert partitioned == MONTHLY


def test_models_of_contexts_that_have_not_moved_are_left_out(environment):
    manifest = load_manifest(ensure_manifest(environment))
    assert waiting_models(manifest) == ""
    model = {"config": {"meta": {"context": "lending"}}}
    assert waiting_models({"nodes": {"a": model}}) == "config.meta.context:lending"
    assert {table.name for table in warehouse_tables(manifest)} == TABLES


def test_a_table_knows_the_staged_tables_that_it_is_made_of(environment):
    tables = {table.name: table for table in warehouse_tables(load_manifest(ensure_manifest(environment)))}
    assert tables["dim_date"].reads == ()
    assert tables["fact_payments"].reads == ("sales/order_payments", "sales/orders")
    assert "fulfillment/deliveries" in tables["mart_seller_scorecard"].reads


def test_jobs(environment):
    jobs = {job.name: job for job in build_defs(environment).resolve_all_job_defs()}
    assert [bool(jobs[stage].partitions_def) for stage in STAGES] == [False, True, False, True, False]


def test_steps_run_after_what_they_read():
    names = [[step.name for step in stage] for stage in VALIDATION_STAGES.values()]
    assert names == [["sales", "reviews"], ["offers", "customers", "geography"], ["deliveries"]]


def test_steps_that_wait_for_each_other_are_refused():
    [sales, *_] = STEPS
    waiting = replace(sales, published=("marketplace/sellers",))
    with pytest.raises(ValueError, match="No validation step of sales can run"):
        stages([waiting])


def test_the_manifest_is_parsed_once(environment):
    manifest = ensure_manifest(environment)
    parsed = manifest.stat().st_mtime_ns
    assert ensure_manifest(environment).stat().st_mtime_ns == parsed


@pytest.mark.parametrize(
    ("tree", "command", "target"),
    [("old", "build", "warehouse"), ("new", "build", "warehouse"), ("replay", "run", "replay")],
)
def test_dbt_arguments(tree, command, target):
    arguments = build_arguments(tree, date(2018, 10, 17))
    assert arguments[0] == command
    assert arguments[arguments.index("--target") + 1] == target
    assert json.loads(arguments[arguments.index("--vars") + 1]) == {"as_of": "2018-10-17"}


def test_partition_keys_are_months():
    keys = MONTHS.get_partition_keys()
    assert keys[0] == "2016-01-01"
    assert month_text(months_of(keys)[-1]) == month_text(date.today())
    assert describe(months_of(["2017-11-01", "2018-01-01"])) == "2017-11 to 2018-01"
    assert describe(months_of(["2017-11-01"])) == "2017-11"
    assert describe([]) == "no month"


def test_a_failure_that_a_person_can_mend_is_its_sentence():
    with pytest.raises(dg.Failure) as raised, clear_failures():
        raise OlistError("The file is missing; put it there.")
    assert raised.value.description == "The file is missing; put it there."
    assert not raised.value.allow_retries


def test_a_table_without_a_key_is_refused():
    node = {
        "resource_type": "model",
        "name": "new__fact_x",
        "alias": "fact_x",
        "config": {"materialized": "table", "meta": {"context": "sales"}},
    }
    with pytest.raises(OlistError, match="new__fact_x declares no key"):
        warehouse_tables({"nodes": {"a": node}})
