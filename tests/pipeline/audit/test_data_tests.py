"""Rules that stand in tests alone: of properties, singular ones and unit tests."""

from pathlib import Path

import pytest

from olist_pipeline.audit.data_tests import audit_properties, only_checks, without_what_models_say
from olist_pipeline.audit.findings import Place, audit_sql
from olist_pipeline.audit.model import Clause, Kind
from olist_pipeline.audit.semantics import audit_semantics
from olist_pipeline.yaml_text import compose

PROPERTIES = """\
models:
  - name: orders
    data_tests:
      - dbt_utils.expression_is_true:
          expression: "total >= paid"
      - dbt_utils.unique_combination_of_columns: {combination_of_columns: [id, day]}
    columns:
      - name: id
        data_tests: [unique, not_null]
      - name: status
        tests:
          - accepted_values:
              values: ['new', 'paid', "o'k"]
      - name: discount
        data_tests:
          - dbt_utils.accepted_range: {min_value: 0, max_value: 0.5}
          - dbt_expectations.expect_column_values_to_match_regex: {regex: '^[0-9]+$'}
      - name: customer_id
        data_tests:
          - relationships: {to: ref('customers'), field: id}
          - not_null:
              config: {where: "status <> 'new'"}
      - name: score
        data_tests:
          - accepted_values:
              arguments: {values: [1, 2, 3]}
          - is_close_to: {other: expected, tolerance: 3}
    versions: [{v: 2, columns: [{name: size, data_tests: [{accepted_values: {values: [big]}}]}]}]
sources:
  - name: raw
    tables:
      - name: lines
        columns: [{name: quantity, data_tests: [{dbt_utils.accepted_range: {min_value: 1}}]}]
unit_tests:
  - name: big_orders_are_big
    model: orders
    given: []
    expect: {rows: [{id: 1, is_big: true}]}
"""


def plain(text):
    return text


@pytest.fixture(scope="module")
def found():
    return audit_properties(compose(PROPERTIES), "orders.yml", "duckdb", plain).findings


def test_rules_of_data_tests_are_validation_with_their_lines(found):
    assert [(f.line, f.model, f.column, f.sql) for f in found] == [
        (4, "orders", "total", "total >= paid"),
        (12, "orders", "status", "status IN ('new', 'paid', 'o''k')"),
        (16, "orders", "discount", "discount >= 0 AND discount <= 0.5"),
        (17, "orders", "discount", "REGEXP_MATCHES(discount, '^[0-9]+$')"),
        (21, "orders", "customer_id", "NOT (status <> 'new') OR (NOT_NULL(customer_id))"),
        (25, "orders", "score", "score IN (1, 2, 3)"),
        (27, "orders", "score", "IS_CLOSE_TO(score, 'expected', 3)"),
        (28, "orders", "size", "size IN ('big')"),
        (33, "lines", "quantity", "quantity >= 1"),
        (35, "orders", "is_big", "BIG_ORDERS_ARE_BIG(id, is_big)"),
    ]
    assert {(f.kind, f.clause) for f in found} == {(Kind.VALIDATION, Clause.TEST)}


def test_a_rule_that_the_model_says_too_is_no_second_finding(found):
    model = """select total >= paid as is_covered, total > 500 as is_big,
        case when paid_at is null then 'new' else 'paid' end as status from t"""
    for name in ("orders", "orders_v2"):
        said = list(audit_sql(model, Place(f"{name}.sql", name, "duckdb")).findings)
        left = without_what_models_say([*said, *found])
        gone = {f.line for f in found} - {f.line for f in left if f.clause is Clause.TEST}
        assert gone == {4, 12, 35}
        assert [f for f in left if f.clause is not Clause.TEST] == said


def test_what_is_no_properties_file_holds_nothing():
    for text in ("", "models: 7", "- a\n- b", "models: [{name: [1], columns: {a: b}, tests: x}]"):
        assert audit_properties(compose(text), "x.yml", "duckdb", plain).findings == ()


