"""Paths as DuckDB's readers take them: a path that they are given is never a pattern.

What belongs here: how a path is written in a statement. What does not: SQL's own quoting, and reading anything.

Two more habits of its readers need an argument beside each path: `hive_partitioning = false`, or a folder `a=b` in it
becomes a column. The sources of the dbt project escape with Jinja what this module does with Python.
"""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

_SPECIAL = re.compile(r"[*?\[]")


def duckdb_path(path: Path | str, pattern: str = "") -> str:
    """Return what DuckDB's readers must be given to read `path`, or what matches `pattern` below that folder.

    It is text, not yet a literal. What cannot be said to them is refused where a path comes from (`forbidden_in`).
    """
    exact = _SPECIAL.sub(r"[\g<0>]", str(path))
    return f"{exact}/{pattern}" if pattern else exact


def forbidden_in(path: str) -> str:
    """Return the first character of a path that DuckDB's readers cannot be given, nothing where there is none.

    That is a backslash, a control character, or a byte that is not UTF-8.
    """
    return next((char for char in path if char == "\\" or unicodedata.category(char) in ("Cc", "Cs")), "")
