"""Verdicts: how many runs in a row a context has been green."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from olist_pipeline.stores import routes
from olist_pipeline.stores.routes import Act, Change
from olist_pipeline.stores.verdicts import RECENT_RUNS, Verdict, latest, record, streaks

TABLES = (("reconciliation", "orders"), ("parity", "fact_orders"))


@pytest.fixture
def record_run(database):
    def record_one(run_id, *, red=(), tables=TABLES, context="sales"):
        for comparison, table in tables:
            is_green = table not in red
            verdict = "holds" if is_green else "differs"
            record(database, Verdict(context, table, comparison, verdict, is_green, "s", {}, run_id))

    return record_one


def test_nothing_is_known_of_a_context_without_verdicts(database):
    assert streaks(database) == {}


def test_green_runs_count_since_the_last_red_one(database, record_run):
    for number, red in enumerate([(), ("fact_orders",), (), ()]):
        record_run(f"r{number}", red=red)
    assert streaks(database) == {"sales": 2}


@pytest.mark.parametrize("red", ["orders", "fact_orders"])
def test_one_red_verdict_of_either_comparison_ends_it(database, record_run, red):
    record_run("r1")
    record_run("r2", red=[red])
    assert streaks(database) == {"sales": 0}


def test_contexts_are_counted_apart(database, record_run):
    record_run("r1")
    record_run("r1", context="customer", red=["orders"])
    record_run("r2", context="customer")
    assert streaks(database) == {"sales": 1, "customer": 1}


def test_a_run_over_a_part_does_not_count_but_may_end_the_streak(database, record_run):
    record_run("r1")
    record_run("r2", tables=TABLES[:1])
    assert streaks(database) == {"sales": 1}
    record_run("r3", tables=TABLES[:1], red=["orders"])
    assert streaks(database) == {"sales": 0}


def test_a_table_that_is_no_longer_compared_is_forgotten(database, record_run):
    record_run("r0")
    for number in range(1, RECENT_RUNS + 1):
        record_run(f"r{number}", tables=TABLES[:1])
    assert streaks(database) == {"sales": RECENT_RUNS + 1}


def test_a_table_that_was_red_and_then_green_in_one_run_was_red(database, record_run):
    record_run("r1", red=["orders"])
    record_run("r1")
    assert streaks(database) == {"sales": 0}


def test_a_verdict_on_some_months_is_not_the_latest_on_the_table_and_counts_for_no_streak(database, record_run):
    record_run("r1")
    part = Verdict("sales", "fact_orders", "parity", "identical", True, "s", {}, "r2", months="2018-03")
    record(database, part)
    assert latest(database, "parity")[("sales", "fact_orders")].run_id == "r1"
    assert streaks(database) == {"sales": 1}
    record(database, replace(part, is_green=False, run_id="r3"))
    assert streaks(database) == {"sales": 0}


@pytest.fixture
def act(database):
    """Record an act on sales, `ahead` of now as the clock of its machine says."""

    def record_act(action, former, route, ahead=timedelta()):
        at = (datetime.now(UTC) + ahead).isoformat()
        routes.record(
            database, [Act(str(uuid4()), action, (Change("sales", former, route),), at, "me", "because", release=1)]
        )

    return record_act


def test_a_rollback_under_a_clock_that_went_ahead_does_not_end_all_streaks_to_come(database, record_run, act):
    record_run("r1")
    act("rollback", "new", "old", ahead=timedelta(days=40_000))
    assert streaks(database) == {"sales": 0}
    act("shadow", "old", "shadow")
    assert streaks(database) == {"sales": 0}
    record_run("r2")
    assert streaks(database) == {"sales": 1}


def test_a_rollback_begins_the_streak_anew(database, record_run, act):
    for run in ("r1", "r2"):
        record_run(run)
    act("cutover", "shadow", "new")
    assert streaks(database) == {"sales": 2}
    act("rollback", "new", "old")
    assert streaks(database) == {"sales": 0}
    act("shadow", "old", "shadow")
    assert streaks(database) == {"sales": 0}
    record_run("r2")  # a run that began before the rollback
    assert streaks(database) == {"sales": 0}
    record_run("r3")
    assert streaks(database) == {"sales": 1}


def test_a_report_holds_whatever_was_compared(database):
    """PostgreSQL has neither NaN nor the character NUL in JSON; a run must not end at what one cell holds."""
    report = {"largest": float("nan"), "moved": [float("-inf")], "old": "a\0b", "new": "a\\u0000b"}
    record(database, Verdict("sales", "fact_orders", "parity", "differs", False, "s", report, "r1"))
    assert latest(database, "parity")["sales", "fact_orders"].report == {
        "largest": "NaN", "moved": ["-Infinity"], "old": "a\ufffdb", "new": "a\\u0000b",
    }  # fmt: skip
