"""A ledger that was proven: proven again where anything that it depends on has changed."""

import pytest

from olist_pipeline.files import write_with_checksum
from olist_pipeline.landing.catalogue import ORDER_ITEMS
from olist_pipeline.parity import proven
from olist_pipeline.parity.reconciliation import intake_reconciliation_of, reconciliation_of
from olist_pipeline.staging import intake_path, scan_intake
from olist_pipeline.stores.postgres import transaction
from olist_pipeline.validation.table import StagedTable
from tests.pipeline.intake.test_bad_input import edit
from tests.pipeline.parity.test_reconciliation import JANUARY, run_steps, spoil

ITEMS = StagedTable.of(ORDER_ITEMS)


class Proofs:
    """The ledger of order items, and how often it was proven."""

    def __init__(self, settings, monkeypatch):
        self.settings, self.number = settings, 0
        monkeypatch.setattr(proven, "reconciliation_of", self._prove)

    def _prove(self, *arguments):
        self.number += 1
        return reconciliation_of(*arguments)

    def ledger(self, **options):
        return proven.proven_reconciliation_of(self.settings, self.settings.postgres_url, ITEMS, **options)


@pytest.fixture
def proofs(settings, landing, monkeypatch):
    edit(landing, ORDER_ITEMS.file, b"29.99", b"abc")
    run_steps(settings)
    return Proofs(settings, monkeypatch)


def test_a_ledger_of_the_same_files_and_rows_is_not_proven_again(proofs):
    first = proofs.ledger()
    assert first.holds
    assert first.quarantined
    assert proofs.ledger() == first
    assert proofs.number == 1
    assert proofs.ledger(is_forced=True) == first
    assert proofs.number == 2


@pytest.mark.parametrize("change", ["landing", "staging", "quarantine", "code"])
def test_whatever_it_depends_on_has_it_proven_again(proofs, landing, monkeypatch, change):
    assert proofs.ledger().holds
    if change == "landing":
        edit(landing, ORDER_ITEMS.file, b"abc", b"abcd")
    elif change == "staging":
        spoil(proofs.settings, lambda rows: rows.head(0), ORDER_ITEMS, JANUARY)
    elif change == "quarantine":
        with transaction(proofs.settings.postgres_url) as connection, connection.cursor() as cursor:
            cursor.execute("DELETE FROM data_quality.quarantine")
    else:
        monkeypatch.setattr(proven, "python_hash", lambda: "another")
    assert proofs.ledger().holds is (change in ("landing", "code"))
    assert proofs.number == 2


def test_one_that_does_not_hold_is_proven_until_it_does(proofs):
    spoil(proofs.settings, lambda rows: rows.head(0), ORDER_ITEMS, JANUARY)
    for _ in range(2):
        assert not proofs.ledger().holds
    assert proofs.number == 2


@pytest.mark.parametrize("change", ["landing", "intake", "proven", "a count", "forced", "nothing"])
def test_intake_is_counted_again_where_its_files_have_changed(settings, landing, monkeypatch, change):
    run_steps(settings)
    counted = []

    def count(*given):
        counted.append(given)
        return intake_reconciliation_of(*given)

    monkeypatch.setattr(proven, "intake_reconciliation_of", count)
    before = proven.proven_intake_of(settings, ORDER_ITEMS)
    if change == "landing":
        edit(landing, ORDER_ITEMS.file, b"29.99", b"29.98")
    elif change == "intake":
        rows = scan_intake(settings.intake, ORDER_ITEMS.name).collect()
        rows.head(2).write_parquet(intake_path(settings.intake, ORDER_ITEMS.name))
    elif change == "proven":
        write_with_checksum(settings.intake / "order_items.proven", "{}")
    elif change == "a count":
        edit(settings.intake, "order_items.proven", b"[3, 3]", b"[4, 4]")
    again = proven.proven_intake_of(settings, ORDER_ITEMS, is_forced=change == "forced")
    assert (again == before) is (change != "intake")
    assert len(counted) == (1 if change == "nothing" else 2)
