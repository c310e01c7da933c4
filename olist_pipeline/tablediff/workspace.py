"""Where a comparison works: one transaction, and temporary tables that are gone when it ends.

Belongs here: running statements on the caller's connection and leaving it as it was. Does not belong here: what
the statements say.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from typing import Any

import duckdb

from olist_pipeline.tablediff.sql import literal, quote


@dataclass
class Workspace:
    """A connection, and temporary tables with names of their own."""

    con: duckdb.DuckDBPyConnection
    prefix: str = field(default_factory=lambda: f"tablediff_{uuid.uuid4().hex}")
    tables: list[str] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return all rows of a query."""
        return self.con.execute(query).fetchall()

    def row(self, query: str) -> tuple[Any, ...]:
        """Return the only row of a query."""
        [row] = self.rows(query)
        return row

    def count(self, relation: str) -> int:
        """Return how many rows a relation has."""
        [number] = self.row(f"SELECT count(*) FROM {relation}")
        return int(number)

    def hidden(self, name: str) -> str:
        """Return a quoted column name that no relation has."""
        return quote(f"{self.prefix}_{name}")

    def create(self, name: str, query: str) -> str:
        """Create a temporary table from a query and return its quoted name."""
        table = f"temp.{quote(f'{self.prefix}_{next(self.numbers)}_{name}')}"
        self.con.execute(f"CREATE TEMP TABLE {table} AS {query}")
        self.tables.append(table)
        return table

    def drop(self, table: str) -> None:
        """Drop a table that `create` made."""
        self.con.execute(f"DROP TABLE {table}")
        self.tables.remove(table)


@contextmanager
def workspace(con: duckdb.DuckDBPyConnection, *, wide: bool) -> Iterator[Workspace]:
    """Yield a workspace inside a transaction, whose temporary tables are gone afterwards.

    wide: statements have many columns; then an optimiser is off that takes a time beyond the square of them.
    """
    with _without(con, "projection_placement") if wide else nullcontext():
        work = Workspace(con)
        if _in_transaction(con):
            try:
                yield work
            finally:
                # An error has aborted the caller's transaction: only its own rollback can remove the tables then.
                with suppress(duckdb.Error):
                    for table in list(work.tables):
                        work.drop(table)
            return
        con.begin()
        try:
            yield work
        finally:
            con.rollback()


@contextmanager
def _without(con: duckdb.DuckDBPyConnection, optimiser: str) -> Iterator[None]:
    """Switch an optimiser of the database off, and back on unless it was off before."""
    [(before,)] = con.execute("SELECT current_setting('disabled_optimizers')").fetchall()
    off = before.split(",") if before else []
    con.execute(f"SET disabled_optimizers = {literal(','.join([*off, optimiser]))}")
    try:
        yield
    finally:
        # Not possible in a transaction that an error has aborted; results do not depend on it.
        with suppress(duckdb.Error):
            con.execute(f"SET disabled_optimizers = {literal(before)}")


def _in_transaction(con: duckdb.DuckDBPyConnection) -> bool:
    """Tell whether the caller has begun a transaction: BEGIN inside one would abort it."""
    ids = [con.execute("SELECT txid_current()").fetchall() for _ in range(2)]
    return ids[0] == ids[1]
