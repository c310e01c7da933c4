"""The check of a file's bytes, before anything else reads it.

What belongs here: finding where the bytes leave the dialect, and the records that have too many cells or too few. What
does not: the sentences (see `faults`), and which columns a file should have (`landing`).

It works on arrays of the few bytes that separate cells and records, block by block. Each block begins with a record, so
memory does not grow with the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from olist_pipeline.dialect.dialect import CELL_BYTES, LANDING, RECORD_BYTES, Dialect
from olist_pipeline.dialect.faults import Fault, OtherDialectError, refusal
from olist_pipeline.dialect.header import parse_header
from olist_pipeline.dialect.signature import BOM, HEAD_BYTES, foreign_kind, other_encoding
from olist_pipeline.errors import OlistError

BLOCK_BYTES = 1 << 20
WINDOW_BYTES = 64 << 20
"""About so many bytes of a large file are read at once."""
_NUL, _LF, _CR = 0, 10, 13

Ints = npt.NDArray[np.int64]
FoundFault = tuple[int, Fault]
"""A byte offset within a block, and what is wrong there."""


class Ragged(NamedTuple):
    """The records with other than the header's number of cells, in the file's order: an array each.

    `record` counts from 1 after the header, without empty lines. `start` and `end` are byte offsets; the line end is
    left out.
    """

    record: Ints
    cells: Ints
    start: Ints
    end: Ints


class FileWindow(NamedTuple):
    """Whole records of a file that follow one another, the header among those of the first window.

    `start` and `end` are byte offsets, `records` counts the records before these, `lines` the empty lines, too.
    """

    start: int
    end: int
    records: int
    lines: int


@dataclass(frozen=True)
class Report:
    """What a file that keeps to the dialect holds.

    header: the names in its first line. records: how many follow, whatever their length. empty_lines: the ordinals,
    from 0 after the header, of lines that are no records, among those and the records (in a file of one column an empty
    line is a record). last: where the last record begins, a byte offset. is_finished: whether it has a line end.
    """

    header: tuple[str, ...]
    records: int
    empty_lines: Ints
    ragged: Ragged
    last: int
    has_bom: bool
    is_finished: bool
    body: int
    windows: tuple[FileWindow, ...]


def check(path: Path, dialect: Dialect = LANDING, *, name: str | None = None) -> Report:
    """Return what a file holds; raises OlistError, with the line and what to do, where it leaves the dialect.

    `name` is what the sentence calls the file, by default its own name. A file that has not changed is read once.
    """
    try:
        status = path.stat()
        state = (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
        return _report(path, state, dialect, name or path.name)
    except OSError as error:
        raise OlistError(f"{name or path.name} cannot be read: {error.strerror}.") from error


@lru_cache(maxsize=64)
def _report(path: Path, state: tuple[int, ...], dialect: Dialect, name: str) -> Report:
    """Return the report on one state of a file."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        if found := other_encoding(head):
            encoding, called = found
            remedy = f"convert it first: `iconv -f {encoding} -t UTF-8`"
            raise OtherDialectError(f"{name} is {called}; {remedy}.", "encoding", encoding.lower())
        if kind := foreign_kind(head, name):
            raise OlistError(f"{name} {kind}.")
        has_bom = head.startswith(BOM)
        if not head.removeprefix(BOM).strip() and not file.read(1):
            raise OlistError(f"{name} is empty: it has no header; replace it with the complete file.")
        scan = _Scan(path, name, dialect, offset=len(BOM) if has_bom else 0)
        file.seek(scan.offset)
        rest = b""
        while block := file.read(BLOCK_BYTES):
            data = rest + block
            rest = data[scan.take(data) :]
            scan.end_window(WINDOW_BYTES)
        if rest:
            scan.take(rest, is_last=True)
        scan.end_window()
    ragged = Ragged(*(np.concatenate(parts) for parts in zip(_NO_RAGGED, *scan.ragged, strict=True)))
    empty = np.concatenate([_NO_RAGGED.record, *scan.empty_lines])
    windows = tuple(scan.windows)
    return Report(scan.header, scan.records, empty, ragged, scan.last, has_bom, not rest, scan.body, windows)


_NO_RAGGED = Ragged(*(np.empty(0, np.int64) for _ in Ragged._fields))


