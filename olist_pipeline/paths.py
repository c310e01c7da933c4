"""Paths as DuckDB's readers take them: a path that they are given is never a pattern.

What belongs here: how a path is written in a statement. What does not: SQL's own quoting, and reading anything.

Two more habits of its readers need an argument beside each path: `hive_partitioning = false`, or a folder `a=b` in it
becomes a column. The sources of the dbt project escape with Jinja what this module does with Python.
"""

from __future__ import annotations

import re
from pathlib import Path

_SPECIAL = re.compile(r"[*?\[]")


def duckdb_path(path: Path | str, pattern: str = "") -> str:
    """Return what DuckDB's readers must be given to read `path`, or what matches `pattern` below that folder.

    It is text, not yet a literal. A backslash cannot be said to them: settings refuse it.
    """
    exact = _SPECIAL.sub(r"[\g<0>]", str(path))
    return f"{exact}/{pattern}" if pattern else exact
