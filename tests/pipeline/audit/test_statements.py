"""Statements: what is read of SQL in which something is missing."""

import pytest

from olist_pipeline.audit.statements import Statement, UnreadableError, has_errors, statements


@pytest.mark.parametrize(
    "gap", ["concat()", "coalesce()", "sha256(concat( ))", "sum() over ()", "a in ()", "greatest()"]
)
def test_a_list_that_a_query_of_the_warehouse_would_fill_hides_nothing(gap):
    sql = f"select {gap} as h, case when a > 5 then 1 end as b from t"
    [read] = statements(sql, "duckdb")
    assert isinstance(read, Statement)
    assert "CASE WHEN a > 5 THEN 1 END AS b" in read.tree.sql("duckdb")


@pytest.mark.parametrize(
    "sql", ["select cast( as int) from t", "select case when a then end from t", "select (a from t"]
)
def test_what_lacks_something_else_is_said_without_a_word_of_the_parser(sql):
    assert has_errors(sql, "duckdb")
    said = [str(part) for part in statements(sql, "duckdb") if isinstance(part, UnreadableError)]
    assert said
    assert not any("sqlglot" in text or "keyword" in text for text in said)
