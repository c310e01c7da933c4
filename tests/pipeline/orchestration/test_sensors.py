"""Sensors: what a look leads to, with a cursor that loses and repeats nothing."""

import os
from dataclasses import dataclass, replace
from datetime import date, datetime

import dagster as dg
import pytest

from olist_pipeline.alerts import history
from olist_pipeline.months import MonthRange
from olist_pipeline.orchestration.dbt_projects import ensure_manifest
from olist_pipeline.orchestration.definitions import build_defs
from olist_pipeline.orchestration.partitions import COMPARED_WHOLE
from olist_pipeline.orchestration.resources import Pipeline
from olist_pipeline.orchestration.sensors import AUTOMATION_IS_OFF, LandingCursor, landing_tick
from olist_pipeline.registry import LANDING
from olist_pipeline.settings import Settings
from olist_pipeline.stores import verdicts
from olist_pipeline.stores.verdicts import Verdict
from olist_pipeline.synthetic import generate
from olist_pipeline.warehouse import load_manifest, warehouse_tables

TODAY = date(2018, 11, 1)
RANGE = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")


@pytest.fixture(scope="module")
def tables(parsed_project):
    return warehouse_tables(load_manifest(ensure_manifest(parsed_project)))


@pytest.fixture
def environment(settings, tmp_path):
    folder = tmp_path / "set"
    generate(folder, orders=60, seed=5)
    return replace(settings, landing=folder, is_automated=True)


class Looker:
    """Looks at landing one tick after the other, as the daemon does."""

    def __init__(self, settings, tables):
        self.settings, self.tables, self.cursor = settings, tables, None

    def look(self, *, is_killed=False):
        """Return the requests of a tick; a killed daemon does not keep the cursor."""
        keyed, cursor, self.said = landing_tick(self.settings, self.tables, LandingCursor.parse(self.cursor), TODAY)
        if not is_killed:
            self.cursor = cursor.text()
        return keyed


@pytest.fixture
def looker(environment, tables):
    return Looker(environment, tables)


def rewrite(settings, table, make):
    path = settings.landing / LANDING[table].file
    path.write_bytes(make(path.read_bytes()))
    os.utime(path, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns + 1_000_000))


def spoil_a_review(settings, score=b"4"):
    lines = (settings.landing / LANDING["order_reviews"].file).read_bytes().split(b"\n")
    number = next(n for n, line in enumerate(lines) if n and line.count(b",") == 6)
    cells = lines[number].split(b",")
    cells[2] = score if cells[2] != score else b"2"
    lines[number] = b",".join(cells)
    rewrite(settings, "order_reviews", lambda _: b"\n".join(lines))


def settled(looker):
    looker.look()
    looker.look()
    assert looker.look() == []
    assert looker.said == "Landing is as it was."


TORN = ("{", "null", "[1]", '"x"', "7", '{"look": [], "number": 3}', '{"number": "3"}', "a text of somebody's")


@pytest.mark.parametrize("text", TORN)
def test_a_cursor_that_is_none_begins_anew_under_keys_of_its_own(text):
    cursor = LandingCursor.parse(text)
    assert (cursor.look, cursor.settled, cursor.content) == ({}, {}, None)
    assert cursor.number > 1000
    assert cursor == LandingCursor.parse(text), "a daemon that is killed asks under the same key"


def test_a_cursor_of_another_version_is_read_as_far_as_it_is_known():
    assert LandingCursor.parse('{"number": 3, "look": {"a": null}, "colour": "red"}') == LandingCursor(
        {"a": None}, number=3
    )
    assert LandingCursor.parse(None) == LandingCursor()


