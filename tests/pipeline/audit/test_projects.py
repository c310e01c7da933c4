"""Jinja, manifests, lines, variables and contexts of dbt projects."""

import json

import pytest

from olist_pipeline.audit.audit import audit
from olist_pipeline.audit.jinja import MacroText, Renderer
from olist_pipeline.audit.lines import LineMap


def rendered(text, macros="", variables=None, **options):
    sources = [MacroText("shop", "macros.sql", macros)] if macros else []
    return " ".join(
        Renderer(sources, variables or {}, "snowflake", "shop").render(text, "orders", **options).sql.split()
    )


@pytest.mark.parametrize(
    ("text", "sql"),
    [
        ("select * from {{ ref('orders') }}", "select * from orders"),
        ("select * from {{ ref('shop', 'orders', v=2) }}", "select * from orders_v2"),
        ("select * from {{ source('raw-data', 'orders') }}", "select * from raw_data.orders"),
        ("{{ config(materialized='table') }} select {{ var('limit') }}", "select 30"),
        ("select {{ var('nowhere', 7) }}", "select 7"),
        ("select '{{ target.type }}', '{{ this }}'", "select 'snowflake', 'orders'"),
        ("{% if target.name == 'dev' %}x{% else %}y{% endif %}", "y"),
        ("{% if execute %}x{% endif %}{% for c in adapter.get_columns_in_relation(this) %}{{ c }}{% endfor %}z", "z"),
        ("{%- call statement('s') -%}select 1{%- endcall -%}q", "q"),
        ("{% snapshot s %}select 1{% endsnapshot %}", "select 1"),
        ("{% set rows = run_query('select 1') %}{{ rows.columns | length }}", "0"),
        ("select 1 {{ dbt_utils.group_by(3) }}", "select 1 group by 1, 2, 3"),
        ("select 1 from a left join{{ ref('b') }}as b on true", "select 1 from a left join b as b on true"),
        ("{% set a, b = theirs.limits() %}select {{ a }}, {{ b }}", "select limits(), limits()"),
        ("{{ config(unique_key='id') }}select a as {{ config.get('unique_key') }}", "select a as id"),
        ("{% set a, b = 1, 2 %}select {{ a }}, {{ b }}", "select 1, 2"),
        ("select cast(a as {{ api.Column.translate_type('json') }})", "select cast(a as json)"),
        ("select {{ context['limits'] is defined }}, {{ context.get('var')('limit') }}", "select False, 30"),
        (
            "select '{{ target.get('name') }}{{ target['type'] }}{{ target.get('catalog', 'none') }}'",
            "select 'prodsnowflakenone'",
        ),
        (
            "{% if flags.STORE_FAILURES or flags.WHICH == 'run' %}x{% endif %}y{{ invocation_args_dict.get('x', 1) }}",
            "y1",
        ),
        ("{% set f = modules.datetime.datetime.strftime %}select {{ f(run_started_at, '%Y') }}", "select 2020"),
    ],
)
def test_what_dbt_gives_to_templates(text, sql):
    assert rendered(text, variables={"limit": 30}) == sql


def test_a_macro_is_found_by_a_name_that_is_put_together():
    macros = "{% macro to_cents(x) %}{{ x }} * 100{% endmacro %}"
    assert rendered("select {{ context['to_' ~ 'cents']('a') }}, {{ context.get('to_cents')('b') }}", macros) == (
        "select a * 100, b * 100"
    )


def test_what_only_settings_ask_for_is_not_missed():
    text = "{{ config(schema=theirs.place(), enabled=var('on') and ours() == 'x') }}select {{ theirs.limit() }}, {{ "
    found = Renderer([], {}, "snowflake", "shop").render(f"{text}place }}}} from {{{{ var('table') }}}}", "a")
    assert (found.unknown, found.unset) == (((1, "Macro theirs.limit"), (1, "Name place")), ((1, "table"),))
    assert found.settings.keys() == {"schema", "enabled"}


def test_macros_return_call_each_other_and_are_found_by_dialect():
    macros = """
    {% macro days() %}{{ return([1, 2]) }}{% endmacro %}
    {% macro both() %}{% for day in days() %}d{{ day }} {% endfor %}{% endmacro %}
    {% macro money(x) %}{{ return(adapter.dispatch('money', 'shop')(x)) }}{% endmacro %}
    {% macro default__money(x) %}plain({{ x }}){% endmacro %}
    {% macro snowflake__money(x) %}cold({{ x }}){% endmacro %}
    {% test never(model) %}select 1{% endtest %}
    """
    assert rendered("{{ both() }}{{ shop.money('a') }}", macros) == "d1 d2 cold(a)"


def test_a_file_of_macros_is_read_for_its_macros_alone():
    text = "{{ half(1) }} {# {% macro half(x) %}none{% endmacro %} #}\n{% macro half(x) %}{{ x }} / 2{% endmacro %}"
    assert rendered("select {{ half('a') }}", text) == "select a / 2"


def test_a_package_that_hands_a_macro_on_to_dbt_has_an_end():
    theirs = "{% macro default__concat(fields) %}{{ return(dbt.concat(fields)) }}{% endmacro %}"
    ours = "{% macro joined() %}{{ adapter.dispatch('concat', 'dbt')(['a', 'b']) }}{% endmacro %}"
    assert rendered("{{ joined() }}", theirs + ours) == "a || b"


def test_loops_over_the_columns_of_a_database_turn_once_where_rows_are_made_up():
    text = "{% for c in adapter.get_columns_in_relation(ref('a')) %}coalesce({{ c.name }}, 'none'){% endfor %}"
    assert (rendered(text), rendered(text, has_rows=True).startswith("coalesce(")) == ("", True)


