"""Conditions by which rows are kept or dropped: business logic, or technical.

What belongs here: judging one condition of WHERE, HAVING, QUALIFY or ON. What does not: expressions that make a
column (`logic`).

Technical is: a join, a semi-join, an anti-join, a selection by a flag that was decided elsewhere, the first row of
a group, a value that must be there because the query groups or joins by it, an element picked from an array, the
metadata of a loader (a name that begins with an underscore), and the present day as a limit. What remains drops rows
by a rule of the business.
"""

from __future__ import annotations

from sqlglot import exp

from olist_pipeline.audit.columns import Query
from olist_pipeline.audit.expressions import (
    COMPARISONS,
    PREDICATES,
    Node,
    atoms,
    bare,
    column_names,
    columns_of,
    is_case,
    is_clock,
    is_column,
    is_constant,
    is_flag_test,
    is_null_test,
    nodes_within,
    number_of,
)
from olist_pipeline.audit.model import Clause, Kind


def kind_of_filter(condition: Node, clause: Clause, query: Query, keys: frozenset[str]) -> Kind | None:
    """Return the kind of logic that a condition is, None where it is technical.

    `keys` are the names by which the statement groups, joins and partitions.
    """
    condition = bare(condition)
    if clause is Clause.JOIN:
        return Kind.VALIDATION if _joins_by_a_limit(condition) else None
    if _reads_nothing(condition) or is_flag_test(condition) or _asks_other_rows(condition):
        return None
    if _picks_an_element(query):
        return None
    if _numbers_rows(condition, query):
        return _kind_of_row_limit(condition)
    if is_null_test(condition):
        return None if all(_is_technical_null_test(atom, query, keys) for atom in atoms(condition)) else Kind.VALIDATION
    if all(name.startswith("_") for name in column_names(condition)) and column_names(condition):
        return None
    tests = [atom for atom in atoms(condition) if isinstance(atom, PREDICATES) or is_case(atom)]
    if tests and all(_is_technical(test, query) for test in tests):
        return None
    return Kind.VALIDATION


def filtered_column(condition: Node) -> str:
    """Return the name of what a condition looks at first: a column, or the function where it has none."""
    names = column_names(condition)
    if names:
        return names[0]
    test = atoms(condition)[0]
    return (test.this if isinstance(test.this, exp.Expression) else test).sql().lower()


def _reads_nothing(condition: Node) -> bool:
    return is_constant(condition) and not condition.find(exp.AggFunc)


def _asks_other_rows(condition: Node) -> bool:
    """Return whether a condition asks a subquery: IN, EXISTS, or a comparison with what one gives."""
    if isinstance(condition, exp.Not):
        return _asks_other_rows(bare(condition.this))
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


def _is_technical_null_test(atom: Node, query: Query, keys: frozenset[str]) -> bool:
    for column in columns_of(atom):
        name = column.name.lower()
        optional = column.table.lower() in query.optional_relations if column.table else False
        if not (name in keys or name.startswith("_") or optional):
            return False
    return bool(columns_of(atom))


def _is_technical(test: Node, query: Query) -> bool:
    """Return whether one comparison is a join of two relations or has the present day as its limit."""
    if not isinstance(test, COMPARISONS):
        return False
    left, right = bare(test.this), bare(test.expression)
    if is_clock(left) or is_clock(right):
        return True
    if not (columns_of(left) and columns_of(right)):
        return False
    if isinstance(test, exp.EQ) and is_column(left) and is_column(right):
        return True
    tables = [{column.table.lower() for column in columns_of(side)} for side in (left, right)]
    return bool(query.joins or _is_cross_join(query)) and all(tables) and not tables[0] & tables[1]


def _is_cross_join(query: Query) -> bool:
    return len(query.scope.selected_sources) > 1 if query.scope is not None else False


def _joins_by_a_limit(condition: Node) -> bool:
    """Return whether a condition of a join compares with a number, other than a plain equality."""
    limits = (exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between)
    found = [atom for atom in atoms(condition) if isinstance(atom, limits)]
    return any(
        number_of(side) is not None and columns_of(atom) for atom in found for side in list(atom.iter_expressions())[1:]
    ) or any(is_case(node) for node in nodes_within(condition))
