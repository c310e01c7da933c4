"""An order-independent fingerprint of a relation: its rows as a multiset, in one scan.

Belongs here: hashing whole relations. Does not belong here: finding out what differs (`compare.py`).

A fingerprint is the number of rows and two sums over their 64-bit hashes, kept in 128 bits: of the hashes, and of
the hashes hashed again. A sum, unlike an XOR, notices a row that occurs two more times; the second notices
hashes that cancel out in the first. What DuckDB's hash() confuses is told apart by `Column.hash_arguments`.
Values that a comparison takes for equal (NaN and NaN, 0.0 and -0.0) have equal fingerprints. Two different rows
share a hash with a probability of 2**-64, and different tables have the same fingerprint only if that happens to
all their differences at once. Hashes belong to a version of DuckDB: compare fingerprints of one version only.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import duckdb

from olist_pipeline.tablediff.columns import Column
from olist_pipeline.tablediff.relation import describe

HashSums = tuple[int, int, int]
"""Of rows: their number, the sum of their hashes, and that of the hashes hashed again."""


@dataclass(frozen=True)
class Fingerprint:
    """Rows, and a digest (64 hexadecimal digits) of column names, types, order and all rows."""

    rows: int
    digest: str


def fingerprint(con: duckdb.DuckDBPyConnection, relation: str) -> Fingerprint:
    """Return the fingerprint of a relation (a name or anything that can stand after FROM).

    Raises RelationError when the relation cannot be read.
    """
    described = describe(con, relation)
    return of_sums(described.columns, [row_sums(con, described.source, described.columns)])


def fingerprints_by(
    con: duckdb.DuckDBPyConnection, relation: str, key: str
) -> tuple[Fingerprint, dict[str | None, Fingerprint]]:
    """Return the fingerprint of a relation, and those of its rows for each value of the expression `key`, in one scan.

    By the value as text, None where it is missing, in the order of the values. Raises RelationError when the relation
    cannot be read.
    """
    described = describe(con, relation)
    hashed = f"SELECT {key} AS part, {row_hash(described.columns)} AS h FROM {described.source}"
    found = con.execute(f"SELECT part::VARCHAR, {_SUMS} FROM ({hashed}) GROUP BY part ORDER BY part").fetchall()
    sums = {value: (rows, first, second) for value, rows, first, second in found}
    parts = {value: of_sums(described.columns, [one]) for value, one in sums.items()}
    return of_sums(described.columns, sums.values()), parts


def row_sums(con: duckdb.DuckDBPyConnection, source: str, columns: Sequence[Column]) -> HashSums:
    """Return the number of rows and the sums of both row hashes over `columns`, in their order."""
    [row] = con.execute(f"SELECT {_SUMS} FROM (SELECT {row_hash(columns)} AS h FROM {source})").fetchall()
    return row[0], row[1], row[2]


def of_sums(columns: Sequence[Column], parts: Iterable[HashSums]) -> Fingerprint:
    """Return the fingerprint of rows with `columns`, of whose parts the sums are given (see `row_sums`)."""
    rows, *sums = (sum(place) for place in zip((0, 0, 0), *parts, strict=True))
    content = [[column.name, column.type] for column in columns], rows, [str(part) for part in sums]
    return Fingerprint(rows, hashlib.sha256(json.dumps(content).encode()).hexdigest())


_SUMS = "count(*), coalesce(sum(h), 0), coalesce(sum(hash(h)), 0)"


def row_hash(columns: Sequence[Column]) -> str:
    """Return the SQL of the hash of a row of 64 bits."""
    arguments = ", ".join(["1", *(argument for column in columns for argument in column.hash_arguments())])
    return f"hash({arguments})"
