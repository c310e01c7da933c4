"""Parents and children under any names: intake, validation, reconciliation, shares and changes of a foreign context."""

from dataclasses import replace
from datetime import date, datetime

import pytest
from pydantic import create_model

from olist_domain.kernel.records import Record
from olist_pipeline.engine.names import FLAGS, REJECTS
from olist_pipeline.errors import OlistError
from olist_pipeline.intake.cast import RULES
from olist_pipeline.intake.places import SOURCE_FILE
from olist_pipeline.intake.rows import PAYLOAD
from olist_pipeline.intake.span import as_of, dated_span
from olist_pipeline.landing.catalogue import ORDERS
from olist_pipeline.landing.csv_file import SOURCE_ROW
from olist_pipeline.landing.table import OWN_NAMES, LandingTable, Parent
from olist_pipeline.months import MONTH, MonthRange
from olist_pipeline.orchestration import changes
from olist_pipeline.parity.reconciliation import intake_reconciliation_of, reconciliation_of
from olist_pipeline.settings import CutoverRules
from olist_pipeline.staging import scan_intake, scan_staging
from olist_pipeline.steps import run_intake, run_validation
from olist_pipeline.stores.postgres import query
from olist_pipeline.validation.landing_shares import structural_shares
from olist_pipeline.validation.shares import Counted, stored_shares
from tests.foreign.voyages import MEALS, SAILING, TICKETS, VOYAGES, write_landing

TODAY = date(2013, 1, 5)
MONTHS = MonthRange(date(2010, 1, 1), date(2012, 6, 1))
[STEP] = SAILING.steps
QUARANTINED = {
    ("voyages", 1): (["ORDER_MONTH_OUT_OF_RANGE"], "north", None),
    ("voyages", 3): (["VOYAGE_WITHOUT_CABINS"], "north", date(2012, 5, 1)),
    ("voyages", 5): (["UNPARSEABLE_SAILS_AT"], "south", None),
    ("voyages", 6): (["MALFORMED_ROW"], "south", None),
    ("voyages", 7): (["ORDER_MONTH_OUT_OF_RANGE"], "north", None),
    ("tickets", 2): (["PARENT_REJECTED"], "t2", date(2012, 5, 1)),
    ("tickets", 3): (["PARENT_REJECTED"], "t3", None),
    ("tickets", 4): (["ORPHAN_TICKETS"], "t4", None),
    ("tickets", 6): (["PARENT_REJECTED"], "t6", None),
    ("meals", 2): (["PARENT_REJECTED"], "t2", date(2012, 5, 1)),
    ("meals", 3): (["PARENT_REJECTED"], "t3", None),
    ("meals", 4): (["ORPHAN_MEALS"], "t9", None),
    ("meals", 5): (["MALFORMED_ROW"], "t5", date(2010, 1, 1)),
    ("meals", 6): (["PARENT_REJECTED"], "t3", None),
}


@pytest.fixture
def sailed(settings, landing):
    """The settings, once the context's rows went the whole way."""
    write_landing(landing)
    url = settings.postgres_url
    for table in sorted(SAILING.landing, key=lambda table: table.depth):
        run_intake(settings, url, table, TODAY, "r1")
    run_validation(settings, url, STEP, list(MONTHS), "r1", VOYAGES)
    return settings


def test_every_row_is_accepted_or_quarantined_with_what_it_belongs_to(sailed):
    rows = query(
        sailed.postgres_url,
        "SELECT source_table, source_row, rules, aggregate_id, order_month FROM data_quality.quarantine",
    )
    assert {(r["source_table"], r["source_row"]): (r["rules"], r["aggregate_id"], r["order_month"]) for r in rows} == (
        QUARANTINED
    )
    assert scan_staging(sailed.staging, "sailing", "voyages").select("no", "ship_size", MONTH).collect().rows() == [
        (2, "large", date(2010, 1, 1)),
        (4, "large", date(2012, 6, 1)),
    ]
    assert scan_staging(sailed.staging, "sailing", "tickets").select("ticket", MONTH).collect().rows() == [
        ("t5", date(2010, 1, 1)),
        ("t1", date(2012, 6, 1)),
    ]
    assert scan_staging(sailed.staging, "sailing", "meals").select("meal").collect().rows() == [("m1",)]


def test_reconciliation_holds_for_each_table(sailed):
    for table in STEP.tables:
        found = reconciliation_of(sailed, sailed.postgres_url, table)
        assert found.holds, found.sentence()
    assert all(intake_reconciliation_of(sailed, table).holds for table in SAILING.landing)


def test_shares_name_the_table_that_began_it(sailed):
    landing = {"voyages": 7, "tickets": 6, "meals": 6}
    rejected = {name: sum(table == name for table, _ in QUARANTINED) for name in landing}
    counts = [Counted(table, landing[table.name], rejected[table.name]) for table in STEP.tables]
    stored = {one.table: one for one in stored_shares(sailed.postgres_url, counts, CutoverRules())}
    alone = structural_shares(sailed.landing, SAILING.landing, TODAY, CutoverRules(), sailed.outbox)
    for share in (shares[name] for shares in (stored, alone) for name in ("tickets", "meals")):
        assert "for the sake of voyages, which break" in share.sentence()
        assert "row 1 of voyages.csv: sails_at '2009-12-31 10:00:00'" in share.sentence()