def test_an_incremental_branch_is_rendered_when_asked():
    text = "select 1{% if is_incremental() %} where a > 1{% endif %}"
    assert (rendered(text), rendered(text, is_incremental=True)) == ("select 1", "select 1 where a > 1")


def test_lines_are_those_of_the_template():
    loop = "{% for x in ['p', 'q'] %}\n  sum(case when k = '{{ x }}' then v end) as {{ x }},\n{% endfor %}\n"
    turns = "".join(f"\n  sum(case when k = '{x}' then v end) as {x},\n" for x in "pq")
    template, sql = (f"select\n  a,\n{middle}  b\nfrom t\n" for middle in (loop, f"{turns}\n"))
    lines = LineMap(template, sql)
    assert [lines.line_of(number, number, "") for number in (1, 2, 4, 6, 8, 9)] == [1, 2, 4, 4, 6, 7]


TIER = """
{% macro tier(x) %}
  case
    when {{ x }} > {{ var('vip_from') }} then 'VIP'
    else 'NEW'
  end
{% endmacro %}
"""
ORDERS = """\
select
  id,
  {{ tier('total') }} as order_tier,
  {{ tier('spent') }} as spending_tier
from {{ ref('stg') }}
"""
USERS = "select iff(age < 18, 'minor', 'adult') as age_group from {{ source('app', 'users') }}"


@pytest.fixture
def project(tmp_path):
    """A small dbt project: a profile of Snowflake, a macro over several lines, properties, a variable."""
    files = {
        "dbt_project.yml": "name: shop\nprofile: shop\nvars: {shop: {vip_from: 10}}\n",
        "profiles.yml": "shop: {target: prod, outputs: {prod: {type: snowflake}}}\n",
        "macros/tier.sql": TIER,
        "models/sales/orders.sql": ORDERS,
        "models/sales/orders.yml": "models: [{name: orders, config: {meta: {context: selling}}}]\n",
        "models/people/users.sql": USERS,
        "target/run/ignored.sql": "select case when a > 1 then 'x' else 'y' end as b from t",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def places(found):
    return [(entry.finding.file, entry.finding.line, entry.finding.column) for entry in found.entries]


def test_a_project_is_audited_by_what_it_says_of_itself(project):
    found = audit(project)
    assert found.problems == ()
    assert found.dialect == "snowflake"
    assert places(found) == [
        ("models/people/users.sql", 1, "age_group"),
        ("models/sales/orders.sql", 3, "order_tier"),
        ("models/sales/orders.sql", 4, "spending_tier"),
    ]
    assert [entry.context for entry in found.entries] == ["people", "selling", "selling"]
    assert "> 10 then" in found.entries[1].finding.sql.lower()


def test_a_folder_of_a_project_knows_its_macros(project):
    assert len(audit(project / "models" / "sales").entries) == 2
    assert len(audit(project / "models" / "sales" / "orders.sql").entries) == 2


def test_a_variable_may_be_a_template(project):
    says = "{{ 12 if target.name == 'prod' else 1 }}"
    (project / "dbt_project.yml").write_text(f'name: shop\nprofile: shop\nvars: {{vip_from: "{says}", odd: "{{x"}}\n')
    [tier, _] = audit(project / "models" / "sales").entries
    assert "> 12 then" in tier.finding.sql.lower()


def test_one_file_is_in_the_dialect_of_its_project(tmp_path):
    (tmp_path / "dbt_project.yml").write_text("name: vault\n")
    (tmp_path / "models").mkdir()
    for number in range(3):
        (tmp_path / "models" / f"m{number}.sql").write_text("select [a].[b] as c, isnull(d, 'none') as d from [a]")
    found = audit(tmp_path / "models" / "m0.sql")
    assert (found.dialect, found.problems) == ("tsql", ())


def manifest_of(project, raw, compiled):
    node = {"original_file_path": "models/sales/orders.sql", "raw_code": raw, "compiled_code": compiled}
    return {"metadata": {"adapter_type": "bigquery"}, "nodes": {"model.shop.orders": node}, "macros": {}}


def test_compiled_code_of_the_manifest_comes_first(project):
    raw = (project / "models/sales/orders.sql").read_text()
    compiled = "select\n  id,\n  case when total > 99 then 'VIP' else 'NEW' end as order_tier,\n  1 as one\nfrom stg"
    (project / "target" / "manifest.json").write_text(json.dumps(manifest_of(project, raw, compiled)))
    found = audit(project)
    assert found.dialect == "bigquery"
    assert "> 99" in found.entries[1].finding.sql
    assert found.entries[1].finding.line == 3


def test_compiled_code_of_another_text_is_not_used(project):
    (project / "target" / "manifest.json").write_text(json.dumps(manifest_of(project, "select 1", "select 2")))
    assert len(audit(project).entries) == 3


def test_macros_of_a_package_that_is_not_installed_come_from_the_manifest(project):
    (project / "models" / "sales" / "orders.sql").write_text(
        "select {{ pack.big('n') }} as is_big from {{ ref('stg') }}"
    )
    manifest = manifest_of(project, "", "")
    manifest["macros"]["macro.pack.big"] = {
        "name": "big", "package_name": "pack", "macro_sql": "{% macro big(x) %}{{ x }} > 500{% endmacro %}",
    }  # fmt: skip
    (project / "target" / "manifest.json").write_text(json.dumps(manifest))
    found = audit(project)
    assert found.problems == ()
    assert ("models/sales/orders.sql", 1, "is_big") in places(found)
