"""Small questions about one SQL expression.

What belongs here: what a node is, whatever stands around it. What does not: what it means to the business.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sqlglot import exp

Node = exp.Expr

COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ, exp.NullSafeNEQ)
PATTERNS = (exp.Like, exp.ILike, exp.RegexpLike, exp.RegexpILike, exp.SimilarTo, exp.StartsWith, exp.Contains)
PREDICATES = (*COMPARISONS, *PATTERNS, exp.In, exp.Between, exp.Is)
CONNECTORS = (exp.And, exp.Or, exp.Not)
BOOLEANS = (*PREDICATES, *CONNECTORS)
CASES = (exp.Case, exp.If, exp.DecodeCase, exp.Nvl2)
ARITHMETIC = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.IntDiv)
HASHES = (exp.MD5, exp.MD5Digest, exp.SHA, exp.SHA2, exp.FarmFingerprint)
KEY_NAMES = re.compile(r"(^|_)(surrogate_key|hash|md5|sha\d*|fingerprint|farm_fingerprint)(_|$)")
PICKS = (exp.Max, exp.Min, exp.AnyValue, exp.First, exp.Last, exp.FirstValue, exp.LastValue, exp.ArgMax, exp.ArgMin)
"""Aggregates that give one of the values that there are."""
CONCATENATIONS = (exp.Concat, exp.ConcatWs, exp.DPipe)
TRUNCATIONS = (exp.DateTrunc, exp.TimestampTrunc, exp.DatetimeTrunc)
CLOCKS = (
    *(exp.CurrentDate, exp.CurrentTimestamp, exp.CurrentTimestampLTZ, exp.CurrentDatetime, exp.CurrentTime),
    *(exp.Localtime, exp.Localtimestamp, exp.Systimestamp, exp.UtcDate, exp.UtcTime, exp.UtcTimestamp),
)
CLOCK_NAMES = frozenset(
    {"getdate", "getutcdate", "now", "now64", "today", "sysdate", "sysdatetime", "sysutcdatetime", "curdate"}
)
ZONED = (exp.AtTimeZone, exp.Date, exp.Datetime, exp.Timestamp, exp.TsOrDsToDate, exp.TsOrDsToTimestamp)
"""What gives a time in another zone, or its day."""
ZONED_NAMES = frozenset({"timezone", "totimezone", "todate", "todatetime"})

FLAG_NAME = re.compile(r"^_*(is|has|was|did|can|should)_|_(flag|flg|ind)$|^(flag|deleted|active)$")
TRUE_WORDS = frozenset({"y", "yes", "true", "t", "1"})
FALSE_WORDS = frozenset({"n", "no", "false", "f", "0"})

OPEN_END = re.compile(r"^(9999|3000|2999|2199|2100|2099|1900|1800|1753|1000|0001|0000)-")


@dataclass(frozen=True)
class Branches:
    """A CASE, whatever the dialect calls it: conditions with their results, and the ELSE (None: there is none)."""

    pairs: tuple[tuple[Node, Node], ...]
    default: Node | None

    @property
    def results(self) -> tuple[Node, ...]:
        """Return what it can result in, ELSE included where there is one."""
        values = tuple(result for _, result in self.pairs)
        return values if self.default is None else (*values, self.default)


def branches_of(node: Node) -> Branches:
    """Return the branches of a CASE, IF, DECODE or NVL2."""
    if isinstance(node, exp.If):
        return Branches(((node.this, node.args["true"]),), node.args.get("false"))
    if isinstance(node, exp.Nvl2):
        known = exp.Not(this=exp.Is(this=node.this.copy(), expression=exp.Null()))
        return Branches(((known, node.args["true"]),), node.args.get("false"))
    if isinstance(node, exp.DecodeCase):
        subject, *rest = node.expressions
        pairs = tuple(
            (exp.EQ(this=subject.copy(), expression=rest[at].copy()), rest[at + 1]) for at in range(0, len(rest) - 1, 2)
        )
        return Branches(pairs, rest[-1] if len(rest) % 2 else None)
    subject = node.args.get("this")
    pairs = tuple(
        (exp.EQ(this=subject.copy(), expression=when.this.copy()) if subject else when.this, when.args["true"])
        for when in node.args["ifs"]
    )
    return Branches(pairs, node.args.get("default"))


def is_case(node: Node) -> bool:
    """Return whether a node is a CASE in its own right; the WHEN of a CASE is an If too, but not in its own."""
    return isinstance(node, CASES) and not (isinstance(node, exp.If) and isinstance(node.parent, exp.Case))


def bare(node: Node) -> Node:
    """Return a node without the parentheses and the casts around it; TRY_CAST is more than a cast."""
    while isinstance(node, exp.Paren | exp.Alias) or type(node) is exp.Cast:
        node = node.this
    return node


def is_hash(node: Node) -> bool:
    """Return whether a node is a call of a hash, or of a macro that makes a key."""
    return isinstance(node, HASHES) or (isinstance(node, exp.Anonymous) and bool(KEY_NAMES.search(node.name.lower())))


def computes(node: Node) -> bool:
    """Return whether a node makes a new value: by arithmetic, or by an aggregate or window that picks none it has."""
    if isinstance(node, exp.Window):
        return node.this.find(*PICKS) is None
    return isinstance(node, (*ARITHMETIC, exp.AggFunc)) and not isinstance(node, PICKS)


def is_in(node: Node, types: tuple[type[Node], ...]) -> bool:
    """Return whether a node stands in one of `types`, within its own query."""
    found = node.find_ancestor(*types, exp.Query)
    return found is not None and not isinstance(found, exp.Query)


def nodes_within(node: Node) -> Iterator[Node]:
    """Yield a node and what stands in it, but nothing of a query inside it."""
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        if not isinstance(current, exp.Query) or current is node:
            stack.extend(reversed(list(current.iter_expressions())))


def columns_of(node: Node) -> list[exp.Column]:
    """Return the columns of an expression, in the order in which they are written."""
    found = [part for part in nodes_within(node) if isinstance(part, exp.Column)]
    return sorted(found, key=lambda column: column.this.meta.get("start", 0))


def column_names(node: Node) -> tuple[str, ...]:
    """Return the names of an expression's columns, each once, in their order."""
    return tuple(dict.fromkeys(column.name.lower() for column in columns_of(node)))


