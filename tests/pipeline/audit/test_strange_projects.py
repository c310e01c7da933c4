"""Projects that lack what they need, or are written as nobody thought of: no file is lost."""

import json

import pytest

from olist_pipeline.audit.audit import audit
from olist_pipeline.audit.findings import Place, audit_sql
from olist_pipeline.audit.jinja import MacroText, Renderer
from olist_pipeline.audit.model import Kind
from olist_pipeline.audit.normal import shape_of
from olist_pipeline.audit.reading import Job, Reader

ENDED = "{% endmacro %}"
RULE = "select id, case when total > 100 then 'big' else 'small' end as size from orders"


def read(folder, text, *, dialect="duckdb", macros="", models=(), variables=None):
    """Audit one model in this process; `models` are others of its project, by name."""
    sources = [MacroText("shop", "macros.sql", macros)] if macros else []
    paths = {}
    for name, sql in dict(models).items():
        paths[name] = folder / f"{name}.sql"
        paths[name].write_text(sql)
    file = folder / "model.sql"
    file.write_text(text)
    reader = Reader(dialect, Renderer(sources, variables or {}, dialect, "shop"), folder, paths)
    return reader.audit(Job(str(file), "model.sql", None))


def shown(audited):
    return [(finding.line, finding.column, str(finding.kind)) for finding in audited.findings]


@pytest.mark.parametrize(
    ("sql", "lines"),
    [
        ("select\n  a,\n  case when cast(x as decimal) > 3 then 'p' else 'q' end as c\nfrom t", [3]),
        ("select\n  a,\n  if(\n    x > 3, 'p', 'q') as c,\n  coalesce(\n    b,\n    'none') as d\nfrom t", [3, 5]),
        ("select a\nfrom t\nwhere cast(b as decimal)\n  > 3", [3]),
    ],
)
def test_a_line_is_one_that_is_written(sql, lines):
    """sqlglot fills (18, 3) in for a decimal without a size, whose literals have positions of their own."""
    assert [finding.line for finding in audit_sql(sql, Place("m.sql", "m", "duckdb")).findings] == lines


def test_a_macro_over_several_lines_is_on_the_line_of_its_call(tmp_path):
    macros = "{% macro size(x, top) %}case\n when {{ x }} > {{ top }} then 'big'\n else 'small'\nend{% endmacro %}"
    found = read(tmp_path, "select\n  id,\n  {{ size(\n    'total',\n    100\n  ) }} as size\nfrom t", macros=macros)
    assert shown(found) == [(3, "size", "classification")]


def test_what_fails_at_one_expression_is_kept_to_it(monkeypatch):
    def fail(nodes, column, query):
        if column == "bad":
            raise AttributeError("no such part")
        return shape_of(nodes, column, query)

    monkeypatch.setattr("olist_pipeline.audit.findings.shape_of", fail)
    sql = "select\n  a > 5 as bad,\n  a > 7 as good\nfrom t where a > 9"
    audited = audit_sql(sql, Place("m.sql", "m", "duckdb"))
    assert [finding.column for finding in audited.findings] == ["good", "a"]
    [problem] = audited.problems
    assert (problem.line, "was not looked into: a > 5" in problem.message) == (2, True)


def test_only_the_part_that_cannot_be_parsed_is_lost(tmp_path):
    sql = f"""with good as ({RULE}),
strange as (select % from ! t),
also as (select a > 5 as is_a from u)
select id, coalesce(size, 'none') as size from good where id > 3"""
    audited = read(tmp_path, sql)
    assert [column for _, column, _ in shown(audited)] == ["size", "id", "size", "is_a"]
    assert [problem.line for problem in audited.problems] == [2]


