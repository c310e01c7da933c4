"""Comparing two relations that no project surrounds: Parquet files, CSV files, tables of DuckDB files.

Belongs here: how the text of a source becomes a relation. Does not belong here: the comparison itself
(`compare.py`), or reading the command line.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from olist_pipeline.parity.compare import compare
from olist_pipeline.parity.contract import Contract, RelationError, fold
from olist_pipeline.parity.relation import describe, first_line
from olist_pipeline.parity.report import Comparison
from olist_pipeline.parity.sql import literal, quote, relation_name
from olist_pipeline.paths import duckdb_path

PARQUET = (".parquet", ".pq")
CSV = (".csv", ".csv.gz", ".tsv", ".tsv.gz")
DATABASE = (".duckdb", ".ddb", ".db")


def compare_sources(
    old: str,
    new: str,
    contract: Contract,
    *,
    samples: int = 5,
    where: str | None = None,
    memory_limit: str | None = None,
) -> Comparison:
    """Compare two sources in a database in memory; nothing is written to either.

    A source is `FILE.parquet`, a folder (all Parquet files below it), `FILE.csv` (or .tsv, each also .gz), or
    `FILE.duckdb:TABLE`, `FILE.duckdb:SCHEMA.TABLE` (.ddb and .db too). Every column of a CSV file is text, so that
    '007' stays what it is; a column with a tolerance is read as a DOUBLE. An empty cell is NULL, and '' when it is
    quoted.

    memory_limit: DuckDB's setting, for example '2GB'. Raises RelationError for a source that cannot be read, and
    whatever `compare` raises.
    """
    with duckdb.connect() as con:
        if memory_limit is not None:
            _run(con, f"SET memory_limit = {literal(memory_limit)}", f"Cannot set the memory limit '{memory_limit}'")
        tolerant = {fold(name) for name in contract.tolerances}
        before, after = open_source(con, old, "old", tolerant), open_source(con, new, "new", tolerant)
        return compare(con, before, after, contract, samples=samples, where=where)


def open_source(
    con: duckdb.DuckDBPyConnection, source: str, alias: str, numbers: frozenset[str] | set[str] = frozenset()
) -> str:
    """Return what stands after FROM to read a source; a database file is attached read-only under `alias`.

    numbers: folded names of the CSV columns to read as numbers. Raises RelationError when there is no such source.
    """
    path = Path(source)
    if path.is_dir():
        return _parquet(duckdb_path(path, "**/*.parquet"), any(path.rglob("*.parquet")), source)
    if source.lower().endswith(PARQUET):
        return _parquet(duckdb_path(path), path.is_file(), source)
    if source.lower().endswith(CSV):
        return _csv(con, path, numbers)
    file, _, table = source.rpartition(":")
    if file.lower().endswith(DATABASE):
        return _table(con, Path(file), table, alias)
    raise RelationError(
        f"Cannot tell what '{source}' is: give a .parquet or .csv file, a folder of Parquet files, or"
        " FILE.duckdb:SCHEMA.TABLE."
    )


def _parquet(path: str, exists: bool, source: str) -> str:
    if not exists:
        raise RelationError(f"There is no Parquet file at '{source}'.")
    return f"read_parquet({literal(path)}, hive_partitioning = false)"


def _csv(con: duckdb.DuckDBPyConnection, path: Path, numbers: frozenset[str] | set[str]) -> str:
    if not path.is_file():
        raise RelationError(f"There is no file '{path}'.")
    options = "all_varchar = true, header = true, allow_quoted_nulls = false, hive_partitioning = false"
    text = f"read_csv({literal(duckdb_path(path))}, {options})"
    names = [column.name for column in describe(con, text).columns]
    casts = [f"CAST({quote(name)} AS DOUBLE) AS {quote(name)}" for name in names if fold(name) in numbers]
    return f"(SELECT * REPLACE ({', '.join(casts)}) FROM {text})" if casts else text


def _table(con: duckdb.DuckDBPyConnection, file: Path, table: str, alias: str) -> str:
    if not file.is_file():
        raise RelationError(f"There is no database file '{file}'.")
    # DuckDB refuses to attach one file under two names.
    attached = con.execute(
        "SELECT database_name FROM duckdb_databases() WHERE path = ?", [str(file.resolve())]
    ).fetchall()
    if attached:
        alias = attached[0][0]
    else:
        _run(con, f"ATTACH {literal(str(file.resolve()))} AS {quote(alias)} (READ_ONLY)", f"Cannot open '{file}'")
    schema, _, name = table.rpartition(".")
    return relation_name(alias, schema or "main", name)


def _run(con: duckdb.DuckDBPyConnection, statement: str, failure: str) -> None:
    try:
        con.execute(statement)
    except duckdb.Error as error:
        raise RelationError(f"{failure}: {first_line(error)}") from error
