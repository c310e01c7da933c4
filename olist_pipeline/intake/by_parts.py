"""Intake of a table in parts, a part at a time: what can be done before all parts are looked at, and what after.

What belongs here: the work on one part, which reads and writes Parquet, so that it can be done on any machine. What
does not: looking at all rows (`lookups`), and who has the work done.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import polars as pl

from olist_pipeline.intake.lookups import IS_REPEATED, PARENT_IS_VALID, gives_month
from olist_pipeline.intake.parts import keep_part, kept_part, placed, text_behind
from olist_pipeline.intake.rows import finished, malformed_rows, parents_of
from olist_pipeline.landing.csv_file import SOURCE_ROW
from olist_pipeline.landing.table import LandingTable
from olist_pipeline.months import MONTH, MonthRange
from olist_pipeline.staging import scan_intake, write_frame

PART = "part"
"""The column of looked-up rows that has the number of their part, by which they are in folders."""


@dataclass(frozen=True)
class PartFile:
    """A part of a table: `path` is in a prepared folder, `offset` is the number of the records before it."""

    number: int
    path: Path
    offset: int = 0

    @property
    def name(self) -> str:
        """The file and its folder."""
        return f"{self.path.parent.name}/{self.path.name}"


@dataclass(frozen=True)
class ReadingOfParts:
    """Reads a part, unless it is known, and keeps what it has; returns the number of its records."""

    table: LandingTable

    def __call__(self, part: PartFile) -> int:
        """Read the part."""
        keep_part(part.path, self.table)
        return kept_part(part.path).records


@dataclass(frozen=True)
class FinishingOfParts:
    """Makes the intake rows of a part of what was looked up for it, if anything was, and writes them to `folder`.

    `looked_up` has a folder of Parquet files for each part that has rows, `intake` the table that rows belong to.
    """

    table: LandingTable
    months: MonthRange
    intake: Path
    looked_up: Path
    folder: Path

    def __call__(self, file: PartFile) -> tuple[Path, Path]:
        """Return the files of the part: of its rows, and of its malformed records."""
        table, part, offset = self.table, kept_part(file.path), file.offset
        rows = self._with_lookups(placed(part.rows, file.path, offset), file)
        rows = finished(rows, table, self.months, partial(text_behind, part, offset))
        above = table.parent.table if table.parent else None
        parents = parents_of(scan_intake(self.intake, above.name), above) if above else None
        malformed = malformed_rows(placed(part.malformed, file.path, offset), table, parents)
        frames = {"rows": rows, "malformed": pl.concat([rows.clear(), malformed], how="diagonal")}
        paths = {name: self.folder / f"{file.number:06}.{name}.parquet" for name in frames}
        for name, frame in frames.items():
            write_frame(frame, paths[name])
        return paths["rows"], paths["malformed"]

    def _with_lookups(self, rows: pl.DataFrame, file: PartFile) -> pl.DataFrame:
        kinds = {
            **({IS_REPEATED: pl.Boolean} if self.table.key else {}),
            **({MONTH: pl.Date} if gives_month(self.table) else {}),
            **({PARENT_IS_VALID: pl.Boolean} if self.table.parent else {}),
        }
        if not kinds:
            return rows
        found = sorted((self.looked_up / f"{PART}={file.number}").glob("*.parquet"))
        frames = [pl.read_parquet(path, glob=False, hive_partitioning=False) for path in found]
        nothing = pl.DataFrame(schema={SOURCE_ROW: pl.Int64, **kinds})
        together = pl.concat([nothing, *(frame.select(nothing.columns) for frame in frames)])
        moved = together.with_columns(pl.col(SOURCE_ROW) + file.offset)
        return rows.join(moved, on=SOURCE_ROW, how="left", maintain_order="left")