def test_a_variable_without_a_value_is_named_with_what_to_type(tmp_path):
    text = "select id from t where total > {{ var('least_total') }}\n{% for c in var('columns') %}, {{ c }}{% endfor %}"
    audited = read(tmp_path, text.replace("\n", "\n-- "))
    assert shown(audited) == [(1, "total", "validation")]
    assert [problem.message for problem in audited.problems] == [
        "Variable least_total has no value: give it with --vars '{least_total: ...}'.",
        "Variable columns has no value: give it with --vars '{columns: ...}'.",
    ]
    broken = read(tmp_path, "{{ var('parts')['a'].b / 'x' }}")
    assert "variable parts has no value" in broken.problems[0].message
    given = read(tmp_path, "select id from t where total > {{ var('least_total') }}", variables={"least_total": 9})
    assert (given.findings[0].sql, given.problems) == ("total > 9", ())


@pytest.mark.parametrize(
    "text",
    [
        "var('x')[0]",
        "var('x')[:2]",
        "var('x')['a'].b",
        "var('x').get('a')",
        "var('x') / 2",
        "2 - var('x')",
        "-var('x') | abs",
        "var('x') | last",
        "var('x') | tojson",
        "['a'] + var('x')",
        "var('x').strftime('%Y')",
        "fromjson(var('x')).a",
        "dict(a=var('x'))",
        "modules.datetime.datetime.strptime(var('x'), '%Y-%m-%d') - modules.datetime.timedelta(days=var('x'))",
        "modules.re.sub('a', 'b', var('x'))",
    ],
)
def test_a_variable_without_a_value_may_be_used_as_anything(tmp_path, text):
    audited = read(tmp_path, f"-- {{{{ {text} }}}}\n{{% for k, v in var('x').items() %}}{{% endfor %}}{RULE}")
    [problem] = audited.problems
    assert problem.message == "Variable x has no value: give it with --vars '{x: ...}'."
    assert [finding.column for finding in audited.findings] == ["size"]


def test_what_a_plain_value_has_not_is_nothing_and_no_macro(tmp_path):
    first = "{% set first = run_query('select 1')[0] %}{% set rows = [] %}"
    audited = read(
        tmp_path, first + RULE.replace("from", "{{ rows[0] }}{{ first }}{{ {}['a'].b }}{{ null or '' }} from")
    )
    assert audited.problems == ()
    assert len(audited.findings) == 1


def test_a_column_may_be_called_from_in_spark(tmp_path):
    text = "select case when from = to then 1 else 2 end as rate, from, t.to from t where from.a > 5"
    audited = read(tmp_path, text, dialect="spark")
    assert (audited.problems, [kind for *_, kind in shown(audited)]) == ((), ["classification", "validation"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("select a from t where b =", "This is no duckdb SQL: a part is missing at '='."),
        ("select a b c from t", "This is no duckdb SQL: 'c' is not expected."),
        ("{{ source('a') }}", "Its Jinja cannot be rendered: source() missing 1 required positional argument: 'name'"),
    ],
)
def test_what_is_wrong_is_said_without_the_names_of_our_own_classes(tmp_path, text, said):
    assert any(problem.message.startswith(said) for problem in read(tmp_path, text).problems)


def test_a_loop_over_the_rows_of_a_query_turns_once(tmp_path):
    text = """{% set tables = run_query('select 1').columns[0].values() if execute else [] %}
{% for t in tables %}
select id, total > 100 as is_big, '{{ t.split('.')[2].split('_')[0] }}' as shop from {{ t }}
{% if not loop.last %}union all{% endif %}
{% endfor %}"""
    audited = read(tmp_path, text)
    assert shown(audited) == [(3, "is_big", "flag")]
    assert audited.problems == ()


def test_a_macro_that_nobody_knows_loses_no_query(tmp_path):
    text = f"with a as (select {{{{ pack.fill(columns=[1]) }}}} {{{{ pack.more() }}}} from t)\n{RULE}"
    audited = read(tmp_path, text)
    assert shown(audited) == [(2, "size", "classification")]
    assert [problem.message.split()[1] for problem in audited.problems] == ["pack.fill", "pack.more"]


