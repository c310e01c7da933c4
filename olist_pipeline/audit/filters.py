"""Conditions by which rows are kept or dropped: business logic, or technical.

What belongs here: judging one condition of WHERE, HAVING, QUALIFY or ON. What does not: expressions that make a
column (`logic`).

A condition that drops rows is a rule of the business, boolean columns, `is not null` and one column against another
among them. Technical is: a join, a semi-join, an anti-join, a flag that this very statement computes, the first row
of a group, the current row of a history, a change that a hash tells, an element picked from an array, the metadata of
a loader (a name that begins with an underscore), and the present day as a limit.
"""

from __future__ import annotations

import re

from sqlglot import exp

from olist_pipeline.audit.columns import Query
from olist_pipeline.audit.expressions import (
    BOOLEANS,
    COMPARISONS,
    CONNECTORS,
    PREDICATES,
    Node,
    atoms,
    bare,
    branches_of,
    column_names,
    columns_of,
    conjuncts,
    is_case,
    is_clock,
    is_column,
    is_constant,
    is_far_end,
    is_flag_test,
    is_hash,
    is_null_test,
    is_truth,
    nodes_within,
    number_of,
    text_of,
)
from olist_pipeline.audit.model import Clause, Kind
from olist_pipeline.audit.numbers import DATE_STEPS, STEPS, date_step

CURRENT_ROW = re.compile(
    r"^_?(dbt_)?(valid_?(to|until)(_\w+)?|(effective|eff|record)_?(to|end|thru)\w*|end_effective\w*|next_effective\w*)$"
    r"|^_?(is_?|row_is_?)?(current|latest|most_recent)(_?(row|record|version|flag|ind|snapshot))?$"
    r"|^\w+_(valid_?to|is_?current)$"
)
"""Names by which histories tell the row that holds now."""

END_OF_ROW = re.compile(r"(to|until|end|thru)\w*$")

TIME_NAME = re.compile(
    r"(^|_)(at|on|ts|date|day|time|datetime|timestamp|dt|month|hour|minute|year|updated|modified|loaded|synced|ingested|version"
    r"|batch|runtime|watermark|offset|sequence|lsn|block)(_|$)|date$|time$"
)

PATHS = (exp.JSONExtract, exp.JSONExtractScalar, exp.JSONBExtract, exp.JSONBExtractScalar, exp.Bracket, exp.Dot)
"""How a row that a loader keeps as a whole is read: that is no word of the loader's about it."""

HASH_NAME = re.compile(r"(^|_)(hash|md5|sha\d*|checksum|hashdiff|hash_?diff|row_?hash)(_|$)|hash$")


def kind_of_filter(condition: Node, clause: Clause, query: Query) -> Kind | None:
    """Return the kind of logic that a condition is, None where it is technical."""
    condition = bare(condition)
    if clause is Clause.JOIN:
        return Kind.VALIDATION if _joins_by_a_limit(condition) else None
    if _reads_nothing(condition) or _picks_an_element(query):
        return None
    if _numbers_rows(condition, query):
        return _kind_of_row_limit(condition)
    names = column_names(condition)
    if names and all(name.startswith("_") for name in names) and not _reads_a_path(condition):
        return None
    if is_current_row(condition) or _is_decided_here(condition, query) or _joins_by_a_function(condition, query):
        return None
    if query.around.is_incremental and (_is_lookback(condition) or says_from_when(query)):
        return None
    tests = [atom for atom in atoms(condition) if isinstance(atom, (*PREDICATES, exp.Exists)) or is_case(atom)]
    # `valid_to is null or valid_to >= (select ...)`: a row of a history that holds at some time.
    if tests and all(_asks_other_rows(test) or _holds_now(test) or _is_technical(test, query) for test in tests):
        return None
    return Kind.VALIDATION


def says_from_when(query: Query) -> bool:
    """Return whether a query in a condition gives the last or first time alone, from which on rows are new."""
    within = query.select.find_ancestor(exp.Where, exp.Having, exp.Qualify, exp.Join)
    return within is not None and all(item.find(exp.Max, exp.Min) for item in query.select.selects)


def is_current_row(condition: Node) -> bool:
    """Return whether a condition chooses the row of a history that holds now, and nothing else."""
    return all(_holds_now(atom) for atom in atoms(condition))


def marks_current_row(condition: Node, column: str, query: Query) -> bool:
    """Return whether a condition marks the first row of each group, `row_number() ... = 1`, and no more than that.

    The mark is called like that of a history, or this very statement picks the rows by it.
    """
    if not is_first_row(condition, query):
        return False
    return CURRENT_ROW.match(column.lower()) is not None or _picks_rows(column, query)


def is_first_row(condition: Node, query: Query) -> bool:
    """Return whether a condition asks for the first row of a group by its number."""
    test = bare(condition)
    return isinstance(test, exp.EQ) and number_of(test.expression) == 1 and query.is_row_number(test.this)


