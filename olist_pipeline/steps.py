"""The two Python steps of the pipeline, with their reads and writes: intake and validation.

What belongs here: the order in which a step writes its stores. What does not: how rows are validated (intake
and the contexts), and Dagster.

A step writes the quarantine and the events first, then its Parquet files; what waits for the disk or for PostgreSQL
goes on beside other work. Each write replaces what an earlier run wrote, so a crash between two of them is healed by
running the step again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from functools import partial

import polars as pl

from olist_pipeline.engine.rulebooks import FLAGS
from olist_pipeline.files import content_hash
from olist_pipeline.intake.cast import RULES
from olist_pipeline.intake.rows import IS_SOUND, take_in
from olist_pipeline.intake.span import as_of
from olist_pipeline.landing.catalogue import ORDERS, LandingTable
from olist_pipeline.landing.folder import path_of, readable_landing
from olist_pipeline.months import MonthRange
from olist_pipeline.settings import Settings
from olist_pipeline.staging import intake_path, scan_intake, write_frame, write_months, write_snapshot
from olist_pipeline.stores import events, quarantine
from olist_pipeline.validation.context import ValidationStep
from olist_pipeline.validation.inputs import Inputs
from olist_pipeline.validation.table import StagedTable
from olist_pipeline.validation.validated import Validated, quarantine_rows

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
    landing = readable_landing(settings, [table])
    with ThreadPoolExecutor(1) as beside:
        hashed = beside.submit(content_hash, path_of(landing, table))
        orders = scan_intake(settings.intake, table.parent).collect() if table.parent else None
        rows = take_in(table, landing, MonthRange.until(today), orders)
    landing_hash = hashed.result()
    rejected = rows.filter(~IS_SOUND)
    quarantined = quarantine_rows(rejected, StagedTable.of(table))
    quarantine.replace_rows(url, "intake", [table.name], None, quarantined, run_id)
    write_frame(rows, intake_path(settings.intake, table.name), {LANDING_HASH: landing_hash})
    return IntakeReport(rows.height, rejected.height, _count_codes(rejected[RULES]), landing_hash)


def run_validation(
    settings: Settings,
    url: str,
    step: ValidationStep,
    months: Sequence[date] | None,
    run_id: str,
    dated: LandingTable | None = ORDERS,
) -> ValidationReport:
    """Validate a step's inputs: accepted rows to staging, others to quarantine, events to the store.

    `months` are whole months for a monthly step, None for another, which validates all there is. The last date in the
    table `dated` is the day that is taken for today.
    """
    declared = frozenset((*step.intake, *step.published))
    looked_back_from = as_of(readable_landing(settings, [dated] if dated else []), dated)
    validated = step.validate(Inputs(settings.intake, settings.staging, declared, months, looked_back_from))
    quarantined = validated.quarantined()
    with ThreadPoolExecutor(1) as beside:
        replaced = beside.submit(
            quarantine.replace_rows, url, "validation", validated.tables, months, quarantined, run_id
        )
        appended = events.append(url, validated.events, run_id)
    replaced.result()
    with ThreadPoolExecutor(len(step.tables)) as side_by_side:
        reports = side_by_side.map(partial(_stage, settings, months, validated, quarantined), step.tables)
    return ValidationReport({table.name: report for table, report in zip(step.tables, reports, strict=True)}, appended)


def landing_hash_of(settings: Settings, table: str) -> str:
    """Return the content hash of the landing file that the present intake of a table was made of."""
    return pl.read_parquet_metadata(intake_path(settings.intake, table)).get(LANDING_HASH, "")


def _stage(
    settings: Settings,
    months: Sequence[date] | None,
    validated: Validated,
    quarantined: pl.DataFrame,
    table: StagedTable,
) -> TableReport:
    """Write the accepted rows of one table to staging and report them beside those in quarantine."""
    accepted = validated.accepted(table.name)
    if months is None:
        write_snapshot(accepted, settings.staging, table.context, table.name)
    else:
        write_months(accepted, settings.staging, table.context, table.name, months)
    rejected = quarantined.filter(pl.col("source_table") == table.name)
    return TableReport(
        accepted.height,
        rejected.height,
        _count_codes(rejected[RULES]),
        dict(Counter(accepted[FLAGS].explode().drop_nulls().to_list())),
    )


def _count_codes(codes: pl.Series) -> dict[str, int]:
    return dict(Counter(codes.str.split(",").explode().drop_nulls().to_list()))
