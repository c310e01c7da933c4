"""CSV files as tables of text: checked against their dialect, then read without guessing anything.

Belongs here: compression, encodings, ragged records, and the account that every record was read. Does not belong here:
the dialect and its check (`dialect`), and which files make a source (`files.py`).
"""

from __future__ import annotations

import codecs
import gzip
import shutil
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

import duckdb

from olist_pipeline.dialect.check import BLOCK_BYTES, Report, check
from olist_pipeline.dialect.dialect import Dialect, duckdb_relation
from olist_pipeline.dialect.faults import OtherDialectError, line_of, refuse_other_delimiter
from olist_pipeline.errors import OlistError
from olist_pipeline.near import listed
from olist_pipeline.tablediff.contract import RelationError
from olist_pipeline.tablediff.relation import first_line
from olist_pipeline.tablediff.report import counted
from olist_pipeline.tablediff.sql import quote

WORDS = {"comma": ",", "semicolon": ";", "tab": "\t", "\\t": "\t", "pipe": "|", "space": " ", "none": ""}

Options = Mapping[str, str]
"""What is said of a dialect: delimiter, quote, encoding; what is not said is assumed."""


def parse_options(text: str) -> Options:
    """Return what `delimiter=; quote=' encoding=latin-1` says; raises RelationError for what is not of a dialect."""
    options = {}
    for word in text.split():
        name, separator, value = word.partition("=")
        if name not in ("delimiter", "quote", "encoding") or not separator:
            raise RelationError(
                f"'{word}' says nothing of a dialect; give delimiter=, quote= or encoding=, with blanks between them,"
                " e.g. 'delimiter=; encoding=latin-1' (a delimiter may be comma, semicolon, tab, pipe or space, and"
                " quote=none is a file without quotes)."
            )
        if name in options:
            raise RelationError(f"'{text}' names the {name} more than once; keep one.")
        options[name] = value if name == "encoding" else WORDS.get(value, value)
    _codec(options.get("encoding", "utf-8"))
    dialect_of("x.csv", options)
    return options


def dialect_of(name: str, options: Options) -> Dialect:
    """Return the dialect of a file: a comma between cells, a tab in a .tsv file, unless the options say otherwise."""
    delimiter = "\t" if name.lower().removesuffix(".gz").endswith(".tsv") else ","
    return Dialect(delimiter=options.get("delimiter", delimiter), quote=options.get("quote", '"'))


def load(
    con: duckdb.DuckDBPyConnection, files: Sequence[tuple[str, Path]], table: str, options: Options, scratch: Path
) -> str:
    """Read CSV files of one header, with the names to call them by, into a table of text; return its quoted name.

    An empty cell is NULL, and '' when it is quoted. Raises RelationError, with the file and the line, for a file that
    leaves the dialect.
    """
    header: tuple[str, ...] = ()
    for number, (name, path) in enumerate(files):
        plain, dialect = _plain_text(path, name, options, scratch / f"{table}_{number}"), dialect_of(name, options)
        try:
            report = check(plain, dialect, name=name)
            if len(report.header) == 1 and "delimiter" not in options:
                refuse_other_delimiter(report.header[0], name, dialect)
        except OlistError as error:
            raise RelationError(str(error).removesuffix(".") + _other_dialect(error)) from error
        _refuse_ragged(plain, name, report)
        if not number:
            header = report.header
            columns = ", ".join(f"{quote(column)} VARCHAR" for column in header)
            con.execute(f"CREATE TABLE {quote(table)} ({columns})")
        elif report.header != header:
            raise RelationError(_other_header(name, report.header, files[0][0], header))
        _read(con, plain, name, table, report, dialect)
        if plain != path:
            plain.unlink()
    return quote(table)


def _other_dialect(error: OlistError) -> str:
    """Return how a sentence ends that may be of a file in another dialect: with how to name that."""
    if not isinstance(error, OtherDialectError):
        return "."
    if error.option == "encoding":
        return f", or name its encoding, e.g. --dialect encoding={error.value or 'cp850'}."
    word = next((word for word, char in WORDS.items() if char == error.value), None)
    what = "its delimiter" if error.option == "delimiter" else "a file without quotes"
    return f", or name {what}: --dialect {error.option}={word}." if word else "."


