"""The real webserver and daemon, driven through GraphQL as a data engineer drives them through the UI."""

import os
import shutil

import pytest

from olist_pipeline.orchestration.instance import prepare
from olist_pipeline.stores import schema
from tests.end_to_end.dagster_server import DagsterServer
from tests.patience import patient, wait_for
from tests.tables import MONTHLY_TABLES

pytestmark = pytest.mark.long

SIX_MONTHS = [f"2017-{month:02}-01" for month in range(7, 13)]


@pytest.fixture(scope="module")
def world(server_folder, finished):
    return finished.copy_to(server_folder / "server")


@pytest.fixture(scope="module")
def server(world):
    url = schema.ready_url(world.settings)
    kept = dict(os.environ)
    prepare(world.settings)
    os.environ.clear()
    os.environ.update(kept)
    dagster = DagsterServer(world, url, {"OLIST_AUTOMATION": "1", "OLIST_LOOK_SECONDS": "2"})
    try:
        dagster.start("code", "webserver")
        # Nothing may happen by itself before a test says so: the environment is automated.
        for sensor in ("landing", "quarantine_rate", "parity_regression", "run_failure", "guard"):
            assert dagster.switch("Sensor", sensor, on=False) == "STOPPED"
        for schedule in ("nightly", "weekly", "hourly"):
            assert dagster.switch("Schedule", schedule, on=False) == "STOPPED"
        dagster.start("daemon")
        yield dagster
    finally:
        dagster.stop()


@pytest.fixture(scope="module")
def first_run(server, world):
    """A context, launched from the launchpad."""
    run_id = server.launch("customer_job")
    [run] = server.wait_for_runs(lambda run: run["runId"] == run_id, 1)
    return run


@pytest.fixture(scope="module")
def backfill(server, first_run):
    return server.backfill("sales_job", SIX_MONTHS)


@pytest.fixture(scope="module")
def backfill_run(server, backfill):
    [run] = server.wait_for_runs(lambda run: run["tags"].get("dagster/backfill") == backfill, 1)
    return run


def contexts(made):
    return {asset.partition("/")[0] for asset, _ in made} - {"intake", "old", "replay", "new"}


def test_a_materialisation_of_a_context_makes_it_and_evaluates_its_checks(server, first_run):
    assert first_run["status"] == "SUCCESS"
    made = server.materialized_by(first_run["runId"])
    assert contexts(made) == {"customer"}
    assert {("customer/persons", None), ("new/dim_customer", None)} <= set(made)
    checks = {(asset, name): passed for asset, name, passed in server.checks_of(first_run["runId"])}
    assert len(checks) == len(server.checks_of(first_run["runId"])), "each check once, not once a month"
    assert checks["customer/persons", "reconciliation"]
    assert checks["new/dim_customer", "parity"]


def test_what_was_made_of_the_same_files_again_is_up_to_date_and_says_where_its_columns_come_from(server, first_run):
    query = """{ assetNodes(assetKeys: [{path: ["intake", "customers"]}, {path: ["old", "stg_customers"]},
                  {path: ["new", "dim_customer"]}]) {
        assetKey { path } staleStatus
        assetMaterializations(limit: 1) { metadataEntries { ... on TableColumnLineageMetadataEntry {
            lineage { columnName columnDeps { assetKey { path } columnName } } } } } } }"""
    found = {"/".join(one["assetKey"]["path"]): one for one in server.ask(query)}
    assert {name: one["staleStatus"] for name, one in found.items()} == dict.fromkeys(found, "FRESH")
    origins = {
        (name, column["columnName"]): {
            ("/".join(dep["assetKey"]["path"]), dep["columnName"]) for dep in column["columnDeps"]
        }
        for name, one in found.items()
        for entry in one["assetMaterializations"][0]["metadataEntries"]
        for column in entry.get("lineage", ())
    }
    assert origins["old/stg_customers", "customer_city"] == {("landing/customers", "customer_city")}
    assert origins["new/dim_customer", "rfm_segment"] == {("new/int_customers", "rfm_segment")}


