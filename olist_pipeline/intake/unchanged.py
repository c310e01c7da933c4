"""Whether the intake of a table is of its landing as it is now: then nobody need read that again.

What belongs here: what an intake file is made of, and whether it is still whole. What does not: making one (`rows`).

Beside an intake file lies a note of what it was made of, and of its content: a file that was damaged, or that a crash
left without its note, is made anew.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import polars as pl

from olist_pipeline.files import content_hash, replacing
from olist_pipeline.landing.csv_file import SOURCE_ROW
from olist_pipeline.landing.table import LandingTable
from olist_pipeline.migration.code import python_hash
from olist_pipeline.months import MonthRange


def made_of(table: LandingTable, landing_hash: str, months: MonthRange, parents: pl.LazyFrame | None) -> str:
    """Return a hash of all that the intake of a table depends on; `parents` is what it reads of its parent's intake.

    Of their numbers their order counts.
    """
    fields = {name: repr(field) for name, field in table.record.model_fields.items()}
    above = rows_hash(parents.drop(SOURCE_ROW)) if parents is not None else ""
    everything = [landing_hash, python_hash(), str(months), repr(table), fields, above]
    return hashlib.blake2b(json.dumps(everything).encode(), digest_size=16).hexdigest()


def rows_hash(rows: pl.LazyFrame) -> str:
    """Return a hash of rows in their order, by the hash that Polars gives to each; they need not fit into memory."""
    digest = hashlib.blake2b(digest_size=16)
    for batch in rows.collect_batches(maintain_order=True):
        digest.update(batch.hash_rows(1).to_numpy().tobytes())
    return digest.hexdigest()


def is_of(intake: Path, source: str) -> bool:
    """Return whether an intake file is there, made of `source` (see `made_of`), as it was written."""
    try:
        return _note(intake).read_text("utf-8") == f"{source} {content_hash(intake)}\n"
    except (OSError, ValueError):
        return False


def note(intake: Path, source: str) -> None:
    """Note what an intake file was made of."""
    text = f"{source} {content_hash(intake)}\n"
    with replacing(_note(intake)) as temporary:
        temporary.write_text(text, "utf-8")


def _note(intake: Path) -> Path:
    return intake.with_suffix(".made_of")
