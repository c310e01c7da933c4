"""How complex a piece of logic is, and how urgent (the guide's step 1.3).

What belongs here: the measures and their limits, once. What does not: finding logic or copies of it.

Complexity counts points: one for each branch, each predicate and each table beyond the first, and two for each
level of nesting. Low: up to 3 points; Medium: up to 8; High: more.

Priority is High for what validates data, for what is highly complex and for what stands in several places, exactly
or nearly; Low for flags, defaults and numbers of low complexity that stand once; Medium for the rest.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from olist_pipeline.audit.expressions import PREDICATES, Node, branches_of, columns_of, is_case, nodes_within
from olist_pipeline.audit.model import Kind, Level, Metrics

LOW_UP_TO, MEDIUM_UP_TO = 3, 8
NESTING_WEIGHT = 2
SIMPLE_KINDS = (Kind.FLAG, Kind.DEFAULT, Kind.MAGIC_NUMBER)


def measure(nodes: Sequence[Node]) -> Metrics:
    """Return the measures of a piece of logic, which may be several nodes of one expression."""
    parts = [part for node in nodes for part in nodes_within(node)]
    tables = {column.table.lower() for node in nodes for column in columns_of(node) if column.table}
    return Metrics(
        branches=sum(len(branches_of(part).pairs) for part in parts if is_case(part)),
        nesting=max((_nesting(part) for part in parts if is_case(part)), default=0),
        predicates=sum(isinstance(part, PREDICATES) for part in parts) + sum(map(_subjects, parts)),
        tables=max(len(tables), 1),
    )


def points(metrics: Metrics) -> int:
    """Return the points of complexity."""
    return metrics.branches + NESTING_WEIGHT * metrics.nesting + metrics.predicates + metrics.tables - 1


def complexity(metrics: Metrics) -> Level:
    """Return how complex logic with these measures is."""
    counted = points(metrics)
    return Level.LOW if counted <= LOW_UP_TO else Level.MEDIUM if counted <= MEDIUM_UP_TO else Level.HIGH


def priority(kind: Kind, complexity: Level, copies: int, near_copies: int) -> Level:
    """Return how urgent a piece of logic is; `copies` counts itself, `near_copies` does not."""
    if kind is Kind.VALIDATION or complexity is Level.HIGH or copies > 1 or near_copies:
        return Level.HIGH
    return Level.LOW if kind in SIMPLE_KINDS and complexity is Level.LOW else Level.MEDIUM


def _nesting(case: Node) -> int:
    """Return how many CASEs stand around a CASE in its own query."""
    around = 0
    node = case.parent
    while node is not None and not isinstance(node, exp.Query):
        around += is_case(node)
        node = node.parent
    return around


def _subjects(node: Node) -> int:
    """Return how many comparisons `case x when ...` makes without a sign."""
    return len(node.args["ifs"]) if isinstance(node, exp.Case) and node.args.get("this") else 0
