"""The smallest pieces of SQL text: quoted identifiers, literals, files, and orders.

Belongs here: spelling, and nothing that knows of tables or types. Every identifier and literal that reaches
SQL in this package passes through here.
"""

from __future__ import annotations

from pathlib import Path

from olist_pipeline.paths import duckdb_path


def quote(identifier: str) -> str:
    """Return the identifier quoted, so that keywords, blanks, quotes and mixed case are safe."""
    return '"' + identifier.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return the text as an SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def parquet(*files: Path) -> str:
    """Return the relation of the rows in Parquet files, whose paths are no patterns and hold no columns (`a=b`)."""
    return f"read_parquet([{', '.join(literal(duckdb_path(file)) for file in files)}], hive_partitioning = false)"


def relation_name(*parts: str) -> str:
    """Return a qualified relation name (`relation_name("old", "fact_orders")`) with every part quoted."""
    return ".".join(quote(part) for part in parts)


def ascending(columns: str) -> str:
    """Return ORDER BY terms that do not depend on the connection's default order."""
    return ", ".join(f"{column.strip()} ASC NULLS LAST" for column in columns.split(","))
