"""Numbers that mean something, in computations.

What belongs here: which numbers a computation may hold without saying anything about the business. What does not:
numbers that something is compared with (`cases`, `filters`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlglot import exp

from olist_pipeline.audit.calendars import is_date_part
from olist_pipeline.audit.expressions import ARITHMETIC, Node, bare, columns_of, number_of

STEPS = frozenset({0.0, 1.0})
"""What may be added without a meaning: nothing, and one step."""

UNITS = frozenset({1, 2, 7, 12, 24, 30, 52, 60, 365, 365.25, 366, 1024, 1440, 3600, 86_400, 604_800})
"""What may be multiplied or divided by without a meaning: units of time and of size. Powers of ten may, too."""

HALF_OR_TWICE = 2
DEVIATION_NAME = re.compile(r"(^|_)(std_?dev|stddev\w*|std|sigma)(_|$)")

DATE_STEPS = (
    exp.Interval,
    exp.DateAdd,
    exp.DateSub,
    exp.DatetimeAdd,
    exp.DatetimeSub,
    exp.TimestampAdd,
    exp.TimestampSub,
    exp.TsOrDsAdd,
)
"""How dialects move a date."""


def is_unit(number: float) -> bool:
    """Return whether a factor only changes the unit."""
    size = abs(number)
    return size in UNITS or size == 0 or _is_power_of_ten(size)


def halves_or_doubles(node: Node) -> bool:
    """Return whether a computation takes half or twice of something: a mean of two, or a limit by what it is called."""
    sides = (side for part in _computations(node) for side in (part.this, part.expression))
    return any(number is not None and abs(number) == HALF_OR_TWICE for number in map(number_of, sides))


def has_magic_number(node: Node, least_weights: int) -> bool:
    """Return whether a computation holds a number that is no unit, or weighs several columns."""
    return any(True for _ in magic_numbers(node)) or is_weighted_sum(node, least_weights)


def magic_numbers(node: Node) -> Iterator[float]:
    """Yield the numbers of a computation that are no units and no steps."""
    for part in _computations(node):
        allowed = is_unit if isinstance(part, exp.Mul | exp.Div | exp.IntDiv) else (lambda n: abs(n) in STEPS)
        for side, other in ((part.this, part.expression), (part.expression, part.this)):
            number = number_of(side)
            if number is None or number == _modulus(part) or abs(number) in STEPS:
                continue
            if not allowed(number) or (isinstance(part, exp.Mul) and _is_deviation(other)):
                yield number


def is_weighted_sum(node: Node, least_weights: int) -> bool:
    """Return whether a sum weighs several columns: `a * 100 + b * 10 + c`. A date made of its parts is none."""
    terms = list(_terms(node))
    weights = [term for term in terms if isinstance(term, exp.Mul) and _weight(term) not in (None, 1.0)]
    read = {column.name.lower() for term in terms for column in columns_of(term)}
    weighed = [side for term in weights for side in (term.this, term.expression) if number_of(side) is None]
    is_date = all(map(is_date_part, weighed))
    return len(weights) >= least_weights and len(read) > 1 and not is_date


def date_step(node: Node) -> float | None:
    """Return by how many units a date is moved, None where it is not by a literal."""
    amount = node.args.get("expression") if not isinstance(node, exp.Interval) else node.this
    if amount is None:
        return None
    if isinstance(bare(amount), exp.Interval):
        return date_step(bare(amount))
    number = number_of(amount)
    if number is None and isinstance(bare(amount), exp.Literal):
        words = bare(amount).name.split()
        try:
            return float(words[0]) if words else None
        except ValueError:
            return None
    return number


def _computations(node: Node) -> Iterator[Node]:
    """Yield the nodes of one computation, through parentheses and casts."""
    node = bare(node)
    if isinstance(node, exp.Neg):
        yield from _computations(node.this)
    elif isinstance(node, ARITHMETIC):
        yield node
        yield from _computations(node.this)
        yield from _computations(node.expression)


def _is_deviation(node: Node) -> bool:
    """Return whether an expression is a standard deviation, by its function or its name: how many count is a limit."""
    node = bare(node)
    is_called = isinstance(node, exp.Column) and DEVIATION_NAME.search(node.name.lower())
    return bool(is_called) or isinstance(node, exp.Stddev | exp.StddevPop | exp.StddevSamp)


def _modulus(node: Node) -> float | None:
    """Return by what a sum is divided for the rest: `(a - b + 7) % 7` only keeps it from being negative."""
    outer = node.find_ancestor(exp.Mod, exp.Query)
    return number_of(outer.expression) if isinstance(outer, exp.Mod) else None


def _terms(node: Node) -> Iterator[Node]:
    node = bare(node)
    if isinstance(node, exp.Add | exp.Sub):
        yield from _terms(node.this)
        yield from _terms(node.expression)
    else:
        yield node


def _weight(term: Node) -> float | None:
    return next((number for side in (term.this, term.expression) if (number := number_of(side)) is not None), None)


def _is_power_of_ten(size: float) -> bool:
    return f"{size:e}".startswith("1.000000e")
