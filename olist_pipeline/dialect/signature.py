"""What a file is that only its name calls CSV: recognised by its first bytes.

What belongs here: the kinds of files that people save under a wrong name, and what to do with each. What does not:
faults within a CSV file (see `check`).
"""

from __future__ import annotations

import re

BOM = b"\xef\xbb\xbf"
HEAD_BYTES = 4096
"""So many of the first bytes are enough."""

_STARTS = (
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "is an Excel workbook (.xls); save the sheet as CSV UTF-8"),
    (b"\x28\xb5\x2f\xfd", "is compressed with zstd; unpack it"),
    (b"\xfd7zXZ\x00", "is compressed with xz; unpack it"),
    (b"\x04\x22\x4d\x18", "is compressed with lz4; unpack it"),
    (b"7z\xbc\xaf\x27\x1c", "is a 7z archive; unpack it"),
    (b"Rar!\x1a", "is a RAR archive; unpack it"),
    (b"ARROW1\0\0", "is a file of Arrow; export the table as CSV"),
    (b"Obj\x01", "is a file of Avro; export the table as CSV"),
    (b"{\\rtf", "is a document of a word processor (.rtf); save the table as CSV UTF-8"),
    (b"PGCOPY\n", "is in the binary format of PostgreSQL; write it again by COPY ... WITH (FORMAT csv, HEADER)"),
    (b"%PDF", "is a PDF; export the table as CSV"),
    (b"SQLite format 3\x00", "is a SQLite database; export the table as CSV"),
    (b"version https://git-lfs", "is a pointer of Git LFS, not the file; run `git lfs pull`"),
)
_MARKS = (
    # Before UTF-16, whose little-endian mark is the first half of this one.
    (b"\xff\xfe\x00\x00", "UTF-32"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
    (b"+/v8", "UTF-7"),
)
_WIDE = {"UTF-32LE": b"\1\0\0\0", "UTF-32BE": b"\0\0\0\1", "UTF-16LE": b"\1\0", "UTF-16BE": b"\0\1"}
"""Which bytes of a text in each encoding are not NUL."""
# What letters alone begin, a column's name may begin, too: behind them stands what no text has.
_LETTERED = (
    (re.compile(rb"PAR1(?![\t\r\n -~])"), "is a Parquet file; export the table as CSV"),
    (re.compile(rb"BZh[1-9](1AY&SY|\x17rE8P\x90)"), "is compressed with bzip2; unpack it"),
    (re.compile(rb"--( |\r?\n)"), "is a script of SQL; load it into a database and export the table as CSV"),
    (re.compile(rb"ORC(?![\t\r\n -~\x80-\xff])"), "is a file of ORC; export the table as CSV"),
)
_ARCHIVE = re.compile(rb"PK(\x03\x04|\x05\x06|\x07\x08)")
_WORKBOOK = re.compile(rb"\[Content_Types\]\.xml|_rels/|xl/|docProps/")
_MARKUP = re.compile(rb"\s*<(!doctype|html|head|body|\?xml|!--|table|error)", re.IGNORECASE)
_JSON = re.compile(rb'\s*(\{\s*["}]|\[\s*[\[{])')
_SEPARATOR = re.compile(rb'"?sep=(.)"?\s*$', re.IGNORECASE | re.MULTILINE)


def foreign_kind(head: bytes, name: str) -> str | None:
    """Return what a file is that is no CSV, with what to do about it, from its first bytes; None for a CSV file.

    `head` holds up to `HEAD_BYTES` of them, `name` is the file's name. The text continues a sentence that begins with
    the name.
    """
    if head.startswith(b"\x1f\x8b"):
        remedy = "unpack what is in it" if name.endswith(".gz") else f"unpack it, or name it {name}.gz"
        return f"is compressed with gzip; {remedy}"
    for start, kind in _STARTS:
        if head.startswith(start):
            return kind
    for pattern, kind in _LETTERED:
        if pattern.match(head):
            return kind
    if _ARCHIVE.match(head):
        if _WORKBOOK.search(head):
            return "is an Excel workbook (.xlsx); save the sheet as CSV UTF-8"
        if b"mimetypeapplication/vnd.oasis.opendocument" in head:
            return "is a document of LibreOffice (.ods); save the sheet as CSV UTF-8"
        return "is a zip archive; unpack it"
    if head[257:262] == b"ustar":
        return "is a tar archive; unpack it"
    text = head.removeprefix(BOM)
    if _MARKUP.match(text):
        return "is a web page or XML, perhaps a message of the server that it came from; download the file again"
    if _JSON.match(text):
        return "is JSON; export the table as CSV"
    if text and not text.strip(b"\0"):
        return "holds nothing but NUL bytes, as after an interrupted copy; fetch it again"
    if _SEPARATOR.match(text):
        return "begins with Excel's line sep=, which is no header; remove that line"
    return None


def other_encoding(head: bytes) -> tuple[str, str] | None:
    """Return the encoding of a text whose first bytes tell it, and what it is called; None for any other text."""
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding, encoding
    start = head.removeprefix(BOM)[:32]
    shape = bytes(bool(byte) for byte in start)
    for encoding, pattern in _WIDE.items():
        if len(start) >= 2 * len(pattern) and shape == (pattern * 32)[: len(shape)]:
            return encoding, f"{encoding} without a byte order mark"
    return None