class TestLanding:
    def test_a_new_set_settles_and_is_asked_for_once(self, looker):
        assert looker.look() == []
        assert "looks the same twice" in looker.said
        [(_, request)] = looker.look()
        assert request.contexts == ("sales", "marketplace", "customer", "fulfillment")
        assert looker.look() == []

    def test_a_file_that_grows_is_waited_for(self, looker, environment):
        looker.look()
        for _ in range(3):
            rewrite(environment, "order_items", lambda content: content + content.split(b"\n")[1] + b"\n")
            assert looker.look() == []
        assert LANDING["order_items"].file in looker.said
        assert len(looker.look()) == 1

    def test_a_partial_upload_is_recognised_and_reported_once(self, looker, environment):
        settled(looker)
        whole = (environment.landing / LANDING["order_items"].file).read_bytes()
        rewrite(environment, "order_items", lambda content: content[: len(content) // 2].rpartition(b",")[0] + b",1")
        looker.look()
        for _ in range(3):
            assert looker.look() == []
        assert "ends inside a record" in looker.said
        assert [line["kind"] for line in history(environment)] == ["landing_unusable"]
        rewrite(environment, "order_items", lambda _: whole)
        looker.look()
        assert looker.look() == [], "it is complete again, and nothing has changed"

    def test_a_missing_file_is_waited_for(self, looker, environment):
        settled(looker)
        path = environment.landing / LANDING["sellers"].file
        content = path.read_bytes()
        path.unlink()
        for _ in range(3):
            assert looker.look() == []
            assert looker.said == f"The upload is not complete: {path.name} missing."
        path.write_bytes(content)
        looker.look()
        assert looker.look() == []

    def test_touching_a_file_asks_for_nothing(self, looker, environment):
        settled(looker)
        rewrite(environment, "sellers", lambda content: content)
        looker.look()
        assert looker.look() == []
        assert looker.said == "The files were touched, not changed."

    def test_a_daemon_that_is_killed_before_it_keeps_the_cursor_asks_again_under_the_same_key(
        self, looker, environment
    ):
        settled(looker)
        spoil_a_review(environment)
        looker.look()
        [(lost, _)] = looker.look(is_killed=True)
        [(again, request)] = looker.look()
        assert lost == again, "Dagster launches a run key once"
        assert (request.contexts, request.whole) == (("marketplace",), ("customer", "fulfillment"))
        assert looker.look() == []

    def test_content_that_comes_back_is_a_change_again(self, looker, environment):
        settled(looker)
        keys = []
        original = (environment.landing / LANDING["order_reviews"].file).read_bytes()
        for _ in range(2):
            spoil_a_review(environment)
            looker.look()
            keys += looker.look()
            rewrite(environment, "order_reviews", lambda _: original)
            looker.look()
            keys += looker.look()
        assert len({key for key, _ in keys}) == 4


@dataclass(frozen=True)
class Watched:
    """The definitions over an environment of one's own."""

    definitions: dg.Definitions
    settings: Settings

    @property
    def resources(self):
        return {"pipeline": Pipeline(self.settings)}

    def ticked(self, name, cursor=None, instance=None):
        """Return what a tick of a sensor leads to."""
        context = dg.build_sensor_context(
            cursor=cursor,
            resources=self.resources,
            definitions=self.definitions,
            sensor_name=name,
            instance=instance,
        )
        return self.definitions.resolve_sensor_def(name).evaluate_tick(context)


def verdict(is_green, *, table="fact_orders", comparison="parity", **report):
    return Verdict("sales", table, comparison, "identical" if is_green else "differs", is_green, "s", report, "run-1")


@pytest.fixture
def automated(environment, definitions):
    return Watched(definitions, environment)


@pytest.fixture
def off(parsed_project, definitions):
    return Watched(definitions, replace(parsed_project, is_automated=False))


def test_a_look_lets_dagster_know_of_a_month_before_the_run_over_it(automated, environment):
    def known():
        return [key[:7] for key in instance.get_dynamic_partitions("months")]

    def looked(cursor):
        waiting = automated.ticked("landing", cursor, instance)
        assert known(), "a look that asks for nothing lets the UI have its months, too"
        return automated.ticked("landing", waiting.cursor, instance)

    with dg.DagsterInstance.ephemeral() as instance:
        first = looked(None)
        [request] = first.run_requests
        before = known()
        assert [request.tags[tag][:7] for tag in RANGE] == [before[0], before[-1]]
        line = b'"f00d","nobody","canceled","2019-02-03 10:00:00",,,,"2019-03-01 00:00:00"\n'
        rewrite(environment, "orders", lambda content: content.rstrip(b"\n") + b"\n" + line)
        assert {request.tags[RANGE[1]] for request in looked(first.cursor).run_requests} == {"2019-02-01"}
        assert known() == [
            f"{month:%Y-%m}" for month in MonthRange(date.fromisoformat(f"{before[0]}-01"), date(2019, 2, 1))
        ]


class TestAlerts:
    def test_parity_that_turns_red_is_reported_once(self, automated, environment, database):
        def alerted():
            return [line["text"] for line in history(environment)]

        verdicts.record(database, verdict(True))
        cursor = automated.ticked("parity_regression").cursor
        assert alerted() == []
        verdicts.record(database, verdict(False))
        lost = automated.ticked("parity_regression", cursor)
        again = automated.ticked("parity_regression", cursor)
        assert lost.cursor == again.cursor
        verdicts.record(database, verdict(False))
        cursor = automated.ticked("parity_regression", again.cursor).cursor
        assert alerted() == ["Parity of fact_orders (sales) is red: differs; see `olist parity fact_orders`."]
        for is_green in (True, False):
            verdicts.record(database, verdict(is_green))
        automated.ticked("parity_regression", cursor)
        assert len(alerted()) == 2

    def test_a_cursor_that_is_ahead_of_all_results_has_no_fewer_than_none_new(self, automated, database):
        verdicts.record(database, verdict(True))
        ahead = str(int(automated.ticked("parity_regression").cursor) + 50)
        looked = automated.ticked("parity_regression", ahead)
        assert (looked.skip_message, looked.cursor) == ("0 new results, nothing to tell.", ahead)

    def test_a_quarantine_above_its_limit_is_reported(self, automated, environment, database):
        for quarantined in (2, 3):
            held = verdict(True, table="orders", comparison="reconciliation", landing=100, quarantined=quarantined)
            verdicts.record(database, held)
        automated.ticked("quarantine_rate")
        [line] = history(environment)
        assert "3 of 100 rows of orders are rejected (3.00%, limit 2.00%)" in line["text"]

    def test_a_failed_run_is_reported_with_its_step(self, automated, environment):
        @dg.op
        def breaks():
            raise dg.Failure("no")

        @dg.job(executor_def=dg.in_process_executor)
        def broken():
            breaks()

        with dg.DagsterInstance.ephemeral() as instance:
            result = broken.execute_in_process(instance=instance, raise_on_error=False)
            context = dg.build_run_status_sensor_context(
                "run_failure",
                dagster_instance=instance,
                dagster_run=result.dagster_run,
                dagster_event=result.get_run_failure_event(),
                resources=automated.resources,
            ).for_run_failure()
            automated.definitions.resolve_sensor_def("run_failure")(context)
        [line] = history(environment)
        assert (line["kind"], line["key"]) == ("run_failed", result.run_id)
        assert "of broken failed in breaks" in line["text"]


class TestAutomationOff:
    @pytest.mark.parametrize("name", ["landing", "quarantine_rate", "parity_regression"])
    def test_sensors_skip(self, off, name):
        assert off.ticked(name).skip_message == AUTOMATION_IS_OFF

    @pytest.mark.parametrize("name", ["nightly", "weekly", "hourly"])
    def test_schedules_skip_and_are_in_the_time_zone_of_the_business(self, off, name):
        schedule = off.definitions.resolve_schedule_def(name)
        context = dg.build_schedule_context(resources=off.resources)
        assert schedule.evaluate_tick(context).skip_message == AUTOMATION_IS_OFF
        assert schedule.execution_timezone == "America/Sao_Paulo"

    def test_defaults_seed_the_state(self, parsed_project):
        for is_automated, status in ((False, "STOPPED"), (True, "RUNNING")):
            definitions = build_defs(replace(parsed_project, is_automated=is_automated))
            for name in ("landing", "quarantine_rate", "parity_regression", "run_failure"):
                assert definitions.resolve_sensor_def(name).default_status.value == status
            for name in ("nightly", "weekly", "hourly"):
                assert definitions.resolve_schedule_def(name).default_status.value == status


def test_schedules_ask_for_their_months(automated, tmp_path):
    def months(name):
        context = dg.build_schedule_context(
            instance=instance,
            resources=automated.resources,
            scheduled_execution_time=datetime(2018, 11, 1),
        )
        [request] = automated.definitions.resolve_schedule_def(name).evaluate_tick(context).run_requests
        tags = request.tags
        assert (COMPARED_WHOLE.items() <= tags.items()) is (name != "hourly"), (
            "a release needs verdicts on whole tables"
        )
        return tuple(map(tags.get, RANGE))

    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        first, last = months("weekly")
        known = instance.get_dynamic_partitions("months")
        assert (first, last) == (known[0], known[-1])
        assert first < last
        assert months("nightly") == (first, last), "nothing has been taken in yet: all files are new"
        assert months("hourly") == (None, None)
