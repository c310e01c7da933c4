"""The smallest pieces of SQL text: quoted identifiers, literals, and orders.

Belongs here: spelling, and nothing that knows of tables or types. Every identifier and literal that reaches
SQL in this package passes through here.
"""

from __future__ import annotations


def quote(identifier: str) -> str:
    """Return the identifier quoted, so that keywords, blanks, quotes and mixed case are safe."""
    return '"' + identifier.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return the text as an SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def relation_name(*parts: str) -> str:
    """Return a qualified relation name (`relation_name("old", "fact_orders")`) with every part quoted."""
    return ".".join(quote(part) for part in parts)


def ascending(columns: str) -> str:
    """Return ORDER BY terms that do not depend on the connection's default order."""
    return ", ".join(f"{column.strip()} ASC NULLS LAST" for column in columns.split(","))
