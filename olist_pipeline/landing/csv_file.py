"""Reading one landing file as text: records of text cells, or one sentence why the file cannot be read.

What belongs here: delimiters, encodings, headers, line ends and records of the wrong length. What does not:
types of cells, keys and orphans.

A record that cannot be split into the header's columns is not an error of the file: it is returned whole
among the `malformed` ones, to be quarantined. `source_row` counts records from 1, the header not included
(a record with quoted line breaks spans several lines).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import polars as pl

from olist_domain.kernel.records import value_type
from olist_pipeline.errors import OlistError
from olist_pipeline.landing.catalogue import LandingTable

SOURCE_ROW = "source_row"
BOM = b"\xef\xbb\xbf"
OTHER_DELIMITERS = (";", "\t", "|")
TEXT_COLUMN = "text"
IS_TRUNCATED = "is_truncated"
ORDER_ID = "order_id"


@dataclass(frozen=True)
class CsvText:
    """A file's records: `rows` has a text column for each expected column, `malformed` one text each.

    Both have `source_row`; `malformed` has the record as `text`, `is_truncated` for a last record that the file may
    have cut short (the others are of the wrong length), and `order_id`: what stands where the order's id should
    stand, for its order must not be taken for complete. `extra` names columns of the file that nobody expects; they
    are left out.
    """

    rows: pl.DataFrame
    malformed: pl.DataFrame
    extra: tuple[str, ...]


def path_of(landing: Path, table: LandingTable) -> Path:
    """Return the path of a table's file; raises OlistError when landing or the file is not there."""
    if landing.is_file():
        raise OlistError(f"Landing {landing} is a file; set OLIST_DATA_DIR to the folder that holds the CSV files.")
    if not landing.is_dir():
        raise OlistError(f"Landing folder {landing} does not exist; create it or set OLIST_DATA_DIR to another.")
    path = landing / table.file
    if not path.is_file():
        raise OlistError(f"{table.file} is missing in {landing}; put the file there and run again.")
    return path


def read_text(path: Path, table: LandingTable) -> CsvText:
    """Return the records of a table's file as text; raises OlistError when the file as a whole is unusable."""
    header = read_header(path)
    extra = check_header(path, header, table)
    try:
        rows = _read_fast(path, header)
    except OSError as error:
        raise OlistError(f"{path.name} cannot be read: {error.strerror}.") from error
    malformed = pl.DataFrame(schema=_MALFORMED)
    if rows is None or _has_short_records(path, header, rows, table):
        rows, malformed = _read_slowly(path, header)
    if rows.height and _may_end_early(path, header, rows, table):
        rows, malformed = _set_last_aside(rows, malformed, header)
    return CsvText(rows.select(SOURCE_ROW, *table.columns), malformed.sort(SOURCE_ROW), extra)


def read_header(path: Path) -> list[str]:
    """Return the names in a file's first line; raises OlistError when there are none."""
    with path.open("rb") as file:
        first = file.readline().removeprefix(BOM)
    try:
        line = first.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise OlistError(_not_utf8(path)) from error
    if not line.strip():
        raise OlistError(f"{path.name} is empty: it has no header; replace it with the complete file.")
    return next(csv.reader([line]))


def check_header(path: Path, header: list[str], table: LandingTable) -> tuple[str, ...]:
    """Return the columns that nobody expects; raises OlistError for missing or repeated ones."""
    for delimiter in OTHER_DELIMITERS:
        if len(header) == 1 and delimiter in header[0]:
            raise OlistError(f"{path.name} separates its columns by {delimiter!r}; export it again with commas.")
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated:
        raise OlistError(f"{path.name} has the column {', '.join(repeated)} more than once; remove the copies.")
    missing = [name for name in table.columns if name not in header]
    extra = tuple(name for name in header if name not in table.columns)
    if missing:
        hint = f" (it has {', '.join(extra)} instead: renamed?)" if extra else ""
        raise OlistError(f"{path.name} lacks the column {', '.join(missing)}{hint}; restore it in the header.")
    return extra


def _read_fast(path: Path, header: list[str]) -> pl.DataFrame | None:
    """Return all records, or None when some need a closer look: malformed ones, or blank lines."""
    try:
        rows = pl.read_csv(path, glob=False, infer_schema=False, row_index_name=SOURCE_ROW, row_index_offset=1)
    except pl.exceptions.PolarsError:
        return None
    rows = rows.rename(dict(zip(rows.columns[1:], header, strict=True))).cast({SOURCE_ROW: pl.Int64})
    suspects = rows.filter(pl.col(header[0]).is_null())
    is_blank = suspects.select(pl.all_horizontal(pl.col(header).is_null()).any()).item()
    return None if is_blank else rows


