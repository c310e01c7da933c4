"""What `enabled` switches off in a project is not looked into, and is named."""

import pytest

from olist_pipeline.audit.audit import audit

RULE = "select case when total > 100 then 'big' else 'small' end as size from orders"
PROJECT = "name: shop\nvars: {has_gifts: false}\nmodels: {shop: {}}\n"


def project(tmp_path, files, settings=PROJECT):
    for name, text in {"dbt_project.yml": settings, **files}.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def models(found):
    return {entry.finding.model for entry in found.entries}


@pytest.mark.parametrize(
    ("said", "is_read"),
    [
        ("enabled=false", False),
        ("enabled=var('has_gifts')", False),
        ("enabled=var('has_gifts', true) and target.type == 'duckdb'", False),
        ("enabled=target.type == 'snowflake'", False),
        ("enabled=target.get('type') in ('duckdb', 'postgres')", True),
        ("enabled=target.name != 'dev'", True),
        ("enabled=var('nobody_gives_it')", True),
        ("enabled=theirs.is_on()", True),
        ("materialized='table'", True),
    ],
)
def test_the_model_itself_says_so(tmp_path, said, is_read):
    files = {"models/gifts.sql": f"{{{{ config({said}) }}}} {RULE}", "models/orders.sql": RULE}
    found = audit(project(tmp_path, files), dialect="duckdb")
    assert models(found) == {"orders", "gifts"} if is_read else {"orders"}
    assert any("One file is switched off by `enabled`" in warning for warning in found.warnings) is not is_read


def test_one_that_cannot_be_rendered_is_no_problem_where_it_is_off(tmp_path):
    files = {"models/gifts.sql": "{{ config(enabled=false) }} select {{ 1 / 0 }}", "models/orders.sql": RULE}
    assert audit(project(tmp_path, files), dialect="duckdb").problems == ()


def test_the_project_and_properties_say_so_and_the_model_has_the_last_word(tmp_path):
    settings = (
        "name: shop\nmodels:\n  shop:\n    gifts:\n      +enabled: \"{{ target.name == 'dev' }}\"\n"
        "    cards: {enabled: false}\ntests:\n  +enabled: false\n"
    )
    files = {
        "models/gifts/boxes.sql": RULE,
        "models/gifts/wraps.sql": f"{{{{ config(enabled=true) }}}} {RULE}",
        "models/gifts/bows.sql": RULE,
        "models/cards.sql": RULE,
        "models/coupons.sql": RULE,
        "models/shop.yml": "models: [{name: bows, config: {enabled: true}}, {name: coupons, config: {enabled: 'no'}}]",
        "tests/no_loss.sql": "select * from orders where total < 0",
    }
    found = audit(project(tmp_path, files, settings), dialect="duckdb")
    assert models(found) == {"wraps", "bows"}
    assert found.warnings == (
        "4 files are switched off by `enabled` for the target prod and not looked into"
        " (cards, coupons, boxes, no_loss); --target or --vars may switch them on.",
    )
    assert models(audit(tmp_path, dialect="duckdb", target="dev")) == {"wraps", "bows", "boxes"}


def test_what_properties_say_of_it_goes_with_it(tmp_path):
    properties = """
models:
- name: gifts
  columns: [{name: state, data_tests: [{accepted_values: {values: [new]}}]}]
- name: orders
  columns:
  - name: state
    data_tests:
    - accepted_values: {arguments: {values: [paid]}, config: {enabled: "{{ target.name != 'prod' }}"}}
    - dbt_utils.accepted_range: {min_value: 1}
unit_tests: [{name: by_example, model: orders, config: {enabled: false}, expect: {rows: [{is_big: true}]}}]
semantic_models:
- name: sums
  model: ref('orders')
  config: {enabled: false}
  measures: [{name: big, expr: "case when a > 3 then 1 end"}]
"""
    files = {
        "models/gifts.sql": "{{ config(enabled=false) }} select 1 as state",
        "models/orders.sql": "select 1 as state",
        "models/shop.yml": properties,
    }
    found = audit(project(tmp_path, files), dialect="duckdb")
    assert [(entry.finding.model, entry.finding.sql) for entry in found.entries] == [("orders", "state >= 1")]


def test_of_two_models_of_one_name_the_other_one_is_read(tmp_path):
    """Packages have a file for each adapter."""
    files = {
        "models/duckdb/orders.sql": f"{{{{ config(enabled=target.type == 'duckdb') }}}} {RULE}",
        "models/spark/orders.sql": f"{{{{ config(enabled=target.type == 'spark') }}}} {RULE}",
        "models/shop.yml": "models: [{name: orders, data_tests: [{theirs.is_true: {expression: 'a > 3'}}]}]",
    }
    found = audit(project(tmp_path, files), dialect="duckdb")
    assert [entry.finding.file for entry in found.entries] == ["models/duckdb/orders.sql", "models/shop.yml"]


def test_a_version_of_a_model_is_off_by_itself(tmp_path):
    properties = """
models:
- name: orders
  latest_version: 2
  columns: [{name: state, data_tests: [{accepted_values: {values: [paid]}}]}]
  versions:
  - {v: 1, config: {enabled: false}, columns: [{name: total, data_tests: [{theirs.is_true: {expression: '< 9'}}]}]}
  - {v: 2, columns: [{name: total, data_tests: [{theirs.is_true: {expression: '< 8'}}]}]}
  - {v: 3, defined_in: orders_to_come, config: {enabled: "{{ target.name == 'dev' }}"}}
"""
    files = {f"models/{name}.sql": RULE for name in ("orders_v1", "orders.v2", "orders_to_come")}
    found = audit(project(tmp_path, {**files, "models/shop.yml": properties}), dialect="duckdb")
    tests = [entry.finding.sql for entry in found.entries if entry.finding.clause == "test"]
    assert (models(found), tests) == ({"orders.v2", "orders"}, ["state IN ('paid')", "total < 8"])
    assert "orders_to_come" in models(audit(tmp_path, dialect="duckdb", target="dev"))
