"""Intake of a table in parts, a part at a time: what can be done before all parts are looked at, and what after.

What belongs here: the work on one part, which reads and writes Parquet, so that it can be done on any machine. What
does not: looking at all rows (`lookups`), and who has the work done (`spark.intake`, and `large` on this machine).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import polars as pl

from olist_pipeline.intake.lookups import IS_REPEATED, PARENT_IS_VALID, gives_month
from olist_pipeline.intake.parts import Part, keep_part, kept_part, kept_records, placed, text_among, text_behind
from olist_pipeline.intake.rows import finished, malformed_rows, parents_of
from olist_pipeline.landing.csv_file import SOURCE_ROW, read_text
from olist_pipeline.landing.table import LandingTable
from olist_pipeline.months import MONTH, MonthRange
from olist_pipeline.staging import scan_files, write_frame

PART = "part"
"""The column of looked-up rows that has the number of their part, by which they are in folders."""


@dataclass(frozen=True)
class PartFile:
    """A part of a table: `path` is in a prepared folder, `offset` is the number of the records before it.

    Of a large one only the records behind the first `after` ones, up to the one numbered `last`.
    """

    number: int
    path: Path
    offset: int = 0
    after: int = 0
    last: int | None = None

    @property
    def name(self) -> str:
        """The file and its folder."""
        return f"{self.path.parent.name}/{self.path.name}"

    def read(self) -> Part:
        """Return the records as they are kept."""
        return kept_part(self.path, self.after, self.last)

    def placed(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return records, numbered within the table, with the name of the file."""
        return placed(frame, self.path, self.offset)


@dataclass(frozen=True)
class WindowOfFile:
    """A window of the only file of a table, whose typed records are in a file of their own."""

    number: int
    path: Path
    table: LandingTable
    typed: Path
    malformed: pl.DataFrame
    offset: int = 0

    def read(self) -> Part:
        """Return the records; their text is read once more where it is asked for."""
        return Part(scan_files(self.typed).collect(), self.malformed, self._text_of)

    def placed(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return records as they are: they are numbered within the file."""
        return frame

    def _text_of(self, numbers: pl.Series) -> pl.DataFrame:
        if numbers.is_empty():
            return pl.DataFrame(schema={SOURCE_ROW: pl.Int64, **dict.fromkeys(self.table.columns, pl.String)})
        return text_among(read_text(self.path, self.table, self.number).rows, numbers)


PieceOfTable = PartFile | WindowOfFile
"""Some records of a table that are together in memory; their numbers, and those that are looked up, are the file's."""


def read_part(table: LandingTable, part: PartFile) -> int:
    """Read a part, unless it is known, and keep what it has; return the number of its records."""
    keep_part(part.path, table)
    return kept_records(part.path)


@dataclass(frozen=True)
class FinishingOfParts:
    """Makes the intake rows of a part of what was looked up for it, if anything was, and writes them to `folder`.

    `looked_up` has a folder of Parquet files for each part that has rows, `parents` the rows of the table that they
    belong to, as `parents_of` reads them.
    """

    table: LandingTable
    months: MonthRange
    parents: Path | None
    looked_up: Path
    folder: Path

    def __call__(self, piece: PieceOfTable) -> tuple[Path, Path]:
        """Return the files of the part: of its rows, and of its malformed records."""
        table, part = self.table, piece.read()
        rows = self._with_lookups(piece.placed(part.rows), piece)
        rows = finished(rows, table, self.months, partial(text_behind, part, piece.offset))
        frames = {"rows": rows, "malformed": rows.clear()}
        if part.malformed.height:
            malformed = malformed_rows(piece.placed(part.malformed), table, self._parents())
            frames["malformed"] = pl.concat([rows.clear(), malformed], how="diagonal")
        paths = {name: self.folder / f"{piece.number:06}.{name}.parquet" for name in frames}
        for name, frame in frames.items():
            write_frame(frame, paths[name])
        return paths["rows"], paths["malformed"]

    def _parents(self) -> pl.LazyFrame | None:
        if self.parents is None or self.table.parent is None:
            return None
        return parents_of(scan_files(self.parents), self.table.parent.table)

    def _with_lookups(self, rows: pl.DataFrame, piece: PieceOfTable) -> pl.DataFrame:
        kinds = {
            **({IS_REPEATED: pl.Boolean} if self.table.key else {}),
            **({MONTH: pl.Date} if gives_month(self.table) else {}),
            **({PARENT_IS_VALID: pl.Boolean} if self.table.parent else {}),
        }
        if not kinds:
            return rows
        found = sorted((self.looked_up / f"{PART}={piece.number}").glob("*.parquet"))
        frames = [scan_files(path).collect() for path in found]
        nothing = pl.DataFrame(schema={SOURCE_ROW: pl.Int64, **kinds})
        together = pl.concat([nothing, *(frame.select(nothing.columns) for frame in frames)])
        moved = together.with_columns(pl.col(SOURCE_ROW) + piece.offset)
        return rows.join(moved, on=SOURCE_ROW, how="left", maintain_order="left")