def _read(con: duckdb.DuckDBPyConnection, path: Path, name: str, table: str, report: Report, dialect: Dialect) -> None:
    records = duckdb_relation(path, report.header, dialect, options="allow_quoted_nulls = false")
    try:
        [(rows,)] = con.execute(f"INSERT INTO {quote(table)} FROM {records}").fetchall()
    except duckdb.Error as error:
        raise RelationError(f"{name} cannot be read: {first_line(error)}") from error
    if rows != report.records:
        raise RelationError(
            f"{name} has {report.records} records, and {rows} rows were read of it; it is not compared."
        )


def _refuse_ragged(path: Path, name: str, report: Report) -> None:
    if not len(report.ragged.record):
        return
    cells, width = int(report.ragged.cells[0]), len(report.header)
    line = line_of(path, int(report.ragged.start[0]))
    more = len(report.ragged.record) - 1
    others = f" (and {counted(more, 'more record')} of another length)" if more else ""
    remedy = (
        "quote the cell that holds a delimiter, or cut the part that belongs to another table"
        if cells > width
        else "complete the record, empty cells included, or write the file again where its end is missing"
    )
    raise RelationError(
        f"{name} is ragged: line {line} has {counted(cells, 'cell')} and the header"
        f" {width}{others}; {remedy}; --dialect names another delimiter."
    )


def _other_header(name: str, header: Sequence[str], first: str, wanted: Sequence[str]) -> str:
    missing = [column for column in wanted if column not in header]
    added = [column for column in header if column not in wanted]
    if missing or added:
        parts = [f"lacks {listed(missing)}"] * bool(missing) + [f"has also {listed(added)}"] * bool(added)
        return f"{name} {' and '.join(parts)}, unlike {first}; the parts of a table need the same columns."
    return f"{name} has its columns in another order than {first}; the parts of a table need the same."


def _plain_text(path: Path, name: str, options: Options, copy: Path) -> Path:
    """Return the file, or a copy of it in UTF-8 and without compression."""
    encoding = options.get("encoding", "utf-8")
    is_utf8 = _codec(encoding).name == "utf-8"
    is_packed = name.lower().endswith(".gz")
    if is_utf8 and not is_packed:
        return path
    try:
        with gzip.open(path) if is_packed else path.open("rb") as file, copy.open("wb") as out:
            if is_utf8:
                shutil.copyfileobj(file, out)
            else:
                _decode(file, encoding, out)
    except (zlib.error, EOFError, OSError, UnicodeError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise RelationError(_refused_by_system(error, name, copy)) from error
        if isinstance(error, UnicodeError):
            raise RelationError(f"{name} is not {encoding}: {error}; give its own encoding with --dialect.") from error
        why = "it is not compressed with gzip, or not to its end"
        raise RelationError(f"{name} cannot be read: {why}; fetch it again, or take .gz off its name.") from error
    return copy


def _refused_by_system(error: OSError, name: str, copy: Path) -> str:
    """Return the sentence of what the system refuses: it names a file that it does not open, and none that is open."""
    if error.filename:
        return f"{name} cannot be read: {error.strerror} ({error.filename})."
    return (
        f"{name} cannot be copied to {copy.parent}, where it is to be read: {error.strerror}; free space there, or let"
        " TMPDIR name another folder."
    )


def _decode(file: IO[bytes] | gzip.GzipFile, encoding: str, out: IO[bytes]) -> None:
    """Write a text of another encoding in UTF-8, its line ends as they are; raises UnicodeError with the line."""
    decoder, line, block = codecs.getincrementaldecoder(encoding)(), 1, b"first"
    while block:
        block = file.read(BLOCK_BYTES)
        try:
            text = decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            before = error.object[: error.start].decode(error.encoding, "ignore")
            place = f"byte 0x{error.object[error.start]:02X} in line {line + before.count(chr(10))}"
            raise UnicodeError(f"{place} ({error.reason})") from error
        out.write(text.encode())
        line += text.count("\n")


def _codec(encoding: str) -> codecs.CodecInfo:
    try:
        "x".encode(encoding)  # there are codecs of other things than text
        return codecs.lookup(encoding)
    except (LookupError, UnicodeError):
        raise RelationError(
            f"There is no encoding '{encoding}'; give utf-8, latin-1, windows-1252, utf-16 or another that Python has."
        ) from None
