"""Reading one landing file as text: records of text cells, or one sentence why the file cannot be read.

What belongs here: headers, and records of the wrong length. What does not: the dialect (see `dialect`), types of cells,
keys and orphans.

A record that cannot be split into the header's columns is not an error of the file: it is returned whole among the
`malformed` ones, to be quarantined. `source_row` counts records from 1, the header and empty lines not included (a
record with quoted line breaks spans several lines).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path

import numpy as np
import polars as pl

from olist_domain.kernel.records import value_type
from olist_pipeline.dialect.check import FileWindow, Ints, Report, check
from olist_pipeline.dialect.faults import refuse_other_delimiter
from olist_pipeline.errors import OlistError
from olist_pipeline.landing.packed import called, changed_meanwhile, unchanged
from olist_pipeline.landing.parts import folder_name, plain_parts
from olist_pipeline.landing.table import TEXT_COLUMN, LandingTable
from olist_pipeline.near import listed

SOURCE_ROW = "source_row"
IS_TRUNCATED = "is_truncated"
LOOKED_AT = 100
"""So many records tell what all of them have."""
PREAMBLE_LINES = 50
"""Within so many lines a header is looked for that does not stand in the first one."""

DATE_LENGTH, MOMENT_LENGTH = len("2017-10-02"), len("2017-10-02 10:56:33")

# A cell may be as long as its line: the dialect bounds that.
csv.field_size_limit(2**31 - 1)


@dataclass(frozen=True)
class CsvText:
    """A file's records: `rows` has a text column for each expected column, `malformed` one text each.

    Both have `source_row`; `malformed` has the record as `text`, `is_truncated` for a last record that the file may
    have cut short (the others are of the wrong length), and the `links` of the table: what stands where these should
    stand, for what the record belongs to must not be taken for complete.
    """

    rows: pl.DataFrame
    malformed: pl.DataFrame


def windows_of(path: Path, table: LandingTable) -> range:
    """Return the numbers of a file's windows, so that a large one need not be read at once; raises as `read_text`."""
    return range(len(check_file(path, table)[0].windows))


def read_text(path: Path, table: LandingTable, window: int | None = None) -> CsvText:
    """Return the records of a table's file as text, or those of a window of it; their numbers are those in the file.

    Raises OlistError when the file as a whole is unusable.
    """
    with unchanged(path, called(path)):
        report = _report_of(path, table, window)
        links = {name: table.headers[name] for name in table.links}
        malformed = _malformed(path, report, window, links)
        cells, numbers = _read(path, report, window, table.headers)
        rows = cells.insert_column(0, numbers)
        if _may_end_early(report, rows, table):
            rows = rows.head(-1)
            malformed = pl.concat([malformed, _last(path, report, links)])
        return CsvText(rows, malformed)


def read_records(path: Path, table: LandingTable, window: int | None = None) -> tuple[pl.DataFrame, pl.Series, int]:
    """Return the records of the right length, every column as text; their numbers; and how many the file has in all.

    The numbers stand apart: a column of the file may have any name.
    """
    with unchanged(path, called(path)):
        report = _report_of(path, table, window)
        return *_read(path, report, window, {name: name for name in report.header}), report.records


def _report_of(path: Path, table: LandingTable, window: int | None) -> Report:
    report, _ = check_file(path, table)
    if window is not None and window >= len(report.windows):
        raise changed_meanwhile(called(path))
    return report


def check_file(path: Path, table: LandingTable) -> tuple[Report, tuple[str, ...]]:
    """Return what a table's file holds, and its columns that nobody expects; raises OlistError for an unusable one."""
    name = called(path)
    report = check(path, name=name)
    extra = _check_header(path, name, report.header, table)
    if _fits_nothing(report) and not _fits_elsewhere(report.header, path, table):
        cells, width = sorted(set(report.ragged.cells.tolist())), len(report.header)
        found = " or ".join(map(str, cells[:3])) + (" or more" if len(cells) > 3 else "")
        remedy = "export the file again, with a name for each column"
        if cells == [width + 1] and _end_in_commas(path, report.ragged.end[:LOOKED_AT].tolist()):
            remedy = "remove the comma at the end of its lines"
        raise OlistError(f"{name} has {width} columns in its header and {found} cells in every record; {remedy}.")
    return report, extra


