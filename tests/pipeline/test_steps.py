"""The steps: idempotent, by month, and healed by running again."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from olist_pipeline import steps
from olist_pipeline.errors import OlistError
from olist_pipeline.file_locks import alone
from olist_pipeline.intake import large
from olist_pipeline.landing.catalogue import ORDERS
from olist_pipeline.months import MonthRange, following
from olist_pipeline.registry import CONTEXTS
from olist_pipeline.staging import intake_path, month_files, scan_intake, scan_staging, staged_months
from olist_pipeline.steps import landing_hash_of, run_intake, run_validation
from olist_pipeline.stores import events, quarantine
from olist_pipeline.stores.postgres import query, transaction
from olist_pipeline.validation import units
from tests.pipeline.intake.test_bad_input import edit

SALES = CONTEXTS["sales"]
[STEP] = SALES.steps
TODAY = date(2018, 12, 1)
MONTHS = list(MonthRange(date(2017, 10, 1), date(2018, 1, 1)))


def ingest(settings, run="r1"):
    return {table.name: run_intake(settings, settings.postgres_url, table, TODAY, run) for table in SALES.landing}


def validate(settings, months=MONTHS, run="r1"):
    return run_validation(settings, settings.postgres_url, STEP, months, run, ORDERS)


def state(settings):
    """Return everything that the steps wrote, without runs and times of recording."""
    url = settings.postgres_url
    staged = {
        t.name: scan_staging(settings.staging, "sales", t.name).collect().sort("source_row").to_dicts()
        for t in SALES.tables
    }
    recorded = query(
        url, "SELECT event_id::text, aggregate_id, version, payload FROM event_store.domain_events ORDER BY 2, 3"
    )
    return staged, rejected(settings), recorded


def rejected(settings):
    return query(
        settings.postgres_url,
        "SELECT source_table, source_row, rules, payload, order_month, step FROM data_quality.quarantine ORDER BY 1, 2",
    )


def test_a_report_says_what_became_of_every_row(settings, landing):
    edit(landing, "olist_order_items_dataset.csv", b"29.99", b"abc")
    intake = ingest(settings)
    assert intake["order_items"].rules == {"UNPARSEABLE_PRICE": 1}
    assert (intake["order_items"].rows, intake["order_items"].rejected) == (3, 1)
    report = validate(settings)
    assert report.tables["orders"].rules == {"CHILD_REJECTED": 1}
    assert (report.tables["orders"].accepted, report.tables["orders"].quarantined) == (1, 1)
    assert report.events == events.count_by_type(settings.postgres_url).in_store["OrderRejected"] + 4


@pytest.mark.parametrize(("amount", "is_taken"), [("999999999999.99", True), ("1000000000000.00", False)])
def test_amounts_at_the_limit_stop_no_run(settings, landing, amount, is_taken):
    """What their sums could not be kept as is no amount, in the row that says so alone."""
    for old in (b"118.70", b"10.00", b"22.76", b"1.50"):
        edit(landing, "olist_order_items_dataset.csv", old, amount.encode())
    assert (ingest(settings)["order_items"].rejected == 0) is is_taken
    assert validate(settings).tables["orders"].accepted == 1 + is_taken


def test_running_again_changes_nothing(settings):
    ingest(settings)
    validate(settings)
    before = state(settings)
    ingest(settings, "r2")
    assert validate(settings, run="r2").events == 0
    assert state(settings) == before


def test_nothing_is_kept_of_a_file_that_is_replaced_while_it_is_read(settings, landing, monkeypatch):
    """Whoever puts the former file back then has that one read."""
    path = landing / ORDERS.file
    content = path.read_bytes()

    def replaced(*arguments):
        path.write_bytes(content.splitlines(keepends=True)[0])
        return large.ingest_any(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(steps, "ingest_any", replaced)
        with pytest.raises(OlistError, match=f"{ORDERS.file} was changed while it was read; run again"):
            run_intake(settings, settings.postgres_url, ORDERS, TODAY, "r1")
    assert not intake_path(settings.intake, "orders").exists()
    path.write_bytes(content)
    assert ingest(settings)["orders"].rows == 2


def test_whoever_forces_it_has_landing_read_again(settings, monkeypatch):
    ingest(settings)
    monkeypatch.setattr(steps, "ingest_any", lambda *_: large.ingest_any(*_).head(1))
    found = [
        run_intake(settings, settings.postgres_url, ORDERS, TODAY, "r2", is_forced=is_forced).rows
        for is_forced in (False, True)
    ]
    assert found == [2, 1]


def test_one_run_at_a_time_is_at_work_on_a_step(settings):
    """The command line and the UI may run the same step: they write the same staging, outbox and quarantine."""
    ingest(settings)
    validate(settings)
    before = state(settings)
    with ThreadPoolExecutor(2) as beside:
        for name, step in (("intake.orders", ingest), (f"sales.{STEP.name}", validate)):
            with alone(settings.home / "locks" / f"{name}.lock"):
                waiting = beside.submit(step, settings, run="r2")
                with pytest.raises(TimeoutError):
                    waiting.result(timeout=0.3)
            waiting.result()
    assert state(settings) == before


def test_months_may_be_validated_one_by_one(settings):
    ingest(settings)
    validate(settings)
    together = state(settings)
    for month in reversed(MONTHS):
        validate(settings, [month], "r2")
    assert state(settings) == together
    assert staged_months(settings.staging, "sales", "orders") == MONTHS


def test_any_sequence_of_partitions_equals_a_full_refresh(settings):
    ingest(settings)
    validate(settings)
    full = state(settings)

    @given(parts=st.lists(st.sets(st.sampled_from(MONTHS), min_size=1), min_size=1, max_size=4))
    @examples(max_examples=10)
    def check(parts):
        """Each example begins with what the one before left, which is the full refresh."""
        for months in parts:
            validate(settings, sorted(months), "again")
        assert state(settings) == full

    check()


def test_a_step_that_is_cut_finely_leaves_the_same(settings, monkeypatch):
    ingest(settings)
    validate(settings)
    together = state(settings)
    monkeypatch.setattr(units, "ROWS_A_UNIT", 1)
    assert validate(settings, run="r2").events == 0
    assert state(settings) == together
    assert [path.name for path in month_files(settings.staging, "sales", "orders", MONTHS[0])] != ["2017-10.parquet"]
    assert staged_months(settings.staging, "sales", "orders") == MONTHS
    monkeypatch.undo()
    validate(settings, run="r3")
    assert [path.name for path in month_files(settings.staging, "sales", "orders", MONTHS[0])] == ["2017-10.parquet"]
    assert state(settings) == together
    assert not list(settings.outbox.rglob("*.parquet"))


def test_a_month_that_left_landing_is_emptied(settings, landing):
    ingest(settings)
    validate(settings)
    rows = (landing / ORDERS.file).read_text().splitlines(keepends=True)
    (landing / ORDERS.file).write_text("".join(rows[:2]))
    ingest(settings, "r2")
    validate(settings, run="r2")
    assert scan_staging(settings.staging, "sales", "orders").collect()["order_id"].to_list() == ["o1"]
    orphans = quarantine.counts_by_rule(settings.postgres_url, ["order_items"])
    assert orphans == [{"source_table": "order_items", "rule": "ORPHAN_ORDER_ITEMS", "rows": 2}]


def test_intake_remembers_the_file_it_was_made_of(settings, landing):
    ingest(settings)
    before = landing_hash_of(settings, "orders")
    edit(landing, ORDERS.file, b"shipped", b"invoiced")
    assert landing_hash_of(settings, "orders") == before
    ingest(settings)
    assert landing_hash_of(settings, "orders") != before


class TestIntakeOfAnUnchangedFile:
    @pytest.fixture
    def read(self, settings, landing, monkeypatch):
        """The names of tables whose files are read although they were read before."""
        edit(landing, "olist_order_items_dataset.csv", b"29.99", b"a lot")
        ingest(settings)
        read = []

        def watched(table, *arguments):
            read.append(table.name)
            return large.ingest_any(table, *arguments)

        monkeypatch.setattr(steps, "ingest_any", watched)
        return read

    def test_is_what_it_was_without_reading_the_file(self, settings, read):
        before = rejected(settings)
        with transaction(settings.postgres_url) as connection:
            connection.cursor().execute("TRUNCATE data_quality.quarantine")
        reports = ingest(settings, "r2")
        assert not read
        assert [report.rejected for report in reports.values()] == [0, 1, 0]
        assert reports["order_items"].rules == {"UNPARSEABLE_PRICE": 1}
        assert rejected(settings) == before

    def test_is_made_anew_where_its_intake_was_damaged(self, settings, read):
        path = intake_path(settings.intake, "order_payments")
        whole = path.read_bytes()
        path.write_bytes(whole[:-100] + bytes(100))
        ingest(settings)
        assert read == ["order_payments"]
        assert path.read_bytes() == whole

    @pytest.mark.parametrize(
        "change", [(b"2018-01-24 20", b"2017-12-24 20"), (b"2018-01-24 20", b"soon 20"), (b"o2,", b"o3,")]
    )
    def test_is_made_anew_where_it_may_belong_to_another_row_of_its_parent(self, settings, landing, read, change):
        edit(landing, ORDERS.file, *change)
        ingest(settings)
        assert read == ["orders", "order_items", "order_payments"]

    def test_is_made_anew_for_no_other_change_of_its_parent(self, settings, landing, read):
        edit(landing, ORDERS.file, b"shipped", b"invoiced")
        ingest(settings)
        assert read == ["orders"]

    def test_is_made_anew_in_another_month(self, settings, read):
        run_intake(settings, settings.postgres_url, ORDERS, following(TODAY), "r2")
        assert read == ["orders"]


def test_intake_can_be_read_by_month(settings):
    ingest(settings)
    assert scan_intake(settings.intake, "orders", [date(2018, 1, 1)]).collect()["order_id"].to_list() == ["o2"]


SEAMS = [
    "stores.quarantine.replace_rows",
    "stores.appending.append",
    "steps._remove_other_parts",
    "validation.work.write_months",
    "validation.work.write_frame",
    "validation.work._events_of",
]


def test_a_crash_between_two_stores_is_healed_by_running_again(settings, landing, monkeypatch):
    edit(landing, "olist_order_items_dataset.csv", b"29.99", b"-29.99")
    ingest(settings)
    validate(settings)
    undisturbed = state(settings)

    class Killed(BaseException):
        pass

    def die(*_, **__):
        raise Killed

    for failing in SEAMS:
        for leftover in settings.staging.rglob("*.parquet"):
            leftover.unlink()
        with transaction(settings.postgres_url) as connection:
            connection.cursor().execute("SET LOCAL session_replication_role = replica; TRUNCATE event_store.batches")
        with monkeypatch.context() as patch:
            patch.setattr(f"olist_pipeline.{failing}", die)
            with pytest.raises(Killed):
                validate(settings, run="r2")
        validate(settings, run="r3")
        assert state(settings) == undisturbed, failing


def test_derived_columns_have_the_types_that_dbt_reads(settings):
    ingest(settings)
    validate(settings)
    schema = scan_staging(settings.staging, "sales", "orders").collect_schema()
    assert schema["total_amount"] == pl.Decimal(18, 2)
    assert schema["total_items"] == pl.Int64
    assert schema["flags"] == pl.List(pl.String)
    assert schema["order_month"] == pl.Date
