"""The sides of a table, old, replay and new: the relations that are compared, under which contract, and their digests.

What belongs here: reading the sides of one table, all of it or some months. What does not: the verdict (`attribution`),
and comparing months somewhere else (`by_months`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import duckdb

from olist_pipeline.migration.model import NEW
from olist_pipeline.months import MONTH, MonthRange
from olist_pipeline.parity.effects import Effects
from olist_pipeline.tablediff.compare import Inspect, compare
from olist_pipeline.tablediff.contract import Contract, fold
from olist_pipeline.tablediff.fingerprint import fingerprint
from olist_pipeline.tablediff.report import Comparison
from olist_pipeline.tablediff.sql import relation_name
from olist_pipeline.warehouse import WarehouseTable, as_old_shows_it, only_in_new


@dataclass(frozen=True)
class Sides:
    """The sides of a table in a warehouse, or in a release; of some `months`, or of all there is."""

    connection: duckdb.DuckDBPyConnection
    table: WarehouseTable
    months: MonthRange | None = None

    @cached_property
    def contract(self) -> Contract:
        """The contract of the table without what only new has and is left out: that is not in its side here."""
        apart = only_in_new(self.connection, self.table)
        left_out = {name: reason for name, reason in self.table.excluded.items() if fold(name) not in apart}
        return Contract(self.table.name, self.table.key, self.table.tolerances, left_out)

    @property
    def where(self) -> str | None:
        """The condition that restricts all sides to the months; raises ValueError for a table that has none."""
        if self.months is None:
            return None
        if not self.table.is_monthly:
            raise ValueError(f"{self.table.name} is built as a whole: it has no months to compare")
        first, last = (f"DATE '{month.isoformat()}'" for month in (self.months.first, self.months.last))
        return f"{MONTH} BETWEEN {first} AND {last}"

    def relation(self, schema: str) -> str:
        """Return one side as a relation, new under the names and columns of old."""
        if schema == NEW:
            return as_old_shows_it(self.connection, self.table)
        return relation_name(schema, self.table.name)

    def digest(self, schema: str) -> str:
        """Return the digest of all rows of a side."""
        scope = f" WHERE {self.where}" if self.where else ""
        return fingerprint(self.connection, f"(FROM {self.relation(schema)}{scope})").digest

    def compare(self, schema: str, *, same: bool, inspect: Inspect | None = None) -> Comparison:
        """Compare a side with new; `same` says whether their digests agree. For `inspect` see `tablediff.compare`."""
        sides = self.relation(schema), self.relation(NEW)
        return compare(self.connection, *sides, self.contract, where=self.where, same=same, inspect=inspect)

    def whole(self, effects: Sequence[Effects]) -> Effects | None:
        """Return the effects that an inspection found, if there was any, as those of all rows."""
        return effects[0] if effects else None