def compares_hashes(test: Node) -> bool:
    """Return whether a comparison tells a change: both its sides are hashes, by function or by name."""
    return isinstance(test, COMPARISONS) and all(_is_hash(bare(side)) for side in (test.this, test.expression))


def _picks_rows(flag: str, query: Query) -> bool:
    clauses = query.select.root().find_all(exp.Where, exp.Qualify)
    picked = (bare(part) for clause in clauses for part in conjuncts(clause.this))
    return any(isinstance(part, exp.Column) and part.name.lower() == flag.lower() for part in picked)


def filtered_column(condition: Node) -> str:
    """Return the name of what a condition looks at first: a column, or the function where it has none."""
    names = column_names(condition)
    if names:
        return names[0]
    test = atoms(condition)[0]
    return (test.this if isinstance(test.this, exp.Expression) else test).sql().lower()


def _holds_now(atom: Node) -> bool:
    read = columns_of(atom)
    if len(read) != 1 or not CURRENT_ROW.match(read[0].name.lower()):
        return False
    if is_null_test(atom):
        # `valid_to is not null` asks for the rows that hold no more: somebody wants these.
        return not (isinstance(atom.parent, exp.Not) and END_OF_ROW.search(read[0].name.lower()))
    if is_column(atom):
        return True
    if not isinstance(atom, exp.EQ | exp.Is):
        return False
    sides = [side for side in (atom.this, atom.expression) if not columns_of(side)]
    return len(sides) == 1 and (is_truth(sides[0]) or is_far_end(sides[0]) or is_clock(sides[0]))


def _is_lookback(condition: Node) -> bool:
    """Return whether a condition says from when on rows are new: a time, or what is neither quantity nor text.

    A function that nobody knows here, of times alone, is the project's own way to say so.
    """
    tests = [atom for atom in atoms(condition) if not is_null_test(atom)]
    return bool(tests) and all(
        (isinstance(test, exp.Anonymous) and column_names(test) and all(map(_is_time, column_names(test))))
        or (
            isinstance(test, (*COMPARISONS, exp.Between))
            and (
                any(map(_is_time, column_names(test)))
                or not any(number_of(side) is not None or _is_word(side) for side in test.iter_expressions())
            )
        )
        for test in tests
    )


def _reads_a_path(condition: Node) -> bool:
    return any(
        isinstance(node, PATHS) or (isinstance(node, exp.Anonymous) and node.name.lower().startswith("json"))
        for node in nodes_within(condition)
    )


def _is_time(name: str) -> bool:
    return TIME_NAME.search(_snake(name)) is not None


def _is_word(side: Node) -> bool:
    """Return whether a literal is a text that is no time."""
    text = text_of(side)
    return text is not None and re.match(r"\d{4}-?\d\d", text) is None


def _is_decided_here(condition: Node, query: Query) -> bool:
    """Return whether a condition asks for nothing but flags that this statement computes, where they are found."""
    if not _asks_for_flags(condition):
        return False
    found = [query.beside(column) or query.origin(column).expression for column in columns_of(condition)]
    return bool(found) and all(part is not None and _is_boolean(bare(part)) for part in found)


def _asks_for_flags(condition: Node) -> bool:
    """Return whether a condition asks for columns that are flags by their name, or that are compared with 1 or 0."""
    node = bare(condition)
    if isinstance(node, CONNECTORS):
        return all(map(_asks_for_flags, node.iter_expressions()))
    is_number = isinstance(node, exp.EQ | exp.NEQ) and number_of(node.expression) in (0, 1)
    return is_flag_test(node) or (is_number and is_column(node.this))


def _is_boolean(node: Node) -> bool:
    if is_case(node):
        return all(map(is_truth, branches_of(node).results))
    if isinstance(node, exp.Coalesce):
        return _is_boolean(bare(node.this)) and all(map(is_truth, node.expressions))
    return isinstance(node, (*BOOLEANS, exp.LogicalOr, exp.LogicalAnd))


def _reads_nothing(condition: Node) -> bool:
    return is_constant(condition) and not condition.find(exp.AggFunc)


def _asks_other_rows(condition: Node) -> bool:
    """Return whether a condition asks a subquery: IN, EXISTS, or a comparison with what one gives."""
    return any(isinstance(node, exp.Query | exp.Exists) for node in nodes_within(condition))


def _picks_an_element(query: Query) -> bool:
    """Return whether a query reads nothing but an array of a row: it picks a value and drops no row."""
    source = query.select.args.get("from_")
    is_array = source is not None and isinstance(source.this, exp.Unnest)
    return is_array and not query.joins and query.select.find_ancestor(exp.Select) is not None


def _numbers_rows(condition: Node, query: Query) -> bool:
    return isinstance(condition, (*COMPARISONS, exp.Between)) and query.is_row_number(condition.this)


