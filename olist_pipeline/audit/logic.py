"""Business logic in one expression: what it does, and which nodes of the expression it is.

What belongs here: walking an expression and judging its parts. What does not: conditions by which rows are kept or
dropped (`filters`), and how a piece of logic is reported (`findings`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sqlglot import exp

from olist_pipeline.audit.calendars import ends_a_period, is_date_part
from olist_pipeline.audit.cases import (
    BOOLEAN,
    CONVERSION,
    KEY,
    is_boolean_word,
    is_validation_name,
    kind_of,
    technical_reason,
)
from olist_pipeline.audit.columns import Query
from olist_pipeline.audit.defaults import SERIES, hides_missing_data, is_literal
from olist_pipeline.audit.expressions import (
    ARITHMETIC,
    BOOLEANS,
    CONCATENATIONS,
    PATTERNS,
    PREDICATES,
    Node,
    atoms,
    bare,
    branches_of,
    columns_of,
    computes,
    is_case,
    is_constant,
    is_counted_flag,
    is_far_end,
    is_flag_test,
    is_null_test,
    is_one_flag,
    nodes_within,
    number_of,
    picks_one_cell,
    text_of,
)
from olist_pipeline.audit.filters import is_current_row, marks_current_row, says_from_when
from olist_pipeline.audit.model import Kind
from olist_pipeline.audit.numbers import (
    DATE_STEPS,
    STEPS,
    date_step,
    halves_or_doubles,
    has_magic_number,
    magic_numbers,
)
from olist_pipeline.audit.pivots import is_pivot

TRY_NAMES = re.compile(r"^(\w*__)?(try_to_\w+|try_cast|safe_cast|try_parse\w*)$")
LIMIT_NAME = re.compile(r"(^|_)(bound|limit|threshold|cutoff|cap|ceiling|floor)(_|$)")
PLACES_IN_TEXT = (exp.Substring, exp.Left, exp.Right, exp.SplitPart, exp.StrPosition, exp.Pad, exp.RegexpExtract)
"""Functions of a text that are given numbers of its signs or parts, which count nothing of the business."""
SERIES_NAMES = re.compile(r"^(generate_series|generate_date_array|range|unnest|sequence|generator|date_spine)$")


@dataclass(frozen=True)
class Logic:
    """One piece of business logic: a node of an expression and its kind."""

    node: Node
    kind: Kind


@dataclass(frozen=True)
class TechnicalCase:
    """A CASE that is no business logic, and why."""

    node: Node
    reason: str


Judged = Logic | TechnicalCase


def logic_of(expression: Node, column: str, query: Query) -> Iterator[Judged]:
    """Yield the pieces of logic of a select item, and the technical CASEs in it.

    `column` is the output column. A piece that was found is not looked into: what stands inside is a part of it.
    """
    if query.around.is_incremental and says_from_when(query):
        return
    constant = number_of(expression)
    is_rate = constant is not None and not float(constant).is_integer()
    if is_rate or (is_constant(expression) and any(True for _ in magic_numbers(expression))):
        yield Logic(expression, Kind.MAGIC_NUMBER)  # a rate, a factor or a price, given as a column
        return
    yield from _judge(expression, column, query)


def _judge(node: Node, column: str, query: Query) -> Iterator[Judged]:
    if isinstance(node, exp.Query | exp.Column | exp.Literal | exp.Columns):
        return  # COLUMNS(...) of DuckDB chooses columns by their names
    if isinstance(node, exp.ArgMax | exp.ArgMin):
        yield from _judge(node.this, column, query)  # the rest is an order
    elif is_case(node):
        yield from _judge_case(node, column, query)
    elif isinstance(node, exp.Lambda) and all(map(_asks_for_presence, atoms(node.this))):
        return
    elif isinstance(node, exp.Filter):
        yield from _judge(node.this, column, query)
        yield from _judge_condition(node.expression.this, column, query, node)
    elif isinstance(node, exp.CountIf):
        yield from _judge_condition(node.this, column, query, node)
    elif isinstance(node, exp.Window):
        yield from _judge_window(node, column, query)
    elif isinstance(node, BOOLEANS) and bare(node) is node:
        yield from _judge_condition(node, column, query, node)
    elif isinstance(node, ARITHMETIC):
        yield from _judge_computation(node, column, query)
    else:
        yield from _judge_function(node, column, query)


def _judge_case(case: Node, column: str, query: Query) -> Iterator[Judged]:
    reason = technical_reason(case, column, query)
    if reason is None:
        yield Logic(case, kind_of(case, column, query))
        return
    yield TechnicalCase(case, reason)
    if reason in (CONVERSION, KEY):
        return
    for result in branches_of(case).results:
        # A technical CASE may hold logic; its own conditions are a part of the technique.
        yield from _judge(result, column, query)


def _judge_condition(condition: Node, column: str, query: Query, whole: Node) -> Iterator[Judged]:
    """Judge a boolean that is computed: a flag, unless it asks for nothing but flags, a calendar or a pivot."""
    aggregates = isinstance(whole, exp.Filter | exp.CountIf)
    asks = any(isinstance(node, exp.Query) for node in nodes_within(condition))
    says_yes = is_one_flag(condition) or is_boolean_word(condition)
    if says_yes or is_current_row(condition) or marks_current_row(condition, column, query) or asks:
        yield from _parts(condition, column, query)
        return
    joins_flags = is_flag_test(condition)
    tests = [atom for atom in atoms(condition) if isinstance(atom, PREDICATES)]
    if not joins_flags and (not tests or all(map(query.is_calendar_test, tests))):
        yield from _parts(condition, column, query)
        return
    if aggregates and is_pivot(condition, column, query):
        return
    if aggregates and isinstance(whole, exp.Filter) and not isinstance(whole.this, exp.Count):
        yield Logic(whole, Kind.CLASSIFICATION)
        return
    is_valid = is_validation_name(column) or any(isinstance(test, exp.RegexpLike) for test in tests)
    yield Logic(whole, Kind.VALIDATION if is_valid else Kind.FLAG)


def _asks_for_presence(test: Node) -> bool:
    """Return whether a comparison asks for no more than that there is something: `x <> ''`, `x is not null`.

    In a list of a row, an equality with a column of the row picks what belongs to it.
    """
    if is_null_test(test) or (isinstance(test, exp.EQ | exp.NEQ) and text_of(test.expression) == ""):
        return True
    return isinstance(test, exp.EQ) and all(
        isinstance(bare(side), exp.Column | exp.Dot) for side in (test.this, test.expression)
    )


def _judge_window(window: exp.Window, column: str, query: Query) -> Iterator[Judged]:
    function = window.this
    if isinstance(function, exp.Ntile | exp.PercentRank | exp.CumeDist):
        yield Logic(window, Kind.SCORING)
    else:
        yield from _judge(function, column, query)
    for part in (*(window.args.get("partition_by") or []), *_ordering(window)):
        for case in nodes_within(part):
            if is_case(case):
                yield from _judge_case(case, column, query)


def _ordering(window: exp.Window) -> list[Node]:
    order = window.args.get("order")
    return [order] if order is not None else []


def _judge_computation(node: Node, column: str, query: Query) -> Iterator[Judged]:
    if _counts_signs(node):
        yield from _parts(node, column, query)
        return
    moved = any(_moves_a_date(part) for part in nodes_within(node) if isinstance(part, exp.Interval))
    is_score = "score" in column.lower() or "index" in column.lower().split("_")
    is_limit = LIMIT_NAME.search(column.lower()) is not None and halves_or_doubles(node)
    if columns_of(node) and (has_magic_number(node, least_weights=1 if is_score else 2) or moved or is_limit):
        yield Logic(node, Kind.SCORING if is_score else Kind.MAGIC_NUMBER)
        return
    if len(list(_points(node, column, query))) > 1:
        yield Logic(node, Kind.SCORING)  # each answer that is yes counts a point
        return
    for part in node.iter_expressions():
        yield from _judge(part, column, query)


def _counts_signs(node: Node) -> bool:
    """Return whether a computation is a place in a text, or a length of a part of one."""
    outer = node.find_ancestor(*PLACES_IN_TEXT, exp.Query)
    while isinstance(outer, PLACES_IN_TEXT) and node.parent is not outer and node.parent is not None:
        node = node.parent
    return isinstance(outer, PLACES_IN_TEXT) and node.arg_key != "this"


def _points(node: Node, column: str, query: Query) -> Iterator[Node]:
    """Yield the terms of a sum that are one or nothing by a boolean of a row."""
    node = node if is_counted_flag(node) else bare(node)
    if isinstance(node, exp.Add):
        yield from _points(node.this, column, query)
        yield from _points(node.expression, column, query)
    elif is_counted_flag(node) or (is_case(node) and technical_reason(node, column, query) == BOOLEAN):
        yield node


def _judge_function(node: Node, column: str, query: Query) -> Iterator[Judged]:
    found = _kind_of_function(node, query)
    if found is not None:
        inner = list(_parts(node, column, query))
        if found is Kind.DEFAULT and any(isinstance(part, Logic) for part in inner):
            yield from inner  # the default of a CASE is its ELSE
            if not all(isinstance(part, Logic) and part.kind is Kind.MAGIC_NUMBER for part in inner):
                return
        yield Logic(node, found)
        return
    yield from _parts(node, column, query)


def _parts(node: Node, column: str, query: Query) -> Iterator[Judged]:
    for part in node.iter_expressions():
        yield from _judge(part, column, query)


def _kind_of_function(node: Node, query: Query) -> Kind | None:
    if isinstance(node, exp.Coalesce):
        return Kind.DEFAULT if hides_missing_data(node, query) else None
    if _tries_to_cast(node):
        return Kind.VALIDATION if _reads_one_cell(node, query) and query.around.is_written(node) else None
    if isinstance(node, exp.Nullif):
        is_macros = is_far_end(node.expression) and not query.around.is_written(node)
        return Kind.VALIDATION if _nulls_a_sentinel(node) and not is_macros else None
    if isinstance(node, exp.Ntile | exp.WidthBucket):
        return Kind.SCORING
    if isinstance(node, exp.Greatest | exp.Least):
        return _kind_of_clamp(node)
    if isinstance(node, DATE_STEPS) and not isinstance(node, exp.Interval):
        return _kind_of_date_step(node)
    if isinstance(node, exp.ArrayContains):
        return Kind.FLAG if columns_of(node) and any(map(is_literal, node.iter_expressions())) else None
    if isinstance(node, PATTERNS):
        return Kind.VALIDATION
    return None


def _tries_to_cast(node: Node) -> bool:
    if isinstance(node, exp.TryCast):
        return True
    if isinstance(node, exp.Anonymous):
        return TRY_NAMES.match(node.name.lower()) is not None
    return bool(node.args.get("safe")) and isinstance(
        node, exp.ToNumber | exp.TsOrDsToDate | exp.StrToTime | exp.ToDouble | exp.StrToDate | exp.ToBoolean
        | exp.TsOrDsToTimestamp | exp.StrToUnix
    )  # fmt: skip


def _reads_one_cell(node: Node, query: Query) -> bool:
    """Return whether what is cast is a cell, cleaned at most, and no computation that may overflow."""
    read = node.this if isinstance(node.this, exp.Expression) else (node.expressions or [None])[0]
    if read is None:
        return False
    queries = [part for part in nodes_within(read) if isinstance(part, exp.Query)]
    if queries:
        return all(map(picks_one_cell, queries))
    if any(computes(part) or is_date_part(part) for part in nodes_within(read)):
        return False
    columns = columns_of(read)
    return bool(columns) and not any(map(query.is_computed, columns))


def _nulls_a_sentinel(node: exp.Nullif) -> bool:
    value = node.expression
    text = text_of(value)
    if text is not None:
        return text.strip() != "" and not node.this.find(*CONCATENATIONS)
    if (number := number_of(value)) is None:
        return False
    if number != 0:
        return True
    outer = node.find_ancestor(exp.Div, exp.IntDiv, exp.SafeDivide, exp.Query)
    return not isinstance(outer, exp.Div | exp.IntDiv | exp.SafeDivide)


def _kind_of_clamp(node: exp.Greatest | exp.Least) -> Kind | None:
    clamps = [part for part in nodes_within(node) if isinstance(part, exp.Greatest | exp.Least)]
    values = [value for clamp in clamps for value in (clamp.this, *clamp.expressions)]
    numbers = [number for value in values if (number := number_of(value)) is not None]
    if not numbers or not columns_of(node):
        return None
    if any(abs(number) not in STEPS for number in numbers):
        return Kind.MAGIC_NUMBER
    return Kind.VALIDATION if isinstance(node, exp.Greatest) and 0 in numbers else None


def _kind_of_date_step(node: Node) -> Kind | None:
    outer = node.find_ancestor(exp.Anonymous, *SERIES, exp.Query)
    if isinstance(outer, SERIES):
        return None
    if isinstance(outer, exp.Anonymous) and SERIES_NAMES.match(outer.name.lower()):
        return None
    return Kind.MAGIC_NUMBER if _moves_a_date(node) and columns_of(node) else None


def _moves_a_date(step: Node) -> bool:
    """Return whether a date is moved by so many units as somebody chose."""
    number = date_step(step)
    return number is not None and abs(number) not in STEPS and not ends_a_period(step, number)
