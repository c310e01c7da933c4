"""Complexity and priority, by the examples of the guide and by their limits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from olist_pipeline.audit.findings import Place, audit_sql
from olist_pipeline.audit.metrics import complexity, points, priorities, urgency
from olist_pipeline.audit.model import Kind, Level, Metrics


def measured(expression):
    [finding] = audit_sql(f"select {expression} from t", Place("m.sql", "m", "duckdb")).findings
    return finding.metrics


RFM = """case when r >= 4 and f >= 4 and m >= 4 then 'Champions' when f >= 4 then 'Loyal'
    when r >= 4 and f between 2 and 3 then 'Potential' when r <= 2 then 'Hibernating' else 'Regular' end as segment"""


@pytest.mark.parametrize(
    ("expression", "level"),
    [
        ("case when total_items = 0 then 'INVALID' else 'VALID' end as validity", Level.LOW),
        ("case when total_items = 0 then 'INVALID_NO_ITEMS' when status = 'approved' and abs(total - paid) > 0.01 "
         "then 'INVALID_PAYMENT_MISMATCH' else 'VALID' end as validity", Level.MEDIUM),
        (RFM, Level.HIGH),
        ("case when days > 180 then true when days <= 180 then false end as is_churned", Level.MEDIUM),
        ("case when d <= 0 then 'ON_TIME' when d <= 7 then 'LATE' when d > 7 then 'VERY_LATE' end as p", Level.MEDIUM),
        ("case when a > 1 then case when b > 2 then 'x' else case when c > 3 then 'y' end end end as p", Level.HIGH),
        ("a > 1 as is_a", Level.LOW),
    ],
)  # fmt: skip
def test_complexity_is_that_of_the_guide(expression, level):
    assert complexity(measured(expression)) is level


def test_what_is_measured():
    nested = "case when t.a > 1 and u.b = 2 then case when t.c in (1, 2) then 'x' end when t.d then 'y' end as n"
    assert measured(nested) == Metrics(branches=3, nesting=1, predicates=3, tables=2)
    assert measured("case x when 1 then 'a' when 2 then 'b' end as n") == Metrics(2, 0, 2, 1)
    assert measured("if(x > 3, 'a', 'b') as n") == Metrics(1, 0, 1, 1)


def test_points_and_their_limits():
    assert points(Metrics(branches=2, nesting=1, predicates=3, tables=2)) == 2 + 2 + 3 + 1
    levels = [complexity(Metrics(branches=number, nesting=0, predicates=0, tables=1)) for number in (3, 4, 8, 9)]
    assert levels == [Level.LOW, Level.MEDIUM, Level.MEDIUM, Level.HIGH]


SIMPLE, MIDDLE, COMPLEX = (Metrics(branches=number, nesting=0, predicates=0, tables=1) for number in (1, 5, 12))


@pytest.mark.parametrize(
    ("more", "less"),
    [
        ((Kind.FLAG, SIMPLE, 1, 1), (Kind.FLAG, SIMPLE, 4, 0)),
        ((Kind.FLAG, SIMPLE, 4, 0), (Kind.FLAG, SIMPLE, 2, 0)),
        ((Kind.FLAG, COMPLEX, 1, 0), (Kind.FLAG, MIDDLE, 1, 0)),
        ((Kind.VALIDATION, SIMPLE, 1, 0), (Kind.FLAG, SIMPLE, 1, 0)),
        ((Kind.CLASSIFICATION, MIDDLE, 1, 0), (Kind.DEFAULT, MIDDLE, 1, 0)),
    ],
)
def test_urgency_is_in_this_order(more, less):
    assert urgency(*more)[0] > urgency(*less)[0]


def test_urgency_says_why():
    assert urgency(Kind.VALIDATION, COMPLEX, 3, 2)[1] == (
        "2 near copies differ, stands in 3 places, complex, decides which data counts, a rule of the business"
    )
    assert urgency(Kind.FLAG, SIMPLE, 1, 0)[1] == "simple, and stands once"


@given(st.lists(st.floats(0, 20), max_size=40))
def test_a_third_at_most_is_high_and_they_are_the_most_urgent(urgencies):
    levels = priorities(urgencies)
    high = [number for number, level in zip(urgencies, levels, strict=True) if level is Level.HIGH]
    others = [number for number, level in zip(urgencies, levels, strict=True) if level is not Level.HIGH]
    assert len(high) <= max(1, len(urgencies) // 3)
    assert not high or not others or min(high) >= max(others)
