"""Where the dashboards' queries cannot be run, nobody reads that they were."""

import sys
from datetime import UTC, datetime

import duckdb
import pytest
from click.testing import CliRunner

from olist_pipeline import alerts
from olist_pipeline.cli.releases import release as release_command
from olist_pipeline.cli.summary import print_summary
from olist_pipeline.errors import OlistError
from olist_pipeline.serving import release_checks, standby
from olist_pipeline.serving.cutover import cutover
from olist_pipeline.serving.guard import guard
from olist_pipeline.serving.release_checks import dashboard_queries, failing_queries
from olist_pipeline.serving.rollback import rollback
from tests.pipeline.serving.world import published, release_of, settings_of

SENTENCE = "the dashboards' queries cannot be checked, for the package dashboards cannot be imported"


@pytest.fixture
def no_package(monkeypatch):
    """The dashboards' package cannot be imported; what tests of toy releases ask instead is taken away."""
    monkeypatch.setattr(release_checks, "dashboard_queries", dashboard_queries)
    monkeypatch.setitem(sys.modules, "dashboards.queries", None)


@pytest.fixture
def settings(tmp_path):
    return settings_of(tmp_path)


def test_the_queries_are_those_of_the_package():
    from dashboards.queries import QUERIES

    assert dashboard_queries() is QUERIES


def test_tables_of_another_warehouse_are_not_asked_what_olist_would_ask(monkeypatch, tmp_path):
    monkeypatch.setattr(release_checks, "dashboard_queries", dashboard_queries)
    (tmp_path / "migration.yml").write_text(
        "{version: 1, contexts: contexts, old: {project: shop}, landing: {variable: d}, new: {project: new}}"
    )
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE fact_orders (order_id INTEGER, amount DECIMAL(9, 2))")
        assert failing_queries(connection)
        monkeypatch.setenv("OLIST_MIGRATION", str(tmp_path / "migration.yml"))
        assert failing_queries(connection) == []
    assert all(table.startswith("about.") for query in dashboard_queries().values() for table in query.tables)
    assert dashboard_queries()


def test_the_release_and_its_command_say_so(settings, no_package, monkeypatch):
    monkeypatch.setenv("OLIST_HOME", str(settings.home))
    made = published(settings)
    assert SENTENCE in made.unchecked[0]
    assert release_of(settings).unchecked == made.unchecked
    result = CliRunner().invoke(release_command, ["verify", str(made.number)])
    assert result.exit_code == 1
    assert SENTENCE in result.output


def test_the_summary_of_a_run_says_so(settings, no_package, capsys):
    from dataclasses import asdict

    from rich.console import Console

    made = asdict(published(settings))
    counts = ("tables", "too_much_rejected", "quarantined_by_rule", "flagged_by_rule")
    figures: dict[str, object] = {name: [] for name in counts} | {
        "events": {"recorded": {}, "in_store": {}},
        "seconds": {},
        "routes": {"sales": "retired", "customer": "new"},
        "release": made,
        "parity": [
            {"context": context, "table": f"of_{context}", "verdict": "identical", "why": ""}
            for context in ("sales", "customer")
        ],
    }
    print_summary(Console(width=400), figures)
    said = capsys.readouterr().out
    assert f"Not checked: {SENTENCE}" in said
    assert "of_customer" in said
    assert "of_sales" not in said, "what is retired was not compared"


def test_a_cutover_that_somebody_forces_says_so_in_its_release(settings, no_package):
    published(settings)
    with pytest.raises(OlistError, match=SENTENCE):
        cutover(settings, "sales", lambda release: release_checks.unchecked(), by="me", reason="")
    done = cutover(settings, "sales", lambda release: release_checks.unchecked(), by="me", reason="needed", force=True)
    assert any(SENTENCE in overruled for overruled in done.act.overridden)
    assert SENTENCE in release_of(settings).unchecked[0]


def test_a_standby_that_was_not_checked_is_not_taken_once_it_can_be(settings, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(release_checks, "dashboard_queries", dashboard_queries)
        patch.setitem(sys.modules, "dashboards.queries", None)
        published(settings)
        assert "sales" in standby.prepare(settings.serving)
    cutover(settings, "sales", lambda release: [], by="me", reason="proven")
    assert release_of(settings).unchecked == ()


def test_the_guard_is_red_and_takes_nothing_back(settings, no_package, database, monkeypatch):
    sent = []
    monkeypatch.setattr(alerts, "send", lambda settings, alert: sent.append(alert))
    published(settings)
    assert guard(settings, database, datetime.now(UTC)).problems == (), "nothing is served from new yet"
    cutover(settings, "sales", lambda release: [], by="me", reason="proven", force=True)
    guarded = guard(settings, database, datetime.now(UTC))
    assert SENTENCE in guarded.problems[0]
    assert "sales" in guarded.problems[0]
    assert guarded.done == ()
    assert [alert.kind for alert in sent] == ["guard_blind"]


def test_a_rollback_works_all_the_same(settings, no_package):
    published(settings)
    cutover(settings, "sales", lambda release: [], by="me", reason="proven", force=True)
    rollback(settings, "sales", by="me", reason="a doubt")
    assert release_of(settings).routes["sales"] == "old"
