"""The files of a landing table as typed records: one file, or its parts, each of which is read once.

What belongs here: numbering the records of parts through, and keeping what was read of a part. What does not: reading a
file (`landing.csv_file`), casting (`cast`), and what needs all records of a table (`rows`).

A part that was read is kept beside it, by its content and the version of the code that read it: its typed records, and
their text, of which some are needed again when a later part shows them to be rejected.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import polars as pl

from olist_pipeline.files import beside, remove_abandoned, scratch, size_and_time
from olist_pipeline.intake.cast import RULES, cast_rows
from olist_pipeline.intake.codes import REPEATED_HEADER
from olist_pipeline.intake.places import SOURCE_FILE
from olist_pipeline.landing.csv_file import SOURCE_ROW, CsvText, read_text, windows_of
from olist_pipeline.landing.folder import files_of
from olist_pipeline.landing.packed import called, changed_meanwhile
from olist_pipeline.landing.parts import KEPT, is_in_parts, part_hash
from olist_pipeline.landing.table import LandingTable
from olist_pipeline.migration.code import python_hash
from olist_pipeline.staging import refused_in_words, scan_files

FRAMES = ("rows", "malformed", "text")
"""What is kept of a part."""


TextOf = Callable[[pl.Series], pl.DataFrame]
"""Returns the text of records by their numbers within a file: `source_row` and a column for each expected column."""


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
                found.append(text_behind(part, offset, own))
            offset += part.records
        return pl.concat(found)


def read_parts(landing: Path, table: LandingTable) -> Parts:
    """Return the typed records of a table; raises OlistError when one of its files is unusable, or is changed."""
    files = files_of(landing, table)
    if not is_in_parts(landing, table):
        part = typed_part(read_text(files[0], table), table)
        return Parts(part.rows, part.malformed, (part,))
    keep_parts(files, table)
    parts = [kept_part(path) for path in files]
    rows, malformed, offset = [], [], 0
    for path, part in zip(files, parts, strict=True):
        rows.append(placed(part.rows, path, offset))
        malformed.append(placed(part.malformed, path, offset))
        offset += part.records
    return Parts(pl.concat(rows), pl.concat(malformed), tuple(parts))


def scan_kept(files: Sequence[Path]) -> pl.LazyFrame:
    """Return the typed records of parts that are kept (see `keep_part`), numbered within their part."""
    return scan_files([files_as_read(path)["rows"] for path in files])


def placed(frame: pl.DataFrame, path: Path, offset: int) -> pl.DataFrame:
    """Return records of a part, numbered behind the `offset` records of the parts before it, with their file."""
    file = pl.lit(f"{called(path)}@{offset}").alias(SOURCE_FILE)
    return _moved(frame, offset).with_columns(file)


def text_behind(part: Part, offset: int, numbers: pl.Series) -> pl.DataFrame:
    """Return the text of records of a part by their numbers behind the `offset` records of the parts before it."""
    return _moved(part.text_of(numbers - offset), offset)


def forget_parts(landing: Path, table: LandingTable) -> None:
    """Have the parts of a table read again, if it has any."""
    for path in files_of(landing, table) if is_in_parts(landing, table) else ():
        kept_files(path)["left"].unlink(missing_ok=True)


def is_known(path: Path) -> bool:
    """Return whether a part of a prepared folder was read before, as it is now, and is kept as it was left."""
    files = kept_files(path)
    with suppress(OSError, ValueError):
        return bool(json.loads(files["left"].read_text("utf-8")) == _left(files))
    return False


def keep_parts(files: Sequence[Path], table: LandingTable) -> None:
    """Read the parts of a prepared folder that are not known, one after the other, and forget those that are gone."""
    for path in files:
        keep_part(path, table)
    remove_other_parts(files)


def keep_part(path: Path, table: LandingTable) -> None:
    """Read a part of a prepared folder, unless it is known, and keep what it has; see `read_parts` for its errors."""
    files = kept_files(path)
    if is_known(path):
        return
    with ExitStack() as stack:
        frames = _frames(path, table, lambda: stack.enter_context(scratch(files["left"].parent)))
        if kept_files(path) != files:
            raise changed_meanwhile(called(path))
        for name, frame in frames.items():
            with refused_in_words(files[name]), beside(files[name]) as temporary:
                frame.sink_parquet(temporary, compression="zstd" if name == "text" else "lz4")
    with beside(files["left"]) as temporary:
        temporary.write_text(json.dumps(_left(files)), "utf-8")


def _frames(path: Path, table: LandingTable, new_path: Callable[[], Path]) -> dict[str, pl.LazyFrame]:
    """Return what is to be kept of a part; a large one is read window by window, into files of their own."""
    windows = windows_of(path, table)
    found: dict[str, list[pl.LazyFrame]] = {name: [] for name in FRAMES}
    for window in windows:
        text = read_text(path, table, window)
        part = typed_part(text, table)
        for name, frame in (("rows", part.rows), ("malformed", part.malformed), ("text", text.rows)):
            found[name].append(frame.lazy() if len(windows) == 1 else set_aside(frame, new_path()))
    return {name: pl.concat(frames) for name, frames in found.items()}


def set_aside(frame: pl.DataFrame, path: Path) -> pl.LazyFrame:
    """Write a frame to a file that is there for a while, and return its rows; raises OlistError as `write_frame`."""
    with refused_in_words(path):
        frame.write_parquet(path, compression="lz4")
    return scan_files(path)


def kept_part(path: Path, after: int = 0, last: int | None = None) -> Part:
    """Return what is kept of a part (see `keep_part`), or of its records behind some, up to one by its number."""
    files = files_as_read(path)
    rows, malformed = (_read(files[name], after, last) for name in ("rows", "malformed"))
    return Part(rows, malformed, partial(_kept_text, files["text"]))


def typed_part(text: CsvText, table: LandingTable) -> Part:
    """Return records of a file, typed."""
    rows = cast_rows(text.rows, table.record, table.ids)
    if headers := _repeated_headers(text.rows, table.headers):
        rows = rows.with_columns(with_code(pl.col(SOURCE_ROW).is_in(headers), REPEATED_HEADER.code))
    return Part(rows, text.malformed, partial(text_among, text.rows))


def with_code(condition: pl.Expr, code: str, codes: str = RULES) -> pl.Expr:
    """Return a column of codes with `code` appended where `condition` holds."""
    separator = pl.when(pl.col(codes) == "").then(pl.lit("")).otherwise(pl.lit(","))
    appended = pl.concat_str(pl.col(codes), separator, pl.lit(code))
    return pl.when(condition).then(appended).otherwise(pl.col(codes)).alias(codes)


def _repeated_headers(text: pl.DataFrame, headers: Mapping[str, str]) -> list[int]:
    """Return the numbers of the rows that name the columns, which may begin with a joined file's byte order mark."""
    first, said = next(iter(headers.items()))
    suspects = text.filter((pl.col(first) == said) | (pl.col(first) == f"\ufeff{said}"))
    is_header = pl.all_horizontal(pl.col(name).str.strip_prefix("\ufeff") == said for name, said in headers.items())
    return suspects.filter(is_header)[SOURCE_ROW].to_list()


