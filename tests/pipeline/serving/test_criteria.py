"""The success criteria: what makes each green, its evidence, and since when."""

import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import duckdb
import pytest

from olist_pipeline.audit.stored import AuditCounts
from olist_pipeline.parity.html import Progress, html_report, write_report
from olist_pipeline.registry import CONTEXTS
from olist_pipeline.serving import criteria as scoring
from olist_pipeline.serving.criteria import RUNS, coverage, criteria
from olist_pipeline.serving.timeline import add_acts, timeline
from olist_pipeline.settings import CutoverRules
from olist_pipeline.stores import approvals, routes, verdicts
from olist_pipeline.stores.routes import Act, Change
from olist_pipeline.stores.run_history import Ended, Timing
from olist_pipeline.stores.verdicts import Verdict

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
COUNTED = AuditCounts({"sales": 10, "customer": 4}, {"sales": 10, "customer": 3}, {"customer": 1})


@pytest.fixture(autouse=True)
def counted(monkeypatch):
    monkeypatch.setattr(scoring, "audit_counts", lambda settings: COUNTED)


def assessed(settings):
    found = criteria(settings, settings.postgres_url, now=NOW)
    return {(one.name, one.context): one for one in found}


def verdict(is_green, comparison="parity", run="r1", **report):
    return Verdict("sales", "fact_orders", comparison, "identical", is_green, "s", report, run)


def test_nothing_measured_is_not_known_and_says_what_measures_it(settings):
    found = assessed(settings)
    for name, context in (("parity", "sales"), ("share of quarantine", "sales"), ("dashboards checked", "")):
        assert found[name, context].is_green is None
        assert "olist run" in found[name, context].evidence
    assert all(one.since == NOW for one in found.values())
    assert {context for _, context in found} == {"", *CONTEXTS}
    assert all(one.target and one.evidence for one in found.values())


def test_a_release_that_cannot_be_read_keeps_nobody_from_the_next(settings):
    for folder in (settings.serving / "current", settings.serving / "releases" / "00001"):
        folder.mkdir(parents=True)
        (folder / "manifest.json").write_bytes(b"{\x82")
    assert timeline(settings.serving, settings.postgres_url) == []
    dashboards = assessed(settings)["dashboards checked", ""]
    assert dashboards.is_green is False
    assert "no readable manifest.json" in dashboards.evidence


def test_logic_has_moved_where_all_of_it_has(settings):
    found = assessed(settings)
    assert (found["logic moved", "sales"].is_green, found["logic moved", "sales"].value) == (True, "100 %")
    assert (found["logic moved", "customer"].is_green, found["logic moved", "customer"].value) == (False, "75 %")
    assert found["CASE left in new", "sales"].is_green
    assert not found["CASE left in new", "customer"].is_green


def test_parity_and_streak_are_those_of_the_verdicts(settings):
    for number in range(3):
        verdicts.record(settings.postgres_url, verdict(True, run=f"r{number}"))
    found = assessed(settings)
    assert (found["parity", "sales"].is_green, found["parity", "sales"].value) == (True, "1 of 1 tables")
    assert (found["streak", "sales"].is_green, found["streak", "sales"].value) == (True, "3 runs")
    verdicts.record(settings.postgres_url, verdict(False, run="r9"))
    found = assessed(settings)
    assert not found["parity", "sales"].is_green
    assert "fact_orders" in found["parity", "sales"].evidence
    assert (found["streak", "sales"].is_green, found["streak", "sales"].value) == (False, "0 runs")


def test_quarantine_is_the_latest_share_with_its_history(settings):
    for run, quarantined in (("r1", 50), ("r2", 10)):
        said = verdict(True, "reconciliation", run, landing=1000, accepted=1000 - quarantined, quarantined=quarantined)
        verdicts.record(settings.postgres_url, said)
    found = assessed(settings)["share of quarantine", "sales"]
    assert (found.is_green, found.value) == (True, "1.00%")
    assert "2 runs 1.00% to 5.00%" in found.evidence
    strict = replace(settings, cutover=CutoverRules(quarantine_limit=0.005))
    assert not assessed(strict)["share of quarantine", "sales"].is_green


