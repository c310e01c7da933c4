"""Releases and their gate: published whole or not at all, and only on green, present verdicts."""

import json
import multiprocessing
import os
import shutil
import sys
import time
import uuid
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import duckdb
import pytest

from olist_pipeline.errors import OlistError
from olist_pipeline.file_locks import lock_file
from olist_pipeline.parity.attribution import Evidence, ParityVerdict, parity_of, parity_subject
from olist_pipeline.parity.reconciliation import reconciliation_of, reconciliation_subject
from olist_pipeline.provenance import landing_hashes
from olist_pipeline.registry import CONTEXTS
from olist_pipeline.serving import build, gate, pruning, release_checks
from olist_pipeline.serving import release as releases
from olist_pipeline.serving.build import Publication, publish
from olist_pipeline.serving.compose import write_routes
from olist_pipeline.serving.gate import cutover_objections, objections
from olist_pipeline.serving.pruning import remove_unneeded
from olist_pipeline.serving.release import current_release, point_to
from olist_pipeline.serving.release_checks import release_problems
from olist_pipeline.steps import run_intake, run_validation
from olist_pipeline.stores import approvals, verdicts
from olist_pipeline.stores.verdicts import Verdict
from olist_pipeline.warehouse import WarehouseTable
from tests.pipeline.serving.world import release_of

ORDERS = WarehouseTable("fact_orders", "sales", ("order_id",), {}, {})
SHADOW, NEW = {"sales": "shadow"}, {"sales": "new"}
SALES = CONTEXTS["sales"]
QUERIES_OF_PACKAGE = release_checks.dashboard_queries


@pytest.fixture
def warehouse(settings):
    """A warehouse of one table: old has a row more, which validation quarantined."""
    settings.home.mkdir(parents=True)
    with duckdb.connect(str(settings.warehouse)) as connection:
        connection.execute("CREATE SCHEMA old; CREATE SCHEMA replay; CREATE SCHEMA new")
        connection.execute(
            "CREATE TABLE old.fact_orders AS SELECT 'o' || n AS order_id, n AS total FROM range(3) AS r(n)"
        )
        for schema in ("replay", "new"):
            connection.execute(f"CREATE TABLE {schema}.fact_orders AS FROM old.fact_orders WHERE total > 0")
    return settings.warehouse


def change(warehouse, statement):
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute(statement)


def ask(warehouse, question):
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        return question(connection)


def published(settings, warehouse, routes=SHADOW, objections=lambda tables, routes: (), **changes):
    publication = replace(Publication([ORDERS], "r1", "f", "c", "2018-10-17", {}), **changes)
    return publish(settings.serving, warehouse, publication, lambda: routes, objections)


def served(settings):
    with duckdb.connect(str(settings.serving / "current" / "serving.duckdb"), read_only=True) as connection:
        return connection.execute("SELECT order_id FROM fact_orders ORDER BY 1").fetchall()


def build_for_ever(serving, name, announced):
    """Build a release, in a folder of this name, without an end; say where."""
    uuid.uuid4 = lambda: SimpleNamespace(hex=name)  # type: ignore[assignment, return-value]
    with releases.building(serving) as folder:
        folder.mkdir()
        (folder / "half").touch()
        announced.send(folder)
        time.sleep(600)


class TestParityVerdict:
    def verdict(self, warehouse, quarantine):
        return ask(warehouse, lambda connection: parity_of(connection, ORDERS, Evidence(quarantine)))

    def test_quarantine_explains_what_replay_shows_too(self, warehouse):
        parity = self.verdict(warehouse, {"ORDER_WITHOUT_ITEMS": 1})
        assert (parity.verdict, parity.is_green) == (ParityVerdict.EXPLAINED, True)
        assert "ORDER_WITHOUT_ITEMS 1" in parity.sentences()[0]
        assert json.dumps(parity.to_dict())

    def test_nothing_in_quarantine_explains_nothing(self, warehouse):
        assert self.verdict(warehouse, {}).verdict is ParityVerdict.DIFFERS

    def test_a_new_table_that_is_not_its_replay_differs(self, warehouse):
        change(warehouse, "UPDATE new.fact_orders SET total = total + 1 WHERE order_id = 'o2'")
        parity = self.verdict(warehouse, {"ORDER_WITHOUT_ITEMS": 1})
        assert (parity.verdict, parity.is_green) == (ParityVerdict.DIFFERS, False)
        assert "o2" in " ".join(parity.sentences())

    def test_equal_tables_are_identical(self, warehouse):
        change(warehouse, "DELETE FROM old.fact_orders WHERE total = 0")
        assert self.verdict(warehouse, {}).verdict is ParityVerdict.IDENTICAL


