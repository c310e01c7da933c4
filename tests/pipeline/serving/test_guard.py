"""The guard: whatever regresses of what is served from new is rolled back, reported and blocked, once."""

import gzip
import os
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from olist_pipeline import alerts
from olist_pipeline.registry import CONTEXTS as REGISTERED
from olist_pipeline.serving import journal, release_checks
from olist_pipeline.serving.cutover import cutover
from olist_pipeline.serving.guard import guard
from olist_pipeline.serving.retirement import retire
from olist_pipeline.steps import run_intake
from olist_pipeline.stores import routes, verdicts
from olist_pipeline.stores.verdicts import Verdict
from tests.pipeline.serving.world import copy_of, published, settings_of, sides

NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def cut_over(tmp_path_factory):
    settings = settings_of(tmp_path_factory.mktemp("guarded"))
    published(settings)
    for context in ("sales", "marketplace"):
        cutover(settings, context, lambda release: [], by="me", reason="proven")
    return settings


@pytest.fixture
def settings(cut_over, tmp_path, landing, database):
    """Sales and marketplace are on new; landing has been read."""
    settings = copy_of(cut_over, tmp_path)
    for table in REGISTERED["sales"].landing:
        run_intake(settings, database, table, NOW.date(), "r1")
    return settings


@pytest.fixture
def sent(monkeypatch):
    """What reaches the project's alerts."""
    found: list[alerts.Alert] = []
    monkeypatch.setattr(alerts, "send", lambda settings, alert: found.append(alert))
    return found


def record_verdict(database, table, verdict, *, context="sales", comparison="parity"):
    is_green = verdict in ("identical", "holds")
    verdicts.record(database, Verdict(context, table, comparison, verdict, is_green, "s", {}, "run-9"))


def routed(settings):
    return journal.present_state(settings.serving).routes


def test_nothing_is_done_while_everything_is_green(settings, database, sent):
    record_verdict(database, "fact_orders", "identical")
    record_verdict(database, "orders", "holds", comparison="reconciliation")
    assert guard(settings, database, NOW).done == ()
    assert sent == []


@pytest.mark.parametrize(
    ("table", "verdict", "comparison"),
    [("fact_orders", "differs", "parity"), ("orders", "does not hold", "reconciliation")],
)
def test_a_red_verdict_rolls_back_tells_and_blocks(settings, database, sent, table, verdict, comparison):
    record_verdict(database, table, verdict, comparison=comparison)
    [done] = guard(settings, database, NOW).done
    assert (done.act.acted_by, done.act.changes[0].context) == ("guard", "sales")
    assert (routed(settings)["sales"], routed(settings)["marketplace"]) == ("old", "new")
    assert sides(settings)["fact_orders"] == "old"
    [alert] = sent
    assert f"{comparison} of {table} {verdict} (run run-9)" in alert.text
    assert "olist acknowledge sales" in alert.text
    [row] = routes.history(database, "sales")[-1:]
    assert (row["new_route"], row["changed_by"], row["blocked"] is not None) == ("old", "guard", True)


def test_a_red_verdict_on_some_months_counts_until_a_later_one_is_green(settings, database, sent):
    red = Verdict("sales", "fact_orders", "parity", "differs", False, "s", {}, "run-9", months="2018-03")
    verdicts.record(database, red)
    record_verdict(database, "fact_orders", "identical")
    assert guard(settings, database, NOW).done == ()
    verdicts.record(database, red)
    assert len(guard(settings, database, NOW).done) == 1


def test_it_acts_once(settings, database, sent):
    record_verdict(database, "fact_orders", "differs")
    guard(settings, database, NOW)
    assert guard(settings, database, NOW).done == ()
    assert len(sent) == 1


def test_a_context_that_is_served_from_old_is_left_alone(settings, database, sent):
    record_verdict(database, "dim_customer", "differs", context="customer")
    assert guard(settings, database, NOW).done == ()


def test_a_retired_context_has_no_way_back_and_is_reported(settings, database, sent):
    for context in ("customer", "fulfillment"):
        cutover(settings, context, lambda release: [], by="me", reason="proven")
    retire(settings, "sales", by="me", reason="done", now=NOW + timedelta(days=30))
    record_verdict(database, "fact_orders", "differs")
    record_verdict(database, "orders", "does not hold", comparison="reconciliation")
    assert guard(settings, database, NOW).done == ()
    assert "sales is retired and has regressed: reconciliation of orders" in sent[0].text


class TestFreshness:
    @pytest.fixture(params=["plain", "packed"])
    def arrived(self, settings, request):
        """Another orders file comes to landing, which was written long ago: a copy keeps that time."""
        path = settings.landing / "olist_orders_dataset.csv"
        content = path.read_bytes().replace(b"delivered", b"shipped", 1)
        path.unlink()
        if request.param == "packed":
            path = path.with_name(f"{path.name}.gz")
            content = gzip.compress(content)
        path.write_bytes(content)
        os.utime(path, (0, 0))
        return path.name, datetime.fromtimestamp(path.stat().st_ctime, UTC)

    def test_a_file_that_nobody_has_read_for_too_long_rolls_back(self, settings, database, sent, arrived):
        name, at = arrived
        [done] = guard(settings, database, at + timedelta(hours=27)).done
        assert f"{name} has been there since {at:%Y-%m-%d %H:%M}" in done.act.reason

    def test_a_file_that_has_just_come_may_wait(self, settings, database, sent, arrived):
        assert guard(settings, database, arrived[1] + timedelta(hours=25)).done == ()

    def test_an_old_file_that_was_read_is_fresh(self, settings, database, sent):
        for path in settings.landing.glob("*.csv"):
            os.utime(path, (0, 0))
        assert guard(settings, database, NOW).done == ()


@pytest.mark.parametrize(("table", "rolled_back"), [("fact_orders", True), ("dim_customer", False)])
def test_a_dashboard_query_that_fails_rolls_back_whose_new_table_it_reads(
    settings, database, sent, monkeypatch, table, rolled_back
):
    query = SimpleNamespace(sql=f"SELECT no_such_column FROM {table}", tables=frozenset({table}), defaults={})
    monkeypatch.setattr(release_checks, "dashboard_queries", lambda: {"revenue": query})
    done = guard(settings, database, NOW).done
    assert [one.act.changes[0].context for one in done] == (["sales"] if rolled_back else [])
    if rolled_back:
        assert "the dashboard query revenue fails" in done[0].act.reason