@pytest.mark.parametrize(("new", "is_green"), [(10.0, True), (10.1, False)])
def test_new_may_take_no_longer_than_old(new, is_green):
    timings = [Timing("r1", NOW, 10.0, 30.0), Timing("r2", NOW, 10.0, new)]
    found = scoring._speed(timings)
    assert found.is_green is is_green
    assert "2 runs 1.0" in found.evidence
    assert "3.00" in found.evidence


@pytest.mark.parametrize(
    ("latest", "before", "is_green"),
    [(0, 0, True), (1, 0, False), (1, 1, True), (2, 1, False), (0, 3, True)],
)
def test_the_error_rate_may_not_grow(latest, before, is_green):
    runs = [Ended(f"r{n}", "dual_run", NOW, n < latest or RUNS <= n < RUNS + before) for n in range(2 * RUNS)]
    found = scoring._errors(runs)
    assert found.is_green is is_green
    assert f"{latest} of the last {RUNS} runs failed" in found.evidence


class TestCoverage:
    def said(self, tmp_path, percent):
        report = {"totals": {"percent_covered": percent}, "meta": {"timestamp": "2026-03-01T10:00:00.1"}}
        (tmp_path / "c.json").write_text(json.dumps(report))
        return coverage(tmp_path / "c.json")

    @pytest.mark.parametrize(("percent", "is_green"), [(90.0, True), (89.9, False)])
    def test_ninety_percent_is_enough(self, tmp_path, percent, is_green):
        found = self.said(tmp_path, percent)
        assert found.is_green is is_green
        assert found.evidence == "measured 2026-03-01 10:00 by `make test`"

    def test_what_is_nearly_enough_does_not_read_as_enough(self, tmp_path):
        assert self.said(tmp_path, 89.96).value == "89.96 %"

    @pytest.mark.parametrize("text", [None, "", "{}", "[1]"])
    def test_without_a_measurement_it_is_not_known(self, tmp_path, text):
        if text is not None:
            (tmp_path / "c.json").write_text(text)
        assert coverage(tmp_path / "c.json").is_green is None


def act(number, action, context="sales", former="shadow", route="new", at=NOW):
    act_id = f"00000000-0000-0000-0000-00000000000{number}"
    return Act(act_id, action, (Change(context, former, route),), at.isoformat(), "ana", "all green")