class TestPublishing:
    def test_in_shadow_the_control_is_served(self, settings, warehouse):
        assert published(settings, warehouse).number == 1
        assert served(settings) == [("o0",), ("o1",), ("o2",)]

    def test_after_a_cutover_the_new_table_is_served(self, settings, warehouse):
        release = published(settings, warehouse, NEW)
        table = release.tables["fact_orders"]
        assert (table.schema, table.rows, table.context) == ("new", 2, "sales")
        assert served(settings) == [("o1",), ("o2",)]

    def test_a_release_says_what_it_is(self, settings, warehouse):
        release = published(settings, warehouse)
        assert current_release(settings.serving) == release
        assert (release.as_of, release.run_id, release.routes) == ("2018-10-17", "r1", SHADOW)

    def test_before_the_first_there_is_none(self, settings):
        assert current_release(settings.serving) is None

    def test_a_reader_keeps_the_release_that_it_opened(self, settings, warehouse):
        published(settings, warehouse)
        with duckdb.connect(str(settings.serving / "current" / "serving.duckdb"), read_only=True) as reader:
            published(settings, warehouse, NEW)
            assert reader.execute("SELECT count(*) FROM fact_orders").fetchall() == [(3,)]
        assert len(served(settings)) == 2

    def test_rolling_back_is_pointing(self, settings, warehouse):
        published(settings, warehouse)
        published(settings, warehouse, NEW)
        point_to(settings.serving, 1)
        assert release_of(settings).number == 1
        assert len(served(settings)) == 3

    def test_a_release_that_is_not_there_cannot_be_pointed_to(self, settings, warehouse):
        published(settings, warehouse)
        with pytest.raises(OlistError, match="no release 9"):
            point_to(settings.serving, 9)
        assert release_of(settings).number == 1

    @pytest.mark.parametrize("point", ["_store_tables", "write_manifest", "put_in_place", "point_to"])
    def test_a_crash_while_publishing_leaves_the_former_release_serving(self, settings, warehouse, monkeypatch, point):
        published(settings, warehouse)

        class Killed(BaseException):
            pass

        def die(*_):
            raise Killed

        with monkeypatch.context() as patch:
            patch.setattr(build, point, die)
            with pytest.raises(Killed):
                published(settings, warehouse, NEW)
        assert release_of(settings).number == 1
        assert len(served(settings)) == 3
        assert published(settings, warehouse, NEW).number > 1
        assert len(served(settings)) == 2
        assert not list((settings.serving / "releases").glob(".building*"))

    def test_what_a_killed_builder_left_is_removed(self, settings, warehouse):
        leftover = settings.serving / "releases" / ".building-0123"
        leftover.mkdir(parents=True)
        published(settings, warehouse)
        assert not leftover.exists()

    def test_who_removes_what_a_killed_builder_left_holds_its_lock(self, settings, monkeypatch):
        """A builder that has just made its lock, and not taken it, would else find its folder gone later."""
        releases, removed = settings.serving / "releases", []
        releases.mkdir(parents=True)
        (releases / ".building-0123.lock").touch()

        def seen(folder, **_):
            with pytest.raises(BlockingIOError):
                lock_file(folder.with_suffix(".lock"))
            removed.append(folder.name)

        monkeypatch.setattr(shutil, "rmtree", seen)
        remove_unneeded(settings.serving)
        assert (removed, list(releases.iterdir())) == ([".building-0123"], [])

    @pytest.mark.parametrize("process", [os.getpid(), 2**22 - 1], ids=["this process", "none"])
    def test_what_is_being_built_stays_whoever_lives_and_what_nobody_holds_goes(self, settings, process):
        """A process id says nothing: another container counts its own. The lock of a living builder does."""
        serving, context = settings.serving, multiprocessing.get_context("fork")
        receiver, sender = context.Pipe(duplex=False)
        builder = context.Process(target=build_for_ever, args=(serving, str(process), sender), daemon=True)
        builder.start()
        folder = receiver.recv()
        remove_unneeded(serving)
        assert (folder / "half").exists()
        builder.kill()
        builder.join()
        remove_unneeded(serving)
        assert list((serving / "releases").iterdir()) == []

    def test_a_release_goes_whole_also_where_its_removal_is_cut_off(self, settings, monkeypatch):
        """`olist releases` beside it failed, and after a kill called it damaged."""
        releases.release_folder(settings.serving, 1).mkdir(parents=True)
        with monkeypatch.context() as killed:
            killed.setattr("shutil.rmtree", lambda *_, **__: None)
            releases.remove(settings.serving, 1)
        assert releases.kept_numbers(settings.serving) == []
        remove_unneeded(settings.serving)
        assert list((settings.serving / "releases").iterdir()) == []
        monkeypatch.setattr(pruning, "_known_parts", lambda _: {1: set()})
        assert pruning.sizes(settings.serving) == {}, "it was there when one began to look"

    def test_the_last_ones_are_kept_and_the_one_that_is_served(self, settings, warehouse, monkeypatch):
        monkeypatch.setattr(pruning, "KEPT_RELEASES", 2)
        for _ in range(3):
            published(settings, warehouse)
        assert releases.kept_numbers(settings.serving) == [2, 3]
        point_to(settings.serving, 2)
        for number in (4, 5):
            releases.release_folder(settings.serving, number).mkdir()
        remove_unneeded(settings.serving)
        assert releases.kept_numbers(settings.serving) == [2, 4, 5]

    def test_ten_are_kept(self):
        assert pruning.KEPT_RELEASES == 10


