"""Monthly tables compared month by month, each by a task somewhere else: what the tasks leave adds up to the whole.

What belongs here: cutting tables by their months, the work on some of them, and adding up. What does not: taking equal
rows out of a part and the law that holds (`tablediff.parts`), verdicts (`attribution`), and who has it worked through.

A task reads the sides of a table as the warehouse shows them, which have to be views of files then. A row whose month
is another one in new is only in old of one task and only in new of another: both leave it, and it is compared here.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import pairwise
from pathlib import Path

import duckdb
import polars as pl

from olist_pipeline.errors import OlistError
from olist_pipeline.files import replacing
from olist_pipeline.migration.model import NEW, OLD, REPLAY
from olist_pipeline.months import MONTH, MonthRange
from olist_pipeline.parity.effects import Effects, Number, added, totals_of
from olist_pipeline.parity.sides import Sides
from olist_pipeline.tablediff.compare import Inspect
from olist_pipeline.tablediff.fingerprint import HashSums, of_sums, row_sums
from olist_pipeline.tablediff.parts import Rest, RestFiles, can_be_cut, compare_rests, rest_of
from olist_pipeline.tablediff.relation import describe
from olist_pipeline.tablediff.report import Comparison
from olist_pipeline.tablediff.sql import literal, quote
from olist_pipeline.validation import units
from olist_pipeline.validation.units import Runner, name_of_months
from olist_pipeline.warehouse import WarehouseTable

TREES = (OLD, REPLAY, NEW)
MEMORY = "1GiB"
"""So much may the database of one task take; what needs more is spilled to the disk."""


@dataclass(frozen=True)
class MonthsOfTable:
    """Some months of a table, whose rows are those that `where` selects; `folder` is for what they leave."""

    table: WarehouseTable
    months: tuple[date, ...]
    where: str
    folder: Path

    @property
    def name(self) -> str:
        """The table and its months."""
        return f"{self.table.name} of {name_of_months(self.months)}"


@dataclass(frozen=True)
class MonthsReport:
    """What some months of a table came to.

    `sums` are those of the fingerprint of each side, `totals` the measures' of old and new; `rests` is what is left of
    these months, by the side that new was compared with.
    """

    sums: Mapping[str, HashSums]
    totals: Mapping[str, tuple[Number, Number]]
    rests: Mapping[str, Rest]


@dataclass(frozen=True)
class MonthsComparison:
    """The comparison of some months of new with a side, `against`. `views` are the statements that show the sides.

    Hashes are those of one `version` of DuckDB.
    """

    views: Mapping[str, tuple[str, ...]]
    against: str
    version: str = duckdb.__version__

    def __call__(self, part: MonthsOfTable) -> MonthsReport:
        """Compare the months; raises OlistError for another version of DuckDB than that of whoever asks."""
        if duckdb.__version__ != self.version:
            raise OlistError(
                f"It has DuckDB {duckdb.__version__}, and {self.version} adds up what it leaves; install the same "
                "everywhere."
            )
        with _database_of(self.views[part.table.name]) as connection:
            sides = Sides(connection, part.table)
            described = {
                tree: describe(connection, f"(FROM {sides.relation(tree)} WHERE {part.where})") for tree in TREES
            }
            sums = {tree: row_sums(connection, side.source, side.columns) for tree, side in described.items()}
            totals = totals_of(connection, described[OLD], described[NEW], part.table.measures)
            return MonthsReport(sums, totals, {self.against: self._rest(sides, part)})

    def _rest(self, sides: Sides, part: MonthsOfTable) -> Rest:
        names = (f"{self.against}.{which}.parquet" for which in ("old", "new", "equal"))
        files = RestFiles(*(part.folder / name for name in names))
        with ExitStack() as stack:
            written = RestFiles(*(stack.enter_context(replacing(path)) for path in (files.old, files.new, files.equal)))
            relations = sides.relation(self.against), sides.relation(NEW)
            left = rest_of(sides.connection, *relations, sides.contract, part.where, written)
        return replace(left, files=files)


@dataclass(frozen=True)
class AddedSides(Sides):
    """The sides of a table whose months were compared by tasks, as far as these tell; the rest is read here."""

    reports: tuple[MonthsReport, ...] = field(default=(), repr=False)

    def digest(self, schema: str) -> str:
        """Return the digest of all rows of a side, of which the tasks have read each."""
        columns = describe(self.connection, self.relation(schema)).columns
        return of_sums(columns, (report.sums[schema] for report in self.reports)).digest

    def compare(self, schema: str, *, same: bool, inspect: Inspect | None = None) -> Comparison:
        """Compare a side with new, reading no more than what the tasks have left where that is enough."""
        rests = [report.rests[schema] for report in self.reports if schema in report.rests]
        found = None
        if rests and not same:
            sides = self.relation(schema), self.relation(NEW)
            found = compare_rests(self.connection, *sides, self.contract, rests, where=self.where, inspect=inspect)
        return found or super().compare(schema, same=same, inspect=inspect)

    def whole(self, effects: Sequence[Effects]) -> Effects | None:
        """Return the effects, which an inspection found among the rest, with the sums of all rows."""
        # The last one: an inspection of all rows comes after that of a rest which did not tell.
        return replace(effects[-1], totals=added(report.totals for report in self.reports)) if effects else None


def sides_by_months(
    connection: duckdb.DuckDBPyConnection,
    tables: Sequence[WarehouseTable],
    months: MonthRange | None,
    runner: Runner,
    folder: Path,
) -> dict[str, AddedSides]:
    """Have tables compared by their months; return their sides by name, but for those that cannot be cut.

    `folder` is for files that all see, until the verdicts are found. A table is cut if its three sides are views of
    files, and each column has one type.
    """
    shutil.rmtree(folder, ignore_errors=True)
    views = {table.name: shown for table in tables if len(shown := _views(connection, table)) == len(TREES)}
    every = [Sides(connection, table, months) for table in tables if table.name in views]
    cut = {sides.table.name: sides for sides in every if _can_be_cut(sides)}
    parts = [part for name, sides in cut.items() for part in months_of_table(sides, runner.at_a_time, folder / name)]
    found = _added(cut, parts, runner.run(parts, MonthsComparison(views, OLD)))
    # Replay is like new nearly always; then its fingerprint says so.
    others = {name for name, sides in found.items() if sides.digest(REPLAY) != sides.digest(NEW)}
    if again := [part for part in parts if part.table.name in others]:
        more = _added({name: cut[name] for name in others}, again, runner.run(again, MonthsComparison(views, REPLAY)))
        for name, sides in more.items():
            pairs = zip(found[name].reports, sides.reports, strict=True)
            reports = tuple(replace(one, rests={**one.rests, **other.rests}) for one, other in pairs)
            found[name] = replace(found[name], reports=reports)
    return found


def months_of_table(sides: Sides, at_a_time: int, folder: Path) -> list[MonthsOfTable]:
    """Return the parts that a table is compared in, `at_a_time` of them side by side: each row is in one of them."""
    rows = Counter[date | None]()
    for tree in TREES:
        scope = f" WHERE {sides.where}" if sides.where else ""
        counted = f"SELECT {MONTH}, count(*) FROM {sides.relation(tree)}{scope} GROUP BY 1"
        rows.update(dict(sides.connection.execute(counted).fetchall()))
    known = {month: number for month, number in rows.items() if month is not None}
    pieces = [piece.months or () for piece in units.units_of(sorted(known), known, None, units.ROWS_A_UNIT, at_a_time)]
    return [
        MonthsOfTable(sides.table, piece, _condition(sides, piece, following), folder / f"{number:04}")
        for number, (piece, following) in enumerate(pairwise([*pieces, ()]))
    ]


def _condition(sides: Sides, months: Sequence[date], following: Sequence[date]) -> str:
    """Return the condition of the rows of some months up to the following ones: without any gap, and NULL is a month.

    It is with the last ones.
    """
    since = f"{MONTH} >= DATE '{months[0].isoformat()}'"
    until = f"{since} AND {MONTH} < DATE '{following[0].isoformat()}'" if following else ""
    own = until or f"({since} OR {MONTH} IS NULL)"
    return f"{sides.where} AND {own}" if sides.where else own


def _can_be_cut(sides: Sides) -> bool:
    """Return whether months of a table can be compared apart; what is wrong with it, its whole comparison says."""
    with suppress(OlistError):
        relations = {tree: sides.relation(tree) for tree in TREES}
        of_month = (describe(sides.connection, relation).find(MONTH) for relation in relations.values())
        return all(column is not None and column.type == "DATE" for column in of_month) and all(
            can_be_cut(sides.connection, relations[tree], relations[NEW], sides.contract) for tree in (OLD, REPLAY)
        )
    return False


def _added(
    cut: Mapping[str, Sides], parts: Sequence[MonthsOfTable], reports: Iterable[MonthsReport]
) -> dict[str, AddedSides]:
    by_table: dict[str, list[MonthsReport]] = {}
    for part, report in zip(parts, reports, strict=True):
        by_table.setdefault(part.table.name, []).append(report)
    return {
        name: AddedSides(cut[name].connection, cut[name].table, cut[name].months, tuple(found))
        for name, found in by_table.items()
    }


def _views(connection: duckdb.DuckDBPyConnection, table: WarehouseTable) -> tuple[str, ...]:
    """Return the statements that make the views of a table's sides; less than three where a side is none."""
    return tuple(
        statement
        for tree in TREES
        for (statement,) in connection.execute(
            "SELECT sql FROM duckdb_views() WHERE database_name = current_database() AND schema_name = $tree "
            "AND view_name = $name",
            {"tree": tree, "name": table.names(tree)},
        ).fetchall()
    )


@contextmanager
def _database_of(views: Iterable[str]) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a connection to a database of a task, which has nothing but some views."""
    with tempfile.TemporaryDirectory(prefix="olist-parity-") as folder, duckdb.connect() as connection:
        connection.execute(f"SET temp_directory = {literal(folder)}")
        connection.execute(f"SET memory_limit = {literal(MEMORY)}")
        # As many threads as the task has cores: whoever started it says so to Polars.
        connection.execute(f"SET threads = {pl.thread_pool_size()}")
        for tree in TREES:
            connection.execute(f"CREATE SCHEMA {quote(tree)}")
        for statement in views:
            connection.execute(statement)
        yield connection
