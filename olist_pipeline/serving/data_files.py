"""Data files: the rows that releases show, in Parquet files that all releases with the same rows share.

What belongs here: writing the rows of a table once, how a database names the files beside it, and removing what no
release uses. What does not: which tables a release has (`build`), and which releases are kept (`release`).

    serving/data/<digest>.parquet   the rows that have this fingerprint (`tablediff.fingerprint`)

A table that is built by month has a file a month, any other has one. A file is named after its rows: rows that are
there are not written again, whichever release, side or table they were written for, and a file never changes.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import duckdb

from olist_pipeline.errors import OlistError
from olist_pipeline.file_locks import lock_file
from olist_pipeline.files import flush
from olist_pipeline.months import MONTH
from olist_pipeline.near import listed
from olist_pipeline.paths import duckdb_path
from olist_pipeline.release_manifest import DATABASE, Content, Release
from olist_pipeline.tablediff.columns import Column
from olist_pipeline.tablediff.contract import RelationError
from olist_pipeline.tablediff.fingerprint import Fingerprint, fingerprint, fingerprints_by
from olist_pipeline.tablediff.nested import rewritten
from olist_pipeline.tablediff.relation import Relation, describe
from olist_pipeline.tablediff.sql import literal, parquet, quote

DATA = "data"
_LOCK = ".lock"
_WRITTEN = ".{}.tmp"
_FORMAT = "FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1"
_BY_MONTH = f"PARTITION_BY ({quote(MONTH)}), WRITE_PARTITION_COLUMNS true"
CUT_BY_PARQUET = {"INTERVAL", "TIME WITH TIME ZONE"}
_TEMPORARY = f"{DATABASE}.tmp"


@contextmanager
def in_use(serving: Path) -> Iterator[None]:
    """Let every data file stay, those that nobody uses yet too, for as long as a release is built in the block."""
    (serving / DATA).mkdir(parents=True, exist_ok=True)
    with lock_file(serving / DATA / _LOCK, seconds=None, shared=True):
        yield


def data_file(serving: Path, part: str) -> Path:
    """Return where the rows of this digest lie."""
    return serving / DATA / f"{part}.parquet"


def store(
    connection: duckdb.DuckDBPyConnection, serving: Path, source: str, view: str, *, is_monthly: bool = False
) -> Content:
    """Write the rows of `source` that no file has, make `view` of all of them, and prove that it holds what they are.

    Hold `in_use`; `connection` is to a database two folders below `serving`. A file that was there and is damaged is
    written again, for all its releases. Raises OlistError where the view is not what `source` is.
    """
    whole, parts = _parts_of(connection, source, is_monthly)
    content = Content(whole.rows, whole.digest, tuple(parts))
    columns = describe(connection, source).columns
    as_text = _lost_types(connection, serving, source, columns)
    written = _cast(source, dict.fromkeys(as_text, "VARCHAR"))

    def write(some: Sequence[str]) -> None:
        if some[1:]:
            some = _write_months(connection, serving, written, {part: parts[part] for part in some})
        for part in some:
            with _temporary(serving) as path:
                connection.execute(f"COPY ({written} WHERE {parts[part].rows}) TO {literal(str(path))} ({_FORMAT})")
                _keep(path, data_file(serving, part))

    write([part for part in content.parts if not data_file(serving, part).is_file()])
    if not _shows(connection, view, serving, content, as_text):
        write(damaged(connection, serving, content.parts, columns))
        if not _shows(connection, view, serving, content, as_text):
            odd = f"; where it stays so, let its SQL give {listed(sorted(as_text))} another type" if as_text else ""
            raise OlistError(f"The copy of {source} is not what the warehouse holds; run again{odd}.")
    flush(serving / DATA)
    return content


def damaged(
    connection: duckdb.DuckDBPyConnection, serving: Path, parts: Iterable[str], columns: Sequence[Column]
) -> list[str]:
    """Return those of `parts`, which have these columns, whose file is missing or has other rows than its name says."""
    return [part for part in parts if not _holds_part(connection, data_file(serving, part), part, columns)]


def damage(connection: duckdb.DuckDBPyConnection, serving: Path, release: Release) -> dict[str, list[str]]:
    """Return the damaged parts of a release, whose database `connection` is to, each with the tables that it spoils."""
    spoilt: dict[str, list[str]] = {}
    for name, table in release.tables.items():
        for side, content in table.sources.items():
            # What a view was made with: it cannot be described while a file of it is missing.
            columns = connection.execute(
                "SELECT column_name, data_type FROM duckdb_columns() WHERE schema_name = ? AND table_name = ?"
                " AND database_name = current_database() ORDER BY column_index",
                [side, name],
            ).fetchall()
            for part in damaged(connection, serving, content.parts, [Column(*column) for column in columns]):
                spoilt.setdefault(part, []).append(f"{side}.{name}")
    return spoilt


def located(serving: Path, parts: Iterable[str]) -> str:
    """Return what a view must read for `parts`, from wherever its database is opened.

    DuckDB resolves a relative path from the folder of the process. A view learns where its own database lies from the
    default of `temp_directory`, which stands beside it (it is the folder `serving.duckdb.tmp`), and two folders above
    are the data. So a home may be moved and restored anywhere. Where the default does not hold, for a session that set
    it or has attached the database to another, the view falls back on where the data was when it was made.
    """
    setting = "current_setting('temp_directory')"
    folder = f"left({setting}, {-len(_TEMPORARY)})"
    exact = rf"regexp_replace({folder}, '[*?\[]', '[\0]', 'g')"
    here = f"{exact} || '../../{DATA}/'"
    there = literal(duckdb_path(serving.resolve() / DATA) + "/")
    base = f"if({setting} LIKE '%/{_TEMPORARY}', {here}, {there})"
    names = ", ".join(literal(f"{part}.parquet") for part in parts)
    return f"read_parquet(list_transform([{names}], lambda name: {base} || name), hive_partitioning = false)"


def remove_unused(serving: Path, used: Collection[str]) -> None:
    """Remove the files of all parts but those `used`, and what killed writers left; nothing while a release is built.

    Hold the lock of serving, so that no release comes to use a file meanwhile.
    """
    if not (serving / DATA).is_dir():
        return
    with suppress(BlockingIOError), lock_file(serving / DATA / _LOCK):
        for path in (serving / DATA).iterdir():
            if path.name != _LOCK and path.name.removesuffix(".parquet") not in used:
                _remove(path)


def parts_of(release: Release) -> set[str]:
    """Return the parts that a release has, of all its tables and sides."""
    return {part for table in release.tables.values() for content in table.sources.values() for part in content.parts}


@dataclass(frozen=True)
class _Slice:
    """The rows of a part: the condition that they meet, and the folder that DuckDB writes them to by month."""

    rows: str = "true"
    folder: str = ""


def _parts_of(
    connection: duckdb.DuckDBPyConnection, source: str, is_monthly: bool
) -> tuple[Fingerprint, dict[str, _Slice]]:
    """Return the fingerprint of a relation, and its parts by their digest."""
    if not is_monthly:
        whole = fingerprint(connection, source)
        return whole, {whole.digest: _Slice()}
    whole, months = fingerprints_by(connection, source, quote(MONTH))
    parts = {part.digest: _month(month) for month, part in months.items()}
    return whole, parts or {whole.digest: _Slice()}


def _month(month: str | None) -> _Slice:
    if month is None:
        return _Slice(f"{quote(MONTH)} IS NULL", f"{MONTH}=__HIVE_DEFAULT_PARTITION__")
    return _Slice(f"{quote(MONTH)} = DATE {literal(month)}", f"{MONTH}={month}")


def _write_months(
    connection: duckdb.DuckDBPyConnection, serving: Path, written: str, parts: Mapping[str, _Slice]
) -> list[str]:
    """Write parts of a relation in one scan; return those of which it made no single file.

    A scan for each month reads the whole table each time where its rows are in another order. DuckDB cuts a month in
    several files where it has too many of them open.
    """
    rows = " OR ".join(part.rows for part in parts.values())
    with _temporary(serving) as folder:
        connection.execute(f"COPY ({written} WHERE {rows}) TO {literal(str(folder))} ({_FORMAT}, {_BY_MONTH})")
        files = {digest: list((folder / part.folder).glob("*")) for digest, part in parts.items()}
        for digest, found in files.items():
            if len(found) == 1:
                _keep(found[0], data_file(serving, digest))
    return [digest for digest, found in files.items() if len(found) != 1]


def _keep(path: Path, file: Path) -> None:
    """Let what was written be the file of a part."""
    flush(path)
    if file.is_dir():  # nothing of anybody's has such a name
        shutil.rmtree(file)
    path.replace(file)


@contextmanager
def _temporary(serving: Path) -> Iterator[Path]:
    """Yield a path that no other writer has, also of the same rows; what is left there is removed."""
    path = serving / DATA / _WRITTEN.format(uuid.uuid4().hex)
    try:
        yield path
    finally:
        _remove(path)


def _remove(path: Path) -> None:
    """Remove a file, or a folder that has the name of one that is written; a folder of somebody else's stays."""
    if not path.is_dir():
        path.unlink(missing_ok=True)
    elif path.match(_WRITTEN.format("*")):
        shutil.rmtree(path)