def test_a_clock_that_was_ahead_is_made_good_as_the_sentence_says(in_shadow):
    """The clock of this machine is right: nothing that one does to it would let a run begin before that day."""
    serving, now = in_shadow.serving, datetime.now(UTC)
    path = serving / "releases" / "00001" / "manifest.json"
    right = path.read_text("utf-8")
    ahead = (now + timedelta(days=400)).isoformat(timespec="seconds")
    path.write_text(json.dumps({**json.loads(right), "made_at": ahead}), "utf-8")
    with pytest.raises(OlistError, match=rf"set the clock .* If it is right, .* `made_at` into {path}"):
        releases.refuse_past(serving, now)
    path.write_text(right, "utf-8")
    releases.refuse_past(serving, now)
    assert releases.is_intact(serving, release_of(in_shadow))


def test_what_somebody_put_among_the_releases_is_left_alone(tmp_path):
    for name in ("00001", "00002.bak", "00003 (copy)"):
        (tmp_path / "releases" / name).mkdir(parents=True)
    assert (releases.kept_numbers(tmp_path), releases.next_number(tmp_path)) == ([1], 2)


def test_a_release_before_any_context_has_moved_has_no_routes():
    with duckdb.connect() as connection:
        write_routes(connection, {}, [])
        assert connection.execute("FROM about.migration_routes").fetchall() == []


