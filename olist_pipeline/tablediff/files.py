"""Files and folders of parts as relations: which files belong to a source, and that they are parts of one table.

Belongs here: names, kinds and schemas of files. Does not belong here: reading CSV (`csv_file.py`), tables of databases
(`sources.py`).

A path is never a pattern. Of a folder, every file below it counts but hidden ones (`_SUCCESS`, `.part.crc`), and a
folder named `a=1` is no column.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import duckdb

from olist_pipeline.dialect.pages import refuse_damage, refuse_other_kind
from olist_pipeline.errors import OlistError
from olist_pipeline.paths import duckdb_path
from olist_pipeline.tablediff.contract import RelationError, fold
from olist_pipeline.tablediff.csv_file import Options, load
from olist_pipeline.tablediff.relation import first_line
from olist_pipeline.tablediff.sql import literal, parquet

KINDS = {
    ".parquet": "Parquet",
    ".pq": "Parquet",
    ".csv": "CSV",
    ".csv.gz": "compressed CSV",
    ".tsv": "TSV",
    ".tsv.gz": "compressed TSV",
}
MOST_DIGITS = 38
"""The digits that a decimal of DuckDB has at most."""

TABLE_LOGS = {"_delta_log": "Delta Lake", "_hudi": "Hudi", ".hoodie": "Hudi"}


def kind_of(name: str) -> str | None:
    """Return the kind of a file by its ending, in any case; None for a file that is no table."""
    return next((kind for ending, kind in KINDS.items() if name.lower().endswith(ending)), None)


def file_relation(
    con: duckdb.DuckDBPyConnection, path: Path, source: str, table: str, options: Options, scratch: Path
) -> tuple[str, bool]:
    """Return what stands after FROM to read a file or a folder of parts, and whether its columns have no types.

    source: what sentences call it. table: the name of a table to make where rows have to be read at once. Raises
    RelationError for what cannot be read as one table.
    """
    if path.is_dir():
        parts = [(f"{source.rstrip('/')}/{part.relative_to(path)}", part) for part in _parts(path)]
        kind = _one_kind(parts, source)
    else:
        parts, kind = [(source, path)], str(kind_of(path.name))
    for name, part in parts:
        _refuse_path(name, part)
    if kind != "Parquet":
        return load(con, parts, table, options, scratch), True
    _refuse_other_schemas(con, parts)
    return parquet(*(part for _, part in parts)), False


def _parts(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder, in the order of their paths, without hidden ones.

    Raises RelationError where a folder below it cannot be read, or is there twice by a link.
    """
    seen: set[str] = set()

    def refuse(error: OSError) -> None:
        raise RelationError(f"The folder '{folder}' cannot be read: {error.filename}: {error.strerror}.") from error

    for root, folders, files in os.walk(folder, onerror=refuse, followlinks=True):
        if kind := next((TABLE_LOGS[name] for name in folders if name in TABLE_LOGS), None):
            raise RelationError(
                f"'{folder}' is a table of {kind}, whose log says which of its files count; write the"
                " table to Parquet files of its own and compare these."
            )
        if "_temporary" in folders:
            raise RelationError(
                f"'{folder}' holds {root}/_temporary, into which a program is still writing parts; wait for its end,"
                " else move it away."
            )
        if (place := os.path.realpath(root)) in seen:
            raise RelationError(f"The folder '{folder}' holds {place} twice, once as {root}; take the link out.")
        seen.add(place)
        folders[:] = sorted(name for name in folders if not _is_hidden(name))
        yield from (Path(root) / name for name in sorted(files) if not _is_hidden(name))


def _is_hidden(name: str) -> bool:
    return name.startswith((".", "_")) or name.lower().endswith(".crc")


