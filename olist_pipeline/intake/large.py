"""Intake of a table of any size on this machine: at once, or a piece at a time where it is too large for that.

What belongs here: cutting a table into pieces, and what is looked up for each. What does not: the work on a piece
(`by_parts`), what is looked up (`lookups`), and the work on a table that is read at once (`rows`).

Whole columns are in memory for what all rows are looked at for alone: keys, and months.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple

import polars as pl

from olist_pipeline.files import reading
from olist_pipeline.intake.by_parts import PART, FinishingOfParts, PartFile, PieceOfTable, WindowOfFile
from olist_pipeline.intake.lookups import looked_up
from olist_pipeline.intake.parts import (
    is_within,
    keep_parts,
    kept_records,
    scan_kept,
    set_aside,
    typed_part,
)
from olist_pipeline.intake.rows import ingest, parents_of
from olist_pipeline.landing.csv_file import SOURCE_ROW, read_text, windows_of
from olist_pipeline.landing.folder import files_of
from olist_pipeline.landing.parts import is_in_parts
from olist_pipeline.landing.table import LandingTable
from olist_pipeline.months import MonthRange
from olist_pipeline.staging import scan_files, write_rows

LARGE_BYTES = 256 << 20
"""Files of a table that have more bytes together are not read at once: that takes some seven times as much memory."""

RECORDS = 400_000
"""So many records of a part that is kept are finished at once: about what a window of a file has."""


class _Typed(NamedTuple):
    """A piece, and its typed rows, lazily."""

    piece: PieceOfTable
    rows: pl.LazyFrame


def is_large(landing: Path, table: LandingTable) -> bool:
    """Return whether a table of a readable landing is too large to be read at once."""
    with reading(table.file):
        return sum(path.stat().st_size for path in files_of(landing, table)) > LARGE_BYTES


def ingest_any(
    table: LandingTable, landing: Path, months: MonthRange, parents: pl.LazyFrame | None, folder: Path
) -> pl.LazyFrame:
    """Return the intake rows of a table, as `intake.rows.ingest` does; those of a large one are in files in `folder`.

    Raises OlistError for a file that is unusable.
    """
    if is_large(landing, table):
        return _in_pieces(table, landing, months, parents, folder)
    return ingest(table, landing, months, None if parents is None else parents.collect()).lazy()


def ingest_all(
    tables: Iterable[LandingTable], landing: Path, today: date, folder: Path
) -> Iterator[tuple[LandingTable, pl.LazyFrame]]:
    """Yield tables with their intake rows, which are there until the next one; what rows belong to comes before them.

    Where that is not among the tables, nothing is said of it. `folder` is for what large tables need meanwhile.
    """
    ordered = sorted(tables, key=lambda table: table.depth)
    above = {table.parent.table.name for table in ordered if table.parent}
    parents: dict[str, pl.LazyFrame] = {}
    own = folder / uuid.uuid4().hex  # somebody else may look at the same time
    try:
        for table in ordered:
            theirs = parents.get(table.parent.table.name) if table.parent else None
            rows = ingest_any(table, landing, table.months(today), theirs, own)
            yield table, rows
            if table.name in above:
                parents[table.name] = parents_of(rows, table).collect().lazy()
    finally:
        shutil.rmtree(own, ignore_errors=True)


def _in_pieces(
    table: LandingTable, landing: Path, months: MonthRange, parents: pl.LazyFrame | None, folder: Path
) -> pl.LazyFrame:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    above = None
    if parents is not None:
        above = folder / "parents.parquet"
        write_rows(parents, above)
        parents = scan_files(above)
    typed = _of_parts(landing, table) if is_in_parts(landing, table) else _of_windows(landing, table, folder)
    found = folder / "looked_up"
    if table.key or table.parent:
        _look_up(typed, table, parents, found)
    finishing = FinishingOfParts(table, months, above, found, folder)
    rows, malformed = zip(*(finishing(piece) for piece, _ in typed), strict=True)
    return scan_files([*rows, *malformed])


def _of_windows(landing: Path, table: LandingTable, folder: Path) -> list[_Typed]:
    [path] = files_of(landing, table)
    found = []
    for window in windows_of(path, table):
        part = typed_part(read_text(path, table, window), table)
        file = folder / f"{window:06}.typed.parquet"
        rows = set_aside(part.rows, file)
        found.append(_Typed(WindowOfFile(window, path, table, file, part.malformed), rows))
    return found


def _of_parts(landing: Path, table: LandingTable) -> list[_Typed]:
    files = files_of(landing, table)
    keep_parts(files, table)
    found: list[_Typed] = []
    offset = 0
    for path in files:
        rows, records = scan_kept([path]), kept_records(path)
        for after in range(0, max(records, 1), RECORDS):
            piece = PartFile(len(found), path, offset, after, after + RECORDS)
            found.append(_Typed(piece, rows.filter(is_within(after, after + RECORDS))))
        offset += records
    return found


def _look_up(typed: list[_Typed], table: LandingTable, parents: pl.LazyFrame | None, folder: Path) -> None:
    """Write what is found of each row beside all others, to a folder a piece, with its number within the file."""
    columns = (SOURCE_ROW, *table.links)
    numbered = [rows.select(*columns, pl.lit(piece.number, pl.Int32).alias(PART)) for piece, rows in typed]
    found = looked_up(pl.concat(numbered), table, parents)
    new = [name for name in found.collect_schema() if name == SOURCE_ROW or name not in columns]
    for (number,), rows in found.select(new).collect(engine="streaming").partition_by(PART, as_dict=True).items():
        path = folder / f"{PART}={number}"
        path.mkdir(parents=True)
        set_aside(rows, path / "rows.parquet")