class ProvenStores:
    @pytest.fixture
    def proven(self, settings, warehouse):
        """Settings whose stores hold a green verdict of everything that the gate asks for."""
        for table in SALES.landing:
            run_intake(settings, settings.postgres_url, table, date(2018, 12, 1), "r1")
        months = [date(2017, 10, 1), date(2018, 1, 1)]
        run_validation(settings, settings.postgres_url, SALES.steps[0], months, "r1", SALES.landing[0])
        for staged in SALES.tables:
            self.record_reconciliation(settings, staged)
        self.record_parity(settings, {"ORDER_WITHOUT_ITEMS": 1})
        return settings

    def record_reconciliation(self, settings, table, **changes):
        verdicts.record(settings.postgres_url, replace(self.reconciled(settings, table), **changes))

    def record_parity(self, settings, quarantine, **changes):
        verdicts.record(settings.postgres_url, replace(self.compared(settings, quarantine), **changes))

    def reconciled(self, settings, table):
        ledger = reconciliation_of(settings, settings.postgres_url, table)
        subject = reconciliation_subject(settings, table)
        return Verdict("sales", table.name, "reconciliation", "holds", ledger.holds, subject, {}, "r1")

    def compared(self, settings, quarantine):
        evidence = Evidence(quarantine, approvals=approvals.active(settings.postgres_url, date.today()))
        parity = ask(settings.warehouse, lambda connection: parity_of(connection, ORDERS, evidence))
        report = parity.to_dict()
        said = parity.verdict.value, parity.is_green, parity.subject, report
        return Verdict("sales", "fact_orders", "parity", *said, "r1")


class TestGate(ProvenStores):
    def refused(self, settings, routes=SHADOW):
        return ask(
            settings.warehouse,
            lambda connection: objections(
                settings,
                settings.postgres_url,
                [ORDERS],
                routes,
                lambda table: parity_subject(connection, table),
            ),
        )

    def test_is_open_when_everything_is_proven(self, proven):
        assert self.refused(proven) == []

    def test_names_every_verdict_that_is_missing(self, settings, warehouse):
        for table in SALES.landing:
            run_intake(settings, settings.postgres_url, table, date(2018, 12, 1), "r1")
        assert self.refused(settings) == [
            "parity of fact_orders has never been checked",
            *(f"reconciliation of {table.name} has never been checked" for table in SALES.tables),
        ]

    def test_refuses_a_red_verdict(self, proven):
        self.record_parity(proven, {})
        self.record_reconciliation(proven, SALES.tables[0], is_green=False, verdict="does not hold")
        parity, reconciliation = self.refused(proven)
        assert parity.startswith("parity of fact_orders is red (differs, run r1): fact_orders differs from old")
        assert "old has 3 rows, new has 2 rows; 1 row only in old, for example order_id = 'o0'" in parity
        assert reconciliation == "reconciliation of orders is red (does not hold, run r1)"

    @pytest.mark.parametrize("schema", ["old", "new"])
    def test_refuses_a_verdict_on_other_rows(self, proven, schema):
        change(proven.warehouse, f"UPDATE {schema}.fact_orders SET total = 99 WHERE order_id = 'o2'")
        [objection] = self.refused(proven)
        assert "parity of fact_orders is stale" in objection

    def test_refuses_reconciliation_of_other_staging_files(self, proven):
        next((proven.staging / "sales" / "orders").glob("*.parquet")).unlink()
        [objection] = self.refused(proven)
        assert "reconciliation of orders is stale" in objection

    def test_refuses_a_verdict_whose_approval_was_revoked(self, proven):
        url, today = proven.postgres_url, date.today()
        change(proven.warehouse, "UPDATE new.fact_orders SET total = 99 WHERE order_id = 'o2'")
        given = approvals.approve(
            url, table="fact_orders", column="total", reason="rounding", until=today, approved_by="me", today=today
        )
        self.record_parity(proven, {})
        assert self.refused(proven) == []
        approvals.revoke(url, given.approval_id, revoked_by="me")
        [objection] = self.refused(proven)
        assert objection == "parity of fact_orders rests on approval 1 of total, which has ended"

    def test_asks_nothing_of_a_context_that_is_on_old(self, settings, warehouse):
        assert self.refused(settings, {"sales": "old"}) == []

    def test_refuses_what_is_left_of_a_table_that_is_mostly_in_quarantine(self, proven):
        for rows, quarantined, is_refused in ((20, 10, False), (19, 10, True), (3, 2, False), (1, 1, True)):
            self.record_reconciliation(proven, SALES.tables[0], report={"landing": rows, "quarantined": quarantined})
            said = {route: str(self.refused(proven, {"sales": route})) for route in ("old", "shadow", "retired")}
            refused = {route: "rows of orders are rejected" in words for route, words in said.items()}
            assert refused == dict.fromkeys(said, is_refused), (rows, quarantined)

    def test_asks_a_retired_context_for_reconciliation_alone(self, proven):
        change(proven.warehouse, "UPDATE new.fact_orders SET total = 99 WHERE order_id = 'o2'")
        assert self.refused(proven, {"sales": "retired"}) == []
        self.record_reconciliation(proven, SALES.tables[0], is_green=False, verdict="does not hold")
        [objection] = self.refused(proven, {"sales": "retired"})
        assert "reconciliation of orders is red" in objection