def _shows(
    connection: duckdb.DuckDBPyConnection, view: str, serving: Path, content: Content, as_text: Mapping[str, str]
) -> bool:
    """Make `view` of the files of a content; return whether it shows that content."""
    with suppress(duckdb.Error):
        connection.execute(f"CREATE OR REPLACE VIEW {view} AS {_cast(located(serving, content.parts), as_text)}")
        return _holds(connection, view, content.digest)
    return False


def _lost_types(
    connection: duckdb.DuckDBPyConnection, serving: Path, source: str, columns: Sequence[Column]
) -> dict[str, str]:
    """Return the types, by column, that Parquet does not keep (HUGEINT, ENUM): such a column is written as text.

    So is one of which it keeps the type and cuts the values: a time's zone, an interval's microseconds.
    """
    cut = {column.name: column.type for column in columns if _is_cut(column)}
    with _temporary(serving) as path:
        connection.execute(f"COPY (FROM {source} LIMIT 0) TO {literal(str(path))} (FORMAT parquet)")
        return _other_types(describe(connection, parquet(path)), columns) | cut


def _is_cut(column: Column) -> bool:
    return rewritten(column.type, lambda inner: "" if inner in CUT_BY_PARQUET else inner) != column.type


def _other_types(found: Relation, columns: Sequence[Column]) -> dict[str, str]:
    """Return the types of `columns`, by name, where those of `found` are others."""
    types = {column.name: column.type for column in found.columns}
    return {column.name: column.type for column in columns if types.get(column.name) != column.type}


def _cast(relation: str, types: Mapping[str, str]) -> str:
    """Return the query of a relation with some columns as other types."""
    casts = ", ".join(f"CAST({quote(name)} AS {kind}) AS {quote(name)}" for name, kind in types.items())
    return f"SELECT *{f' REPLACE ({casts})' if casts else ''} FROM {relation}"


def _holds_part(connection: duckdb.DuckDBPyConnection, path: Path, part: str, columns: Sequence[Column]) -> bool:
    try:
        types = _other_types(describe(connection, parquet(path)), columns)
    except RelationError:
        return False
    return _holds(connection, f"({_cast(parquet(path), types)})", part)


def _holds(connection: duckdb.DuckDBPyConnection, relation: str, digest: str) -> bool:
    """Whether a relation can be read and has the rows of a digest."""
    try:
        return fingerprint(connection, relation).digest == digest
    except (RelationError, duckdb.Error):
        return False
