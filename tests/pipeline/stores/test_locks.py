"""Statements that wait: how long, and what a person reads of the one who lets them wait."""

import threading
import time
from contextlib import closing, contextmanager
from datetime import date, timedelta

import psycopg2
import pytest

from olist_pipeline.errors import OlistError
from olist_pipeline.stores import approvals, locks, postgres, routes, server_errors
from tests.patience import wait_for

TODAY = date(2026, 1, 1)
TOMORROW = TODAY + timedelta(days=1)


@pytest.fixture(scope="module", autouse=True)
def impatient():
    """Nobody has five seconds here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(server_errors, "LOCK_SECONDS", 0.6)
        patch.setattr(locks, "LOOK_SECONDS", 0.1)
        time.sleep(1.6)  # the thread's present sleep may be of the usual length
        yield


@contextmanager
def open_elsewhere(url, *statements):
    with closing(psycopg2.connect(url, application_name="nightly dump")) as connection:
        for statement in statements:
            connection.cursor().execute(statement)
        yield connection.get_backend_pid()


def act(number=1):
    change = routes.Change("sales", "shadow", "new")
    return routes.Act(f"00000000-0000-0000-0000-00000000000{number}", "cutover", (change,), "2026-01-01", "me", "so")


def test_who_waits_reads_for_what_whose_it_is_since_when_and_what_to_do(database):
    with open_elsewhere(database, "LOCK TABLE migration.routes") as holder, pytest.raises(OlistError) as raised:
        routes.record(database, [act()])
    said = str(raised.value)
    for words in (
        "A lock was not free in time",
        "nightly dump",
        f"process {holder} of the role",
        "the table migration.routes",
        " since 20",
        "`LOCK TABLE migration.routes`",
        f"pg_terminate_backend({holder})",
        "run again",
    ):
        assert words in said
    assert "\n" not in said


def test_a_row_that_somebody_changes_is_waited_for_too(database):
    routes.record(database, [act()])
    given = approvals.approve(
        database, table="t", column="c", reason="so", until=TOMORROW, approved_by="me", today=TODAY
    )
    with (
        open_elsewhere(database, "UPDATE migration.approvals SET reason = 'other'") as holder,
        pytest.raises(OlistError, match=f"process {holder} .*a row that it has changed"),
    ):
        approvals.revoke(database, given.approval_id, revoked_by="me")


def test_one_who_waits_himself_is_not_the_one_to_end(database):
    with (
        open_elsewhere(database, "SELECT 1 FROM migration.routes") as reader,
        closing(psycopg2.connect(database, async_=False)) as waiting,
    ):
        thread = in_background(waiting, "LOCK TABLE migration.routes")
        try:
            with pytest.raises(OlistError, match=rf"itself waits for process {reader}; .*backend\({reader}\)"):
                routes.record(database, [act()])
        finally:
            waiting.cancel()
            thread.join()


def test_a_reader_lets_nobody_wait(database):
    with open_elsewhere(database, "SELECT 1 FROM migration.routes", "SELECT 1 FROM migration.route_history"):
        assert routes.record(database, [act()]) == 1


def test_a_statement_that_takes_too_long_ends_in_a_sentence(database):
    slow = postgres.with_options(database, {"statement_timeout": "100ms"})
    with pytest.raises(OlistError, match=r"ended a statement \(canceling statement due to statement timeout\)"):
        postgres.query(slow, "SELECT pg_sleep(5)")


def in_background(connection, statement):
    def act():
        with pytest.raises(psycopg2.errors.QueryCanceled):
            connection.cursor().execute(statement)

    thread = threading.Thread(target=act)
    thread.start()
    wait_for(lambda: waits(connection), "the statement to wait", 5)
    return thread


def waits(connection):
    with closing(psycopg2.connect(connection.dsn)) as other, other.cursor() as cursor:
        cursor.execute("SELECT pg_blocking_pids(%s) <> '{}'", [connection.get_backend_pid()])
        [(is_blocked,)] = cursor.fetchall()
    return is_blocked
