"""Intake of a table in parts on Spark: parts as tasks, and in between what all rows are looked at for, as frames.

What belongs here: the frames of Spark, what goes into them and comes out of them. What does not: the work on a part
(`intake.by_parts`), and what is looked up (`intake.lookups`), which Polars looks up likewise.

    part by part    read, cast, kept                tasks: our own reader
    all rows        keys and parents                a shuffle of Spark's: the number of a row, its key, its parent's key
    part by part    rules, payloads, written        tasks
    all parts       one file, rows in their order   this machine, row group by row group
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import Any

import polars as pl

from olist_pipeline.intake.by_parts import PART, FinishingOfParts, PartFile, read_part
from olist_pipeline.intake.lookups import looked_up
from olist_pipeline.intake.parts import files_as_read, remove_other_parts
from olist_pipeline.intake.rows import parents_of
from olist_pipeline.landing.csv_file import SOURCE_ROW
from olist_pipeline.landing.folder import files_of
from olist_pipeline.landing.table import LandingTable
from olist_pipeline.months import MonthRange
from olist_pipeline.settings import Settings
from olist_pipeline.spark.session import working
from olist_pipeline.spark.tasks import failing_in_words, run_on_spark
from olist_pipeline.staging import intake_path, scan_files

_FILE = "file_of_part"


def ingest_on_spark(
    settings: Settings, table: LandingTable, landing: Path, months: MonthRange, folder: Path
) -> pl.LazyFrame:
    """Return the intake rows of a table in parts, as `intake.rows.ingest` does, from files below `folder`.

    Parts, the intake of its parent and `folder` are where executors see them. Raises OlistError for an unusable part.
    """
    shutil.rmtree(folder, ignore_errors=True)
    files = files_of(landing, table)
    parts = [PartFile(number, path) for number, path in enumerate(files)]
    found = folder / "looked_up"
    with working(settings) as (session, paths):
        records = run_on_spark(session, paths, parts, partial(read_part, table))
        remove_other_parts(files)
        offsets = list(accumulate(records, initial=0))
        parts = [replace(part, offset=offsets[part.number]) for part in parts]
        if table.key or table.parent:
            _look_up(session, table, parts, settings.intake, found)
        above = intake_path(settings.intake, table.parent.table.name) if table.parent else None
        finishing = FinishingOfParts(table, months, above, found, folder)
        rows, malformed = zip(*run_on_spark(session, paths, parts, finishing), strict=True)
    return scan_files([*rows, *malformed])


def _look_up(session: Any, table: LandingTable, parts: list[PartFile], intake: Path, folder: Path) -> None:
    """Write what is found of each row beside all others, to a folder a part, with its number within the part."""
    columns = (SOURCE_ROW, *table.links)
    kept = {part.number: files_as_read(part.path)["rows"] for part in parts}
    # Parts with the same content are kept once.
    names = [(path.name, number) for number, path in kept.items()]
    numbers = session.createDataFrame(names, f"{_FILE} string, {PART} int")
    read = session.read.parquet(*dict.fromkeys(_uri(path) for path in kept.values()))
    rows = read.select(*columns, read["_metadata.file_name"].alias(_FILE)).join(numbers.hint("broadcast"), _FILE)
    with failing_in_words():
        found = looked_up(rows.drop(_FILE), table, _parents(session, table, intake))
        new = [name for name in found.columns if name == SOURCE_ROW or name not in columns]
        found.select(*new).repartition(PART).write.partitionBy(PART).mode("overwrite").parquet(_uri(folder))


def _parents(session: Any, table: LandingTable, intake: Path) -> Any:
    if table.parent is None:
        return None
    above = table.parent.table
    return parents_of(session.read.parquet(_uri(intake_path(intake, above.name))), above)


def _uri(path: Path) -> str:
    """Return a path as Spark reads it, whatever its default file system is."""
    return f"file:{path}"
