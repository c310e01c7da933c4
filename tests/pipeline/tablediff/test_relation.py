"""What is known of a relation before its rows are read, and how two schemas differ."""

from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from olist_pipeline.tablediff.columns import Column
from olist_pipeline.tablediff.relation import describe, schema_differences
from olist_pipeline.tablediff.report import SchemaDifference


def differences(old, new):
    """Return how two lists of columns differ whose columns are paired by their names in any case."""
    by_name = {column.name.lower(): column for column in new}
    shared = tuple((one, by_name[one.name.lower()]) for one in old if one.name.lower() in by_name)
    return list(schema_differences(tuple(old), tuple(new), shared))


def is_increasing(values):
    return all(one < other for one, other in pairwise(values))


@given(st.permutations(range(6)))
def test_the_fewest_columns_move(order):
    old = [Column(f"c{i}", "DATE") for i in range(len(order))]
    new = [old[i] for i in order]

    moved = differences(old, new)

    names = {difference.column for difference in moved}
    kept = [column.name for column in old if column.name not in names]
    assert kept == [column.name for column in new if column.name not in names]
    longest = max(n for n in range(1, 7) if any(map(is_increasing, combinations(order, n))))
    assert len(kept) == longest
    for difference in moved:
        i = int(difference.column[1:])
        assert (difference.kind, difference.old, difference.new) == ("reordered", str(i + 1), str(order.index(i) + 1))


def test_columns_are_missing_extra_retyped_and_recased():
    old = [Column("a", "DATE"), Column("b", "DATE"), Column("c", "DATE")]
    new = [Column("B", "DATE"), Column("c", "TIME"), Column("d", "TIME")]

    assert differences(old, new) == [
        SchemaDifference("missing", "a", "DATE", None),
        SchemaDifference("extra", "d", None, "TIME"),
        SchemaDifference("recased", "b", "b", "B"),
        SchemaDifference("retyped", "c", "DATE", "TIME"),
    ]


@pytest.mark.parametrize("which", [0, 1])
def test_text_of_a_source_without_types_is_not_retyped(which):
    sides = [Column("a", "DATE"), Column("a", "VARCHAR", untyped=True)]
    assert differences([sides[which]], [sides[1 - which]]) == []
    assert differences([], []) == []


def test_a_relation_has_its_columns_and_is_restricted(con):
    described = describe(con, "(SELECT 1 AS a, 'x' AS \"B b\")", "a > 0", name="it", untyped=True)

    assert described.columns == (Column("a", "INTEGER", True), Column("B b", "VARCHAR", True))
    assert described.name == "it"
    assert [described.find(name) for name in ("A", "b b", "c")] == [*described.columns, None]
    assert con.execute(f"FROM {described.source}").fetchall() == [(1, "x")]
    assert describe(con, "range(3)").name == "range(3)"
    assert not describe(con, "range(3)").columns[0].untyped
