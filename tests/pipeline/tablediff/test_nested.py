"""Types inside a type are found by its text, whatever their neighbours are called."""

import pytest

from olist_pipeline.tablediff.nested import rewritten

INNER = {"JSON": "VARCHAR", "INTERVAL": "VARCHAR"}


@pytest.mark.parametrize(
    ("kind", "changed"),
    [
        ("INTEGER", "INTEGER"),
        ("JSON", "VARCHAR"),
        ("DECIMAL(10,2)", "DECIMAL(10,2)"),
        ("JSON[]", "VARCHAR[]"),
        ("JSON[3][]", "VARCHAR[3][]"),
        ("STRUCT(a JSON, b INTEGER)", "STRUCT(a VARCHAR, b INTEGER)"),
        ("STRUCT(a DECIMAL(10,2), b JSON)", "STRUCT(a DECIMAL(10,2), b VARCHAR)"),
        ("STRUCT(a STRUCT(b JSON, c DATE), d INTERVAL)[]", "STRUCT(a STRUCT(b VARCHAR, c DATE), d VARCHAR)[]"),
        ('STRUCT("a b" JSON, "c,)" INTERVAL)', 'STRUCT("a b" VARCHAR, "c,)" VARCHAR)'),
        ('STRUCT("say ""a"", (" JSON)', 'STRUCT("say ""a"", (" VARCHAR)'),
        ("STRUCT(a ENUM('x,)', 'JSON'), b JSON)", "STRUCT(a ENUM('x,)', 'JSON'), b VARCHAR)"),
        ("STRUCT(a ENUM('it''s (', 'x'), b JSON)", "STRUCT(a ENUM('it''s (', 'x'), b VARCHAR)"),
        ("ENUM('JSON', 'b')", "ENUM('JSON', 'b')"),
        ("MAP(INTERVAL, JSON)", "MAP(VARCHAR, VARCHAR)"),
        ("MAP(VARCHAR, STRUCT(a JSON[]))", "MAP(VARCHAR, STRUCT(a VARCHAR[]))"),
        ("UNION(a JSON, b STRUCT(c INTERVAL[], d INTEGER))", "UNION(a VARCHAR, b STRUCT(c VARCHAR[], d INTEGER))"),
        ("TUPLE(JSON, INTEGER)", "TUPLE(VARCHAR, INTEGER)"),
    ],
)
def test_types_inside_are_changed_and_nothing_else(kind, changed):
    assert rewritten(kind, lambda inner: INNER.get(inner, inner)) == changed
    assert rewritten(kind, lambda inner: inner) == kind
