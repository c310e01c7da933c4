"""Reconciliation: lost, doubled and changed rows are found, whatever lost them."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import polars as pl
import pytest

from olist_pipeline.errors import OlistError
from olist_pipeline.landing.catalogue import ORDER_ITEMS, ORDER_PAYMENTS, ORDERS
from olist_pipeline.parity.reconciliation import intake_reconciliation_of, reconciliation_of, reconciliation_subject
from olist_pipeline.registry import CONTEXTS
from olist_pipeline.settings import Settings
from olist_pipeline.staging import intake_path, staging_path, write_snapshot
from olist_pipeline.steps import run_intake, run_validation
from olist_pipeline.stores.postgres import transaction
from olist_pipeline.validation.table import StagedTable, Summary
from tests.pipeline.intake.test_bad_input import edit

SALES = CONTEXTS["sales"]
[STEP] = SALES.steps
OCTOBER, JANUARY = date(2017, 10, 1), date(2018, 1, 1)


def run_steps(settings):
    for table in SALES.landing:
        run_intake(settings, settings.postgres_url, table, date(2018, 12, 1), "r1")
    run_validation(settings, settings.postgres_url, STEP, [OCTOBER, JANUARY], "r1", ORDERS)


@pytest.fixture
def validated(settings, landing):
    """Two orders, of which the second has lost its items."""
    items = (landing / ORDER_ITEMS.file).read_text().splitlines(keepends=True)
    (landing / ORDER_ITEMS.file).write_text("".join(items[:2]))
    run_steps(settings)
    return settings


def ledger(settings, table=ORDERS):
    return reconciliation_of(settings, settings.postgres_url, StagedTable.of(table))


def spoil(settings, change, table=ORDER_PAYMENTS, month=OCTOBER):
    path = staging_path(settings.staging, "sales", table.name, month)
    change(pl.read_parquet(path)).write_parquet(path)


def test_accepted_and_quarantined_rows_are_all_rows(validated):
    for table, expected in ((ORDERS, (2, 1, 1)), (ORDER_ITEMS, (1, 1, 0)), (ORDER_PAYMENTS, (3, 2, 1))):
        found = ledger(validated, table)
        assert (found.landing, found.accepted, found.quarantined) == expected
        assert found.holds
        assert "=" in found.sentence()
        assert intake_reconciliation_of(validated, table).holds


def test_a_lost_row_is_named(validated):
    spoil(validated, lambda rows: rows.head(1))
    found = ledger(validated, ORDER_PAYMENTS)
    assert not found.holds
    assert found.lost == (2,)
    assert "rows lost, e.g. [2]; most likely landing has changed" in found.sentence()


def test_a_doubled_row_is_named(validated):
    spoil(validated, lambda rows: pl.concat([rows, rows.head(1)]))
    found = ledger(validated, ORDER_PAYMENTS)
    assert found.doubled == (1,)
    assert not found.holds


def test_a_lost_and_a_doubled_row_do_not_cancel_out(validated):
    spoil(validated, lambda rows: pl.concat([rows.head(1), rows.head(1)]))
    found = ledger(validated, ORDER_PAYMENTS)
    assert found.landing == found.accepted + found.quarantined
    assert (found.lost, found.doubled) == ((2,), (1,))
    assert not found.holds


def test_a_changed_cell_is_shown(validated):
    spoil(validated, lambda rows: rows.with_columns(payment_value=pl.col("payment_value") + Decimal("0.01")))
    found = ledger(validated, ORDER_PAYMENTS)
    assert (found.changed_rows, found.holds) == (2, False)
    assert "2 accepted rows differ from landing" in found.sentence()


def test_values_swapped_between_rows_are_found(validated):
    spoil(validated, lambda rows: rows.with_columns(payment_value=pl.col("payment_value").reverse()))
    assert not ledger(validated, ORDER_PAYMENTS).holds


def test_cells_of_another_type_are_compared_by_their_values(validated):
    """Their hashes differ, as those of other values do."""
    spoil(validated, lambda rows: rows.with_columns(payment_value=pl.col("payment_value").cast(pl.Float64)))
    assert ledger(validated, ORDER_PAYMENTS).holds


def test_a_row_that_left_quarantine_is_missed(validated):
    with transaction(validated.postgres_url) as connection:
        connection.cursor().execute("DELETE FROM data_quality.quarantine WHERE source_table = 'orders'")
    assert ledger(validated).lost == (2,)


def test_a_row_that_intake_lost_is_missed(validated):
    path = intake_path(validated.intake, "orders")
    pl.read_parquet(path).head(1).write_parquet(path)
    found = intake_reconciliation_of(validated, ORDERS)
    assert not found.holds
    assert found.sentence().startswith(
        "2 landing records do not equal 1 intake rows: olist_orders_dataset.csv is split differently by the two "
        "readers from row 2 on; most likely"
    )


def test_a_month_that_was_never_validated_is_missed(settings, landing):
    for table in SALES.landing:
        run_intake(settings, settings.postgres_url, table, date(2018, 12, 1), "r1")
    with pytest.raises(OlistError, match="Staging of sales/orders is empty"):
        ledger(settings)
    run_validation(settings, settings.postgres_url, STEP, [OCTOBER], "r1", ORDERS)
    assert ledger(settings).lost == (2,)


def test_rows_that_intake_rejects_are_reconciled(settings, landing):
    edit(landing, ORDER_ITEMS.file, b"29.99,8.72", b"29,99,8.72")
    edit(landing, ORDER_PAYMENTS.file, b"152.96", b"abc")
    run_steps(settings)
    for table in SALES.landing:
        assert ledger(settings, table).holds, ledger(settings, table).sentence()


def test_the_subject_changes_with_landing_and_with_staging(validated, landing):
    before = reconciliation_subject(validated, StagedTable.of(ORDER_PAYMENTS))
    assert reconciliation_subject(validated, StagedTable.of(ORDER_PAYMENTS)) == before
    spoil(validated, lambda rows: rows.head(1))
    after_staging = reconciliation_subject(validated, StagedTable.of(ORDER_PAYMENTS))
    edit(landing, ORDER_PAYMENTS.file, b"152.96", b"152.97")
    run_intake(validated, validated.postgres_url, ORDER_PAYMENTS, date(2018, 12, 1), "r2")
    assert len({before, after_staging, reconciliation_subject(validated, StagedTable.of(ORDER_PAYMENTS))}) == 3


class TestSummaries:
    """A table that sums another one up has one row for each of its values."""

    TABLE = StagedTable(
        "persons",
        "customer",
        aggregate="customer",
        identity="id",
        columns=("id",),
        is_monthly=False,
        summary=Summary(of="customer/customers", by="customer_unique_id", key="id"),
    )

    def ledger_of(self, tmp_path, persons):
        settings = Settings(tmp_path, tmp_path / "landing", None)
        customers = pl.DataFrame({"customer_unique_id": ["p1", "p1", "p2"]})
        write_snapshot(customers, settings.staging, "customer", "customers")
        write_snapshot(pl.DataFrame({"id": persons}), settings.staging, "customer", "persons")
        return reconciliation_of(settings, "postgresql://unused", self.TABLE)

    def test_holds_when_each_value_has_one_row(self, tmp_path):
        found = self.ledger_of(tmp_path, ["p1", "p2"])
        assert found.holds
        assert (found.landing, found.accepted) == (2, 2)

    @pytest.mark.parametrize(
        ("rows", "lost", "doubled"), [(["o1"], (), ()), ([], ("o1",), ()), (["o1", "o2"], (), ("o2",))]
    )
    def test_counts_those_alone_that_another_table_knows(self, tmp_path, rows, lost, doubled):
        table = replace(
            self.TABLE,
            name="purchases",
            summary=Summary(of="sales/orders", by="order_id", key="id", among=("customer/customers", "customer_id")),
        )
        settings = Settings(tmp_path, tmp_path / "landing", None)
        orders = pl.DataFrame({"order_id": ["o1", "o2"], "customer_id": ["c1", "c2"]})
        for context, name, frame in (
            ("sales", "orders", orders),
            ("customer", "customers", pl.DataFrame({"customer_id": ["c1", "c3"]})),
            ("customer", "purchases", pl.DataFrame({"id": rows}, schema={"id": pl.String})),
        ):
            write_snapshot(frame, settings.staging, context, name)
        found = reconciliation_of(settings, "postgresql://unused", table)
        assert (found.lost, found.doubled) == (lost, doubled)
        assert (found.landing, found.accepted) == (1, len(rows))

    @pytest.mark.parametrize(
        ("persons", "lost", "doubled"),
        [
            (["p1"], ("p2",), ()),
            (["p1", "p1", "p2"], (), ("p1",)),
            (["p1", "p3"], ("p2",), ("p3",)),
            (["p1", "p1"], ("p2",), ("p1",)),
        ],
    )
    def test_names_what_is_lost_doubled_or_invented(self, tmp_path, persons, lost, doubled):
        found = self.ledger_of(tmp_path, persons)
        assert not found.holds
        assert (found.lost, found.doubled) == (lost, doubled)
