"""The sentences that refuse a file: what is wrong, in which line, and what to do.

What belongs here: one sentence for each way in which the bytes of a file leave the dialect. What does not: finding
them (see `check`).
"""

from __future__ import annotations

import codecs
import re
from enum import Enum
from pathlib import Path

from olist_pipeline.dialect.dialect import CELL_BYTES, LANDING, RECORD_BYTES, Dialect
from olist_pipeline.errors import OlistError

SAMPLE_BYTES = 1 << 20
"""So much of a file is looked at to tell its encoding."""
WORD_BYTES = 20
_WITHIN_CHARACTERS = bytes(range(0x80, 0xC0))
_BETWEEN_WORDS = rb"[\x00-/:-@\[-^{-\x7f]"


class OtherDialectError(OlistError):
    """A file leaves its dialect, and seems to keep to one that has another `value` of an `option`.

    The option is `delimiter`, `quote` (empty where there is none) or `encoding`.
    """

    def __init__(self, sentence: str, option: str, value: str) -> None:
        super().__init__(sentence)
        self.option, self.value = option, value


class Fault(Enum):
    """The ways in which nobody can tell a file's records apart: what is wrong, and what to do."""

    NUL = "a NUL byte", "text holds none, so the file is damaged or was not copied to its end: fetch it again"
    LONE_CR = (
        "a carriage return without a line feed",
        "where it ends a line, convert the file with `tr '\\r' '\\n'`; where it stands in a text, quote the text",
    )
    DOUBLE_CR = "a line that ends in CR CR LF", "remove the carriage returns, e.g. `tr -d '\\r'`"
    MIXED_ENDS = (
        "a line end unlike the one of the first line",
        "give all lines the same, LF or CRLF, e.g. by `dos2unix`",
    )
    QUOTE_IN_CELL = (
        "a quote within a cell that does not begin with one",
        "quote the whole cell and double the quotes in its text",
    )
    TEXT_AFTER_QUOTE = "text after a closing quote", "double the quotes that belong to the text"
    ESCAPED_QUOTE = (
        "a quote behind a backslash",
        "write the file again with the quotes in its texts doubled, e.g. Spark by the option escape='\"', R by"
        " qmethod='double'",
    )
    OPEN_QUOTE = (
        "a quote that never closes",
        "close it, or fetch the file again where its end is missing",
    )
    LONG_CELL = (
        f"a cell of more than {CELL_BYTES:,} bytes",
        "shorten it, or close the quote that makes many cells one",
    )
    LONG_RECORD = (
        f"a record of more than {RECORD_BYTES:,} bytes",
        "shorten it, or close the quote that makes many records one",
    )
    NOT_UTF8 = "a byte that is not UTF-8", "convert the file"


_OF_QUOTES = (Fault.QUOTE_IN_CELL, Fault.TEXT_AFTER_QUOTE, Fault.OPEN_QUOTE)
DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars", "\x01": "bytes 0x01"}
"""What programs put between cells (Hive 0x01), and what a sentence calls many of it."""
_BLANKS = re.compile(r'("[^"]*" )+"[^"]*"\s*')
"""A header as R writes it by default: quoted names, and a blank between them."""


def refusal(
    path: Path, name: str, fault: Fault, offset: int, opened: int | None = None, dialect: Dialect = LANDING
) -> OlistError:
    """Return the error that refuses a file, called `name`, for a fault at a byte offset.

    `opened` is where the quote before that opens: where it is in another line, the fault may be there.
    """
    line = line_of(path, offset)
    if fault is Fault.NOT_UTF8:
        return _not_utf8(path, name, offset, line)
    if fault in _OF_QUOTES:
        # What looks like a quote in a wrong place follows from another delimiter, or another way to write quotes.
        with path.open("rb") as file:
            header = file.readline(SAMPLE_BYTES).decode(dialect.encoding, "replace")
            # A title may stand before it.
            second = file.readline(SAMPLE_BYTES).decode(dialect.encoding, "replace")
        delimiter = _other_delimiter(header, dialect)
        if not delimiter and dialect.delimiter not in header:
            delimiter = _other_delimiter(second, dialect)
        if delimiter:
            return _separated_by(delimiter, name, dialect)
        fault = Fault.ESCAPED_QUOTE if _follows_backslash(path, fault, offset, opened) else fault
    what, remedy = fault.value
    place = f"in line {line}"
    if fault is Fault.TEXT_AFTER_QUOTE and opened is not None and (first := line_of(path, opened)) < line:
        place = f"in line {line} (the quote opens in line {first})"
    sentence = f"{name} has {what} {place}; {remedy}."
    return OtherDialectError(sentence, "quote", "") if fault is Fault.QUOTE_IN_CELL else OlistError(sentence)


