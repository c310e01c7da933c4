"""`olist run` as a person sees it: what it prints, leaves, refuses and survives."""

import json
import shutil

import duckdb
import pytest

from olist_pipeline.orchestration.jobs import DUAL_RUN
from tests.end_to_end.first_run import BAD_ROWS
from tests.end_to_end.world import World, spoil
from tests.tables import IDENTICAL, STAGED, TABLES


@pytest.fixture(scope="module")
def world(server_folder, finished):
    return finished.copy_to(server_folder / "world")


@pytest.fixture(scope="module")
def first_run(finished):
    return finished.result


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

    def test_leaves_nothing_that_another_user_can_read(self, finished, first_run):
        home = finished.world.home
        # The embedded server of root runs as a user of its own, whose group may pass the home, not list it.
        modes = {home: home.stat().st_mode & 0o777 & ~0o010}
        modes |= {path: path.lstat().st_mode & 0o777 for path in home.rglob("*") if not path.is_symlink()}
        assert {"staging", "intake", "serving", "warehouse.duckdb", "postgres", "logs"} <= {path.name for path in modes}
        assert not {str(path): oct(mode) for path, mode in modes.items() if mode & 0o077}

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
            "SELECT sum(landing), sum(accepted), sum(quarantined) FROM about.migration_reconciliation WHERE holds"
            " AND landing IS NOT NULL",
        )
        assert landing == accepted + quarantined > 0

    def test_every_row_of_landing_is_accounted_for(self, world, first_run):
        status = json.loads(world.typed("status", "--json").stdout)
        for table in status["tables"]:
            if table["landing"] is not None:
                assert table["landing"] == table["accepted"] + table["quarantined"] > 0, table
        assert {context["reconciliation"] for context in status["contexts"]} == {"holds"}

    def test_is_seen_by_dagster_with_its_checks(self, world, first_run):
        assert world.query("SELECT status, pipeline_name FROM runs") == [("SUCCESS", DUAL_RUN)]
        checks = world.query("SELECT check_name, execution_status FROM asset_check_executions")
        names = [name for name, _ in checks]
        assert names.count("parity") == len(TABLES)
        assert names.count("reconciliation") == 9 + sum(map(len, STAGED.values()))
        assert any(name.startswith("not_null") or "unique" in name for name in names), "dbt tests are checks too"
        assert {status for name, status in checks if name in ("parity", "reconciliation")} == {"SUCCEEDED"}

    def test_every_table_is_identical_or_explained(self, world, first_run):
        result = world.typed("parity", "--json")
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
        [row, *_] = json.loads(world.typed("quarantine", "--rule", "ORDER_WITHOUT_ITEMS", "--json").stdout)
        assert row["source_file"] == "olist_orders_dataset.csv"
        events = json.loads(world.typed("events", "--id", row["aggregate_id"], "--json").stdout)
        assert [event["event_type"] for event in events] == ["OrderRejected"]
        assert "ORDER_WITHOUT_ITEMS" in world.typed("quarantine", "--table", "orders", "--limit", "3").stdout

    def test_bad_rows_are_quarantined_and_the_rest_is_published(self, world, first_run):
        assert set(world.query("SELECT source_table, unnest(rules) FROM data_quality.quarantine")) >= BAD_ROWS
        assert [rule for _, rule in BAD_ROWS if rule not in first_run.stdout] == []
        [(bad,)] = world.query(
            "SELECT count(*) FROM data_quality.quarantine WHERE rules && ARRAY['UNPARSEABLE_PAYMENT_VALUE']"
        )
        assert bad == 1

    def test_parses_the_dbt_project_once_for_a_target(self, world, first_run):
        """The first build of old finds the project parsed as it needs it; each other tree has a database of its own."""
        logs = {target: world.settings.dbt_target / f"run_{target}" / "dbt.log" for target in ("old", "replay", "new")}
        parsed = {target: "Starting full parse" in log.read_text("utf-8") for target, log in logs.items()}
        assert parsed == {"old": False, "replay": True, "new": True}

    def test_nothing_changed_is_said_and_nothing_is_run_but_the_way_back_is_prepared(self, world, first_run):
        """A run that was killed after it published had prepared none, and no other did."""
        standby = world.settings.serving / "standby"
        prepared = {path.name for path in standby.glob("*")}
        shutil.rmtree(standby, ignore_errors=True)
        again = world.typed("run")
        assert {path.name for path in standby.glob("*")} == prepared
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
    result = spoiled.typed("run")
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
    result = world.typed("run", **environment)
    assert result.returncode == 1
    assert words in result.stderr


def test_status_and_parity_before_any_run_say_so(server_folder):
    fresh = World(server_folder / "fresh", server_folder / "nothing")
    result = fresh.typed("parity")
    assert result.returncode == 1
    assert "No table has been compared yet; run `olist run`." in result.stderr
    assert f"There is no release in {fresh.home / 'serving'} yet" in fresh.typed("status").stdout