def test_a_macro_that_is_called_like_a_form_of_sql_is_a_call_and_one_of_an_adapter_is_known(tmp_path):
    sql = """with one as ({{ dbt_utils.snowflake__deduplicate(ref('a'), 'id', 'at desc') }})
    select {{ theirs.try_cast('x', 'int') }} as x, coalesce(y, 'none') as y from one"""
    found = read(tmp_path, sql)
    assert [problem.message.split(" is not")[0] for problem in found.problems] == ["Macro theirs.try_cast"]
    assert [(finding.column, str(finding.kind)) for finding in found.findings] == [
        ("x", "validation"),
        ("y", "default"),
    ]


def test_zero_for_a_sum_of_another_model_is_no_default_and_for_a_cell_it_is(tmp_path):
    models = {
        "totals": "with o as (select * from orders) select customer, count(*) as bought, max(x) + sum(y) as spent"
                  " from o group by 1",
        "passed_on": "select t.customer, t.spent, c.discount from {{ ref('totals') }} t join cells c using (customer)",
        "scored": "select customer, ntile(5) over (order by spent) as score from {{ ref('totals') }}",
        "sums_v1": "select customer, x, y from cells",
        "sums_v2": "select customer, sum(x) as x from cells group by 1",
        "sums_v10": "select customer, sum(x) as x, sum(y) as y from cells group by 1",
    }  # fmt: skip
    text = """select coalesce(a.bought, 0) as bought, coalesce(b.spent, 0) as spent,
    coalesce(b.discount, 0) as discount,
    coalesce(s.score, 0) as score,
    coalesce(latest.y, 0) as latest, coalesce(second.x, 0) as second, coalesce(first.x, 0) as first
    from c left join {{ ref('sums') }} latest on latest.customer = c.id
    left join {{ ref('sums', v=2) }} second on second.customer = c.id
    left join {{ ref('sums', version=1) }} first on first.customer = c.id
    left join {{ ref('totals') }} a on a.customer = c.id left join {{ ref('passed_on') }} b on b.customer = c.id
    left join {{ ref('scored') }} s on s.customer = c.id"""
    assert [column for _, column, _ in shown(read(tmp_path, text, models=models))] == ["discount", "score", "first"]


def test_from_when_rows_are_new_is_no_rule_and_a_limit_in_the_same_branch_is(tmp_path):
    text = """select id from t {% if is_incremental() %}
where updated_at > '{{ var("from_day", "2024-01-01") }}' and amount between 1 and 50000 {% endif %}"""
    assert [column for _, column, _ in shown(read(tmp_path, text))] == ["amount"]


@pytest.mark.parametrize(
    ("macro", "found"),
    [
        ("try_cast({{ x }} as int)", []),
        ("case when {{ x }} ~ '^[0-9]+$' then {{ x }}::int end", []),
        ("case when {{ x }} > 900 then 'big' else 'small' end", ["classification"]),
    ],
)
def test_a_macro_that_only_converts_is_technical_and_one_that_decides_is_not(tmp_path, macro, found):
    audited = read(
        tmp_path,
        "select {{ m('a') }} as b from t",
        macros="{% macro m(x) %}" + macro + ENDED,
        dialect="postgres",
    )
    assert [kind for _, _, kind in shown(audited)] == found


def test_the_same_conversion_written_in_a_model_is_validation(tmp_path):
    assert [kind for _, _, kind in shown(read(tmp_path, "select try_cast(a as int) as b from t"))] == [Kind.VALIDATION]


@pytest.mark.parametrize("dialect", ["postgres", "duckdb", "snowflake", "bigquery"])
def test_what_is_not_like_a_pattern_is_said_and_no_copy_of_what_is(tmp_path, dialect):
    found = [
        finding
        for word in ("like", "not like")
        for finding in read(tmp_path, f"select id from t where a {word} 'x%'", dialect=dialect).findings
    ]
    assert [finding.statement for finding in found] == [
        f"Only rows count of which a {word} x%." for word in ("is like", "is not like")
    ]
    assert found[0].shape.normal != found[1].shape.normal


