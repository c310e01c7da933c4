"""How complex a piece of logic is, and how urgent (the guide's step 1.3).

What belongs here: the measures and their limits, once. What does not: finding logic or copies of it.

Complexity counts points: one for each branch, each predicate and each table beyond the first, and two for each
level of nesting. Low: up to 3 points; Medium: up to 8; High: more.

Urgency counts near copies most (two dashboards disagree), then exact copies, then complexity, then whether it decides
which data counts. The most urgent third at most has priority High, so that the priority tells where to begin; each
finding says why it has its own.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from olist_pipeline.audit.expressions import PREDICATES, Node, branches_of, columns_of, is_case, nodes_within
from olist_pipeline.audit.model import Kind, Level, Metrics

LOW_UP_TO, MEDIUM_UP_TO = 3, 8
NESTING_WEIGHT = 2
HIGH_AT_MOST = 3
"""One of so many findings may be High."""
HIGH_FROM, MEDIUM_FROM = 3.0, 1.5
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


def urgency(kind: Kind, measured: Metrics, copies: int, near_copies: int) -> tuple[float, str]:
    """Return how urgent a piece of logic is, more is more urgent, and why; `near_copies` does not count itself."""
    level = complexity(measured)
    reasons = [
        (5 + min(near_copies, 5) / 2, f"{near_copies} near copies differ" if near_copies > 1 else "a near copy differs")
        if near_copies
        else (0, ""),
        (min(copies, 6), f"stands in {copies} places") if copies > 1 else (0, ""),
        (4, "complex") if level is Level.HIGH else (1.5, "some complexity") if level is Level.MEDIUM else (0, ""),
        (1, "decides which data counts") if kind is Kind.VALIDATION else (0, ""),
        (0.5, "a rule of the business") if kind not in SIMPLE_KINDS else (0, ""),
    ]
    given = [why for weight, why in reasons if weight > 0]
    return sum(weight for weight, _ in reasons) + points(measured) / 100, ", ".join(given) or "simple, and stands once"


def priorities(urgencies: Sequence[float]) -> list[Level]:
    """Return the priority of each of some urgencies: High for a third at most, the most urgent of what is urgent.

    Of one or two the first is High, where it is urgent: somebody must begin somewhere.
    """
    ranked = sorted(range(len(urgencies)), key=lambda number: -urgencies[number])
    high = {number for number in ranked[: max(1, len(ranked) // HIGH_AT_MOST)] if urgencies[number] >= HIGH_FROM}
    return [
        Level.HIGH if number in high else Level.MEDIUM if urgency >= MEDIUM_FROM else Level.LOW
        for number, urgency in enumerate(urgencies)
    ]


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