def test_a_change_of_a_parent_is_one_of_the_months_of_its_children(sailed, monkeypatch):
    monkeypatch.setattr(changes, "LANDING", {table.name: table for table in SAILING.landing})
    before = changes.landing_content(sailed.landing, TODAY, sailed.outbox)
    assert before == changes.ingested_content(sailed)
    path = sailed.landing / VOYAGES.file
    path.write_text(path.read_text("utf-8").replace("2012-06-06", "2012-07-06"), "utf-8")
    changed = changes.changed_parts(before, changes.landing_content(sailed.landing, TODAY, sailed.outbox))
    assert changed == {name: {"2012-06", "2012-07"} for name in ("meals", "tickets", "voyages")}


def test_the_span_is_that_of_the_dates_of_the_table(settings, landing):
    write_landing(landing)
    first, last = dated_span(landing, VOYAGES, TODAY)
    assert (first.date(), last.date()) == (date(2010, 1, 1), date(2012, 6, 6))
    assert as_of(landing, VOYAGES) == date(2012, 6, 6)
    assert MEALS.months(TODAY) == MonthRange(date(2010, 1, 1), date(2013, 1, 1))


def test_a_child_of_what_has_no_months_has_none(settings, landing):
    class CrewRecord(Record):
        member: str

    class ShiftRecord(Record):
        who: str
        hours: int

    crew = LandingTable("crew", "crew.csv", "sailing", CrewRecord, ("member",), aggregate="crew", identity="member")
    shifts = replace(
        crew,
        name="shifts",
        file="shifts.csv",
        record=ShiftRecord,
        key=(),
        identity="who",
        parent=Parent(crew, ("who",)),
    )
    (landing / "crew.csv").write_text("member\nann\nbob\nbob\n")
    (landing / "shifts.csv").write_text("who,hours\nann,3\nbob,4\neve,5\n")
    for table in (crew, shifts):
        run_intake(settings, settings.postgres_url, table, TODAY, "r1")
    rows = scan_intake(settings.intake, "shifts").collect()
    assert MONTH not in rows.columns
    assert rows[RULES].to_list() == ["", "PARENT_REJECTED", "ORPHAN_SHIFTS"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"parent": Parent(VOYAGES, ("of_line",))}, r"its columns of_line do not fit the key of voyages \(Line, no\)"),
        ({"parent": Parent(VOYAGES, ("voyage", "of_line"))}, "in number and types"),
        ({"parent": Parent(replace(VOYAGES, key=()), ())}, r"the key of voyages \(none\)"),
        ({"key": ("code",)}, "its record has no code; name one of ticket, of_line"),
        ({"month_of": "at"}, "its record has no at"),
    ],
)
def test_a_table_that_does_not_fit_is_one_sentence(change, said):
    with pytest.raises(OlistError, match=f"The landing table tickets .tickets.csv. cannot be used: .*{said}"):
        replace(TICKETS, **change)


class NoteRecord(Record):
    order_id: str | None = None
    at: datetime | None = None


@pytest.mark.parametrize(
    ("place", "said"),
    [({"month_of": "at"}, "a row without at"), ({"parent": Parent(ORDERS, ("order_id",))}, "a row without order_id")],
)
def test_a_row_without_a_month_would_be_nowhere(place, said):
    """It would be neither accepted nor quarantined, for validation takes whole months."""
    with pytest.raises(OlistError, match=f"{said} would have no month; let its record require that column"):
        LandingTable("notes", "notes.csv", "sailing", NoteRecord, (), aggregate="note", identity="at", **place)


def test_what_is_no_record_is_refused():
    with pytest.raises(OlistError, match=r"landing table notes .* its record is none; let its class be one of Record"):
        LandingTable("notes", "notes.csv", "sailing", date, ("id",), aggregate="note", identity="id")  # type: ignore[arg-type]


def test_names_of_the_pipelines_own_are_refused():
    class Taken(Record):
        id: str
        payload: str

    with pytest.raises(OlistError, match="payload is a name of the pipeline's own"):
        LandingTable("taken", "taken.csv", "sailing", Taken, ("id",), aggregate="taken", identity="id")
    assert {RULES, PAYLOAD, MONTH, SOURCE_ROW, SOURCE_FILE, FLAGS, REJECTS} <= OWN_NAMES


@pytest.mark.parametrize("kind", [date, bool, date | None, list[str]])
def test_a_type_that_no_cell_is_read_as_is_refused_before_anything_is_read(kind):
    record = create_model("Cells", __base__=Record, id=(str, ...), day=(kind, ...))
    with pytest.raises(OlistError, match=r"no cell is read as .*, the type of day; let its record say str or int or"):
        LandingTable("cells", "cells.csv", "sailing", record, ("id",), aggregate="cell", identity="id")
