"""The normal form of a piece of logic: the same text for the same logic, however it is written.

What belongs here: what may differ without changing what is meant: aliases and where a column comes from, casts,
formatting, sides of a comparison, order of AND and OR, BETWEEN, IN and chains of OR, CASE that only says true and
false, aggregates around it, and the order of branches that exclude each other. What does not: comparing findings
(`duplicates`).

Of NULL it knows nothing: `case when x > 1 then true end` and `x > 1` have one form.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations

from sqlglot import exp

from olist_pipeline.audit.columns import Query
from olist_pipeline.audit.expressions import (
    Branches,
    Node,
    bare,
    branches_of,
    column_names,
    columns_of,
    is_case,
    is_constant,
    is_null,
    number_of,
    text_of,
    truth_of,
    words_in,
)
from olist_pipeline.audit.model import Shape

NOISE = frozenset(
    (
        *("is", "has", "flag", "flg", "ind", "indicator", "count", "cnt", "num", "number", "n", "total", "of"),
        *("orders", "order", "customers", "customer", "users", "user", "items", "item", "payments", "payment"),
        *("reviews", "review", "rate", "share", "pct", "percent"),
    )
)
"""Words of a column's name that do not tell what it is about."""

MAX_EXPANSION = 6
COMPUTED = (exp.AggFunc, exp.Window, exp.Query)
FLIPPED: dict[type[Node], str] = {exp.GT: "<", exp.GTE: "<=", exp.LT: ">", exp.LTE: ">="}
SIGNS: dict[type[Node], str] = {exp.GT: ">", exp.GTE: ">=", exp.LT: "<", exp.LTE: "<="}
OPPOSITE = {">": "<=", ">=": "<", "<": ">=", "<=": ">"}


def shape_of(nodes: Sequence[Node], column: str, query: Query) -> Shape:
    """Return the shape of a piece of logic, which may be several nodes of one expression."""
    full, masked = Writer(query, mask=False), Writer(query, mask=True)
    return Shape(
        normal=" ; ".join(sorted(map(full.text, nodes))),
        skeleton=" ; ".join(sorted(map(masked.text, nodes))),
        columns=tuple(sorted(full.columns)),
        labels=tuple(sorted({label for node in nodes for label in _labels(node)})),
        name=tuple(word for word in words_in(column) if word not in NOISE) or words_in(column),
    )


