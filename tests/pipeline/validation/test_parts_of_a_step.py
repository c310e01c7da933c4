"""A step without months in parts: staging, quarantine, events and the note are those of all parts, whatever happens."""

from itertools import count

import pytest

from olist_pipeline.landing.catalogue import CUSTOMERS
from olist_pipeline.migration.load import present_migration
from olist_pipeline.parity.reconciliation import reconciliation_of
from olist_pipeline.registry import CONTEXTS
from olist_pipeline.replay import write_replay_landing
from olist_pipeline.staging import scan_staging, staged_files, take_place
from olist_pipeline.stores.postgres import query, transaction
from olist_pipeline.validation import units
from olist_pipeline.validation.work import ValidationWork
from tests.pipeline.intake.test_bad_input import edit
from tests.pipeline.validation.test_unchanged import Watched

TABLES = CONTEXTS["customer"].tables
EVENTS = "SELECT event_id::text, aggregate_id, version, payload FROM event_store.domain_events ORDER BY 2, 3, 1"
QUARANTINE = (
    "SELECT source_row, rules, payload, run_id FROM data_quality.quarantine WHERE context = 'customer' ORDER BY 1"
)


class Killed(BaseException):
    """What ends a process in the middle."""


@pytest.fixture
def watched(settings, landing):
    return Watched(settings, landing)


@pytest.fixture
def cut(monkeypatch):
    def cut_at(rows):
        monkeypatch.setattr(units, "ROWS_A_UNIT", rows)

    return cut_at


def left(watched):
    """Return all that the step has left, whatever the order of rows."""
    settings = watched.settings
    staged = {
        table.name: sorted(scan_staging(settings.staging, "customer", table.name).collect().rows()) for table in TABLES
    }
    return staged, query(settings.postgres_url, QUARANTINE), query(settings.postgres_url, EVENTS)


def files(watched, table="customers"):
    return [path.name for path in staged_files(watched.settings.staging, "customer", table)]


def in_parts(number):
    return sorted(f"snapshot.{part + 1}of{number}.parquet" for part in range(number))


def test_another_cut_leaves_the_same_and_no_file_of_the_one_before(watched, cut):
    before = left(watched)
    assert before[1], "the test needs a quarantined row"
    assert before[2], "and events"
    for rows, expected in ((1, in_parts(3)), (2, in_parts(2)), (3, ["snapshot.parquet"])):
        cut(rows)
        report = watched.run("r2", is_forced=True)
        assert (report.tables, report.events) == (watched.first.tables, 0)
        assert left(watched) == before
        assert [files(watched, table.name) for table in TABLES] == [expected] * len(TABLES)
        assert len(watched.whole().quarantine) == len(expected)
        assert not list(watched.settings.outbox.rglob("*.parquet"))


def test_what_nothing_has_changed_for_is_not_worked_through_again(watched, cut):
    cut(1)
    watched.run(is_forced=True)
    before = left(watched)
    with transaction(watched.settings.postgres_url) as connection, connection.cursor() as cursor:
        cursor.execute("DELETE FROM data_quality.quarantine")
    again = watched.run("r1")
    assert watched.worked == 0
    assert again.tables == watched.first.tables
    assert left(watched) == before
    edit(watched.landing, CUSTOMERS.file, b"sao paulo", b"campinas")
    watched.run()
    assert watched.worked == 3


def test_a_part_that_is_damaged_missing_or_one_too_many_is_seen(watched, cut):
    cut(1)
    watched.run(is_forced=True)
    before = left(watched)
    folder = watched.path().parent

    def spoil(damage):
        part = folder / in_parts(3)[1]
        if damage == "damaged":
            part.write_bytes(part.read_bytes()[:-9])
        elif damage == "missing":
            part.unlink()
        elif damage == "of another cut":
            (folder / "snapshot.1of2.parquet").write_bytes(part.read_bytes())
        elif damage == "a copy":
            (folder / "snapshot.1of3 (copy).parquet").write_bytes(part.read_bytes())
        else:
            watched.whole().quarantine[1].unlink()

    for damage in ("damaged", "missing", "of another cut", "a copy", "of quarantine"):
        spoil(damage)
        watched.run()
        assert watched.worked == 3, damage
        assert left(watched) == before, damage
        assert files(watched) == in_parts(3), damage


def kill(*_, **__):
    raise Killed


def killed_at_the_second(run):
    times = count()

    def wrapped(*arguments):
        return kill() if next(times) else run(*arguments)

    return wrapped


MOMENTS = {
    "work.ValidationWork.overview": kill,
    "work.ValidationWork.__call__": killed_at_the_second(ValidationWork.__call__),
    "work.take_place": killed_at_the_second(take_place),
    "unchanged.note": kill,
}


@pytest.mark.long
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_kill_between_parts_leaves_no_row_twice_and_is_healed(watched, cut, monkeypatch, moment):
    edit(watched.landing, CUSTOMERS.file, b"sao paulo", b"campinas")
    cut(1)
    before = left(watched)
    with monkeypatch.context() as patched:
        patched.setattr(f"olist_pipeline.validation.{moment}", MOMENTS[moment])
        with pytest.raises(Killed):
            watched.run("r2")
    if moment.startswith("work.ValidationWork"):
        assert left(watched)[0] == before[0]
    assert all(len(rows) == len(before[0][name]) for name, rows in left(watched)[0].items())
    watched.run("r3")
    assert watched.worked == 3
    healed = left(watched)
    cut(9)
    watched.run("r4", is_forced=True)
    assert left(watched) == healed
    assert healed[2] == before[2], "an address is said by no event"


def test_who_reads_the_tables_sees_all_parts(watched, cut):
    cut(1)
    watched.run(is_forced=True)
    settings = watched.settings
    for table in TABLES:
        assert reconciliation_of(settings, settings.postgres_url, table).holds, table.name
    assert write_replay_landing(settings, present_migration())[CUSTOMERS.file] == 2
