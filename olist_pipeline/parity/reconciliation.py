"""Reconciliation: every landing row is in staging or in quarantine, once, and accepted cells equal landing cells.

What belongs here: the proof for one table, over the stores as they are. What does not: comparing old with
new (see `attribution`), and storing verdicts.

Landing is read here by DuckDB, not by the reader that intake uses: a row that intake's reader lost would
otherwise be missing on both sides.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from olist_domain.kernel.records import value_type
from olist_pipeline.dialect.check import check
from olist_pipeline.dialect.dialect import duckdb_relation
from olist_pipeline.errors import OlistError
from olist_pipeline.files import scratch_folder
from olist_pipeline.intake.rows import IS_VALID
from olist_pipeline.landing.csv_file import SOURCE_ROW
from olist_pipeline.landing.folder import files_of, readable_landing
from olist_pipeline.landing.packed import called
from olist_pipeline.landing.table import LandingTable
from olist_pipeline.machine import bound_memory
from olist_pipeline.paths import duckdb_path
from olist_pipeline.settings import Settings
from olist_pipeline.staging import is_staged, scan_intake, staged_hash
from olist_pipeline.steps import landing_hash_of
from olist_pipeline.stores import quarantine
from olist_pipeline.tablediff.fingerprint import row_hash
from olist_pipeline.tablediff.relation import describe
from olist_pipeline.tablediff.sql import literal, quote
from olist_pipeline.validation.table import StagedTable, Summary

SAMPLES = 5
_LIKELY = "most likely landing has changed since these rows were made: `olist run --force` makes them all anew"
_SQL_TYPES = {str: "VARCHAR", int: "BIGINT", float: "DOUBLE", Decimal: "DECIMAL(18,2)", datetime: "TIMESTAMP"}


@dataclass(frozen=True)
class Reconciliation:
    """The ledger of one table. `lost` and `doubled` are samples of row numbers, `changed` of accepted rows.

    A table that sums another one up has the values that identify its rows in place of row numbers.
    """

    table: str
    landing: int
    accepted: int
    quarantined: int
    lost: tuple[int | str, ...]
    doubled: tuple[int | str, ...]
    changed_rows: int
    changed: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether nothing was lost, doubled or changed."""
        balance = self.landing == self.accepted + self.quarantined
        return balance and not self.lost and not self.doubled and not self.changed_rows

    def sentence(self) -> str:
        """Say the ledger in one line."""
        ledger = f"{self.landing:,} landing = {self.accepted:,} accepted + {self.quarantined:,} quarantined"
        if self.holds:
            return ledger
        problems = [
            f"rows lost, e.g. {list(self.lost)}" if self.lost else "",
            f"rows twice, e.g. {list(self.doubled)}" if self.doubled else "",
            f"{self.changed_rows:,} accepted rows differ from landing, e.g. {self.changed[0]}" if self.changed else "",
        ]
        found = "; ".join(problem for problem in problems if problem)
        return f"{ledger} does not hold{': ' if found else ''}{found}; {_LIKELY}"

    def to_dict(self) -> dict[str, Any]:
        """Return the ledger as JSON-ready values, with its sentence."""
        return {**asdict(self), "sentence": self.sentence()}


def reconciliation_of(settings: Settings, url: str, table: StagedTable) -> Reconciliation:
    """Return the ledger of a table: landing against its staging files and its quarantined rows.

    A table that sums others up has no landing rows: it is held against their accepted rows.
    """
    if not is_staged(settings.staging, table.context, table.name):
        raise OlistError(f"Staging of {table.asset} is empty; materialise it first.")
    with _database(settings) as connection:
        connection.execute(f"CREATE VIEW accepted AS SELECT * FROM {_staged(settings, table.asset)}")
        if table.source is None:
            return _summary_ledger(connection, settings, table)
        rejected = quarantine.source_rows(url, table.name, table.source.name)
        landing = landing_relation(files_of(readable_landing(settings, [table.source]), table.source), table.source)
        connection.execute(f"CREATE VIEW landing AS SELECT {_as_cells(table.source, table.columns)} FROM {landing}")
        connection.execute("CREATE TABLE rejected AS SELECT unnest($rows::BIGINT[]) AS source_row", {"rows": rejected})
        return _ledger(connection, table, table.source, len(rejected))