class Writer:
    """Writes expressions of one query in normal form; with `mask`, numbers are written as `?`.

    `columns` are the names of the columns it has met.
    """

    def __init__(self, query: Query, *, mask: bool) -> None:
        self.query = query
        self.mask = mask
        self.columns: set[str] = set()
        self._depth = 0

    def text(self, node: Node) -> str:
        """Return the normal form of an expression."""
        node = bare(node)
        if is_case(node):
            return self._case(branches_of(node), _is_counted(node))
        if isinstance(node, exp.Filter):
            return self._filter(node)
        if isinstance(node, exp.CountIf):
            return self.text(node.this)
        if isinstance(node, exp.Column):
            return self._column(node)
        if isinstance(node, exp.And | exp.Or):
            return self._connected(node)
        if isinstance(node, exp.Not):
            return self._negated(node.this)
        if isinstance(node, exp.Literal | exp.Boolean | exp.Null | exp.Neg) and is_constant(node):
            return self._constant(node)
        return self._predicate(node) or self._function(node)

    def _column(self, column: exp.Column) -> str:
        origin = self.query.origin(column)
        computed, query = origin.expression, origin.query
        if computed is None or query is None or not _is_worth_expanding(computed) or self._depth >= MAX_EXPANSION:
            self.columns.add(origin.name)
            return origin.name
        here, self.query = self.query, query
        self._depth += 1
        written = self.text(computed)
        self._depth -= 1
        self.query = here
        return written

    def _constant(self, node: Node) -> str:
        if isinstance(node, exp.Null):
            return "null"
        if isinstance(node, exp.Boolean):
            return "true" if node.this else "false"
        number = number_of(node)
        if number is not None:
            return "?" if self.mask else f"{number:g}" if abs(number) < 1e6 else repr(number)
        return repr(text_of(node) or node.sql())

    def _case(self, branches: Branches, is_counted: bool) -> str:
        flag = self._flag(branches, is_counted)
        if flag is not None:
            return flag
        pairs = [(self.text(condition), self.text(result)) for condition, result in branches.pairs]
        if _exclude_each_other([condition for condition, _ in branches.pairs], self):
            pairs.sort()
        default = "" if is_null(branches.default) else f" else {self.text(branches.default)}"  # type: ignore[arg-type]
        return "case " + " ".join(f"[{condition} -> {result}]" for condition, result in pairs) + default

    def _flag(self, branches: Branches, is_counted: bool) -> str | None:
        """Return the condition of a CASE that says no more than true and false; what is counted is true."""
        if is_counted:
            truths: list[bool | None] = [not is_null(result) for _, result in branches.pairs]
            last: bool | None = not is_null(branches.default)
        else:
            truths = [truth_of(result) for _, result in branches.pairs]
            last = truth_of(branches.default)
        if None in truths or (last is None and not is_null(branches.default)):
            return None
        if len(truths) > 2 or (len(truths) == 2 and (truths[0] == truths[1] or last is not None or is_counted)):
            return None
        first = branches.pairs[0][0]
        return self.text(first) if truths[0] else self._negated(first)

    def _filter(self, node: exp.Filter) -> str:
        condition = self.text(node.expression.this)
        if isinstance(node.this, exp.Count):
            return condition
        summed = node.this.this if isinstance(node.this.this, exp.Expression) else node.this
        return f"case [{condition} -> {self.text(summed)}] else {'?' if self.mask else '0'}"

    def _connected(self, node: Node) -> str:
        kind = type(node)
        parts = [part for side in (node.this, node.expression) for part in _flattened(side, kind)]
        if kind is exp.Or:
            members = [_membership(part) for part in parts]
            if all(members) and len({self.text(member[0]) for member in members if member}) == 1:
                values = [value for member in members if member for value in member[1]]
                return self._one_of(members[0][0], values, "in")  # type: ignore[index]
        word = "and" if kind is exp.And else "or"
        texts: set[str] = set()
        for part in parts:
            written = self.text(part)
            # A BETWEEN is two comparisons, here as anywhere.
            texts.update(written[4:-1].split(", ") if word == "and" and written.startswith("and(") else [written])
        return f"{word}({', '.join(sorted(texts))})"

    def _negated(self, node: Node) -> str:
        node = bare(node)
        if isinstance(node, exp.Not):
            return self.text(node.this)
        written = self.text(node)
        member = _membership(node)
        if member is not None:
            return self._one_of(member[0], member[1], "not in")
        if type(node) in SIGNS:
            left, sign, right = self._sides(node)
            return f"{left} {OPPOSITE[sign]} {right}"
        return written[4:-1] if written.startswith("not(") else f"not({written})"

    def _predicate(self, node: Node) -> str | None:
        member = _membership(node)
        if member is not None:
            return self._one_of(member[0], member[1], "in")
        if isinstance(node, exp.NEQ):
            return self._negated(exp.EQ(this=node.this.copy(), expression=node.expression.copy())) if (
                is_constant(node.expression) or is_constant(node.this)
            ) else f"not({' = '.join(sorted((self.text(node.this), self.text(node.expression))))})"  # fmt: skip
        if isinstance(node, exp.EQ):
            return " = ".join(sorted((self.text(node.this), self.text(node.expression))))
        if isinstance(node, exp.Between):
            subject = self.text(node.this)
            return f"and({subject} <= {self.text(node.args['high'])}, {subject} >= {self.text(node.args['low'])})"
        if type(node) in SIGNS:
            return " ".join(self._sides(node))
        return None

    def _sides(self, node: Node) -> tuple[str, str, str]:
        """Return the sides of a comparison with its sign: the literal to the right, else in order."""
        left, right, sign = self.text(node.this), self.text(node.expression), SIGNS[type(node)]
        flips = is_constant(node.this) if is_constant(node.this) != is_constant(node.expression) else left > right
        return (right, FLIPPED[type(node)], left) if flips else (left, sign, right)

    def _one_of(self, subject: Node, values: Iterable[Node], word: str) -> str:
        return f"{self.text(subject)} {word} {{{', '.join(sorted(set(map(self.text, values))))}}}"

    def _function(self, node: Node) -> str:
        parts = [self.text(part) for part in node.iter_expressions() if not isinstance(part, exp.Identifier)]
        if isinstance(node, exp.Add | exp.Mul):
            parts.sort()
        name = node.name.lower() if isinstance(node, exp.Anonymous | exp.Var) else node.key
        return f"{name}({', '.join(parts)})"