class _Scan:
    """A file, taken block by block; `offset` is where the next block begins."""

    def __init__(self, path: Path, name: str, dialect: Dialect, offset: int) -> None:
        self.path, self.name, self.dialect, self.offset = path, name, dialect, offset
        self.delimiter = ord(dialect.delimiter)
        self.quote = ord(dialect.quote) if dialect.quote else None
        self.has_crlf: bool | None = None
        self.header: tuple[str, ...] = ()
        self.records = self.lines = 0
        self.last = offset
        self.empty_lines: list[Ints] = []
        self.ragged: list[Ragged] = []
        self.body = offset
        self.windows: list[FileWindow] = []
        self.window = FileWindow(0, 0, 0, 0)

    def take(self, data: bytes, *, is_last: bool = False) -> int:
        """Check and count the whole records that `data` begins with; return how many bytes they have.

        The last data end in a record that no line feed ends.
        """
        block = _Block(data, self.delimiter, self.quote)
        is_endless = len(data) > RECORD_BYTES + BLOCK_BYTES
        if not is_last and not is_endless:
            block = block.whole_records()
        # A quote that stays open is the whole story only where nothing else is wrong behind it.
        if found := min(self._faults(block), default=None, key=lambda fault: (fault[1] is Fault.OPEN_QUOTE, fault[0])):
            place, fault = found
            opened = block.opened_before(place)
            opened = None if opened is None else self.offset + opened
            raise refusal(self.path, self.name, fault, self.offset + place, opened, self.dialect)
        if is_endless:
            raise refusal(self.path, self.name, Fault.LONG_RECORD, self.offset)
        self._count(block)
        self.offset += len(block.codes)
        return len(block.codes)

    def end_window(self, least: int = 0) -> None:
        """End the window that has the records so far, if it has so many bytes; the next one begins behind it."""
        has_any = self.lines > self.window.lines or not least
        if has_any and self.offset - self.window.start > least:
            self.windows.append(self.window._replace(end=self.offset))
            self.window = FileWindow(self.offset, 0, self.records, self.lines)

    def _faults(self, block: _Block) -> Iterator[FoundFault]:
        """Yield the first fault of each kind."""
        if self.dialect.encoding == "utf-8" and not block.data.isascii():
            try:
                block.data.decode("utf-8")
            except UnicodeDecodeError as error:
                yield error.start, Fault.NOT_UTF8
        yield from _first(block.places[block.special == _NUL], Fault.NUL)
        yield from block.quote_faults()
        yield from block.return_faults()
        ends = block.line_ends
        if len(ends):
            is_crlf = block.before(ends) == _CR
            self.has_crlf = bool(is_crlf[0]) if self.has_crlf is None else self.has_crlf
            yield from _first(ends[is_crlf != self.has_crlf], Fault.MIXED_ENDS)
        yield from block.length_faults()

    def _count(self, block: _Block) -> None:
        """Count the records of a block, and keep those that are of the wrong length."""
        ends, cells = block.records()
        starts = np.append(0, ends[:-1] + 1)
        ends = ends - (block.before(ends) == _CR)
        if not self.header and len(ends):
            text = block.data[: ends[0]].decode(self.dialect.encoding)
            self.header = parse_header(text, self.dialect, self.name)
            self.body += int(starts[1]) if len(starts) > 1 else len(block.codes)
            starts, ends, cells = starts[1:], ends[1:], cells[1:]
        width = len(self.header)
        if (cells == width).all():
            self.last = self.offset + int(starts[-1]) if len(starts) else self.last
            self.records += len(cells)
            self.lines += len(cells)
            return
        is_record = ends > starts if width > 1 else np.ones(len(cells), bool)
        numbers = self.records + np.cumsum(is_record)
        is_ragged = is_record & (cells != width)
        self.ragged.append(
            Ragged(numbers[is_ragged], cells[is_ragged], self.offset + starts[is_ragged], self.offset + ends[is_ragged])
        )
        self.last = self.offset + int(starts[is_record][-1]) if is_record.any() else self.last
        self.records += int(is_record.sum())
        self.empty_lines.append(self.lines + np.flatnonzero(~is_record))
        self.lines += len(is_record)


