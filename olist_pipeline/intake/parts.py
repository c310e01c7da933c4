"""The files of a landing table as typed records: one file, or its parts, each of which is read once.

What belongs here: numbering the records of parts through, and keeping what was read of a part. What does not: reading a
file (`landing.csv_file`), casting (`cast`), and what needs all records of a table (`rows`).

A part that was read is kept beside it, by its content and the version of the code that read it: its typed records, and
their text, of which some are needed again when a later part shows them to be rejected.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

import polars as pl

from olist_pipeline.files import beside, remove_abandoned, size_and_time
from olist_pipeline.intake.cast import RULES, cast_rows
from olist_pipeline.intake.codes import REPEATED_HEADER
from olist_pipeline.intake.places import SOURCE_FILE
from olist_pipeline.landing.csv_file import SOURCE_ROW, CsvText, changed_meanwhile, read_text
from olist_pipeline.landing.folder import files_of
from olist_pipeline.landing.packed import called
from olist_pipeline.landing.parts import KEPT, is_in_parts, part_hash
from olist_pipeline.landing.table import LandingTable
from olist_pipeline.migration.code import python_hash

FRAMES = ("rows", "malformed", "text")
"""What is kept of a part."""


class TextOf(Protocol):
    """Returns the text of records by their numbers within a file."""

    def __call__(self, numbers: pl.Series) -> pl.DataFrame:
        """Return `source_row` and a text column for each expected column."""


@dataclass(frozen=True)
class Part:
    """The records of one file: typed `rows` with `rules` and `source_row`, `malformed` ones as of `CsvText`.

    `records` counts both. Numbers are within the file.
    """

    rows: pl.DataFrame
    malformed: pl.DataFrame
    text_of: TextOf

    @property
    def records(self) -> int:
        """The number of records, split or not."""
        return self.rows.height + self.malformed.height


@dataclass(frozen=True)
class Parts:
    """The records of all files of a table, numbered through in the order of the files."""

    rows: pl.DataFrame
    malformed: pl.DataFrame
    parts: tuple[Part, ...]

    def text_of(self, numbers: pl.Series) -> pl.DataFrame:
        """Return the text of records by their numbers: `source_row` and a column for each expected column."""
        found: list[pl.DataFrame] = []
        offset = 0
        for part in self.parts:
            own = numbers.filter((numbers > offset) & (numbers <= offset + part.records))
            if len(own) or not found:
                found.append(_moved(part.text_of(own - offset), offset))
            offset += part.records
        return pl.concat(found)


def read_parts(landing: Path, table: LandingTable) -> Parts:
    """Return the typed records of a table; raises OlistError when one of its files is unusable, or is changed."""
    files = files_of(landing, table)
    if not is_in_parts(landing, table):
        part = _typed(read_text(files[0], table), table)
        return Parts(part.rows, part.malformed, (part,))
    parts = [_kept(path, table) for path in files]
    _remove_others(files)
    rows, malformed, offset = [], [], 0
    for path, part in zip(files, parts, strict=True):
        name = pl.lit(f"{called(path)}@{offset}").alias(SOURCE_FILE)
        rows.append(_moved(part.rows, offset).with_columns(name))
        malformed.append(_moved(part.malformed, offset).with_columns(name))
        offset += part.records
    return Parts(pl.concat(rows), pl.concat(malformed), tuple(parts))


def forget_parts(landing: Path, table: LandingTable) -> None:
    """Have the parts of a table read again, if it has any."""
    for path in files_of(landing, table) if is_in_parts(landing, table) else ():
        _files(path)["left"].unlink(missing_ok=True)


def is_known(path: Path) -> bool:
    """Return whether a part of a prepared folder was read before, as it is now, and is kept as it was left."""
    files = _files(path)
    with suppress(OSError, ValueError):
        return bool(json.loads(files["left"].read_text("utf-8")) == _left(files))
    return False


def _kept(path: Path, table: LandingTable) -> Part:
    files = _files(path)
    if not is_known(path):
        text = read_text(path, table)
        part = _typed(text, table)
        if _files(path) != files:
            raise changed_meanwhile(called(path))
        for name, frame in (("text", text.rows), ("malformed", part.malformed), ("rows", part.rows)):
            with beside(files[name]) as temporary:
                frame.write_parquet(temporary, compression="zstd" if name == "text" else "lz4")
        with beside(files["left"]) as temporary:
            temporary.write_text(json.dumps(_left(files)), "utf-8")
    rows, malformed = (_read(files[name]) for name in ("rows", "malformed"))
    return Part(rows, malformed, partial(_kept_text, files["text"]))


def _typed(text: CsvText, table: LandingTable) -> Part:
    rows = cast_rows(text.rows, table.record, table.ids)
    if headers := _repeated_headers(text.rows, table.columns):
        rows = rows.with_columns(with_code(pl.col(SOURCE_ROW).is_in(headers), REPEATED_HEADER.code))
    return Part(rows, text.malformed, partial(_text_of, text.rows))


def with_code(condition: pl.Expr, code: str) -> pl.Expr:
    """Return `rules` with `code` appended where `condition` holds."""
    separator = pl.when(pl.col(RULES) == "").then(pl.lit("")).otherwise(pl.lit(","))
    appended = pl.concat_str(pl.col(RULES), separator, pl.lit(code))
    return pl.when(condition).then(appended).otherwise(pl.col(RULES)).alias(RULES)


def _repeated_headers(text: pl.DataFrame, columns: tuple[str, ...]) -> list[int]:
    """Return the numbers of the rows that name the columns, which may begin with a joined file's byte order mark."""
    first, *others = columns
    suspects = text.filter((pl.col(first) == first) | (pl.col(first) == f"\ufeff{first}"))
    is_header = pl.all_horizontal(pl.lit(True), *(pl.col(name) == name for name in others))
    return suspects.filter(is_header)[SOURCE_ROW].to_list()


def _text_of(text: pl.DataFrame, numbers: pl.Series) -> pl.DataFrame:
    return text.join(numbers.to_frame(SOURCE_ROW), on=SOURCE_ROW, how="semi")


def _kept_text(path: Path, numbers: pl.Series) -> pl.DataFrame:
    text = pl.scan_parquet(path, glob=False, hive_partitioning=False)
    return text.join(numbers.to_frame(SOURCE_ROW).lazy(), on=SOURCE_ROW, how="semi").collect()


def _moved(frame: pl.DataFrame, offset: int) -> pl.DataFrame:
    return frame.with_columns(pl.col(SOURCE_ROW) + offset) if offset else frame


def _read(path: Path) -> pl.DataFrame:
    return pl.read_parquet(path, glob=False, hive_partitioning=False)


def _files(path: Path) -> dict[str, Path]:
    key = f"{part_hash(path)}-{python_hash()}"
    frames = {name: path.parent / KEPT / f"{key}.{name}.parquet" for name in FRAMES}
    return {**frames, "left": path.parent / KEPT / f"{key}.json"}


def _left(files: Mapping[str, Path]) -> dict[str, list[int]]:
    """Return the state of what is kept of a part: one that was damaged is read again."""
    return {name: size_and_time(files[name]) for name in FRAMES}


def _remove_others(paths: Iterable[Path]) -> None:
    """Remove what is kept of parts that are not there any more, or were read by other code."""
    files = tuple(paths)
    needed = {kept.name for path in files for kept in _files(path).values()} | {f"{path.stem}.json" for path in files}
    remove_abandoned(files[0].parent / KEPT)
    for kept in (files[0].parent / KEPT).iterdir():
        if kept.name not in needed and not kept.name.startswith("."):
            kept.unlink(missing_ok=True)
