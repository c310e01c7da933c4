"""Cutover, rollback and the guard in Dagster, and the graph once contexts are retired."""

import dagster as dg
import pytest

from olist_pipeline.migration.load import present_migration
from olist_pipeline.orchestration.cutover import cutover_job, guard_sensor, rollback_job
from olist_pipeline.orchestration.dbt import dbt_tree_assets, retired_models
from olist_pipeline.orchestration.dbt_projects import ensure_manifest
from olist_pipeline.orchestration.definitions import build_defs
from olist_pipeline.orchestration.resources import Pipeline
from olist_pipeline.registry import CONTEXTS
from olist_pipeline.serving import gate, journal
from olist_pipeline.stores import routes, verdicts
from olist_pipeline.stores.verdicts import Verdict
from olist_pipeline.warehouse import load_manifest
from tests.pipeline.serving.world import copy_of, published, settings_of, sides
from tests.tables import TABLES


@pytest.fixture(scope="module")
def first_release(tmp_path_factory):
    settings = settings_of(tmp_path_factory.mktemp("launched"), streak=2)
    published(settings)
    return settings


@pytest.fixture
def settings(first_release, tmp_path, database):
    copied = copy_of(first_release, tmp_path)
    return type(copied)(copied.home, copied.landing, database, cutover=copied.cutover)


@pytest.fixture
def open_gate(monkeypatch):
    monkeypatch.setattr(gate, "cutover_objections", lambda *_: [])


def launch(job, settings, **form):
    op = {"cutover": "switch_to_new", "rollback": "switch_to_old"}[job.name]
    return job.execute_in_process(
        run_config={"ops": {op: {"config": form}}},
        resources={"pipeline": Pipeline(settings)},
        raise_on_error=False,
    )


def test_the_launchpad_switches_forth_and_back_and_says_who(settings, database, open_gate):
    assert launch(cutover_job, settings, context="sales", by="ana").success
    assert sides(settings)["fact_orders"] == "new"
    assert launch(rollback_job, settings, context="sales", by="rui", reason="a doubt").success
    assert sides(settings)["fact_orders"] == "old"
    history = [(row["new_route"], row["changed_by"], row["reason"]) for row in routes.history(database)]
    assert history == [("new", "ana", "the gate was open"), ("old", "rui", "a doubt")]


def test_a_closed_gate_fails_the_run_with_all_its_objections(settings, monkeypatch):
    monkeypatch.setattr(gate, "cutover_objections", lambda *_: ["this", "that"])
    result = launch(cutover_job, settings, context="sales", by="ana")
    [failure] = [event for event in result.all_events if event.is_step_failure]
    assert "sales cannot be cut over: this; that" in str(failure.step_failure_data.user_failure_data.description)
    assert sides(settings)["fact_orders"] == "old"


def test_a_form_that_is_not_filled_in_is_refused(settings):
    with pytest.raises(dg.DagsterInvalidConfigError, match="by"):
        cutover_job.execute_in_process(
            run_config={"ops": {"switch_to_new": {"config": {"context": "sales"}}}},
            resources={"pipeline": Pipeline(settings)},
        )


def test_the_sensor_rolls_back_what_regressed(settings, database, open_gate):
    launch(cutover_job, settings, context="sales", by="ana")
    verdicts.record(database, Verdict("sales", "fact_orders", "parity", "differs", False, "s", {}, "r9"))
    sensor = guard_sensor(is_automated=True)
    resources = {"pipeline": Pipeline(settings)}
    with dg.build_sensor_context(resources=resources) as context:
        assert "sales was rolled back" in (sensor.evaluate_tick(context).skip_message or "")
        assert "Nothing" in (sensor.evaluate_tick(context).skip_message or "")
    assert (sides(settings)["fact_orders"], journal.present_state(settings.serving).routes["sales"]) == ("old", "old")


@pytest.mark.parametrize(("automated", "status"), [(True, "RUNNING"), (False, "STOPPED")])
def test_the_sensor_runs_from_the_start_only_where_automation_is_on(automated, status):
    assert guard_sensor(automated).default_status.value == status


def left_out_of(manifest, retired):
    """Return the names of old that are not built any more."""
    return {manifest["nodes"][uid]["name"] for uid in retired_models(manifest, present_migration(), retired)}


class TestRetirement:
    @pytest.fixture(scope="class")
    def manifest(self, parsed_project):
        return load_manifest(ensure_manifest(parsed_project))

    def test_nothing_is_left_out_before(self, manifest):
        assert left_out_of(manifest, []) == set()

    def test_old_tables_that_another_context_reads_go_on_being_built(self, manifest):
        left_out = left_out_of(manifest, ["sales"])
        assert "mart_executive_dashboard" in left_out
        assert not {"fact_orders", "stg_orders"} & set(left_out), "old marts of other contexts read them"

    def test_all_contexts_take_the_old_tree_with_them(self, manifest, parsed_project):
        assert left_out_of(manifest, list(CONTEXTS)) > TABLES
        trees = {key.path[0] for asset in dbt_tree_assets(parsed_project, list(CONTEXTS)) for key in asset.keys}
        assert trees == {"new"}

    def test_the_graph_then_shows_only_the_new_pipeline(self, parsed_project, monkeypatch):
        module = "olist_pipeline.orchestration.definitions.retired_contexts"
        monkeypatch.setattr(module, lambda serving: set(CONTEXTS))
        graph = build_defs(parsed_project).resolve_asset_graph()
        assert {key.path[0] for key in graph.get_all_asset_keys()}.isdisjoint({"old", "replay"})
        assert not [key for key in graph.asset_check_keys if key.name == "parity"]
        assert {key.path[-1] for key in graph.get_all_asset_keys() if key.path[0] == "new"} == TABLES