def _fits_nothing(report: Report) -> bool:
    return bool(report.records) and len(report.ragged.record) == report.records


def _fits_elsewhere(header: tuple[str, ...], path: Path, table: LandingTable) -> bool:
    """Return whether another part has a record of as many cells as the header: then the records here are wrong."""
    others = plain_parts(path.parent) if path.parent.name == folder_name(table) else []
    reports = (check(other, name=called(other)) for other in others if other != path)
    return any(report.header == header and report.records and not _fits_nothing(report) for report in reports)


def _end_in_commas(path: Path, ends: list[int]) -> bool:
    """Return whether records that end at these bytes end in a comma each."""
    with path.open("rb") as file:
        for end in ends:
            file.seek(end - 1)
            if file.read(1) != b",":
                return False
    return True


def _check_header(path: Path, name: str, header: tuple[str, ...], table: LandingTable) -> tuple[str, ...]:
    """Return the columns that nobody expects; raises OlistError for missing ones of a file that is called `name`."""
    expected = tuple(table.headers.values())
    missing = [column for column in expected if column not in header]
    extra = tuple(column for column in header if column not in expected)
    if not missing:
        if table.widest and len(header) > table.widest:
            raise OlistError(f"{name} has {len(header)} columns; leave out what nobody needs, to {table.widest}.")
        return extra
    if len(header) == 1:
        refuse_other_delimiter(header[0], name)
    if line := _line_of_header(path, table):
        lines = "line 1" if line == 2 else f"lines 1 to {line - 1}"
        raise OlistError(f"{name} has its header in line {line}; remove {lines} before it.")
    if len(missing) == len(expected) and not _is_like(expected, header):
        first = ",".join(header)
        shown = first if len(first) <= 60 else f"{first[:57]}..."
        raise OlistError(f"{name} has no header: its first line is {shown!r}; restore {','.join(expected)}.")
    hint = f" (it has {listed(extra)} instead: renamed?)" if extra else ""
    lacking = f"columns {', '.join(missing)}" if missing[1:] else f"column {missing[0]}"
    raise OlistError(f"{name} lacks the {lacking}{hint}; restore {'them' if missing[1:] else 'it'} in the header.")


def _is_like(expected: tuple[str, ...], header: tuple[str, ...]) -> bool:
    """Return whether a header has an expected name in other case, between blanks, or behind that of a table (Hive)."""
    wanted = {name.casefold() for name in expected}
    return any(name.strip("\ufeff ").casefold().rpartition(".")[2] in wanted for name in header)


def _line_of_header(path: Path, table: LandingTable) -> int | None:
    """Return the line, behind a title or a comment, that names all columns of a table; None where none does."""
    with path.open("rb") as file:
        for number, line in enumerate(islice(file, PREAMBLE_LINES), start=1):
            cells = re.split(r"[,;\t|]", line.decode("utf-8", "replace").strip("\ufeff\r\n"))
            if set(table.headers.values()) <= {cell.strip(' "') for cell in cells}:
                return number if number > 1 else None
    return None


def _read(path: Path, report: Report, window: int | None, columns: Mapping[str, str]) -> tuple[pl.DataFrame, pl.Series]:
    """Return the records of the right length: `columns` as text, by their names in the header, and their numbers."""
    these, behind = _bounds(report, window)
    try:
        source = path if window is None or len(report.windows) == 1 else _bytes_of(path, report, these)
        found = pl.read_csv(source, glob=False, infer_schema=False, truncate_ragged_lines=True)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise OlistError(f"{called(path)} cannot be read: {str(error).splitlines()[0]}.") from error
    rows = found.select(found.to_series(report.header.index(said)).alias(name) for name, said in columns.items())
    if rows.height != behind.lines - these.lines:
        raise OlistError(f"{called(path)} has records that two readers count differently; export the file again.")
    empty_lines = _between(report.empty_lines, these.lines, behind.lines)
    if len(empty_lines):
        rows = rows.filter(_others(rows.height, empty_lines - these.lines))
    numbers = pl.int_range(these.records + 1, behind.records + 1, dtype=pl.Int64, eager=True).alias(SOURCE_ROW)
    ragged = _between(report.ragged.record - 1, these.records, behind.records)
    if not len(ragged):
        return rows, numbers
    others = _others(rows.height, ragged - these.records)
    return rows.filter(others), numbers.filter(others)


