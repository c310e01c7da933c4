"""A folder of files that nobody can read ends with a report, never with a hang or a silence."""

import os
import shutil
import time

import pytest

from olist_pipeline.audit.audit import audit
from olist_pipeline.audit.jinja import MacroText, Renderer
from olist_pipeline.audit.reading import Job, Reader
from olist_pipeline.errors import OlistError
from olist_pipeline.yaml_text import conflict_in, first_version
from tests.patience import patient

RULE = "select case when orders > 10 then 'VIP' else 'NEW' end as segment from customers\n"


def problem_of(text, tmp_path, macros=""):
    """Return the line and message of the one problem of a file."""
    file = tmp_path / "model.sql"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    sources = [MacroText("", "macros.sql", macros)] if macros else []
    reader = Reader("duckdb", Renderer(sources, {}, "duckdb", ""), tmp_path)
    [problem] = reader.audit(Job(str(file), "model.sql", None)).problems
    return problem.line, problem.message


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("select 1;\nselect a,\n  case when b > 1 then 'x'\nfrom t", 3, "no duckdb SQL"),
        ("select 'never closed\nfrom t", 1, "no duckdb SQL"),
        ("select 1\n{% if x %}\n, 2", 2, "not well formed"),
        ("select 1\n, {{ 1 + 'x' }}", 2, "cannot be rendered"),
        ("select 1\n, {{ exceptions.raise_compiler_error('no such month') }}", 2, "no such month"),
        ("select\n  {{ nobody_knows('a') }} as b from t", 2, "nobody_knows"),
        ("select\n  {{ their_package.nobody_knows('a') }} as b from t", 2, "nobody_knows"),
        ("select\n  {{ nobody_gave_it }} as b from t", 2, "name nobody_gave_it is not known"),
        ("select a,\n<<<<<<< HEAD\n  1\n||||||| base\n  2\n=======\n  3,,,\n>>>>>>> x\nfrom t", 2, "merge that is not"),
        ("{% macro a() %}{{ a() }}{% endmacro %}\nselect {{ a() }}", 2, "without an end"),
        ("select 1\n\n\0\1\2", 3, "binary"),
        ("select 1,\n '\xe9' from t".encode("latin-1"), 2, "not UTF-8"),
        ("select " + "(" * 3000 + "1" + ")" * 3000, 1, "nested too deeply"),
    ],
    ids=lambda value: None if isinstance(value, int) else str(value)[:30].encode("ascii", "replace").decode(),
)
def test_a_file_that_cannot_be_read_is_told_with_its_line(text, line, words, tmp_path):
    found_line, message = problem_of(text, tmp_path)
    assert found_line == line
    assert words.lower() in message.lower()


def test_marks_without_an_end_take_no_time():
    """Each of them was followed to the end of the text, from each mark before it."""
    marks = "<<<<<<< a\n=======\n" * 20_000
    assert (conflict_in(marks), first_version(marks)) == (None, marks)
    assert first_version(f"{marks}1\r\n>>>>>>> b\r\nx").splitlines() == [""] * 40_002 + ["x"]


def test_a_broken_macro_is_told_where_it_is_called(tmp_path):
    line, message = problem_of("select 1\n, {{ half('a') }} as b", tmp_path, macros="{% macro half(x) %}{% if %}")
    assert line == 2
    assert "macro half is not well formed in macros.sql, line 1" in message
    macros = "{% macro half(x) %}\n<<<<<<< HEAD\n1\n=======\n2\n>>>>>>> theirs\n{% endmacro %}"
    line, message = problem_of("select 1\n, {{ half('a') }} as b", tmp_path, macros=macros)
    assert line == 2
    assert "a merge that is not finished (<<<<<<<) in macros.sql, line 2, where macro half stands" in message


def test_the_statements_around_a_broken_one_are_read(tmp_path):
    file = tmp_path / "model.sql"
    file.write_text(f"{RULE};\nselect from where (;\n{RULE}")
    audited = Reader("duckdb", Renderer([], {}, "duckdb", ""), tmp_path).audit(Job(str(file), "model.sql", None))
    assert [finding.line for finding in audited.findings] == [1, 4]
    assert [problem.line for problem in audited.problems] == [3]


