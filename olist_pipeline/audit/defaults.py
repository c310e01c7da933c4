"""COALESCE that puts a literal where data is missing.

What belongs here: telling it from one that only completes a sum, a key, a text or a span of time. What does not: CASEs
that do the same (`cases`).
"""

from __future__ import annotations

from sqlglot import exp

from olist_pipeline.audit.columns import Query
from olist_pipeline.audit.expressions import (
    CONCATENATIONS,
    HASHES,
    Node,
    bare,
    columns_of,
    is_clock,
    is_constant,
    is_far_end,
    is_hash,
    is_null,
    nodes_within,
    number_of,
    text_of,
    truth_of,
)

SERIES = (exp.GenerateSeries, exp.GenerateDateArray, exp.Unnest)
SCORES = (exp.Ntile, exp.PercentRank, exp.CumeDist)


def hides_missing_data(node: exp.Coalesce, query: Query) -> bool:
    """Return whether a COALESCE puts a literal where data is missing.

    It does not where there is nothing to sum up (an aggregate over nothing, a group that a join did not find, the
    first row of a window), where the text goes into a key or another text, where an empty text becomes null again, and
    where the literal is the open end of a span of time.
    """
    values = [node.this, *node.expressions]
    last = values[-1]
    # `current_date + 30` is a day that somebody chose, too.
    is_now = not columns_of(last) and any(map(is_clock, nodes_within(last)))
    if is_null(last) or not (is_literal(last) or is_now):
        return False
    emptied = node.find_ancestor(exp.Nullif, exp.Query)
    is_emptied = isinstance(emptied, exp.Nullif) and text_of(emptied.expression) == text_of(last) == ""
    if is_far_end(last) or is_emptied:
        return False
    outer = node.find_ancestor(*HASHES, *CONCATENATIONS, *SERIES, exp.Sum, exp.Anonymous, exp.Query)
    if outer is not None and (isinstance(outer, (*CONCATENATIONS, *SERIES)) or is_hash(outer)):
        return False
    is_neutral = number_of(last) == 0 or truth_of(last) is False or text_of(last) in ("[]", "{}")
    return not (is_neutral and (isinstance(outer, exp.Sum) or _sums_over_nothing(node, query)))


def _sums_over_nothing(node: exp.Coalesce, query: Query) -> bool:
    if node.this.find(*SCORES):
        return False
    if node.this.find(exp.AggFunc, exp.Window):
        return True
    columns = [column for value in (node.this, *node.expressions[:-1]) for column in columns_of(value)]
    return bool(columns) and all(_is_sum(column, query) for column in columns)


def _is_sum(column: exp.Column, query: Query) -> bool:
    origin = query.origin(column)
    if origin.expression is not None and origin.expression.find(*SCORES):
        return False
    beside = query.beside(column)
    if beside is not None and isinstance(bare(beside), exp.AggFunc):
        return True  # a sum, by its new name
    if origin.is_summed:
        return True
    if origin.expression is None:
        return False
    # The column is itself a sum of what may be missing: `coalesce(sum(x), 0)`, one CTE further.
    return isinstance(bare(origin.expression), exp.AggFunc)


def is_literal(node: Node) -> bool:
    """Return whether an expression is a value that somebody wrote, or the hash of one."""
    node = bare(node)
    return is_constant(node) and (isinstance(node, exp.Literal | exp.Boolean | exp.Neg | exp.Date) or is_hash(node))
