"""Keys of old tables: from their uniqueness tests, else from their rows.

What belongs here: candidates for what identifies a row. What does not: whether it should: people look at it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import combinations
from typing import Any

import duckdb

from olist_pipeline.tablediff.sql import quote

MOST_COLUMNS = 8
"""So many columns, from the left, are tried together: keys stand first."""
WIDEST = 3


def key_of_tests(manifest: Mapping[str, Any], unique_id: str) -> list[str]:
    """Return the columns that a uniqueness test of a model names: the shortest such key; none where there is none."""
    found = []
    for node in manifest["nodes"].values():
        test = node.get("test_metadata") or {}
        if node.get("attached_node") != unique_id or "unique" not in str(test.get("name")):
            continue
        kwargs = {**(test.get("kwargs") or {}), **((test.get("kwargs") or {}).get("arguments") or {})}
        several = kwargs.get("combination_of_columns") or kwargs.get("column_list") or kwargs.get("columns")
        columns = several if isinstance(several, list) else [kwargs.get("column_name")]
        # A test may combine expressions, too.
        found.append([name for name in columns if isinstance(name, str) and re.fullmatch(r'\w+|"[^"]+"', name)])
        if len(found[-1]) < len(columns):
            found.pop()
    return min(filter(None, found), key=len, default=[])


def key_of_rows(connection: duckdb.DuckDBPyConnection, relation: str) -> list[str]:
    """Return the fewest columns that identify each row of a relation, none where few do not or it is empty."""
    [(rows,)] = connection.execute(f"SELECT count(*) FROM {relation}").fetchall()
    names = [row[0] for row in connection.execute(f"DESCRIBE FROM {relation}").fetchall()][:MOST_COLUMNS]
    if not rows:
        return []
    for width in range(1, WIDEST + 1):
        for columns in combinations(names, width):
            key = ", ".join(map(quote, columns))
            present = " AND ".join(f"{quote(column)} IS NOT NULL" for column in columns)
            [(keys,)] = connection.execute(
                f"SELECT count(DISTINCT row({key})) FILTER (WHERE {present}) FROM {relation}"
            ).fetchall()
            if keys == rows:
                return list(columns)
    return []