def line_of(path: Path, offset: int) -> int:
    """Return the number of the line that a byte stands in."""
    feeds = 0
    with path.open("rb") as file:
        while offset and (block := file.read(min(offset, SAMPLE_BYTES))):
            offset -= len(block)
            feeds += block.count(b"\n")
    return feeds + 1


def _other_delimiter(header: str, dialect: Dialect) -> str:
    """Return what separates the names in a header that has not the dialect's delimiter; nothing where it has."""
    names = re.sub(r'"[^"]*"', "", header)
    if dialect.delimiter in names:
        return ""
    return next((one for one in DELIMITERS if one in names), " " if _BLANKS.fullmatch(header) else "")


def refuse_other_delimiter(header: str, name: str, dialect: Dialect = LANDING) -> None:
    """Raise OlistError for a header of one name in which something else seems to separate several."""
    if delimiter := _other_delimiter(header, dialect):
        raise _separated_by(delimiter, name, dialect)


def _separated_by(delimiter: str, name: str, dialect: Dialect) -> OlistError:
    wanted = DELIMITERS.get(dialect.delimiter, repr(dialect.delimiter))
    sentence = f"{name} separates its columns by {delimiter!r}; export it again with {wanted}."
    return OtherDialectError(sentence, "delimiter", delimiter)


def _follows_backslash(path: Path, fault: Fault, offset: int, opened: int | None) -> bool:
    """Return whether a quote in a wrong place, or one in the cell before it, stands behind a backslash."""
    start = {Fault.QUOTE_IN_CELL: offset - 1, Fault.OPEN_QUOTE: offset}.get(fault, opened)
    if start is None:
        return False
    with path.open("rb") as file:
        file.seek(start)
        size = min(offset + 1 - start, SAMPLE_BYTES) if fault is not Fault.OPEN_QUOTE else SAMPLE_BYTES
        return b'\\"' in file.read(size)


def _not_utf8(path: Path, name: str, offset: int, line: int) -> OlistError:
    """Say which byte is no UTF-8, in which line, and how to convert the file: what else it is, as far as one can tell.

    0x80 to 0x9F are letters and quotes in Windows-1252 and control characters in Latin-1, which no text has.
    """
    with path.open("rb") as file:
        start = max(0, offset - SAMPLE_BYTES // 2)
        file.seek(start)
        sample = file.read(SAMPLE_BYTES)
        file.seek(offset)
        rest = file.read(4)
    place = f"{name} is not UTF-8: byte 0x{rest[0]:02X} in line {line}"
    continues = all(0x80 <= byte < 0xC0 for byte in rest[1:])
    if len(rest) < _length_of_character(rest[0]) and continues:
        return OlistError(f"{place} begins a character that the end of the file cuts off; fetch the file again.")
    # The sample may begin and end within a character, whose bytes are not strange.
    whole = sample.lstrip(_WITHIN_CHARACTERS) if start else sample
    text = codecs.getincrementaldecoder("utf-8")("surrogateescape").decode(whole)
    strange = {ord(char) - 0xDC00 for char in text if "\udc80" <= char <= "\udcff"}
    is_windows = any(byte < 0xA0 for byte in strange)
    if sum(char > "\x7f" for char in text) > 2 * sum("\udc80" <= char <= "\udcff" for char in text):
        source = "Windows-1252" if is_windows else "Latin-1 or Windows-1252"
        return OlistError(
            f"{place} ({source}), while other characters are; correct that cell, for the file mixes two encodings."
        )
    if strange & {0x81, 0x8D, 0x8F, 0x90, 0x9D}:
        remedy = "convert it from the encoding that it was saved in (neither Latin-1 nor Windows-1252)"
        return OtherDialectError(f"{place}; {remedy}.", "encoding", "")
    source = "WINDOWS-1252" if is_windows else "ISO-8859-1"
    word = _word_at(path, offset).decode(source, "replace")
    return OtherDialectError(
        f"{place}; convert it first: `iconv -f {source} -t UTF-8` where {word!r} is right, else from the encoding that"
        " it was saved in.",
        "encoding",
        "windows-1252" if is_windows else "latin-1",
    )


def _word_at(path: Path, offset: int) -> bytes:
    """Return the word that a byte stands in, or some bytes of it."""
    with path.open("rb") as file:
        file.seek(max(0, offset - WORD_BYTES))
        before, after = file.read(min(offset, WORD_BYTES)), file.read(WORD_BYTES)
    return re.split(_BETWEEN_WORDS, before)[-1] + re.split(_BETWEEN_WORDS, after)[0]


def _length_of_character(first: int) -> int:
    """Return how many bytes a UTF-8 character has that begins with `first`; 1 for a byte that begins none."""
    starts = ((0xC2, 0xDF, 2), (0xE0, 0xEF, 3), (0xF0, 0xF4, 4))
    return next((length for low, high, length in starts if low <= first <= high), 1)
