"""The two Python steps of the pipeline, with their reads and writes: intake and validation.

What belongs here: the order in which a step writes its stores. What does not: how rows are judged (intake
and the contexts), and Dagster.

A step writes the quarantine and the events first, then its Parquet files. Each write replaces what an
earlier run wrote, so a crash between two of them is healed by running the step again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from olist_pipeline.contexts import Context
from olist_pipeline.engine.judge import FLAGS
from olist_pipeline.files import content_hash
from olist_pipeline.intake.cast import RULES
from olist_pipeline.intake.rows import IS_SOUND, ORDER_MONTH, PAYLOAD, take_in
from olist_pipeline.landing.catalogue import LandingTable
from olist_pipeline.landing.csv_file import SOURCE_ROW, path_of
from olist_pipeline.months import MonthRange
from olist_pipeline.settings import Settings
from olist_pipeline.staging import intake_path, read_intake, write_frame, write_months
from olist_pipeline.stores import events, quarantine

LANDING_HASH = "olist.landing_hash"
"""Parquet metadata key of the content hash of the landing file that an intake file was made of."""


@dataclass(frozen=True)
class IntakeReport:
    """What an intake did: rows read, rows rejected by rule, and the hash of the file it read."""

    rows: int
    rejected: int
    rules: dict[str, int]
    landing_hash: str


@dataclass(frozen=True)
class TableReport:
    """What a validation did to one table, by rule."""

    accepted: int
    quarantined: int
    rules: dict[str, int]
    flags: dict[str, int]


@dataclass(frozen=True)
class ValidationReport:
    """What a validation did, by table, and how many events were new."""

    tables: dict[str, TableReport]
    events: int


def run_intake(settings: Settings, url: str, table: LandingTable, today: date, run_id: str) -> IntakeReport:
    """Read a table's landing file, quarantine its structurally bad rows and write the rest, typed."""
    landing_hash = content_hash(path_of(settings.landing, table))
    orders = read_intake(settings.intake, table.parent) if table.parent else None
    rows = take_in(table, settings.landing, MonthRange.until(today), orders)
    rejected = rows.filter(~IS_SOUND)
    quarantine.replace_rows(url, "intake", [table.name], None, _intake_quarantine(rejected, table), run_id)
    write_frame(rows, intake_path(settings.intake, table.name), {LANDING_HASH: landing_hash})
    return IntakeReport(rows.height, rejected.height, _count_codes(rejected[RULES]), landing_hash)


def run_validation(
    settings: Settings, url: str, context: Context, months: Sequence[date], run_id: str
) -> ValidationReport:
    """Judge the intake rows of whole months: accepted ones to staging, others to quarantine, events to the store."""
    intake = {table.name: read_intake(settings.intake, table.name, months) for table in context.tables}
    judged = context.judge(intake)
    quarantined = judged.quarantined()
    quarantine.replace_rows(url, "validation", intake, months, quarantined, run_id)
    appended = events.append(url, judged.events(), run_id)
    reports = {}
    for table in context.tables:
        accepted = judged.accepted(table)
        write_months(accepted, settings.staging, context.name, table.name, months)
        rejected = quarantined.filter(pl.col("source_table") == table.name)
        reports[table.name] = TableReport(
            accepted.height,
            rejected.height,
            _count_codes(rejected[RULES]),
            dict(Counter(accepted[FLAGS].explode().drop_nulls().to_list())),
        )
    return ValidationReport(reports, appended)


def landing_hash_of(settings: Settings, table: str) -> str:
    """Return the content hash of the landing file that the present intake of a table was made of."""
    return pl.read_parquet_metadata(intake_path(settings.intake, table)).get(LANDING_HASH, "")


def _intake_quarantine(rejected: pl.DataFrame, table: LandingTable) -> pl.DataFrame:
    months = pl.col(ORDER_MONTH) if ORDER_MONTH in rejected.columns else pl.lit(None, dtype=pl.Date)
    return rejected.select(
        pl.lit(table.context).alias("context"),
        pl.lit(table.aggregate).alias("aggregate_type"),
        pl.col(table.identity).alias("aggregate_id"),
        pl.lit(table.name).alias("source_table"),
        pl.lit(table.file).alias("source_file"),
        SOURCE_ROW,
        RULES,
        PAYLOAD,
        months.alias(ORDER_MONTH),
    )


def _count_codes(codes: pl.Series) -> dict[str, int]:
    return dict(Counter(codes.str.split(",").explode().drop_nulls().to_list()))