def _is_counted(case: Node) -> bool:
    return isinstance(case.find_ancestor(exp.Count, exp.Query), exp.Count)


def _is_worth_expanding(computed: Node) -> bool:
    """Return whether a computed column is written as its computation: it is neither a sum nor one cell, cleaned."""
    return not computed.find(*COMPUTED) and not is_case(bare(computed)) and len(column_names(computed)) > 1


def _membership(node: Node) -> tuple[Node, list[Node]] | None:
    """Return the subject and the literals of `x = 1` and `x in (1, 2)`; None for another comparison."""
    node = bare(node)
    if isinstance(node, exp.In) and node.expressions and all(map(is_constant, node.expressions)):
        return node.this, list(node.expressions)
    if isinstance(node, exp.EQ):
        if is_constant(node.expression) and columns_of(node.this):
            return node.this, [node.expression]
        if is_constant(node.this) and columns_of(node.expression):
            return node.expression, [node.this]
    if isinstance(node, exp.Or):
        members = [_membership(part) for part in _flattened(node, exp.Or)]
        if all(members) and len({member[0].sql() for member in members if member}) == 1:
            return members[0][0], [value for member in members if member for value in member[1]]  # type: ignore[index]
    return None


def _flattened(node: Node, kind: type[Node]) -> list[Node]:
    node = bare(node)
    if isinstance(node, kind):
        return [part for side in (node.this, node.expression) for part in _flattened(side, kind)]
    return [node]


def _exclude_each_other(conditions: Sequence[Node], writer: Writer) -> bool:
    """Return whether at most one of the conditions can hold, as far as literals of one column tell."""
    spans = [_span(condition, writer) for condition in conditions]
    known = [span for span in spans if span is not None]
    if len(known) != len(spans) or len({subject for subject, _ in known}) > 1:
        return False
    return all(_are_apart(one, other) for (_, one), (_, other) in combinations(known, 2))


Span = frozenset[str] | tuple[float, bool, float, bool]
"""Literals, or an interval: least value, whether it is in it, greatest value, whether it is in it."""


def _span(condition: Node, writer: Writer) -> tuple[str, Span] | None:
    condition = bare(condition)
    member = _membership(condition)
    if member is not None:
        numbers = [number_of(value) for value in member[1]]
        subject = writer.text(member[0])
        if len(numbers) == 1 and numbers[0] is not None:
            return subject, (numbers[0], True, numbers[0], True)
        return subject, frozenset(value.sql() for value in member[1])
    if isinstance(condition, exp.Between):
        low, high = number_of(condition.args["low"]), number_of(condition.args["high"])
        return None if low is None or high is None else (writer.text(condition.this), (low, True, high, True))
    if isinstance(condition, exp.And):
        return _intersection([_span(part, writer) for part in _flattened(condition, exp.And)])
    number = number_of(condition.expression) if type(condition) in SIGNS else None
    if number is None:
        return None
    subject, inclusive = writer.text(condition.this), isinstance(condition, exp.GTE | exp.LTE)
    if isinstance(condition, exp.GT | exp.GTE):
        return subject, (number, inclusive, float("inf"), False)
    return subject, (float("-inf"), False, number, inclusive)


def _intersection(spans: Sequence[tuple[str, Span] | None]) -> tuple[str, Span] | None:
    intervals = [span for span in spans if span is not None and isinstance(span[1], tuple)]
    if len(intervals) != len(spans) or len({subject for subject, _ in intervals}) != 1:
        return None
    low = max(((s[0], not s[1]) for _, s in intervals if isinstance(s, tuple)))
    high = min(((s[2], s[3]) for _, s in intervals if isinstance(s, tuple)))
    return intervals[0][0], (low[0], not low[1], high[0], high[1])


def _are_apart(one: Span, other: Span) -> bool:
    if isinstance(one, frozenset) and isinstance(other, frozenset):
        return not one & other
    if isinstance(one, frozenset) or isinstance(other, frozenset):
        return False
    first, second = sorted((one, other))
    return first[2] < second[0] or (first[2] == second[0] and not (first[3] and second[1]))


def _labels(node: Node) -> Iterable[str]:
    for part in node.walk():
        if is_case(part):
            yield from (label for value in branches_of(part).results if (label := text_of(value)))