def text_among(text: pl.DataFrame, numbers: pl.Series) -> pl.DataFrame:
    """Return those of `text` that have the `numbers`."""
    return text.join(numbers.to_frame(SOURCE_ROW), on=SOURCE_ROW, how="semi")


def _kept_text(path: Path, numbers: pl.Series) -> pl.DataFrame:
    return scan_files(path).join(numbers.to_frame(SOURCE_ROW).lazy(), on=SOURCE_ROW, how="semi").collect()


def _moved(frame: pl.DataFrame, offset: int) -> pl.DataFrame:
    return frame.with_columns(pl.col(SOURCE_ROW) + offset) if offset else frame


def kept_records(path: Path) -> int:
    """Return the number of the records that are kept of a part, split or not."""
    files = files_as_read(path)
    counted = [scan_files(files[name]).select(pl.len()) for name in ("rows", "malformed")]
    return sum(one.item() for one in pl.collect_all(counted))


def is_within(after: int, last: int) -> pl.Expr:
    """Return whether a record's number is above one and not above another."""
    return pl.col(SOURCE_ROW).is_between(after, last, closed="right")


def _read(path: Path, after: int, last: int | None) -> pl.DataFrame:
    rows = scan_files(path)
    return (rows if last is None else rows.filter(is_within(after, last))).collect()


def kept_files(path: Path) -> dict[str, Path]:
    """Return where what is kept of a part is, by its kind (see `FRAMES`), and `left`, the note of it."""
    key = f"{part_hash(path)}-{python_hash()}"
    frames = {name: path.parent / KEPT / f"{key}.{name}.parquet" for name in FRAMES}
    return {**frames, "left": path.parent / KEPT / f"{key}.json"}


def files_as_read(path: Path) -> dict[str, Path]:
    """Return the files of `kept_files`; raises OlistError where the part is another one than was read."""
    files = kept_files(path)
    if not files["left"].exists():
        raise changed_meanwhile(called(path))
    return files


def _left(files: Mapping[str, Path]) -> dict[str, list[int]]:
    """Return the state of what is kept of a part: one that was damaged is read again."""
    return {name: size_and_time(files[name]) for name in FRAMES}


def remove_other_parts(files: Sequence[Path]) -> None:
    """Remove what is kept of parts beside `files` that are not there any more, or were read by other code."""
    needed = {kept.name for path in files for kept in kept_files(path).values()} | {
        f"{path.stem}.json" for path in files
    }
    remove_abandoned(files[0].parent / KEPT)
    for kept in (files[0].parent / KEPT).iterdir():
        if kept.name not in needed and not kept.name.startswith("."):
            kept.unlink(missing_ok=True)
