"""`olist run` as a person sees it: what it prints, leaves, refuses and survives."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from olist_pipeline.orchestration.jobs import DUAL_RUN
from olist_pipeline.parity.fingerprint import fingerprint
from olist_pipeline.settings import PROJECT_DIR
from tests.end_to_end.world import World, spoil
from tests.tables import IDENTICAL, STAGED, TABLES


@pytest.fixture(scope="module")
def world(server_folder):
    return World.with_orders(server_folder / "world", orders=1_500)


@pytest.fixture(scope="module")
def first_run(world):
    return world.olist("run")


def served(world, statement):
    with duckdb.connect(str(world.home / "serving" / "current" / "serving.duckdb"), read_only=True) as serving:
        return serving.execute(statement).fetchall()


class TestFirstRun:
    def test_succeeds_and_says_what_happened(self, first_run):
        assert first_run.returncode == 0, first_run.stdout + first_run.stderr
        for words in (
            "ORDER_WITHOUT_ITEMS",
            "PAYMENT_MISMATCH",
            "OrderPlaced",
            "fact_orders",
            "explained",
            "validate_sales",
            "Release 1",
            "make dev",
        ):
            assert words in first_run.stdout
        assert "Traceback" not in first_run.stdout + first_run.stderr

    def test_publishes_every_table(self, world, first_run):
        assert {name for (name,) in served(world, "SHOW TABLES")} == TABLES
        manifest = json.loads((world.home / "serving" / "current" / "manifest.json").read_text())
        assert (manifest["number"], manifest["routes"]) == (1, dict.fromkeys(STAGED, "shadow"))
        assert manifest["tables"]["fact_orders"]["schema"] == "old", "in shadow the control is served"

    def test_says_in_the_release_what_proves_it(self, world, first_run):
        parity = dict(served(world, "SELECT table_name, verdict FROM about.migration_parity"))
        assert parity == {**dict.fromkeys(TABLES, "explained"), **dict.fromkeys(IDENTICAL, "identical")}
        [(landing, accepted, quarantined)] = served(
            world,
            "SELECT sum(landing), sum(accepted), sum(quarantined) FROM about.migration_conservation WHERE holds"
            " AND landing IS NOT NULL",
        )
        assert landing == accepted + quarantined > 0

    def test_every_row_of_landing_is_accounted_for(self, world, first_run):
        status = json.loads(world.olist("status", "--json").stdout)
        for table in status["tables"]:
            if table["landing"] is not None:
                assert table["landing"] == table["accepted"] + table["quarantined"] > 0, table
        assert {context["conservation"] for context in status["contexts"]} == {"holds"}

    def test_is_seen_by_dagster_with_its_checks(self, world, first_run):
        assert world.query("SELECT status, pipeline_name FROM runs") == [("SUCCESS", DUAL_RUN)]
        checks = world.query("SELECT check_name, execution_status FROM asset_check_executions")
        names = [name for name, _ in checks]
        assert names.count("parity") == len(TABLES)
        assert names.count("conservation") == 9 + sum(map(len, STAGED.values()))
        assert any(name.startswith("not_null") or "unique" in name for name in names), "dbt tests are checks too"
        assert {status for name, status in checks if name in ("parity", "conservation")} == {"SUCCEEDED"}

    def test_every_table_is_identical_or_explained(self, world, first_run):
        result = world.olist("parity", "--json")
        verdicts = {report["table"]: report["verdict"] for report in json.loads(result.stdout)}
        assert verdicts == {
            **dict.fromkeys(TABLES, "explained"),
            **dict.fromkeys(IDENTICAL, "identical"),
        }
        assert result.returncode == 0

    def test_old_and_new_have_the_same_columns_and_types_in_the_same_order(self, world, first_run):
        shape = (
            "SELECT table_name, list(column_name || ' ' || data_type ORDER BY ordinal_position) "
            "FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name) "
            "WHERE table_schema = ? AND table_type = 'BASE TABLE' AND table_name NOT LIKE 'stg_%' "
            "GROUP BY table_name ORDER BY table_name"
        )
        with duckdb.connect(str(world.settings.warehouse), read_only=True) as warehouse:
            old, replay, new = (warehouse.execute(shape, [schema]).fetchall() for schema in ("old", "replay", "new"))
        assert old == new == replay
        assert {name for name, _ in new} == TABLES

    def test_quarantine_and_events_can_be_asked(self, world, first_run):
        [row, *_] = json.loads(world.olist("quarantine", "--rule", "ORDER_WITHOUT_ITEMS", "--json").stdout)
        assert row["source_file"] == "olist_orders_dataset.csv"
        told = json.loads(world.olist("events", "--id", row["aggregate_id"], "--json").stdout)
        assert [event["event_type"] for event in told] == ["OrderRejected"]
        assert "ORDER_WITHOUT_ITEMS" in world.olist("quarantine", "--table", "orders", "--limit", "3").stdout

    def test_nothing_changed_is_said_and_nothing_is_run(self, world, first_run):
        again = world.olist("run")
        assert again.returncode == 0
        assert "Nothing has changed since release 1" in again.stdout
        assert world.query("SELECT count(*) FROM runs") == [(1,)]


BAD = {
    "a missing file": (lambda w: (w.landing / "olist_orders_dataset.csv").unlink(), "is missing in"),
    "a renamed column": (lambda w: spoil(w, "olist_orders_dataset.csv", "order_status", "state"), "lacks the column"),
    "another delimiter": (
        lambda w: (w.landing / "olist_orders_dataset.csv").write_text("a;b;c\n1;2;3\n"),
        "export it again with commas",
    ),
    "an empty file": (lambda w: (w.landing / "olist_order_items_dataset.csv").write_text(""), "is empty"),
    "Latin-1": (
        lambda w: (w.landing / "olist_order_items_dataset.csv").write_bytes(
            (w.landing / "olist_order_items_dataset.csv").read_bytes() + "ção".encode("latin-1")
        ),
        "is not UTF-8",
    ),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_run_that_cannot_be_done_is_one_sentence_and_leaves_the_release(world, first_run, tmp_path, kind):
    make_bad, words = BAD[kind]
    before = served(world, "SELECT count(*), sum(revenue) FROM fact_orders")
    spoiled = World(world.home, tmp_path / "landing")
    spoiled.landing.mkdir()
    for path in world.landing.glob("*.csv"):
        (spoiled.landing / path.name).write_bytes(path.read_bytes())
    make_bad(spoiled)
    result = spoiled.olist("run")
    assert result.returncode == 1
    assert words in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert served(world, "SELECT count(*), sum(revenue) FROM fact_orders") == before


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"OLIST_DATA_DIR": __file__}, "is a file; set OLIST_DATA_DIR"),
        ({"OLIST_ENGINE": "pandas"}, "OLIST_ENGINE is 'pandas'"),
        ({"OLIST_POSTGRES_URL": "postgresql://nobody@127.0.0.1:1/none"}, "PostgreSQL does not answer"),
        ({"OLIST_POSTGRES_URL": "mysql://x"}, "must look like postgresql"),
        ({"OLIST_HOME": "/proc/nowhere"}, "/proc/nowhere"),
    ],
)
def test_a_wrong_variable_is_one_sentence(world, environment, words):
    result = world.olist("run", **environment)
    assert result.returncode == 1
    assert words in result.stderr
    assert "Traceback" not in result.stderr


# After which line of its progress a run is killed, how many seconds later, and whether what it started dies too.
KILLS = [
    ("olist run", 7.0, os.kill),  # dbt builds old, and goes on alone
    ("validate_sales", 0.3, os.killpg),  # validation: of reviews, or of persons
    ("sales_conservation", 2.5, os.killpg),  # dbt builds new
    ("parity", 0.05, os.killpg),  # the release
]


def kill_after(world, words, seconds, kill):
    """Start a run and kill it; return whether it was still running."""
    process = world.start("run")
    for line in process.stdout:
        if words in line:
            break
    time.sleep(seconds)
    was_running = process.poll() is None
    kill(process.pid, signal.SIGKILL)
    process.wait()
    return was_running


def test_killed_runs_leave_no_trace_in_the_result(world, first_run, server_folder):
    """A run that is killed at any point is healed by running again, row for row and event for event."""
    undisturbed = world.outcome()
    disturbed = World(server_folder / "disturbed", world.landing)
    for words, seconds, kill in KILLS:
        assert kill_after(disturbed, words, seconds, kill), f"the run ended before it could be killed after {words}"
    final = disturbed.olist("run")
    assert final.returncode == 0, final.stdout + final.stderr
    assert disturbed.outcome() == undisturbed


def test_a_bad_row_is_quarantined_and_the_rest_is_published(world, first_run):
    """After the first release: one bad price, one delivery before its purchase, one duplicated order."""
    orders = (world.landing / "olist_orders_dataset.csv").read_text().splitlines()
    (world.landing / "olist_orders_dataset.csv").write_text("\n".join([*orders, orders[1]]) + "\n")
    items = (world.landing / "olist_order_items_dataset.csv").read_text().splitlines()
    items[5] = items[5].rsplit(",", 2)[0] + ",abc,1.00"
    items[9] = items[9].rsplit(",", 2)[0] + ",-1,1.00"
    (world.landing / "olist_order_items_dataset.csv").write_text("\n".join(items) + "\n")
    result = world.olist("run", "--json")
    assert result.returncode == 0, result.stderr
    summary = json.loads(result.stdout)
    assert summary["release"]["number"] == 2
    rules = {(row["source_table"], row["rule"]) for row in summary["quarantined_by_rule"]}
    assert {
        ("orders", "DUPLICATE_KEY"),
        ("order_items", "UNPARSEABLE_PRICE"),
        ("order_items", "NEGATIVE_AMOUNT"),
    } <= rules
    assert {row["verdict"] for row in summary["parity"]} == {"identical", "explained"}
    for table in summary["tables"]:
        assert table["landing"] in (None, table["accepted"] + table["quarantined"])


def test_status_and_parity_before_any_run_say_so(server_folder):
    fresh = World(server_folder / "fresh", server_folder / "nothing")
    result = fresh.olist("parity")
    assert result.returncode == 1
    assert "No table has been compared yet; run `olist run`." in result.stderr
    assert "No release yet" in fresh.olist("status").stdout


DEAD_SERVER = {"OLIST_POSTGRES_URL": "postgresql://nobody@127.0.0.1:1/none"}
ONE_RUN = {"OLIST_CUTOVER_STREAK": "1", "OLIST_RETIRE_AFTER_DAYS": "0"}
ORDER = ("sales", "marketplace", "customer", "fulfillment")
DOCUMENT = PROJECT_DIR / "docs" / "retiring.md"
COPIED = ("olist_domain", "olist_pipeline", "dbt", "dagster.yaml", "workspace.yaml", "pyproject.toml")


def told(result: subprocess.CompletedProcess[str]) -> str:
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def digests(path: Path, schema: str) -> dict[str, str]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return {name: fingerprint(connection, f"{schema}.{name}").digest for name in TABLES}


def served_digests(world: World) -> dict[str, str]:
    return digests((world.home / "serving" / "current").resolve() / "serving.duckdb", "main")


def copy_project(project: Path) -> None:
    project.mkdir()
    for name in COPIED:
        source = PROJECT_DIR / name
        if source.is_dir():
            shutil.copytree(source, project / name, ignore=shutil.ignore_patterns("__pycache__", "target", "logs"))
        else:
            shutil.copy(source, project / name)


def deleted_files() -> list[str]:
    """Return the files and folders that the document says can be deleted."""
    section = DOCUMENT.read_text("utf-8").partition("## 2. Delete its files")[2]
    [block] = re.findall(r"^```\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    return block.split()


class TestLastPhase:
    """The last phase of the migration by its commands: cutover, rollback without PostgreSQL, retirement, deletion."""

    def test_the_gate_counts_runs(self, world, first_run):
        refused = world.olist("cutover", "sales", OLIST_CUTOVER_STREAK="9")
        assert refused.returncode == 1
        assert re.search(r"sales has been green in \d runs? in a row, and 9 are needed", refused.stderr)

    def test_a_cutover_serves_the_new_tables_and_needs_no_run(self, world, first_run):
        old, new = (digests(world.settings.warehouse, schema) for schema in ("old", "new"))
        assert served_digests(world) == old
        assert "sales: shadow -> new" in told(world.olist("cutover", "sales", **ONE_RUN))
        after = served_digests(world)
        assert after["fact_orders"] == new["fact_orders"] != old["fact_orders"]
        assert after["fact_reviews"] == old["fact_reviews"]
        assert "Nothing has changed since release" in told(world.olist("run"))

    def test_a_rollback_needs_neither_postgresql_nor_the_pipeline(self, world, first_run):
        warehouse = world.settings.warehouse
        hidden = warehouse.rename(warehouse.with_suffix(".hidden"))
        try:
            rolled_back = world.olist("rollback", "sales", "--reason", "a doubt", **DEAD_SERVER)
        finally:
            hidden.rename(warehouse)
        assert "sales: new -> old" in told(rolled_back)
        assert "brought to PostgreSQL by the next command" in rolled_back.stderr
        assert served_digests(world) == digests(warehouse, "old")
        [sales] = [
            row for row in json.loads(told(world.olist("status", "--json")))["contexts"] if row["context"] == "sales"
        ]
        assert sales["route"] == "old"
        assert world.query("SELECT new_route, reason FROM migration.route_history ORDER BY change_id DESC LIMIT 1") == [
            ("old", "a doubt")
        ]

    def test_everything_on_new_is_retired_and_the_old_files_are_deleted(self, world, first_run, tmp_path):
        """What docs/retiring.md lists is deleted from a copy of the project, and the copy runs."""
        told(world.olist("cutover", "sales", "--to", "shadow"))
        for context in ORDER:
            told(world.olist("cutover", context, **ONE_RUN))
        new = digests(world.settings.warehouse, "new")
        assert served_digests(world) == new
        number = json.loads(told(world.olist("releases", "--json")))[0]["release"]
        told(world.olist("release", "verify", str(number)))
        for context in ORDER:
            assert f"{context}: new -> retired" in told(world.olist("retire", context, **ONE_RUN))
        world.settings.warehouse.unlink()
        project = tmp_path / "project"
        copy_project(project)
        for name in deleted_files():
            assert (project / name).exists(), f"{name} is listed in docs/retiring.md and is not there"
            shutil.rmtree(project / name) if (project / name).is_dir() else (project / name).unlink()
        ran = subprocess.run(
            [sys.executable, "-c", "from olist_pipeline.cli.main import main; main()", "run", "--force", "--json"],
            cwd=project,
            env={**world.environment(), "PYTHONPATH": str(project)},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        summary = json.loads(told(ran))
        assert summary["release"]["number"] == number + 1
        assert set(summary["release"]["routes"].values()) == {"retired"}
        assert {tuple(table["sources"]) for table in summary["release"]["tables"].values()} == {("new",)}
        assert served_digests(world) == new
        with duckdb.connect(str(world.settings.warehouse), read_only=True) as warehouse:
            built = warehouse.execute("SELECT DISTINCT table_schema FROM information_schema.tables").fetchall()
        assert built == [("new",)]
