"""Closing a DuckDB database off: from then on it opens the files that it is given, and no others.

What belongs here: the settings that do so. What does not: which files those are (`profiles`), and doing it to a
database that dbt opens (`barrier`).
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb


def close_off(connection: duckdb.DuckDBPyConnection, folders: Sequence[str], files: Sequence[str]) -> None:
    """Let the database of a connection open `files`, what is below `folders` and what is attached, and nothing else."""
    for setting, paths in (("allowed_directories", folders), ("allowed_paths", files)):
        listed = ", ".join("'" + path.replace("'", "''") + "'" for path in paths)
        connection.execute(f"SET {setting} = [{listed}]")
    connection.execute("SET enable_external_access = false")
