"""Ledgers that were proven: on the same files and quarantined rows, by the same code, the proof would say the same.

What belongs here: keeping the counts of a ledger that holds, with a hash of all that it depends on. What does not: the
proofs (`reconciliation`).

The counts lie beside the table in staging, or beside its intake. Those of a ledger that does not hold are never kept.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

from olist_pipeline.files import content_hash, read_with_checksum, write_with_checksum
from olist_pipeline.landing.folder import landing_hash, readable_landing
from olist_pipeline.landing.table import LandingTable
from olist_pipeline.migration.code import python_hash
from olist_pipeline.parity.reconciliation import (
    IntakeReconciliation,
    Reconciliation,
    intake_reconciliation_of,
    reconciliation_of,
)
from olist_pipeline.settings import Settings
from olist_pipeline.staging import intake_path, staged_hash
from olist_pipeline.stores import quarantine
from olist_pipeline.validation.table import StagedTable


def proven_reconciliation_of(
    settings: Settings, url: str, table: StagedTable, *, is_forced: bool = False
) -> Reconciliation:
    """Return the ledger of a table, proven where anything has changed since it was last, or where it `is_forced`.

    Raises OlistError as `reconciliation_of` does.
    """
    path = settings.staging / table.context / f"{table.name}.proven"
    made_of = _made_of_staging(settings, url, table)
    if not is_forced and (counts := _kept(path, made_of, 3)):
        landing, accepted, quarantined = counts
        return Reconciliation(table.name, landing, accepted, quarantined, (), (), 0, ())
    ledger = reconciliation_of(settings, url, table)
    if ledger.holds:
        counts = [ledger.landing, ledger.accepted, ledger.quarantined]
        _keep(path, made_of, counts, lambda: _made_of_staging(settings, url, table))
    return ledger


def proven_intake_of(settings: Settings, table: LandingTable, *, is_forced: bool = False) -> IntakeReconciliation:
    """Return the counts of a table's landing and intake, proven as `proven_reconciliation_of` says."""
    path = settings.intake / f"{table.name}.proven"
    made_of = _made_of_intake(settings, table)
    if not is_forced and (counts := _kept(path, made_of, 2)):
        landing, taken = counts
        return IntakeReconciliation(landing, taken, table.file)
    ledger = intake_reconciliation_of(settings, table)
    if ledger.holds:
        _keep(path, made_of, [ledger.landing, ledger.intake], lambda: _made_of_intake(settings, table))
    return ledger


def _made_of_staging(settings: Settings, url: str, table: StagedTable) -> str:
    """Return a hash of all that the ledger of a table depends on."""
    parts = [repr(table), staged_hash(settings.staging, table.asset)]
    if table.source:
        parts.append(landing_hash(readable_landing(settings, [table.source]), table.source))
        parts.append(repr(quarantine.source_rows(url, table.name, table.source.name)))
    if table.summary:
        parts += [staged_hash(settings.staging, asset) for asset in table.summary.assets]
    return _hash_of(*parts)


def _made_of_intake(settings: Settings, table: LandingTable) -> str:
    """Return a hash of all that the counts of a table's landing and intake depend on."""
    path = intake_path(settings.intake, table.name)
    taken = content_hash(path) if path.exists() else ""
    return _hash_of(repr(table), landing_hash(readable_landing(settings, [table]), table), taken)


def _hash_of(*parts: str) -> str:
    everything = "\0".join((python_hash(), version("duckdb"), *parts))
    return hashlib.blake2b(everything.encode(), digest_size=16).hexdigest()


def _kept(path: Path, made_of: str, number: int) -> list[int] | None:
    """Return the `number` counts that were proven of `made_of`; None where they are not, or the file is damaged."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        kept = json.loads(read_with_checksum(path))
        if kept["made_of"] == made_of and len(kept["counts"]) == number:
            return [int(count) for count in kept["counts"]]
    return None


def _keep(path: Path, made_of: str, counts: list[int], made_of_now: Callable[[], str]) -> None:
    """Keep what was proven, unless somebody has replaced a file or a row meanwhile: it is of neither state then."""
    if made_of_now() == made_of:
        write_with_checksum(path, json.dumps({"made_of": made_of, "counts": counts}))
