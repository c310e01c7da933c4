"""Shares of landing files that are not stored yet: what intake alone rejects of them.

What belongs here: reading and counting. What does not: what a share means, and its cause (`shares`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import polars as pl

from olist_pipeline.intake.cast import RULES
from olist_pipeline.intake.large import ingest_all
from olist_pipeline.intake.rows import IS_VALID, PAYLOAD
from olist_pipeline.landing.csv_file import SOURCE_ROW
from olist_pipeline.landing.table import LandingTable
from olist_pipeline.settings import CutoverRules
from olist_pipeline.validation.shares import Broken, Share, broken_by, with_cause
from olist_pipeline.validation.table import StagedTable
from olist_pipeline.validation.validated import quarantine_rows


def structural_shares(
    landing: Path, tables: Iterable[LandingTable], today: date, rules: CutoverRules, folder: Path
) -> dict[str, Share]:
    """Return by table the share of each readable landing file that intake alone rejects: without any database.

    `folder` is for what large tables need meanwhile.
    """
    found: dict[str, list[Broken]] = {}
    shares: dict[str, Share] = {}
    parents: dict[str, str | None] = {}
    for table, rows in ingest_all(tables, landing, today, folder):
        parents[table.name] = table.parent.table.name if table.parent else None
        rejected, counted = pl.collect_all([rows.filter(~IS_VALID), rows.select(pl.len())])
        found[table.name] = _broken_in(rejected, table)
        shares[table.name] = Share(table.name, counted.item(), rejected.height, rules.quarantine_limit)
    return {name: with_cause(share, found, parents) for name, share in shares.items()}


def _broken_in(rejected: pl.DataFrame, table: LandingTable) -> list[Broken]:
    """Return what the rejected rows of an intake frame broke."""
    rows = quarantine_rows(rejected, StagedTable.of(table)).sort(SOURCE_ROW)
    codes = rows.with_columns(pl.col(RULES).str.split(",").alias("rule")).explode("rule")
    first = codes.group_by("rule", maintain_order=True).agg(pl.len().alias("rows"), pl.exclude("rule").first())
    return [broken_by({**row, "payload": json.loads(row[PAYLOAD])}, table) for row in first.iter_rows(named=True)]
