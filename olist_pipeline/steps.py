"""The two Python steps of the pipeline, with their reads and writes: intake and validation.

What belongs here: the order in which a step writes its stores. What does not: how rows are validated (intake
and the contexts), and Dagster.

Intake writes the quarantine, then its Parquet file. A validation step is cut into units, which write their staging and
an outbox; one loader brings that to PostgreSQL, the events of a unit while the next one is worked through. Each write
replaces what an earlier run wrote or appends what is missing, so a crash between two of them is healed by running the
step again.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import polars as pl

from olist_pipeline.file_locks import alone
from olist_pipeline.intake import unchanged
from olist_pipeline.intake.cast import RULES
from olist_pipeline.intake.large import ingest_any
from olist_pipeline.intake.parts import forget_parts
from olist_pipeline.intake.rows import IS_VALID, parents_of
from olist_pipeline.intake.span import as_of
from olist_pipeline.landing.folder import landing_hash, readable_landing
from olist_pipeline.landing.packed import changed_meanwhile
from olist_pipeline.landing.parts import is_in_parts
from olist_pipeline.landing.table import LandingTable
from olist_pipeline.migration.code import python_hash
from olist_pipeline.months import MONTH
from olist_pipeline.settings import Settings
from olist_pipeline.staging import intake_path, month_files, scan_files, scan_intake, staging_path, write_rows
from olist_pipeline.stores import appending, quarantine
from olist_pipeline.validation import unchanged as unchanged_steps
from olist_pipeline.validation import units
from olist_pipeline.validation.context import ValidationStep
from olist_pipeline.validation.table import StagedTable
from olist_pipeline.validation.units import Runner, Unit
from olist_pipeline.validation.validated import quarantine_rows
from olist_pipeline.validation.work import TableReport, UnitReport, ValidationWork, count_codes

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
class ValidationReport:
    """What a validation did, by table, how many events were new, and where it was done if not in this process."""

    tables: dict[str, TableReport]
    events: int
    place: Mapping[str, str] = field(default_factory=dict)


def run_intake(
    settings: Settings, url: str, table: LandingTable, today: date, run_id: str, *, is_forced: bool = False
) -> IntakeReport:
    """Read a table's landing file, quarantine its structurally bad rows and write the rest, typed.

    A file that was read before, as it is now, is not read again unless that `is_forced`: what it left then is brought
    to quarantine. Raises OlistError for one that is unusable, or is replaced meanwhile.
    """
    with _sole(settings, f"intake.{table.name}"):
        return _ingested(settings, url, table, today, run_id, is_forced=is_forced)


def _ingested(
    settings: Settings, url: str, table: LandingTable, today: date, run_id: str, *, is_forced: bool
) -> IntakeReport:
    landing = readable_landing(settings, [table])
    path = intake_path(settings.intake, table.name)
    above = table.parent.table if table.parent else None
    parents = parents_of(scan_intake(settings.intake, above.name), above) if above else None
    months, hash_read = table.months(today), landing_hash(landing, table)
    source = unchanged.made_of(table, hash_read, months, parents)
    if is_forced:
        forget_parts(landing, table)
    is_known = not is_forced and unchanged.is_of(path, source)
    outbox = settings.outbox / "intake" / table.name
    is_by_tasks = settings.engine == "spark" and is_in_parts(landing, table)
    if is_known:
        rows = scan_intake(settings.intake, table.name)
    elif is_by_tasks:
        # Its extra need not be installed.
        from olist_pipeline.spark.intake import ingest_on_spark

        rows = ingest_on_spark(settings, table, landing, months, outbox)
    else:
        rows = ingest_any(table, landing, months, parents, outbox)
    if landing_hash(landing, table) != hash_read:
        raise changed_meanwhile(table.file)
    rejected, counted = pl.collect_all([rows.filter(~IS_VALID), rows.select(pl.len())])
    quarantined = quarantine_rows(rejected, StagedTable.of(table))
    quarantine.replace_rows(url, "intake", [table.name], None, [quarantined], run_id)
    if not is_known:
        write_rows(rows, path, {LANDING_HASH: hash_read})
        unchanged.note(path, source)
        shutil.rmtree(outbox, ignore_errors=True)
    return IntakeReport(counted.item(), rejected.height, count_codes(rejected[RULES]), hash_read)


def run_validation(
    settings: Settings,
    url: str,
    step: ValidationStep,
    months: Sequence[date] | None,
    run_id: str,
    dated: LandingTable | None,
    *,
    is_forced: bool = False,
) -> ValidationReport:
    """Validate a step's inputs, unit by unit: accepted rows to staging, others to quarantine, events to the store.

    `months` are whole months for a monthly step, None for another, which validates all there is: unless it `is_forced`,
    only where anything that it reads has changed since it left what is there. The last date in the table `dated` is the
    day that is taken for today.
    """
    with _sole(settings, f"{step.tables[0].context}.{step.name}"):
        day = as_of(readable_landing(settings, [dated] if dated else []), dated)
        whole = unchanged_steps.WholeStep(settings, step, day)
        known = frozenset(appending.known_digests(url))
        if not step.is_monthly and not is_forced and (report := unchanged_steps.report_of(whole, known)):
            _replace_quarantine(url, step, None, (scan_files(path).collect() for path in whole.quarantine), run_id)
            return ValidationReport(report, 0)
        return _validated(whole, url, months, run_id, known)


def _validated(
    whole: unchanged_steps.WholeStep, url: str, months: Sequence[date] | None, run_id: str, known: frozenset[bytes]
) -> ValidationReport:
    """Validate all that is asked for, whether or not it has changed."""
    settings, step, inputs = whole.settings, whole.step, whole.inputs()
    context = step.tables[0].context
    outbox = settings.outbox / context / step.name
    shutil.rmtree(outbox, ignore_errors=True)
    runner = runner_of(settings, step)
    pieces = _units(settings, step, months, runner.at_a_time)
    work = ValidationWork(
        step,
        settings.intake,
        settings.staging,
        outbox,
        whole.day,
        known,
        python_hash(),
    )
    reads = work.overview(pieces)
    reports: list[UnitReport] = []
    batches = _batches(units.ahead(runner.run(pieces, work)), reports)
    appended = appending.append(url, context, batches, run_id, are_apart=step.has_whole_aggregates)
    work.take_place(pieces)
    _remove_other_parts(settings.staging, step, pieces)
    _replace_quarantine(url, step, months, (scan_files(report.quarantine).collect() for report in reports), run_id)
    if not step.is_monthly:
        unchanged_steps.note(whole, reports, reads, inputs)
    shutil.rmtree(outbox, ignore_errors=True)
    tables = {table.name: TableReport.sum_of(report.tables[table.name] for report in reports) for table in step.tables}
    return ValidationReport(tables, appended, runner.place)


def _replace_quarantine(
    url: str, step: ValidationStep, months: Sequence[date] | None, rows: Iterable[pl.DataFrame], run_id: str
) -> None:
    quarantine.replace_rows(url, "validation", [table.name for table in step.tables], months, rows, run_id)


def _sole(settings: Settings, step: str) -> AbstractContextManager[None]:
    """Let one run at a time be at work on a step: those of the command line and of the UI write the same files."""
    return alone(settings.home / "locks" / f"{step}.lock")


def runner_of(settings: Settings, step: ValidationStep) -> Runner:
    """Return who works through the units of a step: this process, or Spark.

    A step without months is one unit, or some parts: it stays here, where intake has its whole tables anyway, and has
    all cores.
    """
    if settings.engine != "spark" or not step.is_monthly:
        return Runner(units.run_locally)
    # Its extra need not be installed.
    from olist_pipeline.spark.session import spark_runner

    return spark_runner(settings)


def landing_hash_of(settings: Settings, table: str) -> str:
    """Return the content hash of the landing file that the present intake of a table was made of; none before it."""
    path = intake_path(settings.intake, table)
    return pl.read_parquet_metadata(path).get(LANDING_HASH, "") if path.exists() else ""


def _batches(made: Iterable[UnitReport], reports: list[UnitReport]) -> Iterator[appending.Batch]:
    """Yield the events of each unit that was worked through, whose report is added to `reports`."""
    for report in made:
        reports.append(report)
        for file in report.events:
            yield appending.Batch(file.name, file.digest, scan_files(file.path))


def _units(settings: Settings, step: ValidationStep, months: Sequence[date] | None, at_a_time: int) -> Sequence[Unit]:
    """Return the units that a step is cut into."""
    if months is not None:
        rows = _rows_by_month(settings, step)
        return units.units_of(months, rows, step.cut, units.ROWS_A_UNIT, at_a_time)
    tables = [scan_intake(settings.intake, table).select(pl.len()) for table in step.intake if step.cut]
    return units.units_of_all(sum(one.item() for one in pl.collect_all(tables)), step.cut, units.ROWS_A_UNIT)


def _rows_by_month(settings: Settings, step: ValidationStep) -> dict[date, int]:
    """Return the rows of intake that a step reads, by month."""
    counted = Counter[date]()
    for table in step.intake:
        rows = scan_intake(settings.intake, table)
        if MONTH in rows.collect_schema():
            counted.update(dict(rows.group_by(MONTH).len().drop_nulls().collect().iter_rows()))
    return dict(counted)


def _remove_other_parts(staging: Path, step: ValidationStep, pieces: Sequence[Unit]) -> None:
    """Remove the files of an earlier run that cut its months otherwise."""
    for table in step.tables:
        place = (staging, table.context, table.name)
        pairs = [(month, unit.part) for unit in pieces for month in unit.months or ()]
        written = {staging_path(*place, month, part) for month, part in pairs}
        for path in {path for month, _ in pairs for path in month_files(*place, month)} - written:
            path.unlink()
