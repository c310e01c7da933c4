"""CASEs that only keep a computation from what is missing or nothing: guards.

What belongs here: guards of divisions, of missing values and of empty texts, and COALESCE written as a CASE. What does
not: all other CASEs (`cases`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlglot import exp

from olist_pipeline.audit.expressions import (
    CASES,
    COMPARISONS,
    CONCATENATIONS,
    Branches,
    Node,
    atoms,
    bare,
    column_names,
    columns_of,
    is_case,
    is_constant,
    is_null,
    is_null_test,
    nodes_within,
    number_of,
    text_of,
    words_in,
)


def is_division_guard(branches: Branches) -> bool:
    """Return whether a CASE divides only by what is there and is not zero."""
    if len(branches.pairs) > 2 or not all(_tests_divisor(condition) for condition, _ in branches.pairs):
        return False
    tested = {name for condition, _ in branches.pairs for name in column_names(condition)}
    others = [value for value in branches.results if not is_null(value) and number_of(value) != 0]
    divisors = [node.expression for value in others for node in value.find_all(exp.Div, exp.IntDiv, exp.SafeDivide)]
    return len(others) == 1 and any(tested & set(column_names(divisor)) for divisor in divisors)


def is_null_guard(branches: Branches, joined: Collection[str]) -> bool:
    """Return whether a CASE computes only where its inputs are there: the rest is null, and nothing is a literal.

    joined: the relations of which an outer join may have found no row; any of their columns tells whether it did.
    """
    if not all(is_null_test(condition) for condition, _ in branches.pairs):
        return False
    known = [value for value in branches.results if not is_null(value)]
    if len(known) != 1 or is_constant(known[0]) or len(branches.results) + (branches.default is None) < 2:
        return False
    return all(_shares_input(condition, known, joined) for condition, _ in branches.pairs)


def is_part_of_text(branches: Branches) -> bool:
    """Return whether a CASE adds to a text what is there, and nothing where it is not: `x || ' '`, else `''`.

    What it adds may be the sign alone that parts it from the rest: `', '`.
    """
    tests = [atom for condition, _ in branches.pairs for atom in atoms(condition)]
    added = [value for value in branches.results if not (is_null(value) or text_of(value) == "")]
    asks = all(is_null_test(test) or _compares_with_nothing(test) for test in tests)
    if not asks or len(added) != 1 or added[0].find(*CASES):
        return False
    return bool(columns_of(added[0])) or not words_in(text_of(added[0]) or "a word")


def is_text_of_parts(branches: Branches) -> bool:
    """Return whether a CASE puts the parts of a text together that are there: a name with or without a middle one."""
    texts = [value for value in branches.results if not is_null(value)]
    if not all(map(is_null_test, (condition for condition, _ in branches.pairs))) or any(map(is_constant, texts)):
        return False
    longest = max((set(column_names(value)) for value in texts), key=len, default=set())
    tested = {name for condition, _ in branches.pairs for name in column_names(condition)}
    joins = len(texts) > 1 and all(isinstance(bare(value), CONCATENATIONS) for value in texts)
    return joins and tested <= longest and all(set(column_names(value)) <= longest for value in texts)


def is_empty_text_guard(branches: Branches) -> bool:
    """Return whether a CASE only makes an empty text null: `case when x = '' then null else x end`."""
    tests = [atom for condition, _ in branches.pairs for atom in atoms(condition)]
    is_empty = all(is_null_test(atom) or _compares_with_nothing(atom) for atom in tests)
    if any(nulls_a_text(part) for test in tests for part in nodes_within(test)):
        return False
    known = [value for value in branches.results if not is_null(value)]
    return is_empty and len(known) == 1 and bool(columns_of(known[0])) and len(set(names_in(branches))) == 1


def is_first_known(branches: Branches, joined: Collection[str]) -> bool:
    """Return whether a CASE is a COALESCE: it takes the next value where the one before is missing."""
    tests = [atom for condition, _ in branches.pairs for atom in atoms(condition)]
    if not all(is_null_test(test) or _compares_with_nothing(test) for test in tests) or len(branches.results) < 2:
        return False
    if not all(is_cleaned_column(value) and not value.find(*CASES) for value in branches.results):
        return False
    others = branches.results
    return all(
        _shares_input(condition, [result] if isinstance(bare(condition), exp.Not | exp.NEQ) else others, joined)
        for condition, result in branches.pairs
    )


def names_in(branches: Branches) -> list[str]:
    """Return the columns of all conditions and results."""
    return [name for part in (*(c for c, _ in branches.pairs), *branches.results) for name in column_names(part)]


def is_cleaned_column(value: Node) -> bool:
    """Return whether a value is one column, cleaned or cast at most."""
    return not value.find(exp.AggFunc, exp.Add, exp.Sub, exp.Mul, exp.Div) and len(columns_of(value)) == 1


def _tests_divisor(condition: Node) -> bool:
    return all(
        is_null_test(atom) or (isinstance(atom, COMPARISONS) and number_of(atom.expression) == 0)
        for atom in atoms(condition)
    )


def _shares_input(condition: Node, values: Iterable[Node], joined: Collection[str]) -> bool:
    """Return whether a test for presence looks at what one of the values reads, or at its joined relation."""
    if any(is_case(part) or nulls_a_text(part) for part in nodes_within(condition)):
        return False  # what it looks at is decided within it
    tested = columns_of(condition)
    names = {column.name.lower() for column in tested}
    tables = {column.table.lower() for column in tested} & set(joined)
    read = [column for value in values for column in columns_of(value)]
    return any(column.name.lower() in names or column.table.lower() in tables for column in read)


def nulls_a_text(node: Node) -> bool:
    """Return whether an expression takes a text that stands for missing data out: `nullif(x, '-')`."""
    return isinstance(node, exp.Nullif) and bool((text_of(node.expression) or "").strip())


def _compares_with_nothing(test: Node) -> bool:
    """Return whether a comparison asks for an empty text."""
    return isinstance(test, exp.EQ | exp.NEQ) and (text := text_of(test.expression)) is not None and not text.strip()
