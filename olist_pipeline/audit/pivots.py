"""Pivots: an aggregate that picks rows by a flag or by a value, which spreads rows over columns and decides nothing.

What belongs here: telling them from aggregates that pick rows by a rule. What does not: all other CASEs (`cases`).
"""

from __future__ import annotations

from sqlglot import exp

from olist_pipeline.audit.columns import Query
from olist_pipeline.audit.expressions import (
    Branches,
    Node,
    bare,
    branches_of,
    is_case,
    is_column,
    is_constant,
    is_in,
    is_null,
    is_one_flag,
    nodes_within,
    number_of,
    words_in,
)

PIVOT = "pivot"
STEM = 5
"""So many letters of a word tell it: canceled and cancelled orders are the same orders."""


def is_pivot(condition: Node, column: str, query: Query) -> bool:
    """Return whether an aggregate picks the rows of one value that gives it its name, as a pivot does.

    The condition compares one column with one literal. The name of the output column holds the literal, or another
    aggregate of the query picks another literal of the same column.
    """
    found = _value_picked(condition)
    if found is None:
        return False
    picked, literal = found
    return _is_named_after(column, literal.name) or len(_pivoted_literals(query, picked.name)) > 1


def _value_picked(condition: Node) -> tuple[exp.Column, exp.Literal] | None:
    """Return the column and the one literal that it is compared with, by `=` or by IN; None for all else."""
    condition = bare(condition)
    values = condition.expressions if isinstance(condition, exp.In) else [condition.args.get("expression")]
    if not isinstance(condition, exp.EQ | exp.In) or len(values) != 1 or not is_constant(values[0]):
        return None
    literal, picked = bare(values[0]), without_cleaning(condition.this)
    return (picked, literal) if isinstance(literal, exp.Literal) and isinstance(picked, exp.Column) else None


def without_cleaning(node: Node) -> Node:
    """Return what is trimmed, or written in small or large letters."""
    node = bare(node)
    while isinstance(node, exp.Lower | exp.Upper | exp.Trim):
        node = bare(node.this)
    return node


def reason_in_aggregate(case: Node, branches: Branches, column: str, query: Query) -> str | None:
    """Return why a CASE in an aggregate is technical: it picks by a flag or by a value; None where it does not."""
    if not is_in(case, (exp.AggFunc,)) or len(branches.pairs) != 1:
        return None
    [(condition, result)] = branches.pairs
    empty = branches.default is None or is_null(branches.default) or number_of(branches.default) == 0
    if not empty or any(is_case(node) for node in nodes_within(result)):
        return None
    if is_one_flag(condition):
        return "sum by a flag"
    if not (is_column(_known_or_zero(result)) or is_constant(result) or is_in(case, (exp.Count,))):
        return None
    return PIVOT if is_pivot(condition, column, query) else None


def _is_named_after(column: str, literal: str) -> bool:
    stems = {word[:STEM] for word in words_in(column)}
    words = words_in(literal)
    return bool(words) and all(word[:STEM] in stems for word in words)


def _pivoted_literals(query: Query, column: str) -> set[str]:
    """Return the literals of a column by which aggregates of a query pick rows."""
    found: set[str] = set()
    for item in query.select.selects:
        for node in nodes_within(item):
            condition = _single_condition(node)
            picked = _value_picked(condition) if condition is not None else None
            if picked and picked[0].name == column:
                found.add(picked[1].sql())
    return found


def _single_condition(node: Node) -> Node | None:
    """Return the one condition by which an aggregate picks rows, by CASE, FILTER or COUNT_IF."""
    if isinstance(node, exp.Filter):
        found: Node = node.expression.this
        return found
    if isinstance(node, exp.CountIf):
        counted: Node = node.this
        return counted
    if is_case(node) and is_in(node, (exp.AggFunc,)):
        pairs = branches_of(node).pairs
        return pairs[0][0] if len(pairs) == 1 else None
    return None


def _known_or_zero(node: Node) -> Node:
    """Return what is summed up where it is known: `coalesce(amount, 0)` adds what `amount` does."""
    inner = bare(node)
    is_zero = isinstance(inner, exp.Coalesce) and len(inner.expressions) == 1 and number_of(inner.expressions[0]) == 0
    return inner.this if is_zero else node