def _bounds(report: Report, window: int | None) -> tuple[FileWindow, FileWindow]:
    """Return a window, or the whole file as one, and the window behind it, which has nothing behind the last."""
    windows = (*report.windows, FileWindow(0, 0, report.records, report.records + len(report.empty_lines)))
    return (windows[0], windows[-1]) if window is None else (windows[window], windows[window + 1])


def _bytes_of(path: Path, report: Report, window: FileWindow) -> bytes:
    """Return the bytes of a window behind those of the header."""
    with path.open("rb") as file:
        header = file.read(report.body) if window.start else b""
        file.seek(window.start)
        return header + file.read(window.end - window.start)


def _between(ordinals: Ints, first: int, behind: int) -> Ints:
    """Return those of some ascending ordinals that are not below `first`, and below `behind`."""
    return ordinals[np.searchsorted(ordinals, first) : np.searchsorted(ordinals, behind)]


def _others(height: int, ordinals: Ints) -> pl.Series:
    """Return a mask over rows that is false at the `ordinals`, which count from 0."""
    mask = np.ones(height, bool)
    mask[ordinals] = False
    return pl.Series(mask)


def _malformed(path: Path, report: Report, window: int | None, links: Mapping[str, str]) -> pl.DataFrame:
    """Return the records with too many cells or too few, as they stand in the file."""
    these, behind = _bounds(report, window)
    mine = slice(*np.searchsorted(report.ragged.record, (these.records + 1, behind.records + 1)))
    numbers, _, starts, ends = (column[mine].tolist() for column in report.ragged)
    texts = list(_texts(path, zip(starts, ends, strict=True)))
    return _set_aside(numbers, texts, report.header, links, is_truncated=False)


def _last(path: Path, report: Report, links: Mapping[str, str]) -> pl.DataFrame:
    """Return the last record, which the file may have cut short."""
    texts = list(_texts(path, [(report.last, path.stat().st_size)]))
    return _set_aside([report.records], texts, report.header, links, is_truncated=True)


def _texts(path: Path, places: Iterator[tuple[int, int]] | list[tuple[int, int]]) -> Iterator[str]:
    with path.open("rb") as file:
        for start, end in places:
            file.seek(start)
            yield file.read(end - start).decode("utf-8")


def _set_aside(
    numbers: list[int], texts: list[str], header: tuple[str, ...], links: Mapping[str, str], *, is_truncated: bool
) -> pl.DataFrame:
    cells = [next(csv.reader([text]), []) for text in texts]
    kinds = {SOURCE_ROW: pl.Int64, **dict.fromkeys(links, pl.String), TEXT_COLUMN: pl.String, IS_TRUNCATED: pl.Boolean}
    return pl.DataFrame(
        {
            SOURCE_ROW: numbers,
            **{name: [_cell(found, header.index(said)) for found in cells] for name, said in links.items()},
            TEXT_COLUMN: texts,
            IS_TRUNCATED: [is_truncated] * len(texts),
        },
        schema=kinds,
    )


def _cell(cells: list[str], place: int) -> str | None:
    """Return the cell at a place, None where there is none or an empty one."""
    return (cells[place] or None) if place < len(cells) else None


def _may_end_early(report: Report, rows: pl.DataFrame, table: LandingTable) -> bool:
    """Return whether the file ends without a line end in what may be the half of a cell, or in an empty cell.

    That is a number, a date without a time, or a moment with a part of a second. A file of texts may lawfully lack its
    last line end (one of Olist's does).
    """
    name = next((name for name, said in table.headers.items() if said == report.header[-1]), None)
    if report.is_finished or name is None or not rows.height or rows[SOURCE_ROW][-1] != report.records:
        return False
    text, kind = rows[name][-1], value_type(table.record.model_fields[name].annotation)
    may_go_on = kind is datetime and (len(text or "") == DATE_LENGTH or len(text or "") > MOMENT_LENGTH)
    return not text or kind in (int, float, Decimal) or may_go_on