@pytest.fixture
def project(tmp_path):
    files = {
        "dbt_project.yml": "name: shop\nprofile: x\nmodels:\n  shop:\n    sales:\n      +meta: {context: selling}\n"
        "      special: {+group: vip}\n",
        "models/sales/a.sql": RULE,
        "models/sales/special/b.sql": RULE,
        "models/sales/c.sql": "{{ config(meta={'context': 'own'}) }}\n" + RULE,
        "models/sales/d_v2.sql": RULE,
        "models/sales/p.yml": "models: [{name: d, config: {meta: {context: named}}}]\n",
        "models/people/e.sql": "select x > 5 as is_x from t where y > {{ var('y') }}",
        "tests/t.sql": "select id from {{ ref('a') }} where size = 'huge'",
        "audit_waivers.yml": "- {model: gone, column: x, reason: It was here.}\n",
    }  # fmt: skip
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_contexts_warnings_variables_and_tests_of_a_project(project):
    found = audit(project, variables={"y": 4})
    assert {entry.finding.model: entry.context for entry in found.entries} == {
        "a": "selling", "b": "vip", "c": "own", "d_v2": "named", "e": "people", "t": "none",
    }  # fmt: skip
    assert "y > 4" in {entry.finding.sql for entry in found.entries}
    assert found.problems == ()
    assert ["gone.x" in warning or "is a guess" in warning for warning in found.warnings] == [True, True]
    [checked] = [entry.finding for entry in found.entries if entry.finding.model == "t"]
    assert (checked.file, checked.kind) == ("tests/t.sql", Kind.VALIDATION)


def test_a_link_to_a_folder_is_a_problem_and_no_model_in_python(project):
    (project / "models" / "back").symlink_to(project)
    found = audit(project, variables={"y": 4})
    assert {problem.message for problem in found.problems} == {"It is a link to a folder, which is not followed."}
    assert not [warning for warning in found.warnings if "Python" in warning]


def test_an_ephemeral_model_counts_once(project):
    text = "select id, size from {{ ref('a') }}"
    (project / "models/people/e.sql").write_text(text)
    compiled = f"with __dbt__cte__a as ({RULE})\nselect id, size from __dbt__cte__a"
    node = {"original_file_path": "models/people/e.sql", "raw_code": text, "compiled_code": compiled, "name": "e"}
    (project / "target").mkdir()
    (project / "target/manifest.json").write_text(json.dumps({"nodes": {"model.shop.e": node}}))
    assert "e" not in {entry.finding.model for entry in audit(project).entries}


def test_files_that_are_no_sql_of_the_dialect_are_a_hint(tmp_path):
    for number in range(4):
        (tmp_path / f"{number}.sql").write_text(
            "select `a.b.c`.x, safe_cast(y as int64), array<int64>[1 from `p.d.t` !"
        )
    [warning] = audit(tmp_path, dialect="postgres").warnings
    assert "4 of 4 files hold what is no postgres SQL" in warning
    assert "looks like bigquery" in warning


def test_conditions_on_columns_of_one_name_are_apart_by_relation(tmp_path):
    sql = """select a.id from lows as a join highs as b on b.id = a.id
    where a.vendor = 'NORTH' and b.vendor = 'SOUTH' and a.low is not null and a.low > 0"""
    found = read(tmp_path, sql).findings
    assert [finding.sql for finding in found] == [
        "a.vendor = 'NORTH'",
        "b.vendor = 'SOUTH'",
        "NOT a.low IS NULL AND a.low > 0",
    ]