def _kind_of_row_limit(condition: Node) -> Kind | None:
    """Return None for the first row of a group; the first ten are a number that somebody chose."""
    numbers = [number for side in condition.iter_expressions() if (number := number_of(side)) is not None]
    if not numbers or (isinstance(condition, exp.EQ | exp.LTE | exp.GT | exp.NEQ) and numbers == [1]):
        return None
    if isinstance(condition, exp.LT) and numbers == [2]:
        return None
    return Kind.MAGIC_NUMBER


def _is_technical(test: Node, query: Query) -> bool:
    """Return whether one comparison joins, tells a change by a hash, or has the present day as its limit."""
    if is_null_test(test):
        return _asks_whether_joined(test, query)
    if not isinstance(test, COMPARISONS):
        return False
    left, right = bare(test.this), bare(test.expression)
    if is_clock(left) or is_clock(right):
        # `placed_at + 30 days >= today` asks for so many days, as `placed_at >= today - 30 days` does.
        return not (_moves_a_date(left) or _moves_a_date(right))
    if compares_hashes(test):
        return True
    if not (columns_of(left) and columns_of(right)):
        return False
    tables = [{column.table.lower() for column in columns_of(side)} for side in (left, right)]
    apart = all(tables) and not tables[0] & tables[1]
    if isinstance(test, exp.EQ) and is_column(left) and is_column(right):
        # `from sales, stores where sale_store_id = store_id`: of which relation each is does not stand there.
        joins = "" in tables[0] | tables[1] and _lacks_a_condition(query)
        return apart or joins or _is_latest(left, right, query)
    return apart and _lacks_a_condition(query)


def _joins_by_a_function(condition: Node, query: Query) -> bool:
    """Return whether a function of two relations joins them, in EXISTS too: `st_intersects(a.place, b.area)`."""
    if not isinstance(condition, exp.Func) or isinstance(condition, (*BOOLEANS, exp.Exists)) or is_case(condition):
        return False
    has_limit = any(number_of(part) is not None for part in condition.iter_expressions())
    tables = {column.table.lower() for column in columns_of(condition)}
    is_within = query.select.find_ancestor(exp.Exists) is not None
    return not has_limit and "" not in tables and len(tables) > 1 and (is_within or _lacks_a_condition(query))


def _moves_a_date(side: Node) -> bool:
    """Return whether a side moves a column by a number of days, or what they are, that somebody chose."""
    if not columns_of(side):
        return False
    steps = [part for part in nodes_within(side) if isinstance(part, (*DATE_STEPS, exp.Add, exp.Sub))]
    numbers = (*map(date_step, steps), *(number_of(part) for step in steps for part in nodes_within(step)))
    return any(number is not None and abs(number) not in STEPS for number in numbers)


def _asks_whether_joined(test: Node, query: Query) -> bool:
    """Return whether a null test asks whether an outer join found a row."""
    columns = columns_of(test)
    # Of a full join one side is always there: what is missing in both is missing in the data.
    if len({column.table for column in columns}) > 1 and any(join.side == "FULL" for join in query.joins):
        return False
    return bool(columns) and all(
        (column.name.startswith("_") and not _reads_a_path(test)) or column.table.lower() in query.optional_relations
        for column in columns
    )


def _is_hash(side: Node) -> bool:
    return is_hash(side) or (isinstance(side, exp.Column) and HASH_NAME.search(_snake(side.name)) is not None)


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _is_latest(left: Node, right: Node, query: Query) -> bool:
    """Return whether one of two columns is the last or first of a group: the other one's row is chosen by it."""
    found = [query.origin(side).expression for side in (left, right) if isinstance(side, exp.Column)]
    return any(part is not None and bare(part).find(exp.Window, exp.AggFunc) for part in found)


def _lacks_a_condition(query: Query) -> bool:
    """Return whether relations stand side by side without ON, so that WHERE joins them."""
    return any(not join.args.get("on") and not join.args.get("using") for join in query.joins)


def _joins_by_a_limit(condition: Node) -> bool:
    """Return whether a condition of a join compares with a number, other than a plain equality.

    So do `placed_at <= seen_at + 7 days`, and a function of two relations with a number in it: `st_dwithin(a, b, 500)`.
    """
    limits = (exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between)
    found = [atom for atom in atoms(condition) if isinstance(atom, limits)]
    return (
        any(
            (number_of(side) is not None and columns_of(atom)) or _moves_a_date(side)
            for atom in found
            for side in list(atom.iter_expressions())[1:]
        )
        or any(is_case(node) for node in nodes_within(condition))
        or any(map(_measures, atoms(condition)))
    )


def _measures(atom: Node) -> bool:
    """Return whether a function of two relations, which is true or false, asks for a number that somebody chose."""
    if not isinstance(atom, exp.Func) or isinstance(atom, (*PREDICATES, exp.Exists)) or is_case(atom):
        return False
    numbers = (number_of(part) for part in nodes_within(atom))
    tables = {column.table.lower() for column in columns_of(atom)}
    return len(tables) > 1 and any(number is not None and number not in STEPS for number in numbers)
