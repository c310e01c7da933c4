"""`olist backfill CONTEXT --only missing|failed`: those months are run and no others, though they have gaps."""

import json
import os
from datetime import date

import dagster as dg
import pytest
from click.testing import CliRunner

from olist_pipeline.cli import backfill as cli
from olist_pipeline.cli import execution
from olist_pipeline.cli.execution import Progressed
from olist_pipeline.months import MonthRange
from olist_pipeline.orchestration.definitions import build_defs
from olist_pipeline.orchestration.instance import execute, prepare, quiet_instance
from olist_pipeline.stores import schema
from olist_pipeline.stores.run_history import month_states
from olist_pipeline.warehouse import load_manifest, monthly_assets, warehouse_tables

pytestmark = pytest.mark.long

FAILED = [date(2017, 3, 1), date(2017, 7, 1)]
NEW_ORDER = '"f00d","{customer}","canceled","2016-02-03 10:00:00",,,,"2016-03-01 00:00:00"'
"""An order before all others. Its month and those up to the first order of the world were never made."""
PRESENT = "2016-05"
"""The month among them that was made nevertheless."""


@pytest.fixture(scope="module")
def world(server_folder, finished):
    return finished.copy_to(server_folder / "backfill")


@pytest.fixture(scope="module")
def instance(world):
    kept = dict(os.environ)
    prepare(world.settings)
    try:
        with quiet_instance(world.settings) as instance:
            yield instance
    finally:
        os.environ.clear()
        os.environ.update(kept)


def first_of(month):
    return date.fromisoformat(f"{month}-01")


def keys_of(world, context):
    manifest = world.settings.dbt_target / "old" / "manifest.json"
    return [dg.AssetKey(path) for path in monthly_assets(context, warehouse_tables(load_manifest(manifest)))]


def staged(world):
    """When each file of staging was written."""
    return {path: path.stat().st_mtime_ns for path in world.settings.staging.rglob("*.parquet")}


def backfill(world, *arguments):
    result = world.typed("backfill", *arguments, "--json")
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def months_made_by(world, run_ids, context):
    """Return the months that runs made: for each monthly table of a context, in the order of the runs."""
    made = world.query(
        "SELECT run_id, asset_key, partition FROM event_logs "
        "WHERE dagster_event_type = 'ASSET_MATERIALIZATION' AND partition IS NOT NULL"
    )
    return {
        key: [
            sorted(month[:7] for run, asset, month in made if (run, asset) == (one, key.to_string())) for one in run_ids
        ]
        for key in keys_of(world, context)
    }


def test_failed_months_are_those_of_runs_that_died(world, instance, monkeypatch):
    """Two command lines are killed before their first step: who asks for failed months learns of them."""
    job = build_defs(world.settings).resolve_job_def("marketplace_job")
    for month in FAILED:
        execute(instance, job, MonthRange(month, month), {})
    planned = []

    def only_planned(settings, console, plan):
        planned.extend(plan)
        return Progressed()

    monkeypatch.setattr(execution, "run_jobs", only_planned)
    asked = CliRunner().invoke(cli.backfill, ["marketplace", "--only", "failed"], catch_exceptions=False)
    assert asked.exit_code == 0, asked.output
    assert [(one.months, one.is_monthly_only) for one in planned] == [
        (MonthRange(FAILED[0], FAILED[0]), True),
        (MonthRange(FAILED[1], FAILED[1]), False),
    ]


def test_missing_months_with_another_one_between_them(world, instance):
    path = world.landing / "olist_orders_dataset.csv"
    _, first, *_ = path.read_text().splitlines()
    customer = first.split(",")[1].strip('"')
    path.write_text(path.read_text() + NEW_ORDER.format(customer=customer) + "\n")
    for key in keys_of(world, "sales"):
        made = dg.AssetMaterialization(key, partition=f"{PRESENT}-01")
        instance.report_runless_asset_event(made)
    before = staged(world)
    first_before = min(path.stem for path in before if path.parent.name == "orders")
    missing = [f"{month:%Y-%m}" for month in MonthRange(date(2016, 2, 1), first_of(first_before))][:-1]
    missing.remove(PRESENT)
    report = backfill(world, "sales", "--only", "missing")
    assert report["months"] == missing
    earlier, later = ([month for month in missing if (month > PRESENT) is is_later] for is_later in (False, True))
    for made in months_made_by(world, report["run_ids"], "sales").values():
        assert made == [earlier, later]
    after = staged(world)
    assert {path.stem for path in after if path not in before} == set(missing)
    assert all(after[path] == when for path, when in before.items())
    paths = [key.path for key in keys_of(world, "sales")]
    states = month_states(schema.ready_url(world.settings), paths, map(first_of, [*missing, PRESENT]))
    assert set(states.values()) == {"present"}