def test_the_line_after_a_tag_of_several_lines_is_that_of_its_end(tmp_path):
    sql = "select id\nfrom {{ ref(\n    'rides'\n) }} where city = 'Bonn'\nand {{ ref(\n'x') }}_id > 4"
    assert [(finding.line, finding.column) for finding in read(tmp_path, sql).findings] == [(4, "city"), (5, "x_id")]


@pytest.mark.parametrize(
    ("text", "is_lost"),
    [
        ("grant select on future views in schema shop.marts to role analyst", False),
        ("comment on column t.a is 'the case where we delete'", False),
        ("create table `t` (`a` bigint(20) default 0 on update now(), key `k` (`a`) using btree)", False),
        ("create strange thing as select a > 5 from t", True),
    ],
)
def test_statements_without_logic_are_not_missed(tmp_path, text, is_lost):
    assert bool(read(tmp_path, text, dialect="snowflake").problems) == is_lost


def test_what_dbt_gives_to_every_template_is_known(tmp_path):
    names = "{{ thread_id }} {{ dbt_metadata_envs.get('a') }} {{ set_strict([1]) }} {{ zip_strict([1], [2]) | list }}"
    arrays = "{{ dbt.array_append(dbt.array_construct(['1', 'b']), array_concat('c', 'd')) }}"
    assert read(tmp_path, f"-- {names}\nselect {arrays} as a from t where b > 5").problems == ()
    asked = "select a from t {% if adapter.type() == target.type == 'sqlserver' %} where b > 5 {% endif %}"
    assert [column for _, column, _ in shown(read(tmp_path, asked, dialect="tsql"))] == ["b"]


def test_a_macro_that_writes_no_sql_while_nothing_is_run_is_read_as_in_a_run(tmp_path):
    columns = "{% if execute %}{{ return(graph.nodes[m]['columns'] or []) }}{% endif %}"
    secret = f"{{% macro secret(m) %}}\n {columns}\n{{% endmacro %}}"
    text = "select {% for c in secret('m') %} md5(trim({{ c | trim }} || 'salt')), {% endfor %} a > 5 as is_big from t"
    audited = read(tmp_path, text, macros=secret)
    assert (audited.problems, [finding.column for finding in audited.findings]) == ((), ["is_big"])


def test_a_macro_knows_the_model_that_calls_it_and_not_the_first_that_did():
    macro = MacroText("shop", "macros.sql", "{% macro here() %}{{ this }} {{ execute }}{% endmacro %}")
    renderer = Renderer([macro], {}, "duckdb", "shop")
    assert renderer.render("{{ here() }}", "first").sql == "first False"
    assert renderer.render("{{ here() }}", "second", has_rows=True).sql == "second True"


def test_turns_of_a_loop_that_write_the_same_are_one_finding(tmp_path):
    text = """{% for name in ['a', 'b'] %}
select {{ loop.index }} as n, price from t where price > 0
  and kind = '{{ name }}'
{% if not loop.last %}union all{% endif %}{% endfor %}"""
    found = read(tmp_path, text)
    assert [(finding.line, finding.sql) for finding in found.findings] == [
        (2, "price > 0"),
        (3, "kind = 'a'"),
        (3, "kind = 'b'"),
    ]


@pytest.mark.parametrize(
    ("column", "sentence"),
    [
        ("coalesce(sum(a), 0) + coalesce(b, 7) as all_of_it", "A part of all of it is b; where that is missing, 7."),
        ("lower(case when a > 9 then 'X' else b end) as c", "A part of c is X when a is more than 9; b otherwise."),
        ("round(coalesce(b, 7), 2) as c", "C is b; where that is missing, 7."),
        ("sum(case when a > 9 then b end) as c", "C is b when a is more than 9."),
        ("count(distinct case when a > 9 then b end) as c", "C is b when a is more than 9."),
    ],
)
def test_a_sentence_says_whether_it_is_all_of_a_column(tmp_path, column, sentence):
    [finding] = read(tmp_path, f"select {column} from t group by b").findings
    assert finding.statement == sentence