@dataclass(frozen=True)
class IntakeReconciliation:
    """How many records DuckDB finds in landing, and how many rows intake has.

    `apart` is the first row whose first cell is not the same for both, as row number, DuckDB's and intake's text.
    """

    landing: int
    intake: int
    file: str = ""
    apart: tuple[int, str | None, str | None] | None = None

    @property
    def holds(self) -> bool:
        """Whether both readers found the same number of records."""
        return self.landing == self.intake

    def sentence(self) -> str:
        """Say the ledger in one line."""
        if self.holds:
            return f"{self.landing:,} landing records equal {self.intake:,} intake rows"
        number, seen, taken = self.apart or (min(self.landing, self.intake) + 1, None, None)
        texts = f", which begins with {seen!r} in DuckDB and with {taken!r} in intake" if self.apart else ""
        return (
            f"{self.landing:,} landing records do not equal {self.intake:,} intake rows: {self.file} is split "
            f"differently by the two readers from row {number:,} on{texts}; most likely the file was replaced while it "
            "was read, or a quote or a line end near there is not as in the rest: `olist data check` looks at it"
        )


def intake_reconciliation_of(settings: Settings, table: LandingTable) -> IntakeReconciliation:
    """Return the counts of a table's landing records and intake rows, each by a reader of its own."""
    with _database(settings) as connection:
        relation = landing_relation(files_of(readable_landing(settings, [table]), table), table)
        [(landing,)] = connection.execute(f"SELECT count(*) FROM {relation}").fetchall()
        taken = scan_intake(settings.intake, table.name).select(pl.len()).collect().item()
        apart = None if landing == taken else _first_apart(connection, relation, settings, table)
    return IntakeReconciliation(landing, taken, table.file, apart)