class TestCutoverGate(ProvenStores):
    """What a cutover needs on top of what a release needs."""

    @pytest.fixture
    def ready(self, proven, warehouse):
        """Settings with three green runs, and a release of the very data that they speak of."""
        url = proven.postgres_url
        said = [*verdicts.latest(url, "parity").values(), *verdicts.latest(url, "reconciliation").values()]
        for run_id in ("r2", "r3"):
            for verdict in said:
                verdicts.record(url, replace(verdict, run_id=run_id))
        published(proven, warehouse, landing=landing_hashes(proven))
        return proven

    def missing(self, settings, today=date(2018, 12, 1), **rules):
        settings = replace(settings, cutover=replace(settings.cutover, **rules))
        release = release_of(settings)
        return cutover_objections(settings, settings.postgres_url, release, "sales", today)

    def test_is_open_after_enough_green_runs(self, ready):
        assert self.missing(ready) == []

    def test_wants_the_queries_of_the_dashboards_to_be_checked(self, ready, monkeypatch):
        monkeypatch.setattr(release_checks, "dashboard_queries", QUERIES_OF_PACKAGE)
        assert self.missing(ready) == []
        monkeypatch.setitem(sys.modules, "dashboards.queries", None)
        [objection] = self.missing(ready)
        assert "the dashboards' queries cannot be checked" in objection

    def test_refuses_a_context_that_has_left_the_migration(self, ready, monkeypatch):
        others = {name: context for name, context in CONTEXTS.items() if name != "sales"}
        monkeypatch.setattr(gate, "CONTEXTS", others)
        [objection] = self.missing(ready)
        assert "it is not among the contexts of the migration file any more" in objection

    def test_counts_the_streak(self, ready):
        assert self.missing(ready, streak=5) == ["sales has been green in 3 runs in a row, and 5 are needed"]
        self.record_parity(ready, {}, run_id="r4")
        self.record_parity(ready, {"ORDER_WITHOUT_ITEMS": 1}, run_id="r5")
        assert self.missing(ready) == ["sales has been green in 0 runs in a row, and 3 are needed"]

    def test_wants_verdicts_on_what_is_served(self, ready, warehouse):
        """The warehouse moved on, and its verdicts are green: the release that is served is older."""
        change(warehouse, "INSERT INTO old.fact_orders VALUES ('o9', 9)")
        change(warehouse, "INSERT INTO replay.fact_orders VALUES ('o9', 9)")
        change(warehouse, "INSERT INTO new.fact_orders VALUES ('o9', 9)")
        self.record_parity(ready, {"ORDER_WITHOUT_ITEMS": 1}, run_id="r3")
        assert self.missing(ready) == ["parity of fact_orders is stale: the data has changed since run r3"]

    def test_wants_the_landing_files_that_are_there_now(self, ready):
        with (ready.landing / "olist_orders_dataset.csv").open("a") as file:
            file.write("\n")
        assert self.missing(ready) == ["landing has changed since release 1 (orders); run `olist run`"]

    def test_wants_no_approval_that_has_ended(self, ready):
        given = {"table": "fact_orders", "column": "total", "reason": "rounding", "approved_by": "me"}
        url, day = ready.postgres_url, date(2018, 11, 1)
        approvals.approve(url, until=day, today=day, **given)
        assert self.missing(ready, today=day) == []
        [objection] = self.missing(ready)
        assert objection.startswith("approval 1 of fact_orders.total ended on 2018-11-01")
        approvals.approve(url, until=date(2019, 1, 1), today=day, **given)
        assert self.missing(ready) == []

    def test_wants_a_quarantine_below_its_limit(self, ready):
        ledger = {"landing": 200, "quarantined": 5}
        self.record_reconciliation(ready, SALES.tables[0], report=ledger, run_id="r3")
        assert self.missing(ready) == ["5 of 200 rows of orders are rejected (2.50%, limit 2.00%)"]
        assert self.missing(ready, quarantine_limit=0.025) == []

    def test_lists_everything_at_once(self, settings, warehouse):
        for table in SALES.landing:
            run_intake(settings, settings.postgres_url, table, date(2018, 12, 1), "r1")
        published(settings, warehouse, landing={"orders": "other"})
        found = self.missing(settings)
        assert [
            words for words in ("never been checked", "landing has changed", "0 runs in a row") if words in str(found)
        ]
        assert len(found) == 1 + len(SALES.tables) + 2


