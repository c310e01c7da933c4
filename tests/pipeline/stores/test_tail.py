"""The tail of the event store: whoever reads on from a place sees each event once, whoever writes and however late."""

import random
import re
import threading
from contextlib import closing

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from olist_pipeline.errors import OlistError
from olist_pipeline.settings import PROJECT_DIR
from olist_pipeline.stores import tail
from olist_pipeline.stores.postgres import connect, query, transaction
from tests.pipeline.event_rows import append as append_unit
from tests.pipeline.event_rows import event, frame

INSERT = (
    "INSERT INTO event_store.domain_events (event_id, event_type, context, aggregate_type, aggregate_id, version, "
    "payload, occurred_at, run_id) VALUES (gen_random_uuid(), %s, 'sales', 'order', %s, %s, '{\"a\": 1}', now(), 'r')"
)
[CATCH_UP] = re.findall(
    r"^DO \$\$.*?END \$\$;$", (PROJECT_DIR / "docs" / "postgres.md").read_text("utf-8"), re.DOTALL | re.MULTILINE
)
EMPTY = "SET LOCAL session_replication_role = replica; TRUNCATE event_store.domain_events"


def append(url, *rows):
    """Append events, given as type, aggregate and version, in one transaction."""
    with transaction(url) as connection, connection.cursor() as cursor:
        for row in rows:
            cursor.execute(INSERT, row)


def left_after(url, place):
    """Return how many events there are after a place; some may have to wait for a transaction of somebody else's."""
    after = "(transaction_id, position) > (%s::text::xid8, %s)"
    [row] = query(url, f"SELECT count(*) AS events FROM event_store.domain_events WHERE {after}", [*place])
    return row["events"]


def read_all(url, after=tail.START, wanted=tail.EVERYTHING, limit=tail.LIMIT):
    """Return the types of all events after a place, and the place where reading ended."""
    found = []
    with closing(connect(url)) as connection:
        while True:
            part = tail.read(connection, after, wanted, limit)
            connection.rollback()
            found += [one["event_type"] for one in part.events]
            if part.end == after:
                return found, after
            after = part.end


@pytest.mark.parametrize("limit", [1, 2, 1000])
def test_slices_of_any_size_are_the_whole_in_its_order(database, limit):
    append(database, ("A", "o1", 1), ("B", "o2", 1))
    append(database, ("C", "o1", 2))
    found, end = read_all(database, limit=limit)
    assert found == ["A", "B", "C"]
    assert read_all(database, end) == ([], end)
    append(database, ("D", "o1", 3))
    assert read_all(database, end)[0] == ["D"]


def test_an_event_is_whole_and_knows_its_place(database):
    append(database, ("A", "o1", 1), ("B", "o1", 2))
    with closing(connect(database)) as connection:
        first, second = tail.read(connection, tail.START).events
        assert tail.read(connection, first["checkpoint"]).events == [second]
    assert (first["payload"], first["aggregate_id"], first["version"]) == ({"a": 1}, "o1", 1)
    assert tail.checkpoint_of(str(first["checkpoint"])) == first["checkpoint"]


def test_a_late_commit_is_read_in_its_turn_though_its_position_is_lower(database):
    with transaction(database) as slow:
        slow.cursor().execute(INSERT, ("Slow", "x", 1))
        append(database, ("Fast", "o1", 1))
        assert read_all(database)[0] == [], "the fast one waits, or the slow one would come behind the reader"
    assert read_all(database)[0] == ["Slow", "Fast"]


def test_a_position_that_was_taken_early_and_committed_late_is_not_passed_over(database):
    """The other way round: the later transaction has the lower position."""
    with transaction(database) as early, transaction(database) as late:
        early.cursor().execute("SELECT pg_current_xact_id()")
        late.cursor().execute(INSERT, ("Late", "x", 1))
        late.commit()
        early.cursor().execute(INSERT, ("Early", "y", 1))
        early.commit()
    assert read_all(database)[0] == ["Early", "Late"]
    rows = query(database, "SELECT event_type, position FROM event_store.domain_events")
    positions = {row["event_type"]: row["position"] for row in rows}
    assert positions["Late"] < positions["Early"]


def test_what_is_undone_is_never_read(database):
    with closing(connect(database)) as connection:
        connection.cursor().execute(INSERT, ("Undone", "x", 1))
        connection.rollback()
    append(database, ("A", "o1", 1))
    assert read_all(database)[0] == ["A"]


