"""Where the columns of a finding come from: through CTEs and through the models of the project, to what no model makes.

What belongs here: the lineage of a finding. What does not: the origin of one column within one statement (`columns`),
and which file of landing a relation is (`drafts`).

An origin is written `relation.column`, in small letters; the relation is a source, a seed or a file that SQL reads. It
is `.column` where the relation cannot be told.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp
from sqlglot.optimizer.scope import Scope

from olist_pipeline.audit.columns import MAX_STEPS, Origin, Query, projection
from olist_pipeline.audit.expressions import Node, columns_of

Elsewhere = Callable[[str, str], tuple[str, ...] | None]
"""The origins of a column of another model; None where no model has that name or that column."""


def origins_of(node: Node, query: Query, elsewhere: Elsewhere, steps: int = 0) -> tuple[str, ...]:
    """Return the origins of the columns of an expression, each once."""
    found = (one for column in columns_of(node) for one in _of_column(query.origin(column), elsewhere, steps))
    return tuple(dict.fromkeys(found))


def origins_of_output(scope: Scope, column: str, elsewhere: Elsewhere) -> tuple[str, ...] | None:
    """Return the origins of a column that a query gives; None where it gives none of that name."""
    found, inner = projection(scope, column)
    if found is None or not isinstance(inner.expression, exp.Select):
        return None
    return origins_of(found, Query(inner.expression, inner), elsewhere)


def _of_column(origin: Origin, elsewhere: Elsewhere, steps: int) -> tuple[str, ...]:
    if origin.expression is not None and origin.query is not None and steps < MAX_STEPS:
        return origins_of(origin.expression, origin.query, elsewhere, steps + 1)
    made = elsewhere(origin.table, origin.name) if origin.table else None
    return (f"{origin.table}.{origin.name}",) if made is None else made