def _has_short_records(path: Path, header: list[str], rows: pl.DataFrame, table: LandingTable) -> bool:
    """Return whether a record that ends early would pass for one whose last cells are lawfully empty.

    The fast reader fills short records up. Where the last cell is required that is noticed; where it may be
    empty, the records that lack it are split once more, exactly.
    """
    field = table.record.model_fields.get(header[-1])
    is_noticed = field is not None and field.is_required()
    if is_noticed or not rows[header[-1]].null_count():
        return False
    data = path.read_bytes()
    if _has_all_delimiters(data, records=rows.height + 1, cells=len(header)):
        return False
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise OlistError(_not_utf8(path)) from error
    return any(len(cells) != len(header) for cells in _records(path, text))


def _has_all_delimiters(data: bytes, records: int, cells: int) -> bool:
    """Return whether `data` certainly has records of just so many cells, none of which is longer.

    Then it has so many delimiters outside of quotes. A quote that stands elsewhere than at the end of a cell would
    turn the inside out: with one, nothing is certain.
    """
    outside = data.removeprefix(BOM).split(b'"')[::2]
    inner = (part for part in outside[1:-1] if part)
    is_well_quoted = all(part[0] in b",\r\n" and part[-1] in b",\n" for part in inner)
    return is_well_quoted and sum(part.count(b",") for part in outside) == records * (cells - 1)


def _read_slowly(path: Path, header: list[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Split the file record by record where the fast reader gave up, setting malformed records aside."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise OlistError(_not_utf8(path)) from error
    good: list[tuple[int, list[str | None]]] = []
    bad: list[tuple[int, str | None, str, bool]] = []
    place = header.index(ORDER_ID) if ORDER_ID in header else len(header)
    for number, cells in enumerate(_records(path, text), start=1):
        if len(cells) == len(header):
            good.append((number, [cell or None for cell in cells]))
        else:
            order_id = cells[place] if place < len(cells) else None
            bad.append((number, order_id, ",".join(cells), False))
    rows = pl.DataFrame(
        [(number, *cells) for number, cells in good],
        schema={SOURCE_ROW: pl.Int64, **dict.fromkeys(header, pl.String)},
        orient="row",
    )
    return rows, pl.DataFrame(bad, schema=_MALFORMED, orient="row")


def _records(path: Path, text: str) -> Iterator[list[str]]:
    """Yield the cells of each record after the header; blank lines are no records."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    next(reader)
    number = 0
    try:
        for cells in reader:
            if cells:
                number += 1
                yield cells
    except csv.Error as error:
        raise OlistError(
            f"{path.name} has a quote that never closes, or text after a closing quote, in record {number + 1} "
            f"(line {reader.line_num}); mend the quotes there."
        ) from error


def _set_last_aside(
    rows: pl.DataFrame, malformed: pl.DataFrame, header: list[str]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Move the last record to the malformed."""
    last = rows.tail(1).select(
        pl.col(SOURCE_ROW),
        pl.col(ORDER_ID) if ORDER_ID in header else pl.lit(None, dtype=pl.String).alias(ORDER_ID),
        pl.concat_str(*(pl.col(name).fill_null("") for name in header), separator=",").alias(TEXT_COLUMN),
        pl.lit(True).alias(IS_TRUNCATED),
    )
    return rows.head(-1), pl.concat([malformed, last])


def _may_end_early(path: Path, header: list[str], rows: pl.DataFrame, table: LandingTable) -> bool:
    """Return whether the file ends without a line end in a number, which may be half of one, or in an empty cell.

    A cut date does not parse, and a file of texts may lawfully lack its last line end (one of Olist's does).
    """
    with path.open("rb") as file:
        file.seek(-1, 2)
        is_unfinished = file.read(1) not in (b"\n", b"\r")
    field = table.record.model_fields.get(header[-1])
    is_number = field is not None and value_type(field.annotation) in (int, float, Decimal)
    return is_unfinished and (is_number or rows[header[-1]].tail(1).is_null().item())


_MALFORMED = {SOURCE_ROW: pl.Int64, ORDER_ID: pl.String, TEXT_COLUMN: pl.String, IS_TRUNCATED: pl.Boolean}


def _not_utf8(path: Path) -> str:
    """Return the sentence that says where a file stops being UTF-8."""
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError as error:
                byte = line[error.start]
                return (
                    f"{path.name} is not UTF-8: byte 0x{byte:02X} in line {number}; "
                    "convert it first, e.g. `iconv -f latin1 -t utf-8`."
                )
    return f"{path.name} is not UTF-8; convert it first, e.g. `iconv -f latin1 -t utf-8`."