class TestSince:
    @pytest.fixture
    def served(self, settings):
        """The release that is served, which tells of the criterion `route` of sales that it is red since a day."""
        folder = settings.serving / "current"
        folder.mkdir(parents=True)
        with duckdb.connect(str(folder / "serving.duckdb")) as connection:
            connection.execute("CREATE SCHEMA about")
            connection.execute(
                "CREATE TABLE about.migration_criteria AS SELECT 1 AS position, 'route' AS name, 'sales' AS context, "
                "false AS is_green, 'shadow' AS value, '' AS target, '' AS evidence, "
                "TIMESTAMPTZ '2026-01-01 00:00:00+00' AS since"
            )
            connection.execute(
                'CREATE TABLE about.migration_timeline ("at" TIMESTAMPTZ, what VARCHAR, context VARCHAR, "by" VARCHAR, '
                "why VARCHAR)"
            )
        from olist_pipeline.release_manifest import Release, write_manifest

        write_manifest(folder, Release(1, "2026-01-01T00:00:00+00:00", "r1", "f", "2018-10-17", {}, {}, {}))
        return folder / "serving.duckdb"

    def test_the_same_colour_keeps_its_day_and_another_begins_now(self, settings, served):
        assert assessed(settings)["route", "sales"].since == datetime(2026, 1, 1, tzinfo=UTC)
        assert assessed(settings)["route", "customer"].since == NOW
        routes.record(settings.postgres_url, [act(1, "cutover")])
        found = assessed(settings)["route", "sales"]
        assert (found.is_green, found.since) == (True, NOW)

    def test_a_switch_tells_the_act_in_the_release_that_it_makes(self, served):
        later = NOW + timedelta(hours=1)
        with duckdb.connect(str(served)) as connection:
            add_acts(connection, [act(1, "cutover", at=later)])
            [route] = connection.execute("SELECT value, is_green, since FROM about.migration_criteria").fetchall()
            assert route[:2] == ("new", True)
            assert route[2].astimezone(UTC) == later
            [said] = connection.execute('SELECT what, context, "by", why FROM about.migration_timeline').fetchall()
            assert said == ("cutover: shadow to new", "sales", "ana", "all green")

    def test_an_act_that_the_release_tells_already_is_not_added_again(self, settings, served):
        """A release is published with all acts, those that its run knew among them."""
        acts = [act(1, "cutover"), act(2, "rollback", former="new", route="old", at=NOW + timedelta(days=1))]
        routes.record(settings.postgres_url, acts)
        known = [
            (one.at, one.what, one.context, one.by, one.why)
            for one in timeline(settings.serving, settings.postgres_url)
        ]
        lifted = act(3, "acknowledge", former="old", route="old", at=NOW + timedelta(days=2))
        forced = replace(act(4, "cutover", at=NOW + timedelta(days=3)), overridden=("it is red",))
        with duckdb.connect(str(served)) as connection:
            connection.executemany("INSERT INTO about.migration_timeline VALUES (?, ?, ?, ?, ?)", known)
            for _ in range(2):
                add_acts(connection, [*acts, lifted, forced])
            shown = connection.execute('SELECT what, why FROM about.migration_timeline ORDER BY "at"').fetchall()
            [route] = connection.execute("SELECT value, is_green, since FROM about.migration_criteria").fetchall()
        assert shown == [
            ("cutover: shadow to new", "all green"),
            ("rollback: new to old", "all green"),
            ("acknowledge", "all green"),
            ("cutover: shadow to new", "all green (overruled: it is red)"),
        ]
        assert (route[0], route[1], route[2].astimezone(UTC)) == ("new", True, NOW + timedelta(days=3))

    def test_a_release_of_another_version_is_left_as_it_is(self):
        with duckdb.connect() as connection:
            add_acts(connection, [act(1, "cutover")])


def test_the_timeline_says_who_did_what_and_why_the_latest_first(settings):
    url = settings.postgres_url
    routes.record(url, [act(1, "cutover"), act(2, "rollback", former="new", route="old", at=NOW + timedelta(days=1))])
    given = approvals.approve(
        url,
        table="fact_orders",
        column="revenue",
        reason="rounded",
        until=NOW.date() + timedelta(days=9000),
        approved_by="eva",
        today=NOW.date(),
    )
    approvals.revoke(url, given.approval_id, revoked_by="ute")
    found = [(one.what.partition(",")[0], one.context, one.by) for one in timeline(settings.serving, url)]
    by_act = [one for one in found if one[1]]
    assert by_act == [("rollback: new to old", "sales", "ana"), ("cutover: shadow to new", "sales", "ana")]
    assert {("approval 1 of fact_orders.revenue", "", "eva"), ("approval 1 revoked", "", "ute")} <= set(found)


def test_the_report_of_a_run_takes_away_what_a_killed_one_left_of_its_own(tmp_path):
    left = tmp_path / ".parity-1.html.2.tmp"
    left.touch()
    os.utime(left, (0, 0))
    write_report(tmp_path / "parity-3.html", [], [], NOW.date(), Progress([], []))
    assert [path.name for path in tmp_path.iterdir()] == ["parity-3.html"]


def test_the_report_of_a_run_has_both(settings):
    found = criteria(settings, settings.postgres_url, now=NOW)
    happened = [{"at": NOW.isoformat(), "what": "cutover", "context": "sales", "by": "<ana>", "why": "all green"}]
    page = html_report([], [], NOW.date(), Progress([one.to_dict() for one in found], happened))
    assert "Scorecard" in page
    assert "75 %" in page
    assert "&lt;ana&gt;" in page
    assert "2026-03-01 12:00" in page