@contextmanager
def _database(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a database of its own, which takes its part of the memory, and beyond that the home's disk."""
    with scratch_folder(settings.home / "spill") as folder, duckdb.connect() as connection:
        connection.execute(f"SET temp_directory = {literal(str(folder))}")
        bound_memory(connection)
        yield connection


def reconciliation_subject(settings: Settings, table: StagedTable) -> str:
    """Return the fingerprint of what a verdict on reconciliation is about: the staging files and their source."""
    staged = staged_hash(settings.staging, table.asset)
    if table.source:
        return f"{landing_hash_of(settings, table.source.name)}:{staged}"
    made_of = (staged_hash(settings.staging, asset) for asset in summary_of(table).assets)
    return ":".join((*made_of, staged))


def summary_of(table: StagedTable) -> Summary:
    """Return what a table without landing rows of its own is made of."""
    if table.summary is None:
        raise ValueError(f"{table.name} has neither a source nor a summary")
    return table.summary


def landing_relation(files: Sequence[Path], table: LandingTable) -> str:
    """Return the SQL relation of the records of a table's files, which have one header, every cell as text."""
    relation = duckdb_relation(files, check(files[0], name=called(files[0])).header)
    columns = ", ".join(f"{quote(said)} AS {quote(name)}" for name, said in table.headers.items())
    return f"(SELECT {columns} FROM {relation})"


def _first_apart(
    connection: duckdb.DuckDBPyConnection, relation: str, settings: Settings, table: LandingTable
) -> tuple[int, str | None, str | None] | None:
    """Return the first row in whose first text cell the readers differ, None where one has only fewer rows."""
    names = (name for name in table.columns if value_type(table.record.model_fields[name].annotation) is str)
    if not (name := next(names, None)):
        return None
    valid = scan_intake(settings.intake, table.name).filter(IS_VALID).select(SOURCE_ROW, name).collect()
    connection.register("taken", valid)
    found = connection.execute(
        f"SELECT number, seen, {quote(name)} FROM (SELECT row_number() OVER () AS number, {quote(name)} AS seen "
        f"FROM {relation}) JOIN taken ON number = {SOURCE_ROW} WHERE seen IS DISTINCT FROM {quote(name)} "
        "ORDER BY number LIMIT 1"
    ).fetchall()
    return found[0] if found else None


def _staged(settings: Settings, asset: str) -> str:
    files = duckdb_path(settings.staging / asset, "*.parquet")
    return f"read_parquet({literal(files)}, hive_partitioning = false)"


def _summary_ledger(connection: duckdb.DuckDBPyConnection, settings: Settings, table: StagedTable) -> Reconciliation:
    """Return the ledger of a table that has one row for each value that stands in others."""
    summary = summary_of(table)
    by, key = quote(summary.by), quote(summary.key)
    parts = _staged(settings, summary.of)
    if summary.among:
        asset, column = summary.among
        known = f"SELECT {quote(column)} FROM {_staged(settings, asset)}"
        parts = f"(SELECT {by} FROM {parts} WHERE {quote(column)} IN ({known}))"
    # An aggregation goes on on the disk where memory ends; a set of values that others are looked up in does not.
    connection.execute(
        "CREATE TABLE sides AS SELECT value, count(*) FILTER (is_made) AS made, count(*) FILTER (NOT is_made) AS part "
        f"FROM (SELECT {key} AS value, true AS is_made FROM accepted UNION ALL SELECT {by}, false FROM {parts}) "
        "GROUP BY value"
    )
    [(values, rows)] = connection.execute(
        "SELECT count(*) FILTER (part > 0), coalesce(sum(made), 0) FROM sides"
    ).fetchall()
    lost = connection.execute(f"SELECT value FROM sides WHERE made = 0 ORDER BY 1 LIMIT {SAMPLES}").fetchall()
    doubled = connection.execute(
        f"SELECT value FROM sides WHERE made > 1 OR part = 0 ORDER BY 1 LIMIT {SAMPLES}"
    ).fetchall()
    return Reconciliation(
        table.name,
        landing=values,
        accepted=rows,
        quarantined=0,
        lost=tuple(value for (value,) in lost),
        doubled=tuple(value for (value,) in doubled),
        changed_rows=0,
        changed=(),
    )


def _ledger(
    connection: duckdb.DuckDBPyConnection, table: StagedTable, source: LandingTable, quarantined: int
) -> Reconciliation:
    cells = ", ".join(map(quote, table.columns))
    connection.execute(f"CREATE TABLE landed AS SELECT {_hash_of(connection, cells, 'landing')} AS row FROM landing")
    [(landing,)] = connection.execute("SELECT count(*) FROM landed").fetchall()
    [(accepted,)] = connection.execute("SELECT count(*) FROM accepted").fetchall()
    connection.execute(
        "CREATE TABLE kept AS SELECT source_row, count(*) AS times FROM "
        "(SELECT source_row FROM accepted UNION ALL SELECT source_row FROM rejected) GROUP BY source_row"
    )
    lost = connection.execute(
        "SELECT n FROM range(1, $rows + 1) AS r(n) ANTI JOIN kept ON n = source_row ORDER BY n LIMIT $samples",
        {"rows": landing, "samples": SAMPLES},
    ).fetchall()
    doubled = connection.execute(
        "SELECT source_row FROM kept WHERE times > 1 OR source_row NOT BETWEEN 1 AND $rows "
        "ORDER BY source_row LIMIT $samples",
        {"rows": landing, "samples": SAMPLES},
    ).fetchall()
    changed_rows, changed = _changed_rows(connection, cells)
    return Reconciliation(
        table=table.name,
        landing=landing,
        accepted=accepted,
        quarantined=quarantined,
        lost=tuple(row for (row,) in lost),
        doubled=tuple(row for (row,) in doubled),
        changed_rows=changed_rows,
        changed=tuple(map(str, changed)),
    )


def _changed_rows(connection: duckdb.DuckDBPyConnection, cells: str) -> tuple[int, list[tuple[Any, ...]]]:
    """Return how many accepted rows have cells that are not, as a multiset, those of landing rows; and some of them."""
    # Hashes of rows take a tenth of their memory; the cells themselves are read where hashes differ.
    [(hashes,)] = connection.execute(
        "SELECT count(*) FROM (SELECT row FROM (SELECT row, -1 AS side FROM landed UNION ALL "
        f"SELECT {_hash_of(connection, cells, 'accepted')}, 1 FROM accepted) GROUP BY row HAVING sum(side) > 0)"
    ).fetchall()
    if not hashes:
        return 0, []
    changed = f"SELECT {cells} FROM accepted EXCEPT ALL SELECT {cells} FROM landing"
    found = connection.execute(f"SELECT count(*) OVER (), * FROM ({changed}) LIMIT {SAMPLES}").fetchall()
    return (found[0][0], [row[1:] for row in found]) if found else (0, [])


def _hash_of(connection: duckdb.DuckDBPyConnection, cells: str, relation: str) -> str:
    return row_hash(describe(connection, f"(SELECT {cells} FROM {relation})").columns)


def _as_cells(source: LandingTable, columns: Sequence[str]) -> str:
    """Return the SQL of columns of landing as cells of their types, null where a text is none of them."""
    fields = source.record.model_fields
    types = {name: _SQL_TYPES[value_type(fields[name].annotation)] for name in columns}
    return ", ".join(f"TRY_CAST(nullif({quote(name)}, '') AS {kind}) AS {quote(name)}" for name, kind in types.items())
