"""A step without months: worked through where anything that it reads or left has changed, and then alone."""

from dataclasses import replace
from datetime import date

import pytest

from olist_pipeline.files import write_with_checksum
from olist_pipeline.landing.catalogue import CUSTOMERS, ORDER_REVIEWS, ORDERS
from olist_pipeline.months import MonthRange
from olist_pipeline.registry import CONTEXTS, LANDING
from olist_pipeline.staging import scan_staging, staging_path
from olist_pipeline.steps import run_intake, run_validation
from olist_pipeline.stores.postgres import query, transaction
from olist_pipeline.validation import unchanged
from tests.pipeline.intake.test_bad_input import edit

[STEP] = CONTEXTS["customer"].steps
TODAY = date(2018, 12, 1)
MONTHS = list(MonthRange(date(2017, 10, 1), date(2018, 1, 1)))
READ = ("orders", "order_items", "order_payments", "order_reviews", "customers")
PEOPLE = "c1,p1,01310,sao paulo,SP\nc2,p2,20040,rio de janeiro,RJ\nc3,p3,20040,rio de janeiro,XX\n"


class Watched:
    """The step of customers over two orders and three customers, one of a state that there is not."""

    def __init__(self, settings, landing):
        self.settings, self.landing, self.worked = settings, landing, 0
        self.step = replace(STEP, validate=self._validate)
        (landing / CUSTOMERS.file).write_text(",".join(CUSTOMERS.columns) + "\n" + PEOPLE)
        (landing / ORDER_REVIEWS.file).write_text(",".join(ORDER_REVIEWS.columns) + "\n")
        self.first = self.run()

    def _validate(self, inputs):
        self.worked += 1
        return STEP.validate(inputs)

    def run(self, run_id="r1", **options):
        url = self.settings.postgres_url
        for name in READ:
            run_intake(self.settings, url, LANDING[name], TODAY, run_id)
        for step in (CONTEXTS["sales"].steps[0], CONTEXTS["marketplace"].steps[0]):
            run_validation(self.settings, url, step, MONTHS, run_id, ORDERS)
        self.worked = 0
        return run_validation(self.settings, url, self.step, None, run_id, ORDERS, **options)

    def path(self, table="customers"):
        return staging_path(self.settings.staging, "customer", table, None)

    def whole(self, step=STEP, day=TODAY):
        return unchanged.WholeStep(self.settings, step, day)

    def left(self):
        staged = {name: scan_staging(self.settings.staging, "customer", name).collect().to_dicts() for name in NAMES}
        statement = (
            "SELECT source_row, rules, payload, run_id FROM data_quality.quarantine WHERE source_table = ANY(%s)"
        )
        return staged, query(self.settings.postgres_url, statement, [list(NAMES)])


NAMES = ("customers", "persons")


@pytest.fixture
def watched(settings, landing):
    return Watched(settings, landing)


def test_what_nothing_has_changed_for_is_not_worked_through_again(watched):
    before = watched.left()
    assert before[1], "the test needs a quarantined row"
    again = watched.run("r2")
    assert watched.worked == 0
    assert (again.tables, again.events) == (watched.first.tables, 0)
    assert watched.left() == before


def test_only_columns_that_it_reads_count(watched):
    edit(watched.landing, ORDERS.file, b"2017-10-18 00:00:00", b"2017-10-19 00:00:00")  # when the order is expected
    watched.run()
    assert watched.worked == 0
    edit(watched.landing, ORDERS.file, b"2017-10-02 10:56:33", b"2017-10-02 10:56:34")  # when it was placed
    watched.run()
    assert watched.worked == 1


def test_rows_of_its_own_and_the_day_count(watched):
    edit(watched.landing, CUSTOMERS.file, b"sao paulo", b"campinas")
    watched.run()
    assert watched.worked == 1
    edit(watched.landing, ORDERS.file, b"2018-01-24 20:41:37", b"2018-01-25 20:41:37")
    watched.run()
    assert watched.worked == 1


def test_whoever_forces_it_has_it_worked_through(watched):
    before = watched.left()
    watched.run(is_forced=True)
    assert watched.worked == 1
    assert watched.left() == before


def test_other_code_makes_it_anew(watched, monkeypatch):
    monkeypatch.setattr(unchanged, "python_hash", lambda: "another")
    watched.run()
    assert watched.worked == 1


def test_what_was_damaged_is_made_anew(watched):
    before = watched.left()
    for damage in ("staging", "a table", "quarantine", "note", "a count", "nonsense"):
        spoil(watched, watched.whole(), damage)
        watched.run()
        assert watched.worked == 1, damage
        assert watched.left() == before, damage


def spoil(watched, whole, damage):
    if damage == "staging":
        watched.path().write_bytes(watched.path().read_bytes()[:-9])
    elif damage == "a table":
        watched.path("persons").unlink()
    elif damage == "a count":
        edit(whole.note.parent, whole.note.name, b'"accepted": 2', b'"accepted": 3')
    elif damage == "nonsense":
        write_with_checksum(whole.note, '{"code": 1, "reads": [[]]}')
    else:
        (whole.quarantine[0] if damage == "quarantine" else whole.note).unlink()


def test_rows_that_postgresql_has_lost_are_brought_back(watched):
    before = watched.left()
    with transaction(watched.settings.postgres_url) as connection, connection.cursor() as cursor:
        cursor.execute("DELETE FROM data_quality.quarantine")
    watched.run()
    assert watched.worked == 0
    assert watched.left() == before


def test_where_its_events_are_not_known_it_is_worked_through(watched):
    day = date(2018, 1, 24)
    known = {
        bytes(row["digest"]) for row in query(watched.settings.postgres_url, "SELECT digest FROM event_store.batches")
    }
    assert unchanged.report_of(watched.whole(day=day), known) == watched.first.tables
    assert unchanged.report_of(watched.whole(day=day), set()) is None


def test_inputs_that_are_replaced_meanwhile_leave_no_note(settings, landing):
    watched = Watched(settings, landing)
    watched.whole().note.unlink()

    def validate(inputs):
        validated = STEP.validate(inputs)
        path = staging_path(settings.staging, "sales", "orders", MONTHS[0])
        path.write_bytes(path.read_bytes())
        return validated

    run_validation(
        settings, settings.postgres_url, replace(STEP, validate=validate), None, "r2", ORDERS, is_forced=True
    )
    assert not watched.whole().note.exists()