def is_column(node: Node) -> bool:
    """Return whether an expression is a column and nothing more than a cast of it."""
    return isinstance(bare(node), exp.Column)


def picks_one_cell(query: exp.Query) -> bool:
    """Return whether a query reads one element of an array of this row, and computes nothing of it."""
    select = query.unnest()
    if not isinstance(select, exp.Select):
        return False
    source = select.args.get("from_")
    if source is None or not isinstance(source.this, exp.Unnest) or len(select.selects) != 1:
        return False
    picked = bare(select.selects[0])
    return is_column(picked.this if isinstance(picked, exp.AnyValue | exp.Max | exp.Min) else picked)


def is_null(node: Node | None) -> bool:
    """Return whether an expression is NULL."""
    return node is None or isinstance(bare(node), exp.Null)


def is_constant(node: Node) -> bool:
    """Return whether an expression reads no row: no column, and no query."""
    return not any(isinstance(part, exp.Column | exp.Query | exp.Star) for part in nodes_within(node))


def is_clock(node: Node) -> bool:
    """Return whether an expression is the present day or time, and nothing more."""
    node = bare(node)
    while (inner := _same_moment(node)) is not None:
        node = bare(inner)
    return isinstance(node, CLOCKS) or (isinstance(node, exp.Anonymous) and node.name.lower() in CLOCK_NAMES)


def _same_moment(node: Node) -> Node | None:
    """Return the time that an expression gives as its day or in another time zone; None where it is none of these."""
    found = None
    is_day = isinstance(node, TRUNCATIONS) and node.text("unit").lower() in ("day", "dd")
    if isinstance(node, exp.ConvertTimezone):
        found = node.args.get("timestamp")
    elif is_day or isinstance(node, ZONED) or (isinstance(node, exp.Trunc) and not node.args.get("decimals")):
        found = node.this
    elif isinstance(node, exp.Extract) and node.name.lower() == "date":
        found = node.expression
    elif isinstance(node, exp.Anonymous) and node.name.lower() in ZONED_NAMES:
        found = next((part for part in node.expressions if text_of(part) is None), None)
    return found if isinstance(found, exp.Expr) else None