def test_a_singular_test_says_what_no_row_may_be():
    sql = "select id from orders where total < 0 and status = 'paid'"
    checks = only_checks(audit_sql(sql, Place("t.sql", "t", "duckdb"))).findings
    assert [(f.column, f.kind) for f in checks] == [("total", Kind.VALIDATION), ("status", Kind.VALIDATION)]
    presence = "select id from orders where customer_id is null"
    assert only_checks(audit_sql(presence, Place("t.sql", "t", "duckdb"))).findings == ()


def test_lines_are_those_of_the_file(found):
    lines = PROPERTIES.splitlines()
    for finding in found:
        name = finding.statement.split()[2] if "unit test" not in finding.statement else "big_orders"
        assert name in lines[finding.line - 1], Path(finding.file)


SEMANTIC = """
semantic_models:
  - name: orders
    model: ref('fct_orders')
    dimensions:
      - name: size
        type: categorical
        expr: case when total > 100 then 'large' else 'small' end
      - {name: placed_on, type: time, expr: placed_at}
    measures:
      - name: gifts
        agg: sum
        expr: |
          case when kind in ('gift', 'voucher') then total else 0 end
metrics:
  - name: paid_revenue
    type: ratio
    filter: |
      {{ Dimension('order__status') }} = 'paid' and {{ TimeDimension('order__placed_at', 'day') }} >= '2020-01-01'
    type_params:
      numerator: {name: revenue, filter: "{{ Dimension('order__is_test') }} = false"}
      denominator: orders
"""


def test_constraints_and_conditions_on_rows_are_rules():
    text = """
models:
  - name: orders
    constraints:
      - {type: check, expression: "total >= paid"}
      - {type: primary_key, columns: [id]}
    columns:
      - name: total
        constraints: [{type: not_null}, {type: check, expression: "> 0"}]
        data_tests:
          - dbt_expectations.expect_column_values_to_not_be_null: {row_condition: "state = 'paid'"}
"""
    found = audit_properties(compose(text), "orders.yml", "postgres", plain).findings
    assert [(finding.line, finding.column, finding.sql) for finding in sorted(found, key=lambda f: f.line)] == [
        (5, "total", "total >= paid"),
        (9, "total", "total > 0"),
        (11, "total", "NOT (state = 'paid') OR (EXPECT_COLUMN_VALUES_TO_NOT_BE_NULL(total))"),
    ]


def test_the_filter_of_a_saved_query_is_read():
    where = "{{ Dimension('order__total') }} > 100"
    text = f'saved_queries: [{{name: big, query_params: {{metrics: [sales], where: ["{where}"]}}}}]'
    found = audit_semantics(compose(text), "orders.yml", "duckdb", lambda text: text).findings
    assert [(finding.column, finding.sql) for finding in found] == [("total", "total > 100")]


def test_the_semantic_layer_is_read():
    found = audit_semantics(compose(SEMANTIC), "orders.yml", "duckdb", lambda text: text)
    assert [(item.model, item.column, str(item.kind), item.line) for item in found.findings] == [
        ("fct_orders", "size", "classification", 8),
        ("fct_orders", "gifts", "classification", 14),
        ("paid_revenue", "status", "validation", 19),
        ("paid_revenue", "placed_at", "validation", 19),
        ("paid_revenue", "is_test", "validation", 21),
    ]
    assert found.problems == ()
    strange = compose("metrics: [1, {filter: [2, {a: b}]}]")
    assert audit_semantics(strange, "orders.yml", "duckdb", str).findings == ()


@pytest.mark.parametrize(
    ("query", "is_rule"),
    [
        ("select id from orders group by id having count(*) > 1", False),
        ("select id, count(1) as n from orders group by id having n > 1", False),
        ("select * from (select id, count(*) as row_count from orders group by id) as c where row_count >= 2", False),
        ("select buyer from orders group by buyer having count(distinct country) > 1", True),
        ("select buyer from orders group by buyer having count(*) > 5", True),
        ("select buyer from orders where refund_count > 1", True),
    ],
)
def test_a_singular_test_of_unique_keys_says_what_unique_does(query, is_rule):
    audited = audit_sql(query, Place("tests/once.sql", "once", "duckdb"))
    assert len(audited.findings) == 1
    assert len(only_checks(audited).findings) == is_rule
