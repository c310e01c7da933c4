"""The event store: append-only, idempotent, numbered, and readable while it is written."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import polars as pl
import psycopg2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from olist_pipeline.stores import events
from olist_pipeline.stores.postgres import query, transaction


def event(aggregate="o1", kind="OrderPlaced", payload='{"a": 1}', second=0):
    return {
        "event_type": kind,
        "context": "sales",
        "aggregate_type": "order",
        "aggregate_id": aggregate,
        "payload": payload,
        "occurred_at": datetime(2018, 1, 1, 0, 0, second),
    }


CLEAR = """
SET LOCAL session_replication_role = replica;
TRUNCATE event_store.domain_events, event_store.batches
"""


def frame(*rows):
    return pl.DataFrame(list(rows) or None, schema_overrides={"occurred_at": pl.Datetime("us")})


def versions(url, aggregate="o1"):
    return [
        (row["event_type"], row["version"])
        for row in events.find(url, aggregate_id=aggregate, event_type=None, limit=99)
    ]


def test_events_are_numbered_in_their_order(database):
    assert events.append(database, frame(event(), event(kind="OrderApproved", second=1)), "r1") == 2
    assert events.append(database, frame(event(kind="OrderShipped", second=2)), "r2") == 1
    assert versions(database) == [("OrderPlaced", 1), ("OrderApproved", 2), ("OrderShipped", 3)]


def test_appending_again_appends_nothing(database):
    first = frame(event(), event("o2"))
    assert events.append(database, first, "r1") == 2
    assert events.append(database, first, "r2") == 0
    assert events.count_by_type(database, ["r2"]) == {}
    assert events.count_by_type(database) == {"OrderPlaced": 2}


def test_the_order_of_keys_in_a_payload_does_not_make_another_event(database):
    events.append(database, frame(event(payload='{"a": 1, "b": 2}')), "r1")
    assert events.append(database, frame(event(payload='{"b":2,"a":1}')), "r2") == 0


def test_other_content_is_another_event(database):
    events.append(database, frame(event()), "r1")
    assert events.append(database, frame(event(payload='{"a": 2}'), event(second=5)), "r2") == 2
    assert [version for _, version in versions(database)] == [1, 2, 3]


def test_the_same_event_twice_in_one_batch_is_one(database):
    assert events.append(database, frame(event(), event()), "r1") == 1


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE event_store.domain_events SET version = 9",
        "DELETE FROM event_store.domain_events",
        "TRUNCATE event_store.domain_events",
    ],
)
def test_the_database_refuses_to_change_the_past(database, change):
    events.append(database, frame(event()), "r1")
    with pytest.raises(psycopg2.errors.RaiseException, match="append-only"), transaction(database) as connection:
        connection.cursor().execute(change)
    assert versions(database) == [("OrderPlaced", 1)]


def test_writers_of_one_aggregate_do_not_lose_or_double_events(database):
    batches = [frame(*(event(second=s, kind=f"K{n}") for s in range(5))) for n in range(6)]
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda batch: events.append(database, batch, "r"), batches))
    assert sorted(version for _, version in versions(database)) == list(range(1, 31))


def test_a_tailing_reader_misses_nothing_of_a_slow_writer(database):
    """A reader that stops below the oldest running transaction sees a late commit when its turn comes."""
    below = (
        "SELECT event_type FROM event_store.domain_events "
        "WHERE transaction_id < pg_snapshot_xmin(pg_current_snapshot()) ORDER BY transaction_id, position"
    )
    with transaction(database) as slow:
        slow.cursor().execute(
            "INSERT INTO event_store.domain_events (event_id, event_type, context, aggregate_type, aggregate_id, "
            "version, payload, occurred_at, run_id) "
            "VALUES (gen_random_uuid(), 'Slow', 'c', 'a', 'x', 1, '{}', now(), 'r')"
        )
        events.append(database, frame(event()), "fast")
        assert query(database, below) == [], "the fast event waits for the slow writer"
    assert [row["event_type"] for row in query(database, below)] == ["Slow", "OrderPlaced"]


@given(order=st.permutations(range(6)), cuts=st.lists(st.integers(0, 6), max_size=3))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_replaying_any_cut_of_the_history_gives_the_same_events(database, order, cuts):
    with transaction(database) as connection:
        connection.cursor().execute(CLEAR)
    history = [event(kind=f"K{n}", second=n) for n in range(6)]
    for cut in [*cuts, 6]:
        events.append(database, frame(*(history[n] for n in order if n < cut)), "r")
    found = versions(database)
    assert {kind for kind, _ in found} == {f"K{n}" for n in range(6)}
    assert [version for _, version in found] == list(range(1, 7))