def _one_kind(parts: list[tuple[str, Path]], source: str) -> str:
    kinds: dict[str | None, str] = {}
    for name, part in parts:
        kinds.setdefault(kind_of(part.name), name)
    if not kinds:
        raise RelationError(f"There is no file in the folder '{source}'; give one with Parquet, CSV or TSV files.")
    if None in kinds:
        raise RelationError(
            f"The folder '{source}' holds {kinds[None]}, which is called like no Parquet, CSV or TSV file; give it its"
            " ending, or move it elsewhere."
        )
    (one, first), *others = kinds.items()
    if others:
        (other, second), *_ = others
        raise RelationError(
            f"The folder '{source}' holds files of two kinds, {one} ({first}) and {other} ({second}); keep the parts of"
            " one table, of one kind, in a folder of their own."
        )
    return str(one)


def _refuse_path(name: str, path: Path) -> None:
    """Raise RelationError for what is no file, or a path that DuckDB cannot take."""
    if not path.is_file():
        raise RelationError(f"There is no file '{name}'.")
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise RelationError(f"The path of {name!r} is not UTF-8; rename the file or its folder.") from None
    if "\\" in str(path) and any(mark in str(path) for mark in "[*?"):
        raise RelationError(
            f"The path '{name}' has both a backslash and one of [ * ?, which no reader takes; rename it."
        )


def _refuse_other_schemas(con: duckdb.DuckDBPyConnection, parts: list[tuple[str, Path]]) -> None:
    """Raise RelationError where Parquet files are no parts of one table: DuckDB would take the first one's columns."""
    wanted: list[tuple[str, str]] = []
    for name, part in parts:
        try:
            refuse_other_kind(name, part)
            rows = con.execute(f"DESCRIBE FROM {parquet(part)}")
            refuse_damage(name, part)
        except duckdb.Error as error:
            raise RelationError(f"{name} cannot be read as Parquet: {first_line(error)}; write it again.") from error
        except OlistError as error:
            raise RelationError(str(error)) from error
        columns = [(column, kind) for column, kind, *_ in rows.fetchall()]
        _refuse_twins(con, name, part)
        if any("DOUBLE" in kind for _, kind in columns):
            _refuse_rounded(con, name, part)
        wanted = wanted or columns
        if columns != wanted:
            one, other = next(
                (pair for pair in zip(wanted, columns, strict=False) if pair[0] != pair[1]),
                (wanted[-1], columns[-1]),
            )
            raise RelationError(
                f"{name} has {len(columns)} columns and {parts[0][0]} has {len(wanted)}, the first that differ being"
                f" {' '.join(other)} and {' '.join(one)}; the parts of a table need the same columns."
            )


def _refuse_twins(con: duckdb.DuckDBPyConnection, name: str, part: Path) -> None:
    """Raise RelationError for columns that differ in case alone, or not at all: DuckDB gives one a name of its own."""
    schema = f"parquet_schema({literal(duckdb_path(part))})"
    # The first row is the table, which says how many columns it has; what lies in a column follows upon it.
    rows = iter(con.execute(f"SELECT name, coalesce(num_children, 0) FROM {schema}").fetchall())
    there: dict[str, str] = {}
    _, columns = next(rows)
    for _ in range(columns):
        column, inside = next(rows)
        if twin := there.get(fold(column)):
            raise RelationError(
                f"{name} has the columns {twin} and {column}, which SQL takes for one; give each a name of its own."
            )
        there[fold(column)] = column
        while inside:
            _, more = next(rows)
            inside += more - 1


def _refuse_rounded(con: duckdb.DuckDBPyConnection, name: str, part: Path) -> None:
    """Raise RelationError for decimals that DuckDB would read as floats: two that differ would then be equal."""
    schema = f"parquet_schema({literal(duckdb_path(part))})"
    if found := con.execute(f"SELECT name, precision FROM {schema} WHERE precision > {MOST_DIGITS}").fetchall():
        column, digits = found[0]
        raise RelationError(
            f"{name} has decimals of {digits} digits in {column}, which cannot be compared exactly; write them with at"
            f" most {MOST_DIGITS}, or as text."
        )
