"""The header: the names in a file's first line.

What belongs here: what no header may have, whatever the file is. What does not: which columns a file should have.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator

from olist_pipeline.dialect.dialect import Dialect
from olist_pipeline.errors import OlistError
from olist_pipeline.near import listed


def parse_header(line: str, dialect: Dialect, file: str) -> tuple[str, ...]:
    """Return the names in a header; raises OlistError for an empty, repeated or broken one.

    Names that differ in their case alone are the same for SQL.
    """
    if not line.strip():
        raise OlistError(f"{file} begins with an empty line; remove what stands before the header.")
    if line.startswith("\ufeff"):
        raise OlistError(f"{file} begins with two byte order marks; save it again with one, or with none.")
    names = next(_records(io.StringIO(line, newline=""), dialect))
    nameless = [number for number, name in enumerate(names, start=1) if not name.strip()]
    if nameless == [1] and len(names) > 1:
        raise OlistError(
            f"{file} has no name for its first column; leave that column out (pandas writes it without"
            " index=False, R without row.names=FALSE)."
        )
    if nameless:
        numbers = listed([str(number) for number in nameless])
        raise OlistError(
            f"{file} has no name for column {numbers}; name it, remove the delimiter in line 1, or restore the header"
            " where line 1 is a record."
        )
    if broken := [name for name in names if "\n" in name or "\r" in name]:
        raise OlistError(
            f"{file} has a line break in the name of a column, {listed(broken[:1])}; write the header in one line."
        )
    counts = Counter(name.casefold() for name in names)
    if repeated := sorted({name for name in names if counts[name.casefold()] > 1}):
        raise OlistError(
            f"{file} has the column {listed(repeated)} more than once; remove the copies, or restore the"
            " header where line 1 is a record."
        )
    return tuple(names)


def _records(text: io.StringIO, dialect: Dialect) -> Iterator[list[str]]:
    if not dialect.quote:
        return csv.reader(text, delimiter=dialect.delimiter, quoting=csv.QUOTE_NONE)
    return csv.reader(text, delimiter=dialect.delimiter, quotechar=dialect.quote)
