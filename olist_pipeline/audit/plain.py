"""Functions of many dialects in the few forms that the audit judges: CASE, COALESCE, TRY_CAST, FILTER, IS NULL.

What belongs here: functions that mean the same as one of these forms, and positions that a parser made up. What does
not: what a form means to the business.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from sqlglot import exp
from sqlglot.tokenizer_core import Token

from olist_pipeline.audit.expressions import Node, is_constant, is_null, is_null_test, number_of, text_of

READS_OR_NULL = re.compile(r"^to[a-z0-9]+or(null|zero|default)$|^try_(parse|convert|to_\w+)$|^parsedatetime\w*or\w+$")
TURNED: Mapping[type[Node], type[Node]] = {
    **{exp.EQ: exp.EQ, exp.NEQ: exp.NEQ, exp.GT: exp.LT, exp.LT: exp.GT, exp.GTE: exp.LTE, exp.LTE: exp.GTE}
}
"""Comparisons, each with that of the same two the other way round."""
COMBINED_IF = re.compile(r"^(?P<name>[a-zA-Z0-9]+?)(OrNull|OrDefault|Distinct|Array)*If$")


def plain(tree: Node, tokens: Sequence[Token]) -> Node:
    """Return a parsed statement in the forms that the audit knows, with the positions that are those of its text."""
    _forget_made_up_positions(tree, tokens)
    # What stands in a replaced node is not looked into: so these forms, which may hold the others, come first.
    return tree.transform(_replaced, _upright, copy=False).transform(_replaced, _made, copy=False)


def _forget_made_up_positions(tree: Node, tokens: Sequence[Token]) -> None:
    """Take positions from nodes that the parser filled in from a text of its own, as (18, 3) of `cast(x as decimal)`.

    What is written stands where a token begins; a type tells nothing about where it is.
    """
    starts = {token.start: token.line for token in tokens}
    for node in tree.walk():
        if "line" in node.meta and (
            starts.get(node.meta.get("start", -1)) != node.meta["line"]
            or (isinstance(node, exp.Literal) and isinstance(node.parent, exp.DataTypeParam))
        ):
            for key in ("line", "col", "start", "end"):
                node.meta.pop(key, None)


def _replaced(node: Node, make: Callable[[Node], Node | None]) -> Node:
    made = make(node)
    if made is None:
        return node
    made.meta.update(node.meta)
    return made


def _upright(node: Node) -> Node | None:
    """Return `x > 1` for `1 < x`, and `not x like y` for `x not like y`, which some dialects keep as one."""
    if node.args.get("negate"):
        return exp.Not(this=type(node)(**{**node.args, "negate": None}))
    if type(node) not in TURNED or is_constant(node.expression):
        return None
    if number_of(node.this) is None and text_of(node.this) is None:
        return None
    return TURNED[type(node)](this=node.expression, expression=node.this)


def _made(node: Node) -> Node | None:
    if isinstance(node, exp.Anonymous):
        maker = FUNCTIONS.get(node.name.lower())
        if maker is not None:
            return maker(node.expressions)
        if READS_OR_NULL.match(node.name.lower()) and node.expressions:
            return _tried(node.expressions[0])
        return None
    if isinstance(node, exp.TryCast) and not (node.args.get("safe") and _may_fail(node.to)):
        return exp.Cast(this=node.this, to=node.to)  # Hive and its kin write every CAST so
    if isinstance(node, exp.Convert):
        kind = exp.TryCast if node.args.get("safe") else exp.Cast
        return kind(this=node.expression, to=node.this)
    if isinstance(node, exp.IsNullValue):
        return exp.Is(this=node.this, expression=exp.Null())  # the null of a JSON text
    if isinstance(node, exp.Try | exp.SafeFunc):
        return _tried(node.this)
    if isinstance(node, exp.Elt):
        return _chosen([node.this, *node.expressions])
    if isinstance(node, exp.CombinedAggFunc | exp.CombinedParameterizedAgg):
        return _filtered(node)
    if isinstance(node, exp.If) and not isinstance(node.parent, exp.Case):
        return _short(node)
    return None


def _may_fail(kind: exp.DataType) -> bool:
    """Return whether a cast to a type loses what it cannot read; anything can be a text, unless it is too long."""
    return bool(kind.expressions) or not kind.is_type(*exp.DataType.TEXT_TYPES)


def _short(node: exp.If) -> Node | None:
    """Return COALESCE for `if(x is null, 0, x)` and NULLIF for `if(x = 0, null, x)`, as ZEROIFNULL and NULLIFZERO."""
    condition, first, second = node.this, node.args["true"], node.args.get("false")
    if second is None:
        return None
    if isinstance(condition, exp.Is) and is_null_test(condition) and condition.this == second:
        return exp.Coalesce(this=second, expressions=[first])
    is_zero = isinstance(condition, exp.EQ) and number_of(condition.expression) == 0
    return exp.Nullif(this=second, expression=condition.expression) if (
        is_zero and is_null(first) and condition.this == second
    ) else None  # fmt: skip


def _filtered(node: Node) -> Node | None:
    """Return `sum(x) filter (where c)` for `sumIf(x, c)`."""
    found = COMBINED_IF.match(str(node.this))
    if found is None or len(node.expressions) < 1:
        return None
    *values, condition = node.expressions
    known: Mapping[str, type[Node]] = {"sum": exp.Sum, "avg": exp.Avg, "min": exp.Min, "max": exp.Max}
    name = found["name"].lower()
    if name == "count" or not values:
        summed: Node = exp.Count(this=values[0] if values else exp.Star())
    elif name.startswith("uniq"):
        summed = exp.Count(this=exp.Distinct(expressions=values))
    elif name in known and len(values) == 1:
        summed = known[name](this=values[0])
    else:
        summed = exp.AnonymousAggFunc(this=found["name"], expressions=values)
    return exp.Filter(this=summed, expression=exp.Where(this=condition))


def _tried(read: Node) -> Node:
    """Return TRY_CAST of what a function reads; it keeps its type in the function's own name."""
    if isinstance(read, exp.TryCast):
        return read
    value = read.this if isinstance(read, exp.Cast | exp.Func) and isinstance(read.this, exp.Expression) else read
    kind = read.to if isinstance(read, exp.Cast) else exp.DataType.build("text")
    return exp.TryCast(this=value, to=kind, safe=True)


