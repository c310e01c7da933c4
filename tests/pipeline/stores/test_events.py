"""The event store: append-only, idempotent, numbered, and readable while it is written."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from olist_pipeline.errors import OlistError
from olist_pipeline.stores import appending, events
from olist_pipeline.stores.postgres import query, transaction
from tests.pipeline.event_rows import append, batch, event, frame

CLEAR = """
SET LOCAL session_replication_role = replica;
TRUNCATE event_store.domain_events, event_store.batches
"""


def versions(url, aggregate="o1"):
    return [
        (row["event_type"], row["version"])
        for row in events.find(url, aggregate_id=aggregate, event_type=None, limit=99)
    ]


def test_events_are_numbered_in_their_order(database):
    assert append(database, frame(event(), event(kind="OrderApproved", second=1)), "r1") == 2
    assert append(database, frame(event(kind="OrderShipped", second=2)), "r2") == 1
    assert versions(database) == [("OrderPlaced", 1), ("OrderApproved", 2), ("OrderShipped", 3)]


def test_appending_again_appends_nothing(database):
    first = frame(event(), event("o2"))
    assert append(database, first, "r1") == 2
    assert append(database, first, "r2") == 0
    assert events.count_by_type(database, ["r2"]).recorded == {}
    assert events.count_by_type(database).in_store == {"OrderPlaced": 2}


def test_other_content_is_another_event(database):
    append(database, frame(event()), "r1")
    assert append(database, frame(event(payload='{"a": 2}'), event(second=5)), "r2") == 2
    assert [version for _, version in versions(database)] == [1, 2, 3]


def test_the_same_event_twice_in_one_batch_is_one(database):
    assert append(database, frame(event(), event()), "r1") == 1


def test_a_unit_that_grows_keeps_what_it_has(database):
    append(database, frame(event(), event("o2")), "r1")
    assert append(database, frame(event(), event(kind="OrderApproved"), event("o3")), "r2") == 2
    assert versions(database) == [("OrderPlaced", 1), ("OrderApproved", 2)]
    assert query(database, "SELECT count(*) AS units FROM event_store.units") == [{"units": 1}]


def test_an_aggregate_that_moves_to_another_unit_goes_on_there(database):
    append(database, frame(event(), event("o2")), "r1", unit="2018-01")
    append(database, frame(event("o9")), "r1", unit="2018-02")
    assert append(database, frame(event(), event(kind="OrderApproved"), event("o9")), "r2", unit="2018-02") == 1
    assert append(database, frame(event(), event(kind="OrderShipped")), "r3", unit="2018-01") == 1
    assert versions(database) == [("OrderPlaced", 1), ("OrderApproved", 2), ("OrderShipped", 3)]


def test_an_aggregate_of_several_units_is_numbered_over_all_of_them(database):
    rows = frame(event(), event(kind="B"), event(kind="C"), event(kind="D"), event("o2"))
    units = [rows[[1, 3, 4]], rows[[0, 2, 3]]]
    assert appending.append(database, "sales", [batch(part, f"{n}") for n, part in enumerate(units)], "r1") == 5
    found = query(database, "SELECT event_type, version FROM event_store.domain_events WHERE aggregate_id = 'o1'")
    assert {row["event_type"]: row["version"] for row in found} == {"OrderPlaced": 1, "B": 2, "C": 3, "D": 4}


def test_what_an_earlier_program_appended_is_not_appended_again(database):
    with transaction(database) as connection:
        connection.cursor().execute(
            "INSERT INTO event_store.domain_events (event_id, event_type, context, aggregate_type, aggregate_id,"
            " version, payload, occurred_at, run_id) VALUES (%s, 'OrderPlaced', 'sales', 'order', 'o1', 1,"
            """ '{"a": 1}', '2018-01-01', 'old')""",
            [batch(frame(event())).events.collect()["event_id"][0]],
        )
    assert append(database, frame(event(), event(kind="OrderApproved"), event("o2")), "r1") == 2
    assert versions(database) == [("OrderPlaced", 1), ("OrderApproved", 2)]


def test_nothing_is_left_of_a_writer_that_was_killed(database, monkeypatch):
    batches = [batch(frame(event(f"o{n}"), event(f"o{n}", "OrderApproved")), f"2018-0{n}") for n in (1, 2, 3, 4)]

    class Killed(BaseException):
        pass

    for step in ("_unshared", "_write", "_begun"):
        original = getattr(appending._Store, step)
        calls = iter([False, True, True])

        def die(*arguments, original=original, calls=calls):
            done = original(*arguments)
            if next(calls):
                raise Killed
            return done

        with monkeypatch.context() as patch:
            patch.setattr(appending._Store, step, die)
            with pytest.raises(Killed):
                appending.append(database, "sales", batches, "killed")
        tables = query(database, "SELECT count(*) AS parts FROM pg_tables WHERE tablename ~ '^events_[1-9]'")
        assert tables == query(database, "SELECT count(*) AS parts FROM event_store.units")
        batches = batches[::-1]
    assert appending.append(database, "sales", batches, "r1") == 2
    assert [versions(database, f"o{n}") for n in (1, 2, 3, 4)] == [[("OrderPlaced", 1), ("OrderApproved", 2)]] * 4


def test_readers_find_events_by_aggregate_by_type_and_in_the_order_of_appending(database):
    append(database, frame(event("o2"), event("o1", "OrderApproved")), "r1", unit="2018-02")
    append(database, frame(event("o1")), "r2", unit="2018-01")
    found = events.find(database, aggregate_id=None, event_type="OrderPlaced", limit=9)
    assert events.number_of(database, aggregate_id=None, event_type="OrderPlaced") == len(found)
    assert events.number_of(database, aggregate_id=None, event_type="Nothing") == 0
    assert [(row["aggregate_id"], row["run_id"]) for row in found] == [("o2", "r1"), ("o1", "r2")]
    assert versions(database, "o1") == [("OrderApproved", 1), ("OrderPlaced", 2)]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE event_store.events_1 SET version = 9",
        "DELETE FROM event_store.events_1",
        "TRUNCATE event_store.events_1",
        "UPDATE event_store.domain_events SET version = 9",
        "DELETE FROM event_store.domain_events",
        "TRUNCATE event_store.domain_events",
    ],
)
def test_the_database_refuses_to_change_the_past(database, change):
    append(database, frame(event()), "r1")
    with pytest.raises(OlistError, match="append-only"), transaction(database) as connection:
        connection.cursor().execute(change)
    assert versions(database) == [("OrderPlaced", 1)]


def test_writers_of_one_aggregate_do_not_lose_or_double_events(database):
    batches = [frame(*(event(second=s, kind=f"K{n}") for s in range(5))) for n in range(6)]
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda batch: append(database, batch, "r"), batches))
    assert sorted(version for _, version in versions(database)) == list(range(1, 31))


def until(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_events_of_units_that_share_nothing_are_stored_while_others_are_made(database):
    def made():
        for n in range(1, 4):
            yield batch(frame(event(f"o{n}"), event(f"o{n}", "OrderApproved")), f"2018-0{n}")
            until(lambda n=n: len(versions(database, f"o{n}")) == 2)

    assert appending.append(database, "sales", made(), "r1", are_apart=True) == 6
    assert appending.append(database, "sales", made(), "r2", are_apart=True) == 0


@pytest.mark.parametrize(("most", "together"), [(1, 1), (4, 2)])
def test_batches_are_stored_together_as_far_as_there_is_room_for_their_events(database, monkeypatch, most, together):
    monkeypatch.setattr(appending, "MOST_EVENTS", most)
    store = appending._Store._append
    at_work: list[appending.Batch] = []
    seen: list[int] = []

    def watched(self, connection, stored, shared):
        at_work.append(stored)
        if together > 1 and not seen:
            until(lambda: len(at_work) == together)
        time.sleep(0.02)
        seen.append(len(at_work))
        found = store(self, connection, stored, shared)
        at_work.remove(stored)
        return found

    monkeypatch.setattr(appending._Store, "_append", watched)
    made = [batch(frame(event(f"o{n}"), event(f"o{n}", "OrderApproved")), f"2018-0{n}") for n in range(1, 4)]
    assert appending.append(database, "sales", made, "r1", are_apart=True) == 6
    assert max(seen) == together


@pytest.mark.parametrize("are_apart", [True, False])
def test_where_the_next_events_cannot_be_made_running_again_appends_the_rest(database, are_apart):
    batches = [batch(frame(event(f"o{n}")), f"2018-0{n}") for n in (1, 2, 3)]

    def failing():
        yield from batches[:2]
        raise OlistError("The disk is full.")

    with pytest.raises(OlistError, match="The disk is full"):
        appending.append(database, "sales", failing(), "r1", are_apart=are_apart)
    appending.append(database, "sales", iter(batches), "r2", are_apart=are_apart)
    assert events.count_by_type(database).in_store == {"OrderPlaced": 3}


def test_waiting_too_long_for_another_writer_is_one_sentence(database, monkeypatch):
    monkeypatch.setattr(appending, "WRITER_SECONDS", 0.1)
    with (
        appending._sole_writer(database, "sales"),
        pytest.raises(OlistError, match="Another process has been appending events of sales"),
    ):
        append(database, frame(event()), "r1")
    assert append(database, frame(event()), "r2") == 1


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
        append(database, frame(event()), "fast")
        assert query(database, below) == [], "the fast event waits for the slow writer"
    assert [row["event_type"] for row in query(database, below)] == ["Slow", "OrderPlaced"]


@given(order=st.permutations(range(6)), cuts=st.lists(st.integers(0, 6), max_size=3))
@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
def test_replaying_any_cut_of_the_history_gives_the_same_events(database, order, cuts):
    with transaction(database) as connection:
        connection.cursor().execute(CLEAR)
    history = [event(kind=f"K{n}", second=n) for n in range(6)]
    for cut in [*cuts, 6]:
        append(database, frame(*(history[n] for n in order if n < cut)), "r")
    found = versions(database)
    assert {kind for kind, _ in found} == {f"K{n}" for n in range(6)}
    assert [version for _, version in found] == list(range(1, 7))


def test_autovacuum_finds_nothing_to_do_in_a_partition_until_it_grows(database):
    append(database, frame(*(event(f"o{n}") for n in range(2500))), "r1")
    [row] = query(
        database,
        "SELECT reloptions, reltuples FROM pg_class JOIN event_store.units"
        " ON oid = format('event_store.events_%%s', unit)::regclass",
        {},
    )
    assert row["reltuples"] == 2500
    assert row["reloptions"] == ["autovacuum_analyze_threshold=3500", "autovacuum_vacuum_insert_threshold=3500"]