def test_a_backfill_of_a_context_over_six_months_is_one_run_of_that_context(server, backfill_run):
    assert (backfill_run["status"], backfill_run["jobName"]) == ("SUCCESS", "sales_job")
    made = server.materialized_by(backfill_run["runId"])
    assert contexts(made) == {"sales"}
    months = {asset: {month for name, month in made if name == asset} for asset, _ in made}
    monthly = {"sales/orders", "sales/order_items", "sales/order_payments"} | {
        f"new/{table}" for table in MONTHLY_TABLES - {"fact_reviews", "int_deliveries"}
    }
    assert {asset for asset, found in months.items() if found == set(SIX_MONTHS)} == monthly
    assert all(found == {None} for asset, found in months.items() if asset not in monthly)
    checks = {(asset, name): passed for asset, name, passed in server.checks_of(backfill_run["runId"])}
    assert checks["new/fact_orders", "parity"]
    assert checks["sales/orders", "reconciliation"]
    assert checks["sales/orders", "partitions"]
    assert not any(asset.startswith("marketplace/") for asset, _ in checks)


def test_a_changed_file_in_landing_runs_the_contexts_and_months_that_it_touches_and_no_others(
    server, world, backfill_run
):
    before = {run["runId"] for run in server.runs()}
    path = world.landing / "olist_order_reviews_dataset.csv"
    lines = path.read_bytes().split(b"\n")
    changed = next(number for number, line in enumerate(lines) if line.count(b",") == 6 and b",5,," in line)
    order_id = lines[changed].split(b",")[1].strip(b'"').decode()
    orders = (world.landing / "olist_orders_dataset.csv").read_text().splitlines()
    [month] = [row.split(",")[3].strip('"')[:7] for row in orders if order_id in row]
    lines[changed] = lines[changed].replace(b",5,,", b",4,,")
    path.write_bytes(b"\n".join(lines))
    assert server.switch("Sensor", "landing", on=True) == "RUNNING"
    assert server.switch("Schedule", "nightly", on=True) == "RUNNING"
    [run] = server.wait_for_runs(lambda run: run["runId"] not in before, 1)
    assert (run["status"], run["jobName"]) == ("SUCCESS", "dual_run")
    made = server.materialized_by(run["runId"])
    assert contexts(made) == {"marketplace", "customer", "fulfillment"}, "whose tables read reviews, not sales"
    assert {(asset, found) for asset, found in made if found} == {
        ("marketplace/order_reviews", f"{month}-01"),
        ("new/fact_reviews", f"{month}-01"),
    }
    checks = {(asset, name): passed for asset, name, passed in server.checks_of(run["runId"])}
    assert checks["new/fact_reviews", "parity"]
    assert checks["new/dim_customer", "parity"]
    assert {other["runId"] for other in server.runs()} == before | {run["runId"]}, "one change, one run"


@pytest.mark.browser
def test_pages_of_the_ui(server, backfill, first_run, backfill_run, tmp_path):
    """The graph, a parity check, a backfill and a plot of quarantine are drawn; `make pictures` makes those in docs."""
    from playwright.sync_api import sync_playwright

    base = f"http://127.0.0.1:{server.ports['webserver']}"
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=[*arguments, "--disable-sync", "--no-first-run"]
        )
        page = browser.new_page()
        for name, height, address, words in (
            ("asset_graph", 900, "/asset-groups", "marketplace"),
            ("parity_check", 900, "/assets/new/fact_orders?view=checks&checkDetail=parity", "identical"),
            ("backfill", 420, f"/runs/b/{backfill}", "sales_job"),
            ("quarantine_plot", 1400, "/assets/sales/orders?view=checks&checkDetail=reconciliation", "rejection_rate"),
        ):
            page.set_viewport_size({"width": 1500, "height": height})
            page.goto(base + address)
            page.get_by_text(words).first.wait_for(timeout=1000 * patient(20))
            page.wait_for_timeout(1_500)
            page.screenshot(path=tmp_path / f"{name}.png")
            assert (tmp_path / f"{name}.png").stat().st_size > 10_000
        browser.close()


def test_the_backfill_is_complete(server, backfill, backfill_run):
    def status():
        found = server.ask(
            """query($id: String!) { partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill {
                 status numPartitions partitionStatusCounts { runStatus count } } } }""",
            id=backfill,
        )
        return found if found["status"] != "REQUESTED" else None

    found = wait_for(status, "the end of the backfill", 60)
    assert (found["status"], found["numPartitions"]) == ("COMPLETED_SUCCESS", 6)
