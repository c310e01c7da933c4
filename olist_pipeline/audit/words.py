"""A draft of a rule in words, made of its SQL.

What belongs here: how SQL reads in English. What does not: what it means; a person who knows the business mends the
draft.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from olist_pipeline.audit.expressions import Node, bare, branches_of, is_case, is_null, truth_of
from olist_pipeline.audit.model import Clause, Kind

COMPARED: dict[type[Node], str] = {
    exp.EQ: "is",
    exp.NEQ: "is not",
    exp.GT: "is more than",
    exp.GTE: "is at least",
    exp.LT: "is less than",
    exp.LTE: "is at most",
    exp.Like: "is like",
    exp.ILike: "is like",
    exp.RegexpLike: "matches",
}
COMPUTED: dict[type[Node], str] = {exp.Add: "plus", exp.Sub: "minus", exp.Mul: "times", exp.Div: "divided by"}
MAX_LENGTH = 400
CUT = " ... [cut: the SQL has the rest]"


PASSED_ON = (exp.Alias, exp.Paren, exp.Cast, exp.Round, exp.AggFunc, exp.Distinct, exp.Window, exp.Filter, exp.Coalesce)
"""What a column may do with a piece of logic that is still all that it says."""


def draft(node: Node, column: str, kind: Kind, clause: Clause, whole: Node | None = None) -> str:
    """Return a sentence that says what a piece of logic does to its column; `whole` is all that the column is."""
    name = column.replace("_", " ")
    if whole is not None and any(not isinstance(outer, PASSED_ON) for outer in _between(node, whole)):
        name = f"a part of {name}"
    if clause is not Clause.SELECT and clause is not Clause.SET:
        sentence = f"Only rows count of which {phrase(node)}"
    elif is_case(node):
        sentence = f"{name} {_case(node)}"
    elif kind is Kind.DEFAULT and isinstance(node, exp.Coalesce):
        *first, last = (node.this, *node.expressions)
        sentence = f"{name} is {', else '.join(map(phrase, first))}; where that is missing, {phrase(last)}"
    elif isinstance(node, exp.TryCast):
        sentence = (
            f"{name} is {phrase(node.this)} read as {node.to.sql().lower()}; what cannot be read is dropped in silence"
        )
    elif isinstance(node, exp.Filter):
        sentence = f"{name} is {phrase(node.this)} over rows of which {phrase(node.expression.this)}"
    elif isinstance(node, exp.CountIf):
        sentence = f"{name} counts rows of which {phrase(node.this)}"
    elif isinstance(node, exp.Window) and isinstance(node.this, exp.Ntile):
        sentence = f"{name} is the tile, of {phrase(node.this.this)} of equal size, {_order(node)}"
    elif kind is Kind.FLAG:
        sentence = f"{name}: whether {phrase(node)}"
    else:
        sentence = f"{name} is {phrase(node)}"
    sentence = sentence[0].upper() + sentence[1:]
    if len(sentence) > MAX_LENGTH:
        return sentence[: sentence.rindex(" ", 0, MAX_LENGTH)] + CUT
    return sentence.rstrip(".") + "."


def _between(node: Node, whole: Node) -> Iterator[Node]:
    while node is not whole and node.parent is not None:
        node = node.parent
        yield node


def phrase(node: Node) -> str:
    """Return an expression in words."""
    node = bare(node)
    if isinstance(node, exp.Column):
        return node.name.replace("_", " ") if node.name else "*"
    if is_case(node):
        return f"({_case(node)})"
    if isinstance(node, exp.And | exp.Or):
        word = "and" if isinstance(node, exp.And) else "or"
        return f"{phrase(node.this)} {word} {phrase(node.expression)}"
    if isinstance(node, exp.Not):
        return _negation(bare(node.this))
    if isinstance(node, exp.Is):
        return f"{phrase(node.this)} is {'missing' if is_null(node.expression) else phrase(node.expression)}"
    if isinstance(node, exp.In) and node.expressions:
        return f"{phrase(node.this)} is one of {', '.join(map(phrase, node.expressions))}"
    if isinstance(node, exp.Between):
        return f"{phrase(node.this)} is from {phrase(node.args['low'])} to {phrase(node.args['high'])}"
    if type(node) in COMPARED:
        return f"{phrase(node.this)} {COMPARED[type(node)]} {phrase(node.expression)}"
    if type(node) in COMPUTED:
        return f"{phrase(node.this)} {COMPUTED[type(node)]} {phrase(node.expression)}"
    if is_null(node):
        return "missing"
    if isinstance(node, exp.Literal):
        return node.name or "empty"
    return node.sql(comments=False).lower()


def _case(node: Node) -> str:
    branches = branches_of(node)
    parts = [f"{_result(result)} when {phrase(condition)}" for condition, result in branches.pairs]
    if branches.default is not None:
        parts.append(f"{_result(branches.default)} otherwise")
    return "is " + "; ".join(parts)


def _result(node: Node) -> str:
    truth = truth_of(node) if isinstance(bare(node), exp.Boolean) else None
    return phrase(node) if truth is None else "true" if truth else "false"


def _negation(node: Node) -> str:
    if isinstance(node, exp.Is) and is_null(node.expression):
        return f"{phrase(node.this)} is known"
    if isinstance(node, exp.In) and node.expressions:
        return f"{phrase(node.this)} is none of {', '.join(map(phrase, node.expressions))}"
    if isinstance(node, exp.Like | exp.ILike):
        return f"{phrase(node.this)} is not like {phrase(node.expression)}"
    return f"not ({phrase(node)})"


def _order(window: exp.Window) -> str:
    order = window.args.get("order")
    keys = ", ".join(phrase(part.this) for part in order.expressions) if order is not None else "any order"
    return f"by {keys}"
