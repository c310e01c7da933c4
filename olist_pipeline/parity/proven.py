"""Ledgers that were proven: on the same files and quarantined rows, by the same code, the proof would say the same.

What belongs here: keeping a ledger that holds, with a hash of all that it depends on. What does not: the proof
(`reconciliation`).

The ledger lies in the folder of the context, beside the table. One that does not hold is never kept.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

from olist_pipeline.files import replacing, tree_hash
from olist_pipeline.intake.parts import python_hash
from olist_pipeline.landing.folder import landing_hash, readable_landing
from olist_pipeline.parity.reconciliation import Reconciliation, reconciliation_of
from olist_pipeline.settings import Settings
from olist_pipeline.stores import quarantine
from olist_pipeline.validation.table import StagedTable


def proven_reconciliation_of(
    settings: Settings, url: str, table: StagedTable, *, is_forced: bool = False
) -> Reconciliation:
    """Return the ledger of a table, proven where anything has changed since it was last, or where it `is_forced`.

    Raises OlistError as `reconciliation_of` does.
    """
    path = settings.staging / table.context / f"{table.name}.proven"
    made_of = _made_of(settings, url, table)
    if not is_forced and (kept := _kept(path, table, made_of)):
        return kept
    ledger = reconciliation_of(settings, url, table)
    # Whoever replaces a file or a row during the proof makes it one of neither state.
    if ledger.holds and _made_of(settings, url, table) == made_of:
        counts = [ledger.landing, ledger.accepted, ledger.quarantined]
        with replacing(path) as temporary:
            temporary.write_text(json.dumps({"made_of": made_of, "counts": counts}), "utf-8")
    return ledger


def _made_of(settings: Settings, url: str, table: StagedTable) -> str:
    """Return a hash of all that the ledger of a table depends on."""
    staged = settings.staging / table.context
    parts = [python_hash(), version("duckdb"), repr(table), tree_hash(staged / table.name, suffixes=(".parquet",))]
    if table.source:
        parts.append(landing_hash(readable_landing(settings, [table.source]), table.source))
        parts.append(repr(quarantine.source_rows(url, table.name, table.source.name)))
    if table.summary:
        parts.append(tree_hash(staged / table.summary.of, suffixes=(".parquet",)))
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=16).hexdigest()


def _kept(path: Path, table: StagedTable, made_of: str) -> Reconciliation | None:
    with suppress(OSError, ValueError, KeyError, TypeError):
        kept = json.loads(path.read_text("utf-8"))
        if kept["made_of"] == made_of:
            landing, accepted, quarantined = map(int, kept["counts"])
            return Reconciliation(table.name, landing, accepted, quarantined, (), (), 0, ())
    return None
