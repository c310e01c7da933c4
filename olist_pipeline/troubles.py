"""Troubles: the sentences that a person reads of an error of the disk, a file or a server, wherever it is raised.

What belongs here: the sentences of errors that are nobody's mistake in the code. What does not: errors of the code,
which keep their traceback, and mending anything.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from olist_pipeline.errors import OlistError
from olist_pipeline.files import in_words
from olist_pipeline.settings import Settings

_HELD = re.compile(r'Could not set lock on file "(.+)": Conflicting lock is held .*\(PID (\d+)\)')
_NO_SERVER = "PostgreSQL does not answer any more; start it and run again: what was finished is kept."


def sentence_of(error: BaseException) -> str | None:
    """Return what a person reads of an error, or of the one that it came from; None where the code is wrong."""
    for one in _chain(error):
        if sentence := _sentence(one):
            return sentence
    return None


def damaged_file(folders: list[Path]) -> Path | None:
    """Return the first Parquet file below `folders` that cannot be read to its end; None where all can."""
    import polars as pl

    for path in sorted(path for folder in folders for path in folder.rglob("*.parquet")):
        try:
            pl.read_parquet(path, glob=False, hive_partitioning=False)
        except (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException):
            return path
    return None


def _sentence(error: BaseException) -> str | None:
    if isinstance(error, OlistError):
        return str(error)
    if isinstance(error, FileNotFoundError) and error.filename is None and not _has_folder():
        return "The folder that this shell is in is not there any more; change to one that is."
    if isinstance(error, OSError) and str(error):
        return f"{in_words(error)}."
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryException":
        return "There is not enough memory for this; end other programs or take a larger machine, and run again."
    if (psycopg2 := sys.modules.get("psycopg2")) and isinstance(error, psycopg2.Error):
        from olist_pipeline.stores.server_errors import trouble

        known = trouble(error)
        return str(known) if known else None
    name = f"{type(error).__module__}.{type(error).__name__}"
    if name in ("sqlalchemy.exc.TimeoutError", "dagster_postgres.utils.DagsterPostgresException"):
        return _NO_SERVER
    if name.startswith(("polars.exceptions.ComputeError", "pyo3_runtime.PanicException")):
        return _of_files(error)
    if name.startswith("_duckdb."):
        return _of_duckdb(error)
    return None


def _has_folder() -> bool:
    with suppress(FileNotFoundError):
        return bool(Path.cwd())
    return False


def _of_files(error: BaseException) -> str | None:
    """Return what is said where Polars cannot read a file of ours, which it does not name."""
    settings = Settings.from_env()
    damaged = damaged_file([settings.intake, settings.staging])
    if damaged is None:
        return None
    return f"{damaged} is damaged ({_first_line(error)}); `olist run --force` makes it anew."


def _of_duckdb(error: BaseException) -> str | None:
    """Return what is said where DuckDB cannot read or write a file; it names the file itself."""
    if held := _HELD.search(str(error)):
        return f"{held[1]} is in use by process {held[2]}; let it end, or end it, and run again."
    kind = type(error).__name__
    files = ("IOException", "SerializationException", "FatalException", "InternalException", "InvalidInputException")
    if kind not in files:
        return None
    return _of_files(error) or f"{_first_line(error)}; free space or repair the file, then `olist run --force`."


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and those that it came from, each once."""
    seen: list[Any] = []
    one: BaseException | None = error
    while one is not None and one not in seen:
        seen.append(one)
        yield one
        # SQLAlchemy keeps the driver's error aside.
        origin = getattr(one, "orig", None)
        one = origin if isinstance(origin, BaseException) else one.__cause__


def _first_line(error: BaseException) -> str:
    with suppress(IndexError):
        return str(error).strip().splitlines()[0].rstrip(".")
    return type(error).__name__
