"""What is known of a relation before its rows are read: its source, its columns, and how two schemas differ.

Belongs here: describing relations, matching their columns, schema differences. Does not belong here: rows.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import duckdb

from olist_pipeline.tablediff.columns import Column
from olist_pipeline.tablediff.contract import RelationError, fold
from olist_pipeline.tablediff.report import SchemaDifference


@dataclass(frozen=True)
class Relation:
    """A relation that can be read: `source` stands after FROM, with nothing behind it in the same SELECT."""

    name: str
    source: str
    columns: tuple[Column, ...]

    def find(self, name: str) -> Column | None:
        """Return the column of that name, without regard to ASCII case."""
        return self._by_name.get(fold(name))

    @cached_property
    def _by_name(self) -> Mapping[str, Column]:
        return {fold(column.name): column for column in self.columns}


def describe(
    con: duckdb.DuckDBPyConnection,
    relation: str,
    where: str | None = None,
    *,
    name: str | None = None,
    untyped: bool = False,
) -> Relation:
    """Return the relation with its columns; `where` restricts its rows.

    name: what sentences call it. untyped: its columns are text because its source knows no types.
    Raises RelationError when DuckDB cannot read it.
    """
    source = f"{relation} WHERE ({where})" if where else relation
    try:
        described = con.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
    except duckdb.Error as error:
        restricted = f" where {where}" if where else ""
        raise RelationError(f"Cannot read {name or relation}{restricted}: {first_line(error)}") from error
    columns = tuple(Column(row[0], row[1], untyped) for row in described)
    return Relation(name or relation, source, columns)


def first_line(error: Exception) -> str:
    """Return the part of a DuckDB message that a person needs."""
    return str(error).strip().splitlines()[0]


def schema_differences(
    old: tuple[Column, ...], new: tuple[Column, ...], pairs: tuple[tuple[Column, Column], ...]
) -> tuple[SchemaDifference, ...]:
    """Return how two column lists differ; `pairs` are the columns they share, in the order of the old one."""
    return (*_differences(old, new, pairs), *_reordered(new, pairs))


def _differences(
    old: tuple[Column, ...], new: tuple[Column, ...], pairs: tuple[tuple[Column, Column], ...]
) -> Iterator[SchemaDifference]:
    shared_old, shared_new = {pair[0] for pair in pairs}, {pair[1] for pair in pairs}
    for column in old:
        if column not in shared_old:
            yield SchemaDifference("missing", column.name, column.type, None)
    for column in new:
        if column not in shared_new:
            yield SchemaDifference("extra", column.name, None, column.type)
    for before, after in pairs:
        if before.type != after.type and not (before.untyped or after.untyped):
            yield SchemaDifference("retyped", before.name, before.type, after.type)
        if before.name != after.name:
            yield SchemaDifference("recased", before.name, before.name, after.name)


def _reordered(new: tuple[Column, ...], pairs: tuple[tuple[Column, Column], ...]) -> Iterator[SchemaDifference]:
    """Yield the fewest columns that have to move for the orders to agree."""
    place_in_new = {column: place for place, column in enumerate(new)}
    order = sorted(range(len(pairs)), key=lambda i: place_in_new[pairs[i][1]])
    position = {i: place for place, i in enumerate(order)}
    kept = _longest_increasing([position[i] for i in range(len(pairs))])
    for i, (before, _) in enumerate(pairs):
        if i not in kept:
            yield SchemaDifference("reordered", before.name, str(i + 1), str(position[i] + 1))


def _longest_increasing(values: list[int]) -> set[int]:
    """Return the indices of a longest increasing subsequence."""
    tails: list[int] = []
    ends: list[int] = []
    previous: list[int | None] = []
    for i, value in enumerate(values):
        length = bisect_left(tails, value)
        previous.append(ends[length - 1] if length else None)
        tails[length : length + 1] = [value]
        ends[length : length + 1] = [i]
    kept: set[int] = set()
    last = ends[-1] if ends else None
    while last is not None:
        kept.add(last)
        last = previous[last]
    return kept