@pytest.mark.parametrize(
    ("text", "columns", "problems"),
    [
        (f"{RULE.replace(' from', ', b[1 :: ::] as u from')} where a > 5 and c ~~~ < and d = 'x'",
         {"segment", "a", "d"}, 2),
        ("with q as (select 1 a b c, try_cast(t as int) as n from t) select coalesce(z, 'none') as z from q",
         {"n", "z"}, 1),
        ("select coalesce(a, 'x') as a from t where q > 4 and and group by 1 union all select nvl(b, 'y') from t for",
         {"a", "q", "b"}, 2),
        ("select coalesce(a, 'x') as a, `b` from t where c = \"it's\"", {"a", "c"}, 1),
        ("{{ config(x=[) }}\nselect coalesce(a, 'x') as a from {{ ref('t') }} where {{ nothing. }} = 1 and c = 'y'",
         {"a", "of_a_template", "c"}, 1),
        ("{% set a = 1 + 'x' %}select\n{% if a %}coalesce(a, 'x') as a{% else %}b{% endif %}"
         "{% for n in m %}, case when {{ n }} > 4 then 'b' end as k{% if loop.last %},{% endif %}{% endfor %} from t",
         {"a", "k"}, 1),
        ("{{ theirs.head_of(1) }} where a is not null and b > 4", {"a", "b"}, 2),
        (b"select coalesce(a, 'x') as a -- caf\xe9\nfrom t", {"a"}, 1),
    ],
    ids=lambda value: None if isinstance(value, int | set) else str(value)[:30],
)  # fmt: skip
def test_what_cannot_be_read_takes_nothing_with_it(text, columns, problems, tmp_path):
    file = tmp_path / "model.sql"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    audited = Reader("duckdb", Renderer([], {}, "duckdb", ""), tmp_path).audit(Job(str(file), "model.sql", None))
    assert {finding.column for finding in audited.findings} == columns
    assert len(audited.problems) == problems


def test_a_folder_of_the_worst_ends_with_a_report(tmp_path):
    (tmp_path / "good.sql").write_text(RULE)
    (tmp_path / "also_good.sql").write_text(RULE)
    (tmp_path / "broken.sql").write_text("select a from t where (")
    (tmp_path / "binary.sql").write_bytes(b"\0" * 100)
    (tmp_path / "empty.sql").write_text("")
    (tmp_path / "large.sql").write_text("select 1 as a\n" + "union all select 2\n" * 560_000)
    (tmp_path / "endless.sql").write_text(
        "select 1\n{% set xs = [1] %}\n{% for x in xs %}{% do xs.append(x) %}{% endfor %}"
    )
    (tmp_path / "greedy.sql").write_text("select '{{ 'a' * 100000000000 }}'")
    (tmp_path / "gone.sql").symlink_to(tmp_path / "nowhere.sql")
    (tmp_path / "folder.sql").mkdir()
    assert (tmp_path / "large.sql").stat().st_size > 10_000_000
    start = time.monotonic()
    found = audit(tmp_path, seconds=1)
    assert time.monotonic() - start < patient(20)
    assert found.files == 9
    assert [(problem.file, problem.line) for problem in found.problems] == [
        ("binary.sql", 1),
        ("broken.sql", 1),
        ("endless.sql", 3),
        ("gone.sql", None),
        ("greedy.sql", 1),
        ("large.sql", None),
    ]
    assert [entry.finding.file for entry in found.entries] == ["also_good.sql", "good.sql"]


def test_a_body_in_a_text_is_told(tmp_path):
    body = "create function f(x int) returns text as $$ select case when x > 9 then 'a' else 'b' end $$ language sql"
    line, message = problem_of(f"select 1;\n{body}", tmp_path)
    assert (line, "not looked into" in message) == (2, True)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read_is_told(tmp_path):
    (tmp_path / "secret.sql").write_text(RULE)
    (tmp_path / "secret.sql").chmod(0)
    [problem] = audit(tmp_path).problems
    assert "Permission denied" in problem.message


@pytest.mark.parametrize("name", ["nowhere", "empty"])
def test_nothing_to_audit_is_one_sentence(name, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(OlistError, match=r"name (a dbt project|the folder)"):
        audit(tmp_path / name)


@pytest.mark.parametrize("name", ["shop.yml", "model.py", "rows.CSV"])
def test_a_file_that_is_named_is_read_as_what_it_is(name, tmp_path):
    test = "accepted_values: {values: [high, low]}"
    (tmp_path / name).write_text(f"models: [{{name: a, columns: [{{name: size, tests: [{test}]}}]}}]\n")
    if name == "shop.yml":
        found = audit(tmp_path / name)
        assert [entry.finding.column for entry in found.entries] == ["size"]
        assert (found.files, found.problems) == (1, ())
    else:
        with pytest.raises(OlistError, match=f"{name} is no SQL and no properties of models"):
            audit(tmp_path / name)


def test_the_environment_of_the_process_is_not_shown_to_templates(tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET", "s3cret")
    renderer = Renderer([], {}, "duckdb", "")
    assert renderer.render("{{ env_var('SECRET') }}", "model").sql == "SECRET"
    assert renderer.render("{{ env_var('SECRET', 'none') }}", "model").sql == "none"


def test_folders_of_tools_are_left_out(tmp_path):
    for folder in ("target", "dbt_packages", ".git", "models"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "model.sql").write_text(RULE)
    assert [entry.finding.file for entry in audit(tmp_path).entries] == ["models/model.sql"]
    shutil.rmtree(tmp_path / "models")
    with pytest.raises(OlistError):
        audit(tmp_path)