class TestVerification:
    def problems(self, settings):
        folder = settings.serving / "current"
        with duckdb.connect(str(folder / "serving.duckdb"), read_only=True) as connection:
            return release_problems(connection, release_of(settings))

    def spoil(self, settings, statement):
        change((settings.serving / "current").resolve() / "serving.duckdb", statement)

    def test_a_release_is_what_it_was(self, settings, warehouse):
        published(settings, warehouse)
        assert self.problems(settings) == []

    @pytest.mark.parametrize(
        ("statement", "words"),
        [
            (
                "CREATE OR REPLACE VIEW old.fact_orders AS SELECT 'o' || n AS order_id, n FROM range(3) AS r(n)",
                "its 3 rows are others",
            ),
            ("CREATE OR REPLACE VIEW old.fact_orders AS SELECT 'o' AS order_id", "1 rows in place of 3"),
            ("CREATE OR REPLACE VIEW new.fact_orders AS SELECT 'o' AS order_id", "new.fact_orders is not what was"),
            ("DROP VIEW main.fact_orders", "fact_orders is missing"),
            ("CREATE OR REPLACE VIEW main.fact_orders AS FROM new.fact_orders", "2 rows in place of 3"),
        ],
    )
    def test_one_that_is_not_says_what_is_wrong(self, settings, warehouse, statement, words):
        published(settings, warehouse)
        self.spoil(settings, statement)
        [problem] = self.problems(settings)
        assert words in problem

    @pytest.mark.parametrize("value", ["'o1'", "NULL"])
    def test_a_key_that_does_not_identify_is_not_published(self, settings, warehouse, value):
        published(settings, warehouse)
        change(warehouse, f"INSERT INTO new.fact_orders VALUES ({value}, 1)")
        with pytest.raises(OlistError, match=r"new\.fact_orders has 3 rows"):
            published(settings, warehouse, NEW)
        assert release_of(settings).number == 1

    def test_the_old_side_is_served_as_it_is(self, settings, warehouse):
        """The old pipeline reports a doubled row and goes on; a release that refused it would stop the dashboards."""
        change(warehouse, "INSERT INTO old.fact_orders VALUES ('o1', 1)")
        assert published(settings, warehouse).tables["fact_orders"].rows == 4

    def test_a_dashboard_query_that_fails_is_not_published(self, settings, warehouse, monkeypatch):
        query = SimpleNamespace(
            sql="SELECT total FROM fact_orders WHERE order_id = $id", tables=("fact_orders",), defaults={"id": None}
        )
        other = SimpleNamespace(sql="SELECT * FROM mart_x", tables=("mart_x",), defaults={})
        monkeypatch.setattr(
            release_checks, "dashboard_queries", lambda: {"total": query, "of a table that is not there": other}
        )
        published(settings, warehouse)
        change(warehouse, "ALTER TABLE old.fact_orders RENAME COLUMN total TO amount")
        with pytest.raises(OlistError, match=r"the dashboard query total fails \(.*total.*another version made"):
            published(settings, warehouse)
        assert release_of(settings).number == 1
