"""The query of what the words of all pages mean: the domain's own definitions, as the release has them.

What belongs here: that query. What does not: a definition, which stands with its derivation in the domain.
"""

from __future__ import annotations

from dashboards.queries.query import Query, query

DEFINITIONS: dict[str, Query] = {
    "definitions": query(
        "What the derived attributes mean",
        "about.migration_definitions",
        sql="""
            SELECT table_name || '.' || name AS attribute, definition
            FROM about.migration_definitions
            ORDER BY attribute
        """,
    ),
}