def test_a_reader_that_wants_little_comes_on_as_far_as_one_that_wants_all(database):
    append(database, *((f"K{n % 2}", f"o{n % 3}", n) for n in range(1, 13)))
    everything, end = read_all(database)
    one_type = read_all(database, wanted=tail.Wanted(event_type="K1"), limit=5)
    one_order = read_all(database, wanted=tail.Wanted(aggregate_id="o2"), limit=5)
    nothing = read_all(database, wanted=tail.Wanted(aggregate_id="o9"), limit=5)
    assert one_type == ([kind for kind in everything if kind == "K1"], end)
    assert (len(one_order[0]), one_order[1]) == (4, end)
    assert nothing == ([], end)


def test_the_present_is_before_what_is_still_running(database):
    append(database, ("Before", "o1", 1))
    with transaction(database) as running:
        running.cursor().execute(INSERT, ("Running", "x", 1))
        with closing(connect(database)) as connection:
            place = tail.present(connection)
    append(database, ("After", "o1", 2))
    assert read_all(database, place)[0] == ["Running", "After"]


@given(writers=st.lists(st.lists(st.integers(1, 3), min_size=1, max_size=3), min_size=1, max_size=4), data=st.data())
@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
def test_however_transactions_overlap_readers_between_any_two_steps_miss_and_repeat_nothing(database, writers, data):
    """Each writer appends in some steps, then commits; a reader looks after every step, with slices of one or two."""
    with transaction(database) as connection:
        connection.cursor().execute(EMPTY)
    steps = [(number, step) for number, sizes in enumerate(writers) for step in [*sizes, None]]
    order = data.draw(st.permutations([number for number, _ in steps]))
    open_ones = {number: (connect(database), iter([*sizes, None])) for number, sizes in enumerate(writers)}
    written, seen, place = [], [], tail.START
    for turn, number in enumerate(order):
        connection, rest = open_ones[number]
        if (events := next(rest)) is None:
            connection.commit()
            connection.close()
        else:
            for version in range(events):
                name = f"{number}-{turn}-{version}"
                connection.cursor().execute(INSERT, (name, f"{number}", turn * 10 + version + 1))
                written.append(name)
        found, place = read_all(database, place, limit=1 + turn % 2)
        seen += found
    assert sorted(seen) == sorted(written)
    for number in open_ones:
        mine = [name for name in seen if name.startswith(f"{number}-")]
        assert mine == [name for name in written if name.startswith(f"{number}-")], "in a writer's own order"


def test_writers_at_full_speed_and_shares_read_by_several(database):
    stop = threading.Event()
    seen: list[list[str]] = [[], [], []]

    def write(number):
        chance = random.Random(number)
        for version in range(1, 31):
            append(database, *((f"W{number}", f"o{number}-{n}", version) for n in range(chance.randrange(1, 4))))

    def follow(share):
        place = tail.START
        with closing(connect(database)) as connection:
            while True:
                was_stopped = stop.is_set()
                part = tail.read(connection, place, tail.Wanted(share=share, shares=3), 7)
                connection.rollback()
                seen[share] += [one["event_id"] for one in part.events]
                place = part.end
                if was_stopped and not left_after(database, place):
                    return

    def write_units():
        """Each unit is a partition that comes to be, filled, with the commit of its events."""
        for unit in range(6):
            rows = frame(*(event(f"u{unit}-{n}", second=second) for n in range(5) for second in range(3)))
            append_unit(database, rows, "r", unit=f"unit {unit}")

    writers = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    writers.append(threading.Thread(target=write_units))
    readers = [threading.Thread(target=follow, args=(share,)) for share in range(3)]
    for thread in [*readers, *writers]:
        thread.start()
    for thread in writers:
        thread.join()
    stop.set()
    for thread in readers:
        thread.join()
    there = [row["event_id"] for row in query(database, "SELECT event_id::text FROM event_store.domain_events")]
    assert sorted(one for share in seen for one in share) == sorted(there)
    assert query(database, "SELECT count(*) AS units FROM event_store.units") == [{"units": 6}]
    assert all(seen)


def test_a_restored_store_is_not_followed_until_its_server_has_caught_up(database):
    [row] = query(database, "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint + 50 AS ahead")
    with transaction(database) as connection:
        append_ahead = INSERT.replace("run_id)", "run_id, transaction_id)").replace("'r')", f"'r', '{row['ahead']}')")
        connection.cursor().execute(append_ahead, ("Restored", "x", 1))
        with pytest.raises(OlistError, match="restored from a server that had come to transaction"):
            tail.require_own_numbers(connection)
    with closing(connect(database)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute(CATCH_UP)
        tail.require_own_numbers(connection)
    append(database, ("New", "o1", 1))
    assert read_all(database)[0] == ["Restored", "New"]


@pytest.mark.parametrize("text", ["", "5", "5:", ":5", "a:b", "-1:0", "1:2:3", "1:99999999999999999999", "\uff11:0"])
def test_what_is_no_place_is_said_to_be_none(text):
    with pytest.raises(OlistError, match="is no checkpoint of the event store"):
        tail.checkpoint_of(text)