def is_far_end(node: Node) -> bool:
    """Return whether an expression is the open end of a span of time: a day that nobody means."""
    return any(OPEN_END.match(part.name) for part in nodes_within(node) if isinstance(part, exp.Literal))


def number_of(node: Node) -> float | None:
    """Return the number that a literal is, signed; None for anything else."""
    node = bare(node)
    sign = 1.0
    while isinstance(node, exp.Neg):
        sign, node = -sign, bare(node.this)
    if isinstance(node, exp.Literal) and not node.is_string:
        try:
            return sign * float(node.name)
        except ValueError:
            return None
    return None


def text_of(node: Node) -> str | None:
    """Return the text that a literal is; None for anything else."""
    node = bare(node)
    return node.name if isinstance(node, exp.Literal) and node.is_string else None


def truth_of(node: Node | None) -> bool | None:
    """Return the truth that a literal stands for (true, 1, 'Y'), None for anything else."""
    if node is None:
        return None
    node = bare(node)
    if isinstance(node, exp.Boolean):
        return bool(node.this)
    word = node.name.lower() if isinstance(node, exp.Literal) else ""
    return True if word in TRUE_WORDS else False if word in FALSE_WORDS else None


def is_truth(node: Node | None) -> bool:
    """Return whether an expression is a literal that stands for true, false or unknown."""
    return is_null(node) or truth_of(node) is not None


def is_null_test(node: Node) -> bool:
    """Return whether a condition asks for nothing but whether values are there."""
    node = bare(node)
    if isinstance(node, CONNECTORS):
        return all(map(is_null_test, node.iter_expressions()))
    return isinstance(node, exp.Is) and isinstance(node.expression, exp.Null)


def is_flag_test(node: Node) -> bool:
    """Return whether a condition asks for nothing but boolean columns: `x`, `not x`, `x = true`, `a and b`."""
    node = bare(node)
    if isinstance(node, CONNECTORS):
        return all(map(is_flag_test, node.iter_expressions()))
    if isinstance(node, exp.EQ | exp.NEQ | exp.Is) and is_column(node.this):
        is_named_so = FLAG_NAME.search(bare(node.this).name.lower()) is not None
        return isinstance(bare(node.expression), exp.Boolean) or (is_named_so and number_of(node.expression) in (0, 1))
    return isinstance(node, exp.Column)


def is_one_flag(node: Node) -> bool:
    """Return whether a condition asks for one boolean column; what joins several is a definition of its own."""
    return is_flag_test(node) and len(column_names(node)) == 1


def is_counted_flag(node: Node) -> bool:
    """Return whether a boolean column, by its name, is made a number: `cast(is_late as int64)`."""
    node = node.this if isinstance(node, exp.Paren) else node
    if type(node) is not exp.Cast or not node.to.is_type(*exp.DataType.NUMERIC_TYPES):
        return False
    return isinstance(node.this, exp.Column) and FLAG_NAME.search(node.this.name.lower()) is not None


def conjuncts(node: Node) -> list[Node]:
    """Return the conditions that AND joins."""
    node = node.this if isinstance(node, exp.Paren) else node
    if isinstance(node, exp.And):
        return [part for side in (node.left, node.right) for part in conjuncts(side)]
    return [node]


def atoms(node: Node) -> list[Node]:
    """Return the comparisons of a condition, without AND, OR and NOT."""
    node = bare(node)
    if isinstance(node, CONNECTORS):
        return [part for side in node.iter_expressions() for part in atoms(side)]
    return [node]


def case_count(node: Node) -> int:
    """Return how many times CASE is written in an expression; IF and DECODE do not count."""
    return sum(isinstance(part, exp.Case) for part in nodes_within(node))


def words_in(text: str) -> tuple[str, ...]:
    """Return the words of a name or a text, in lower case."""
    cleaned = "".join(sign if sign.isalnum() else " " for sign in text.lower())
    return tuple(cleaned.split())
