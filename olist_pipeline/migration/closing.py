"""Closing a DuckDB database off: from then on it opens the files that it is given, and no others.

What belongs here: the settings that do so. What does not: which files those are (`profiles`), and doing it to a
database that dbt opens (`barrier`).
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from olist_pipeline.paths import duckdb_path
from olist_pipeline.tablediff.sql import literal


def close_off(connection: duckdb.DuckDBPyConnection, folders: Sequence[str], files: Sequence[str]) -> None:
    """Let the database of a connection open `files`, what is below `folders` and what is attached, and nothing else.

    DuckDB asks twice: for what its readers are given, where `[1]` is a pattern and so written otherwise, and for what
    that leads to.
    """
    for setting, paths in (("allowed_directories", folders), ("allowed_paths", files)):
        spelled = dict.fromkeys(one for path in paths for one in (path, duckdb_path(path)))
        connection.execute(f"SET {setting} = [{', '.join(map(literal, spelled))}]")
    connection.execute("SET enable_external_access = false")
