"""What a CASE is: technical, and why, or business logic, and of which kind.

What belongs here: judging one CASE (or IF, DECODE, NVL2) by its branches and by what stands around it. What does
not: other expressions (`logic`), and rows that are filtered (`filters`).

Technical is: a guard of a division or of a missing value, the current row of a history, a cast of a boolean, a sum by a
flag that was decided elsewhere, a pivot, a calendar, an order to sort by, a part of a surrogate key, the first known or
the greater of two columns. Every other CASE is business logic.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlglot import exp

from olist_pipeline.audit.calendars import is_calendar, shifts_quarters
from olist_pipeline.audit.columns import Query
from olist_pipeline.audit.expressions import (
    CONCATENATIONS,
    FALSE_WORDS,
    HASHES,
    TRUE_WORDS,
    Branches,
    Node,
    atoms,
    bare,
    branches_of,
    column_names,
    columns_of,
    is_constant,
    is_far_end,
    is_hash,
    is_in,
    is_null,
    is_null_test,
    is_one_flag,
    is_truth,
    nodes_within,
    number_of,
    text_of,
    truth_of,
    words_in,
)
from olist_pipeline.audit.filters import compares_hashes, is_current_row, is_first_row, marks_current_row
from olist_pipeline.audit.guards import (
    is_cleaned_column,
    is_division_guard,
    is_empty_text_guard,
    is_first_known,
    is_null_guard,
    is_part_of_text,
    is_text_of_parts,
    names_in,
    nulls_a_text,
)
from olist_pipeline.audit.model import Kind
from olist_pipeline.audit.pivots import reason_in_aggregate, without_cleaning

VALIDATION_WORDS = frozenset(
    (
        *("valid", "invalid", "error", "errors", "corrupt", "bad", "suspect", "suspicious", "anomaly", "mismatch"),
        *("missing", "incomplete", "malformed", "outlier", "unparseable"),
    )
)
VALIDATION_NAME = re.compile(
    r"(^|_)(valid|invalid|is_bad|dq|validity|validated|error|anomaly|outlier)(_|$)"
    r"|(data|record|row|cell|order|address|email|phone)_?quality|quality_?(flag|check|status|issue|error|result|score)|^quality$"
)
"""Names that judge data. A quality of what is sold or served is none of them."""
CONVERSION, BOOLEAN, KEY = "conversion of a type", "cast of a boolean", "part of a surrogate key"
ORDER = "order to sort by"
SORT_NAME = re.compile(r"(^|_)sort(_?(order|key|index|id|no))?$")


def technical_reason(case: Node, column: str, query: Query) -> str | None:
    """Return why a CASE is technical, None where it carries business logic."""
    branches = branches_of(case)
    conditions = [condition for condition, _ in branches.pairs]
    within = [node for condition in conditions for node in nodes_within(condition)]
    if _is_hashed(case) or _looks_at_hashes(conditions):
        return KEY
    if _tells_a_change(conditions):
        return "change of a row"
    if _opens_a_span(branches, query):
        return "open end of a span of time"
    if is_in(case, (exp.Order,)):
        return ORDER
    if SORT_NAME.search(column.lower()) and not any(map(_compares_order, conditions)):
        return ORDER  # by its name; a limit in it is one all the same
    if any(part.find(exp.Grouping) for part in conditions):
        return "label of a subtotal"
    if is_division_guard(branches):
        return "guard of a division"
    if (is_in(case, CONCATENATIONS) and is_part_of_text(branches)) or is_text_of_parts(branches):
        return "part of a text"
    if all(map(is_null_test, conditions)) and all(map(is_truth, branches.results)) and _is_running(case):
        return "number of a run of rows"
    if is_null_guard(branches, query.optional_relations) and not _counts(case):
        return "guard of a missing value"
    if is_empty_text_guard(branches):
        return "empty text to null"
    holds = all(is_current_row(part) or marks_current_row(part, column, query) for part in conditions)
    if all(map(is_truth, branches.results)) and holds:
        return "current row of a history"
    if _is_boolean_cast(branches):
        return BOOLEAN
    counts_time = all(query.is_calendar_test(atom) for part in conditions for atom in atoms(part))
    if counts_time and is_calendar(conditions) and not shifts_quarters(branches.pairs):
        return "calendar"
    if (
        _is_conversion(branches)
        and not any(map(nulls_a_text, within))
        and not (_matches_text(branches) and query.around.is_written(case))
    ):
        return CONVERSION
    if _nulls_an_end(branches) and not query.around.is_written(case):
        return CONVERSION  # a macro of dates, written once
    if is_first_known(branches, query.optional_relations):
        return "first known value"
    if _is_greater_of_two(branches):
        return "greater of two values"
    if _is_sum_over_nothing(branches, query):
        return "nothing to sum up is zero"
    return reason_in_aggregate(case, branches, column, query)


def kind_of(case: Node, column: str, query: Query) -> Kind:
    """Return the kind of business logic that a CASE is."""
    branches = branches_of(case)
    conditions = [condition for condition, _ in branches.pairs]
    if any(_reads_percentile(condition, query) for condition in conditions):
        return Kind.SCORING
    if all(map(is_null_test, conditions)) and _is_fallback(branches):
        return Kind.DEFAULT
    if all(_fills_a_gap(condition, result, branches.default) for condition, result in branches.pairs):
        return Kind.DEFAULT
    rejects = _rejects_its_input(branches) and not is_in(case, (exp.AggFunc,))
    if rejects or _speaks_of_validity(branches, column):
        return Kind.VALIDATION
    if all(map(is_truth, branches.results)) or _counts(case):
        return Kind.FLAG
    return Kind.CLASSIFICATION


def is_validation_name(name: str) -> bool:
    """Return whether a column says by its name that it judges data."""
    return VALIDATION_NAME.search(name.lower()) is not None


def _is_running(case: Node) -> bool:
    """Return whether a window adds a CASE up row by row: where it only asks for presence, it numbers runs of rows."""
    window = case.find_ancestor(exp.Window, exp.Query)
    return isinstance(window, exp.Window) and isinstance(window.this, exp.Sum | exp.Count) and "order" in window.args


def _looks_at_hashes(conditions: Sequence[Node]) -> bool:
    """Return whether conditions look at hashes of columns alone, and at no column itself."""
    columns = [column for condition in conditions for column in columns_of(condition)]
    return bool(columns) and all(map(_is_hashed, columns))


def _tells_a_change(conditions: Sequence[Node]) -> bool:
    """Return whether conditions ask for no more than whether a row is new or its hash another one."""
    tests = [atom for condition in conditions for atom in atoms(condition) if not is_null_test(atom)]
    return bool(tests) and all(map(compares_hashes, tests))


def _opens_a_span(branches: Branches, query: Query) -> bool:
    """Return whether the first row of a history begins with all time: `when row_version = 1 then '1900-01-01'`."""
    ends = [value for value in branches.results if is_constant(value)]
    return (
        len(branches.results) == 2
        and len(ends) == 1
        and is_far_end(ends[0])
        and all(is_first_row(condition, query) for condition, _ in branches.pairs)
    )


def _is_hashed(node: Node) -> bool:
    """Return whether a node stands in the call of a hash, within its own query."""
    while (outer := node.find_ancestor(*HASHES, exp.Anonymous, exp.Query)) is not None and not is_hash(outer):
        if isinstance(outer, exp.Query):
            return False
        node = outer
    return outer is not None


def _is_boolean_cast(branches: Branches) -> bool:
    """Return whether a CASE only writes a boolean in another way: 1 and 0, yes and no, 'Y' and 'N'."""
    if not all(map(is_truth, branches.results)):
        return False
    return all(is_one_flag(condition) or is_boolean_word(condition) for condition, _ in branches.pairs)


def is_boolean_word(condition: Node) -> bool:
    """Return whether a condition compares with a word for yes or no alone: `is_closed = 'yes'`."""
    condition = bare(condition)
    if isinstance(condition, exp.EQ):
        values = [condition.expression]
    elif isinstance(condition, exp.In) and condition.expressions:
        values = condition.expressions
    else:
        return False
    words = [bare(value).name.lower() for value in values if isinstance(bare(value), exp.Literal)]
    # A number that is compared is a quantity more often than a boolean.
    texts = all(text_of(value) is not None for value in values)
    return texts and len(words) == len(values) and set(words) <= TRUE_WORDS | FALSE_WORDS


def _compares_order(condition: Node) -> bool:
    return any(isinstance(atom, exp.GT | exp.GTE | exp.LT | exp.LTE | exp.Between) for atom in atoms(condition))


def _is_conversion(branches: Branches) -> bool:
    """Return whether a CASE only reads one column as another type, in the way that fits what it finds."""
    tests = [atom for condition, _ in branches.pairs for atom in atoms(condition)]
    if len(set(names_in(branches))) != 1 or not all(isinstance(test, exp.Is | exp.RegexpLike) for test in tests):
        return False
    values = [value for value in branches.results if not is_null(value)]
    converts = any(value.find(exp.Cast, exp.TryCast, exp.Func) for value in values)
    return bool(values) and converts and all(len(column_names(value)) == 1 for value in values)


def _nulls_an_end(branches: Branches) -> bool:
    """Return whether a CASE makes days that nobody means null, and keeps all others."""
    tests = [atom for condition, _ in branches.pairs for atom in atoms(condition)]
    kept = [value for value in branches.results if not is_null(value)]
    days = all(is_null_test(test) or is_far_end(test) for test in tests) and any(map(is_far_end, tests))
    return days and len(kept) == 1 and is_cleaned_column(kept[0]) and len(set(names_in(branches))) == 1


def _matches_text(branches: Branches) -> bool:
    return any(condition.find(exp.RegexpLike) for condition, _ in branches.pairs)


def _is_greater_of_two(branches: Branches) -> bool:
    if len(branches.pairs) != 1 or branches.default is None:
        return False
    [(condition, result)] = branches.pairs
    condition = bare(condition)
    if not isinstance(condition, exp.GT | exp.GTE | exp.LT | exp.LTE):
        return False
    sides = {condition.this.sql(), condition.expression.sql()}
    if is_constant(condition.this) or is_constant(condition.expression):
        return False  # it cuts off at a limit
    return sides == {bare(result).sql(), bare(branches.default).sql()}


def _is_sum_over_nothing(branches: Branches, query: Query) -> bool:
    """Return whether a CASE gives zero where a join found no group, as COALESCE does."""
    if not all(is_null_test(condition) for condition, _ in branches.pairs) or len(branches.results) != 2:
        return False
    constants = [value for value in branches.results if is_constant(value)]
    columns = [column for value in branches.results for column in columns_of(value)]
    is_neutral = len(constants) == 1 and (number_of(constants[0]) == 0 or truth_of(constants[0]) is False)
    return is_neutral and bool(columns) and all(query.origin(column).is_summed for column in columns)


def _reads_percentile(condition: Node, query: Query) -> bool:
    for node in nodes_within(condition):
        if isinstance(node, exp.PercentRank | exp.CumeDist):
            return True
        if isinstance(node, exp.Column):
            found = query.origin(node).expression
            if found is not None and found.find(exp.PercentRank, exp.CumeDist, exp.PercentileCont, exp.PercentileDisc):
                return True
    return False


def _is_fallback(branches: Branches) -> bool:
    """Return whether the results are columns and one literal that stands in for what is missing."""
    constants = [value for value in branches.results if is_constant(value) and not is_null(value)]
    return len(constants) == 1 and any(columns_of(value) for value in branches.results)


def _fills_a_gap(condition: Node, result: Node, default: Node | None) -> bool:
    """Return whether a literal takes the place of a column, which all else keeps, where that is missing or empty."""
    condition = bare(condition)
    kept = None if default is None else without_cleaning(default)
    if not isinstance(kept, exp.Column) or not is_constant(result) or is_null(result):
        return False

    def is_gap(test: Node) -> bool:
        is_missing = isinstance(test, exp.Is) and is_null(test.expression)
        is_empty = isinstance(test, exp.EQ) and (text := text_of(test.expression)) is not None and not text.strip()
        return (is_missing or is_empty) and without_cleaning(test.this) == kept

    if isinstance(condition, exp.Or):
        return all(is_gap(bare(test)) for test in condition.flatten())
    tests = map(bare, condition.flatten()) if isinstance(condition, exp.And) else iter((condition,))
    return any(map(is_gap, tests))


def _rejects_its_input(branches: Branches) -> bool:
    """Return whether a CASE keeps its input, or nulls or corrects it where the input itself is bad."""
    kept = [value for value in branches.results if not is_constant(value)]
    names = {name for value in kept for name in column_names(value)}
    if len(names) != 1 or not all(is_cleaned_column(value) for value in kept):
        return False
    if not all(names & set(column_names(condition)) for condition, _ in branches.pairs):
        return False
    others = [value for value in branches.results if is_constant(value)]
    if (
        not others
        and branches.default is not None
        and not any(isinstance(without_cleaning(v), exp.Column) for v in kept)
    ):
        return False  # it makes something else of its input in every branch
    if any(text_of(value) for value in others) and len(kept) < len(branches.results) - 1:
        return False  # it has labels of its own
    nulls = branches.default is None or any(map(is_null, others))
    return nulls or any(_compares_order(condition) for condition, _ in branches.pairs)


def _speaks_of_validity(branches: Branches, column: str) -> bool:
    if is_validation_name(column):
        return True
    labels = [text_of(value) for value in branches.results]
    return any(VALIDATION_WORDS & set(words_in(label)) for label in labels if label)


def _counts(case: Node) -> bool:
    return is_in(case, (exp.Count, exp.CountIf, exp.ApproxDistinct))
