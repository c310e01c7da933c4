"""The columns of a landing file, guessed from its rows: their types, and what identifies a row.

What belongs here: what intake could read a cell as, what a loader of raw tables makes of one, and names in Python for
what a project calls otherwise. What does not: the text of a draft (`scaffold`).
"""

from __future__ import annotations

import builtins
import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from keyword import iskeyword
from pathlib import Path
from unicodedata import normalize

import duckdb

from olist_domain.kernel.records import Record
from olist_pipeline.dialect.check import check
from olist_pipeline.dialect.dialect import duckdb_relation
from olist_pipeline.errors import OlistError
from olist_pipeline.intake.cast import MONEY_PATTERN
from olist_pipeline.landing.table import OWN_NAMES
from olist_pipeline.tablediff.sql import quote

SAMPLE = 500
MOST_COLUMNS = 8
"""So many columns, from the left, are tried together as a key: keys stand first."""
WIDEST = 3
RAW_TYPES = (
    ("bigint", "regexp_full_match({cell}, '-?(0|[1-9][0-9]{{0,17}})')"),
    ("double", "regexp_full_match({cell}, '-?(0|[1-9][0-9]{{0,14}})(\\.[0-9]+)?')"),
    ("date", "length({cell}) = 10 AND try_cast({cell} AS DATE) IS NOT NULL"),
    ("timestamp", "length({cell}) > 10 AND try_cast({cell} AS TIMESTAMP) IS NOT NULL"),
    ("boolean", "lower({cell}) IN ('true', 'false')"),
)
"""Types of raw tables, each with what a cell of it is. What begins with a zero is a code, and stays text."""
NO_FIELDS = OWN_NAMES | frozenset(dir(Record))
"""Names that no field of a record can have."""
NO_FUNCTIONS = frozenset({"annotations", "choose", "dataclass", "datetime", "derivation", "rule", *dir(builtins)})
"""Names that a draft of rules imports, and Python's own: a function of such a name would take its place."""


@dataclass(frozen=True)
class Sample:
    """The columns of a file with the types that its first rows fit, `| None` where some are empty, and its key.

    They are called as the fields of a record can be; `headers` says what the file calls those that it calls otherwise.
    """

    types: dict[str, str]
    key: tuple[str, ...]
    headers: dict[str, str]


def sample_of(path: Path) -> Sample:
    """Return what the first rows of a CSV file say; raises OlistError where no record can be made of it."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            header = next(reader, [])
            rows = [row for row, _ in zip(reader, range(SAMPLE), strict=False) if len(row) == len(header)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise OlistError(f"{path} cannot be read as CSV in UTF-8: {error}; `olist data check` says more.") from error
    if not header:
        raise OlistError(f"{path} has no header; export the file again.")
    names = _field_names(header)
    types = {name: _type([row[place] for row in rows]) for place, name in enumerate(names)}
    return Sample(types, _key(names, rows), {n: said for n, said in zip(names, header, strict=True) if n != said})


def types_of(files: Sequence[Path]) -> dict[str, str]:
    """Return the types of DuckDB that all rows of a file, or of its parts, fit; a column of text has none.

    Raises OlistError where it cannot be read.
    """
    header, *_ = (check(path).header for path in files)
    fits = ", ".join(
        f"bool_and({fit.format(cell=cell)}) FILTER ({cell} IS NOT NULL)"
        for cell in map(quote, header)
        for _, fit in RAW_TYPES
    )
    try:
        with duckdb.connect() as connection:
            [found] = connection.execute(f"SELECT {fits} FROM {duckdb_relation(files, header)}").fetchall()
    except duckdb.Error as error:
        raise OlistError(f"{files[0]} cannot be read: {str(error).splitlines()[0]}.") from error
    answers = iter(found)
    fitting = {name: [kind for kind, _ in RAW_TYPES if next(answers)] for name in header}
    return {name: kinds[0] for name, kinds in fitting.items() if kinds}


def identifier(text: str) -> str:
    """Return a text as a name in Python, in lower case."""
    name = re.sub(r"\W+", "_", text).strip("_").lower() or "unnamed"
    return f"of_{name}" if not name.isidentifier() or iskeyword(name) or name in NO_FUNCTIONS else name


def _key(header: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Return the first column, with the fewest others by which no rows repeat; alone where few do not help."""
    others = range(1, min(len(header), MOST_COLUMNS))
    for places in ((0, *more) for width in range(WIDEST) for more in combinations(others, width)):
        if len({tuple(row[place] for place in places) for row in rows}) == len(rows):
            return tuple(header[place] for place in places)
    return (header[0],)


def _field_names(header: Sequence[str]) -> list[str]:
    """Return names for the fields of a record, each once: that of the column, or one that is made of it."""
    names = [said if _is_field(said) else "" for said in header]
    for place, said in enumerate(header):
        made = identifier(normalize("NFKC", said))
        made = f"of_{made}" if made in NO_FIELDS else made
        tried = (made, *(f"{made}_{number}" for number in range(2, len(header) + 2)))
        names[place] = names[place] or next(name for name in tried if name not in names)
    return names


def _is_field(name: str) -> bool:
    # Python takes a letter with its accent apart for one that has it, and a header has the former.
    is_name = name.isidentifier() and not iskeyword(name) and name[0] != "_" and normalize("NFKC", name) == name
    return is_name and name not in NO_FIELDS


def _type(cells: Sequence[str]) -> str:
    present = [cell for cell in cells if cell]
    missing = " | None" if len(present) < len(cells) else ""
    for name, reads in (("int", _is_whole), ("Decimal", _is_money), ("float", _is_number), ("datetime", _is_moment)):
        if present and all(map(reads, present)):
            return name + missing
    return "str" + missing


def _is_whole(text: str) -> bool:
    # What begins with a zero is a code: a postcode, an account.
    return bool(re.fullmatch(r"-?(0|[1-9]\d{0,17})", text))


def _is_money(text: str) -> bool:
    return bool(re.fullmatch(r"-?(0|[1-9]\d*)(\.\d{1,2})?", text) and re.fullmatch(MONEY_PATTERN, text))


def _is_number(text: str) -> bool:
    return bool(re.fullmatch(r"-?(0|[1-9]\d*)(\.\d+)?", text))


def _is_moment(text: str) -> bool:
    # A date alone is its midnight: intake reads it so.
    try:
        return bool(datetime.strptime(text, "%Y-%m-%d" if len(text) == len("2018-01-02") else "%Y-%m-%d %H:%M:%S"))
    except ValueError:
        return False