class _Block:
    """Bytes that begin with a record, and the places of those that mean something: delimiters, quotes and line ends.

    `inside` tells of each whether it stands within quotes; a quote that opens does, one that closes does not. Where a
    quote stands in a wrong place, that is right up to there.
    """

    def __init__(self, data: bytes, delimiter: int, quote: int | None) -> None:
        self.data, self.delimiter, self.quote = data, delimiter, quote
        self.codes = np.frombuffer(data, np.uint8)
        is_special = (self.codes == delimiter) | (self.codes == _LF) | (self.codes == _CR) | (self.codes == _NUL)
        if quote is not None:
            is_special |= self.codes == quote
        self.places = np.flatnonzero(is_special)
        self.special = self.codes[self.places]
        self.inside = np.logical_xor.accumulate(self.special == quote)
        self.is_line_end = (self.special == _LF) & ~self.inside

    @property
    def line_ends(self) -> Ints:
        """The places of the line feeds that end records."""
        places: Ints = self.places[self.is_line_end]
        return places

    def whole_records(self) -> _Block:
        """Return the block up to its last line end."""
        ends = np.flatnonzero(self.is_line_end)
        known = int(ends[-1]) + 1 if len(ends) else 0
        self.places, self.special = self.places[:known], self.special[:known]
        self.inside, self.is_line_end = self.inside[:known], self.is_line_end[:known]
        self.data = self.data[: int(self.places[-1]) + 1] if known else b""
        self.codes = self.codes[: len(self.data)]
        return self

    def before(self, places: Ints) -> npt.NDArray[np.uint8]:
        """Return the byte before each place; a line feed before the first byte."""
        return np.where(places > 0, self.codes[places - 1], _LF) if len(places) else self.codes[:0]

    def after(self, places: Ints) -> npt.NDArray[np.uint8]:
        """Return the byte after each place; a line feed after the last byte."""
        is_within = places + 1 < len(self.codes)
        return np.where(is_within, self.codes[np.where(is_within, places + 1, 0)], _LF)

    def opened_before(self, place: int) -> int | None:
        """Return where the last quoted cell before a place opens, None where there is none."""
        opening = self.places[(self.special == self.quote) & self.inside & (self.places < place)]
        opening = opening[self.before(opening) != self.quote]
        return int(opening[-1]) if len(opening) else None

    def quote_faults(self) -> Iterator[FoundFault]:
        """Yield the first quote that stands in the middle of a cell, text after quotes, and a quote that stays open."""
        quotes = self.places[self.special == self.quote]
        opening, closing = quotes[::2], quotes[1::2]
        before, after = self.before(opening), self.after(closing)
        # A quote right after a closing one is the second half of a doubled one.
        is_start = (before == self.delimiter) | (before == _LF) | (before == self.quote)
        is_end = (after == self.delimiter) | (after == _LF) | (after == _CR) | (after == self.quote)
        yield from _first(opening[~is_start], Fault.QUOTE_IN_CELL)
        yield from _first(closing[~is_end], Fault.TEXT_AFTER_QUOTE)
        if len(quotes) % 2:
            yield int(opening[before != self.quote][-1]), Fault.OPEN_QUOTE

    def return_faults(self) -> Iterator[FoundFault]:
        """Yield the first carriage return outside of quotes that no line feed follows."""
        returns = self.places[(self.special == _CR) & ~self.inside]
        if len(returns) and returns[-1] + 1 == len(self.codes):
            yield int(returns[-1]), Fault.LONE_CR
        for place, _ in _first(returns[self.after(returns) != _LF], Fault.LONE_CR):
            yield place, Fault.DOUBLE_CR if self.data[place : place + 3] == b"\r\r\n" else Fault.LONE_CR

    def length_faults(self) -> Iterator[FoundFault]:
        """Yield the first record and the first cell that are too long."""
        ends, _ = self.records()
        lengths = self._lengths(ends)
        if not len(lengths) or lengths.max() <= CELL_BYTES:
            return
        yield from _first((ends - lengths)[lengths > RECORD_BYTES], Fault.LONG_RECORD)
        is_end = self.is_line_end | (~self.inside & (self.special == self.delimiter))
        cells = np.append(self.places[is_end], len(self.codes))
        lengths = self._lengths(cells)
        yield from _first((cells - lengths)[lengths > CELL_BYTES], Fault.LONG_CELL)

    def _lengths(self, ends: Ints) -> Ints:
        """Return how many bytes stand before each end, behind the one before it, without a carriage return."""
        lengths: Ints = np.diff(ends, prepend=-1) - 1 - (self.before(ends) == _CR)
        return lengths

    def records(self) -> tuple[Ints, Ints]:
        """Return where each record ends, at its line feed or at the end of the last data, and how many cells it has."""
        is_end = self.is_line_end | (~self.inside & (self.special == self.delimiter))
        places, is_line_end = self.places[is_end], self.is_line_end[is_end]
        if len(self.data) and self.data[-1] != _LF:
            places, is_line_end = np.append(places, len(self.data)), np.append(is_line_end, True)
        ordinals = np.flatnonzero(is_line_end)
        return places[ordinals], np.diff(ordinals, prepend=-1)


def _first(places: Ints, fault: Fault) -> Iterator[FoundFault]:
    if len(places):
        yield int(places[0]), fault
