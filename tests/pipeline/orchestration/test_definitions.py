"""The asset graph: its keys, checks and jobs, and the pure helpers that build it."""

from datetime import date
from pathlib import Path

import dagster as dg
import duckdb
import polars as pl
import pytest
from dagster_dbt.core import resource
from dbt.version import __version__ as dbt_version

from olist_pipeline.errors import OlistError
from olist_pipeline.machine import bound_memory
from olist_pipeline.migration.load import present_migration
from olist_pipeline.months import month_text
from olist_pipeline.orchestration import definitions as definitions_module
from olist_pipeline.orchestration.dbt import selections_of, waiting_models
from olist_pipeline.orchestration.dbt_build import (
    FULL_REFRESH,
    build_arguments,
    commands_of,
    compared_months,
    window_of,
    window_variables,
)
from olist_pipeline.orchestration.dbt_projects import dbt_of, ensure_manifest, environment_of, variables_of
from olist_pipeline.orchestration.definitions import refuse_unfit_checks
from olist_pipeline.orchestration.jobs import keys_of, monthly_part
from olist_pipeline.orchestration.partitions import MONTHS, describe, months_of, tagged_months
from olist_pipeline.orchestration.resources import clear_failures
from olist_pipeline.registry import STEPS
from olist_pipeline.settings import DBT_DIR, Settings
from olist_pipeline.staging import write_months
from olist_pipeline.warehouse import load_manifest, warehouse_tables
from tests.shared import shared_dbt
from tests.tables import LANDING, MONTHLY, MONTHLY_TABLES, STAGED, TABLES

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
def graph(definitions):
    return definitions.resolve_asset_graph()


def test_checks_read_the_warehouse_with_their_part_of_the_memory(definitions, tmp_path):
    given = definitions.resources["warehouse"].connection_config
    duckdb.connect(str(tmp_path / "some.duckdb")).close()
    with (
        duckdb.connect(str(tmp_path / "some.duckdb"), config=given) as checked,
        duckdb.connect() as bound,
    ):
        bound_memory(bound)
        limits = [one.execute("SELECT current_setting('memory_limit')").fetchall() for one in (checked, bound)]
    assert limits[0] == limits[1]


def test_what_a_definition_raises_is_named_with_its_place(monkeypatch, tmp_path):
    def wrong(path):
        raise NameError("name 'known_places_check' is not defined")

    monkeypatch.setattr(definitions_module, "load_manifest", wrong)
    monkeypatch.setattr(definitions_module, "ensure_manifest", lambda *_: tmp_path)
    with pytest.raises(OlistError, match=r"test_definitions.py:\d+: the asset graph cannot be built \(NameError: name"):
        definitions_module.build_defs(Settings(tmp_path, tmp_path, None))


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


