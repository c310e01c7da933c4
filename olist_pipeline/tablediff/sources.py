"""Comparing two relations that no project surrounds: Parquet and CSV files, folders of them, tables of DuckDB files.

Belongs here: how the text of a source becomes a relation. Does not belong here: the comparison itself
(`compare.py`), reading files (`files.py`), or reading the command line.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Collection, Iterator
from pathlib import Path

import duckdb

from olist_pipeline.dialect.signature import HEAD_BYTES, foreign_kind
from olist_pipeline.tablediff.compare import compare_plan
from olist_pipeline.tablediff.contract import Contract, ContractError, RelationError, fold
from olist_pipeline.tablediff.csv_file import Options
from olist_pipeline.tablediff.files import file_relation, kind_of
from olist_pipeline.tablediff.names import joined_names, nearest, split_names
from olist_pipeline.tablediff.plan import resolve
from olist_pipeline.tablediff.relation import Relation, describe, first_line
from olist_pipeline.tablediff.report import Comparison
from olist_pipeline.tablediff.sql import literal, quote, relation_name

DATABASE = re.compile(r"(?is)(.+?\.(?:duckdb|ddb|db)):(.+)")

REMEDIES = {
    "Conflicting lock": "; close it there, or compare a copy of the file.",
    "without a key": "; compare a copy that is not encrypted.",
}
"""What to do about a file that DuckDB does not open, by what it says."""


def compare_sources(
    old: str,
    new: str,
    contract: Contract,
    *,
    where: str | None = None,
    options: Options | None = None,
) -> Comparison:
    """Compare two sources in a database in memory; nothing is written to either.

    A source is `FILE.parquet`, `FILE.csv` or `FILE.tsv` (also .gz), a folder (all files below it, which must be of one
    kind), or `FILE.duckdb:TABLE`, `FILE.duckdb:SCHEMA.TABLE` (.ddb and .db too), names with a dot in double quotes. A
    folder of another ending is one whatever it is called.

    Every column of a CSV file is text. Beside a column with a type, each cell is compared as the value that it
    exactly is (`texts.py`), and the types are no difference. An empty cell is NULL, and '' when it is quoted.

    options: of the dialect of CSV files (`csv_file.parse_options`). Raises RelationError for a source that cannot be
    read, and whatever `compare` raises.
    """
    with tempfile.TemporaryDirectory(prefix="tablediff-") as folder, duckdb.connect() as con:
        _run(con, f"SET temp_directory = {literal(folder)}", "Cannot use the folder for temporary files")
        if where is not None:
            _refuse_more_than_a_condition(con, where)
        before, after = (
            open_source(con, source, side, Path(folder), options or {}, where)
            for source, side in ((old, "old"), (new, "new"))
        )
        return compare_plan(con, resolve(before, after, contract, where))


def _refuse_more_than_a_condition(con: duckdb.DuckDBPyConnection, where: str) -> None:
    """Raise RelationError for a text that is no single condition, or one that holds for other rows each time.

    One condition is one with parentheses around it and without. A moment (`now()`) is the same for a whole comparison.
    """
    try:
        for condition in (where, f"({where})"):
            con.extract_statements(f"SELECT 1 WHERE {condition}")
    except duckdb.Error as error:
        raise RelationError(
            f"'{where}' is no condition: {first_line(error)}; give what may stand behind WHERE, e.g. \"day >="
            " '2018-01-01'\"."
        ) from error
    [(parsed,)] = con.execute("SELECT json_serialize_sql(?)", [f"SELECT 1 WHERE {where}"]).fetchall()
    [(names,)] = con.execute(
        "SELECT list(DISTINCT function_name) FROM duckdb_functions() WHERE stability = 'VOLATILE'"
        " AND function_name <> 'error'"
    ).fetchall()
    if by_chance := next(_by_chance(json.loads(parsed), names), None):
        raise RelationError(
            f"'{where}' holds for other rows each time that it is asked, by {by_chance}; give a condition on columns."
        )


def _by_chance(node: object, names: Collection[str]) -> Iterator[str]:
    """Yield what makes a parsed statement say something else each time: functions of `names`, and samples."""
    if isinstance(node, dict):
        if node.get("function_name") in names:
            yield f"{node['function_name']}()"
        if node.get("sample"):
            yield "a sample"
    for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _by_chance(inner, names)


def open_source(
    con: duckdb.DuckDBPyConnection, source: str, alias: str, scratch: Path, options: Options, where: str | None = None
) -> Relation:
    """Return a source as a relation; a database file is attached read-only under a name with `alias` in it, CSV is read
    into a table.

    scratch: a folder for copies that are needed. Raises RelationError when there is no such source.
    """
    try:
        return _opened(con, source, alias, scratch, options, where)
    except OSError as error:
        raise RelationError(f"'{source}' cannot be read: {error.strerror} ({error.filename}).") from error


def _opened(
    con: duckdb.DuckDBPyConnection, source: str, alias: str, scratch: Path, options: Options, where: str | None
) -> Relation:
    path = Path(source)
    # A table may be called like a file: `shop.duckdb:raw.csv`.
    found = None if path.exists() else DATABASE.fullmatch(source)
    if "://" in source and not path.exists():  # an address may hold a password, which no sentence shows
        raise RelationError(
            f"The address of {alias} is no file: write a table of a server to one (in psql: \\copy (SELECT ...) TO"
            " 'table.csv' WITH (FORMAT csv, HEADER)), fetch what lies elsewhere, and name that file."
        )
    if path.is_dir() or (kind_of(source) is not None and not found):
        relation, untyped = file_relation(con, path.absolute(), source, f"{alias}_csv", options, scratch)
        return describe(con, relation, where, name=source, untyped=untyped)
    if found:
        # A view of the file may name a schema `old`, which a file attached under that name would make ambiguous.
        return describe(con, _table(con, Path(found[1]), found[2], f"file of {alias}"), where, name=source)
    raise RelationError(
        f"Cannot tell what '{source}' is: give a .parquet, .csv or .tsv file, a folder of such files, or"
        " FILE.duckdb:SCHEMA.TABLE."
    )


def _table(con: duckdb.DuckDBPyConnection, file: Path, table: str, alias: str) -> str:
    if not file.is_file():
        raise RelationError(f"There is no database file '{file}'.")
    # Of a file of another kind DuckDB would fetch an extension from the network.
    options = "(READ_ONLY, TYPE duckdb)"
    try:
        _run(con, f"ATTACH {literal(str(file.resolve()))} AS {quote(alias)} {options}", f"Cannot open '{file}'")
    except RelationError as error:
        with file.open("rb") as opened:
            kind = foreign_kind(opened.read(HEAD_BYTES), file.name)
        remedy = next((said for word, said in REMEDIES.items() if word in str(error)), "")
        raise RelationError(f"'{file}' {kind}." if kind else f"{error}{remedy}") from error
    return relation_name(alias, *_schema_and_name(con, file, table, alias))


def _schema_and_name(con: duckdb.DuckDBPyConnection, file: Path, table: str, alias: str) -> tuple[str, str]:
    """Return the schema and the name of a table of an attached file; raises RelationError when it is not there."""
    there = con.execute(
        "SELECT table_schema, table_name FROM information_schema.tables WHERE table_catalog = ? ORDER BY ALL", [alias]
    ).fetchall()
    try:
        *schema, name = split_names(table, ".")
    except ContractError as error:
        raise RelationError(str(error)) from error
    wanted = [*map(fold, schema or ["main"]), fold(name)]
    for pair in there:
        if [*map(fold, pair)] == wanted:
            return pair
    known = [relation_text(*pair) for pair in there]
    raise RelationError(
        f"There is no table {table} in '{file}' (a name with a dot in it stands in double quotes);"
        f" {nearest(table, known)}"
    )


def relation_text(schema: str, name: str) -> str:
    """Return a table's name as a person would write it."""
    return joined_names(name) if schema == "main" else joined_names(schema, name)


def _run(con: duckdb.DuckDBPyConnection, statement: str, failure: str) -> None:
    try:
        con.execute(statement)
    except duckdb.Error as error:
        raise RelationError(f"{failure}: {first_line(error)}") from error