def _case(pairs: Iterable[tuple[Node, Node]], default: Node | None, subject: Node | None = None) -> Node:
    ifs = [exp.If(this=condition, true=result) for condition, result in pairs]
    return exp.Case(this=subject, ifs=ifs, default=default)


def _multi_if(parts: Sequence[Node]) -> Node | None:
    if len(parts) < 3:
        return None
    pairs = [(parts[at], parts[at + 1]) for at in range(0, len(parts) - 1, 2)]
    return _case(pairs, parts[-1] if len(parts) % 2 else None)


def _chosen(parts: Sequence[Node]) -> Node | None:
    subject, *results = parts
    pairs = [(exp.Literal.number(number), result) for number, result in enumerate(results, 1)]
    return _case(pairs, None, subject) if pairs else None


def _transformed(parts: Sequence[Node]) -> Node | None:
    """Return CASE for ClickHouse's `transform(x, [1, 2], ['one', 'two'], 'other')`."""
    if len(parts) < 3 or not all(isinstance(part, exp.Array) for part in parts[1:3]):
        return None
    subject, keys, results, *rest = parts
    return _case(zip(keys.expressions, results.expressions, strict=False), rest[0] if rest else None, subject)


def _looked_up(parts: Sequence[Node]) -> Node | None:
    if len(parts) < 2:
        return None
    *call, last = parts
    return exp.Coalesce(this=exp.Anonymous(this="dict_get", expressions=call), expressions=[last])


def _is_missing(parts: Sequence[Node]) -> Node | None:
    if len(parts) == 2:
        return _coalesced(parts)  # ISNULL(x, y) of SQL Server and Redshift
    return exp.Is(this=parts[0], expression=exp.Null()) if len(parts) == 1 else None


def _is_known(parts: Sequence[Node]) -> Node | None:
    return exp.Not(this=exp.Is(this=parts[0], expression=exp.Null())) if len(parts) == 1 else None


def _compared(kind: type[Node], value: str) -> Callable[[Sequence[Node]], Node | None]:
    def made(parts: Sequence[Node]) -> Node | None:
        return kind(this=parts[0], expression=exp.Literal.string(value)) if len(parts) == 1 else None

    return made


def _first(parts: Sequence[Node]) -> Node | None:
    return parts[0] if len(parts) == 1 else None


def _coalesced(parts: Sequence[Node]) -> Node | None:
    return exp.Coalesce(this=parts[0], expressions=list(parts[1:])) if len(parts) > 1 else None


FUNCTIONS: Mapping[str, Callable[[Sequence[Node]], Node | None]] = {
    "multiif": _multi_if,
    "choose": _chosen,
    "elt": _chosen,
    "transform": _transformed,
    "dictgetordefault": _looked_up,
    "isnull": _is_missing,
    "isnotnull": _is_known,
    "empty": _compared(exp.EQ, ""),
    "notempty": _compared(exp.NEQ, ""),
    "assumenotnull": _first,
    "tonullable": _first,
    "nanvl": _coalesced,
    "iif": _multi_if,
    "iff": _multi_if,
}
"""What some functions mean that sqlglot reads as unknown names."""