def test_every_new_table_has_parity_and_every_step_reconciliation(graph):
    checks = {(key.asset_key.to_user_string(), key.name) for key in graph.asset_check_keys}
    assert {asset for asset, name in checks if name == "parity"} == {f"new/{table}" for table in TABLES}
    assert {asset for asset, name in checks if name == "reconciliation"} == {
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


def test_order_level_tables_are_partitioned_by_month(graph):
    partitioned = {key.to_user_string() for key in graph.get_all_asset_keys() if graph.get(key).is_partitioned}
    assert partitioned == MONTHLY | {f"new/{table}" for table in MONTHLY_TABLES}


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


def test_every_job_runs_over_months(definitions):
    jobs = {job.name: job for job in definitions.resolve_all_job_defs()}
    for name in ("dual_run", "full_refresh", "sales_job", "marketplace_job", "fulfillment_job"):
        assert jobs[name].partitions_def == MONTHS, name
        assert jobs[name].backfill_policy == dg.BackfillPolicy.single_run(), name
    assert jobs["customer_job"].partitions_def is None, "no table of customers is order-level"


def test_the_job_of_a_context_is_the_context(definitions, graph):
    for context in STAGED:
        made = definitions.resolve_job_def(f"{context}_job").asset_layer.selected_asset_keys
        assert {key.path[0] for key in made} == {"intake", context, "old", "replay", "new"}
        assert {key for key in graph.get_all_asset_keys() if graph.get(key).group_name == context} <= made
    everything = definitions.resolve_job_def("dual_run").asset_layer.selected_asset_keys
    assert dg.AssetKey(["serving", "release"]) in everything


def test_a_run_has_one_step_for_each_invocation_of_dbt(definitions):
    """Dagster splits a step in two where steps would wait for each other: each part would start dbt again."""
    steps = definitions.resolve_job_def("dual_run").graph.node_dict
    assert {name for name in steps if name.startswith("dbt")} == {"dbt_old", "dbt_replay", "dbt_new_months", "dbt_new"}
    assert {name for name in steps if "parity" in name} == {"parity_months", "parity"}


def test_steps_are_declared_after_what_they_read():
    published: set[str] = set()
    for step in STEPS:
        assert set(step.published) <= published, step.name
        published |= {f"{table.context}/{table.name}" for table in step.tables}


def test_the_manifest_is_parsed_once(environment):
    manifest = ensure_manifest(environment)
    parsed = manifest.stat().st_mtime_ns
    assert ensure_manifest(environment).stat().st_mtime_ns == parsed


def test_an_invocation_of_dbt_starts_nothing_beside_it(environment, tmp_path, monkeypatch):
    dbt = dbt_of(environment, "old")
    for name, value in shared_dbt().items():
        monkeypatch.setenv(name, value)
    with monkeypatch.context() as patch:
        patch.setattr(resource, "check_output", lambda *_: pytest.fail("dbt is asked for its version"))
        invocation = dbt.cli(["deps"], target_path=tmp_path)
    assert invocation.wait().is_successful()
    assert invocation.adapter is None, "an adapter in this process would take as long as dbt"
    assert str(invocation.cli_version) == dbt_version


@pytest.mark.parametrize(("tree", "excluded"), [("old", ["unit_test"]), ("new", ["unit_test"]), ("replay", ["test"])])
def test_dbt_tests_old_and_new_and_not_replay(tree, excluded):
    arguments = build_arguments(tree)
    assert arguments[0] == "build"
    assert set(excluded) <= set(arguments)
    assert ("test" in arguments) == (tree == "replay")


def test_old_is_tested_afterwards_where_a_failed_test_would_stop_it(environment):
    manifest, migration = load_manifest(ensure_manifest(environment, "old")), present_migration()
    assert [command[0] for command in commands_of("old", manifest, migration, is_whole=True)] == ["build"]
    test = {"resource_type": "test", "fqn": ["olist", "old", "core", "x"], "config": {"severity": "ERROR"}}
    stopping = {"nodes": {**manifest["nodes"], "test.olist.x": test}}
    first, second = commands_of("old", stopping, migration, is_whole=True)
    assert first[0] == "build"
    assert "test" in first
    assert second[0] == "test"
    assert len(commands_of("new", stopping, migration, is_whole=True)) == 1


def test_each_tree_gets_its_landing_and_its_day(environment):
    reading = (Path("/somewhere"), date(2018, 10, 17))
    given = {tree: environment_of(environment, tree, *reading) for tree in ("old", "replay", "new")}
    assert {variables["OLIST_AS_OF"] for variables in given.values()} == {"2018-10-17"}
    assert given["replay"]["OLIST_DATA_DIR"] == given["old"]["OLIST_DATA_DIR"] == "/somewhere"
    assert "OLIST_DATA_DIR" not in given["new"]
    # What a shell has for its other work: rows, tests and verdicts would be of nothing.
    assert all(variables["DBT_EMPTY"] == variables["DBT_ENGINE_EMPTY"] == "" for variables in given.values())
    assert {variables["DBT_PROJECT_DIR"] for variables in given.values()} == {str(DBT_DIR)}
    for tree in given:
        assert not variables_of(environment, tree, *reading), "dbt parses the whole project anew when one changes"


def test_dbt_gets_a_window_of_months_or_builds_the_whole():
    window = (date(2017, 3, 1), date(2017, 5, 1))
    assert window_variables(window) == {"OLIST_FIRST_MONTH": "2017-03-01", "OLIST_LAST_MONTH": "2017-05-01"}
    assert window_variables(None) == {}
    assert "--full-refresh" not in build_arguments("new", is_whole=False)
    for tree in ("old", "replay", "new"):
        assert "--full-refresh" in build_arguments(tree)


def test_the_window_is_none_where_a_run_builds_all_that_is_staged():
    january, february, march = (date(2017, month, 1) for month in (1, 2, 3))
    assert window_of([january, february], [january, february, march]) == (january, february)
    assert window_of([january], [february]) == (january, january)
    assert window_of([january, february], [february]) is None
    assert window_of([january], []) is None
    with pytest.raises(ValueError, match="without a window it would build them all"):
        window_of([], [january])


def test_partition_keys_are_months():
    assert describe(months_of(["2017-11-01", "2018-01-01"])) == "2017-11 to 2018-01"
    assert describe(months_of(["2017-11-01"])) == "2017-11"
    assert describe([]) == "no month"
    for key in ("", "2018-10", "2018-10-02", "20181001", "2018-W40-1", "soon"):
        with pytest.raises(OlistError, match=f"The partition '{key}' is no month; take one"):
            months_of(["2018-10-01", key])


@pytest.mark.parametrize(
    ("tags", "months"),
    [
        ({}, []),
        ({"dagster/partition": "2018-03-01"}, ["2018-03"]),
        (
            {
                "dagster/asset_partition_range_start": "2017-12-01",
                "dagster/asset_partition_range_end": "2018-01-01",
            },
            ["2017-12", "2018-01"],
        ),
    ],
)
def test_the_months_of_a_run_are_in_its_tags(tags, months):
    assert [month_text(month) for month in tagged_months(tags)] == months


def test_a_run_over_some_months_is_compared_over_them(tmp_path):
    settings = Settings(tmp_path, tmp_path, None)
    march = {"dagster/partition": "2018-03-01"}
    staged = pl.DataFrame({"order_month": []}, schema={"order_month": pl.Date})
    write_months(staged, settings.staging, "sales", "orders", [date(2018, 3, 1)])
    assert compared_months(march, settings) is None, "it is all there is"
    write_months(staged, settings.staging, "sales", "orders", [date(2018, 4, 1)])
    assert str(compared_months(march, settings)) == "2018-03"
    assert compared_months({}, settings) is None
    assert compared_months({**march, FULL_REFRESH: "true"}, settings) is None


def test_a_failure_that_a_person_can_mend_is_its_sentence():
    with pytest.raises(dg.Failure) as raised, clear_failures():
        raise OlistError("The file is missing; put it there.")
    assert raised.value.description == "The file is missing; put it there."
    assert not raised.value.allow_retries


def test_a_pair_without_its_new_model_is_refused(environment):
    manifest = load_manifest(ensure_manifest(environment))
    nodes = {uid: node for uid, node in manifest["nodes"].items() if node["name"] != "new__dim_seller"}
    with pytest.raises(OlistError, match="pairs dim_seller with dim_seller, which is no table of the new project"):
        warehouse_tables({**manifest, "nodes": nodes})
    made_elsewhere = {uid: {**node, "schema": "main_new"} for uid, node in manifest["nodes"].items()}
    with pytest.raises(OlistError, match="in the schema main_new, and it is looked for in new; let the model have"):
        warehouse_tables({**manifest, "nodes": made_elsewhere})


def test_months_with_a_gap_are_made_of_the_files_of_today(definitions, graph):
    """Each part of such a run takes in its files first: it would make months of what an earlier run took in."""
    part = monthly_part(definitions.resolve_job_def("sales_job"))
    made = part.asset_layer.selected_asset_keys
    assert set(keys_of(("sales",), graph, monthly=True, whole=False)) == made
    assert {key.path[-1] for key in made if key.path[0] == "intake"} == {"orders", "order_items", "order_payments"}
    assert {key for key in made if not graph.get(key).is_partitioned} == {
        key for key in made if key.path[0] == "intake"
    }
    assert {key.path[0] for key in made} == {"intake", "sales", "new"}


def test_every_kind_of_new_models_is_built_beside_monthly_ones():
    """A view of a new project that has an incremental model, too, was never built."""
    made = [{"config": {"materialized": kind}} for kind in ("incremental", "view", "view")]
    assert selections_of("fqn:shop", made) == (
        "fqn:shop,config.materialized:table fqn:shop,config.materialized:view",
        "fqn:shop,config.materialized:incremental",
    )


@pytest.mark.parametrize("asset", ["order", "customers"])
def test_a_check_of_what_nothing_makes_is_refused(asset):
    @dg.asset_check(asset=asset, additional_deps=["customer"])
    def known() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=True)

    meant = {"order": "order, which nothing makes; did you mean 'orders'", "customers": "customer, .*'customers'"}
    assets = [dg.AssetSpec("orders"), dg.AssetSpec("customers")]
    with pytest.raises(OlistError, match=f"The check known names the asset {meant[asset]}"):
        refuse_unfit_checks([known], assets)


def test_what_is_no_check_and_two_of_one_name_are_a_sentence():
    @dg.asset_check(asset="orders")
    def known() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=True)

    def known_check():
        return known

    assets = [dg.AssetSpec("orders")]
    with pytest.raises(OlistError, match=r"known_check in the definitions is no check; call .*: known_check\(\)"):
        refuse_unfit_checks([known_check], assets)
    with pytest.raises(OlistError, match="Two checks of orders are called known; rename one"):
        refuse_unfit_checks([known, known], assets)
