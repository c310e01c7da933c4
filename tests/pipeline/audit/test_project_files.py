"""Projects whose files lead elsewhere, never end, or have not the shape that dbt gives them."""

import os
import re

import pytest

from olist_pipeline import yaml_text
from olist_pipeline.audit.audit import audit
from olist_pipeline.audit.model_settings import is_layer
from olist_pipeline.errors import OlistError

RULE = "select case when orders > 10 then 'VIP' else 'NEW' end as segment from customers\n"
BOMB = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))

MERGES = "a0: &a0 {k: v}\n" + "".join(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}\n" for n in range(1, 12))


@pytest.fixture
def project(tmp_path):
    """A dbt project with one model, and a folder beside it that is none of its business."""
    for name in ("project/models", "project/macros", "elsewhere/macros"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "project" / "dbt_project.yml").write_text("name: shop\n")
    (tmp_path / "project" / "models" / "good.sql").write_text(RULE)
    (tmp_path / "elsewhere" / "secret.sql").write_text(RULE.replace("VIP", "SECRET"))
    (tmp_path / "elsewhere" / "macros" / "m.sql").write_text("{% macro hidden() %}'SECRET'{% endmacro %}")
    (tmp_path / "elsewhere" / "dbt_project.yml").write_text("name: elsewhere\n")
    return tmp_path / "project"


def test_nothing_outside_is_read_and_nothing_waits(project):
    models, elsewhere = project / "models", project.parent / "elsewhere"
    (models / "link.sql").symlink_to(elsewhere / "secret.sql")
    (models / "folder").symlink_to(elsewhere)
    (models / "inside").symlink_to(project / "macros")
    (models / "circle.sql").symlink_to(models / "circle.sql")
    (models / "up").symlink_to(project)
    (models / "zero.sql").symlink_to("/dev/zero")
    os.mkfifo(models / "pipe.sql")
    with (models / "huge.sql").open("wb") as file:
        file.truncate(10_000_000_000)
    (project / "dbt_packages").mkdir()
    (project / "dbt_packages" / "elsewhere").symlink_to(elsewhere)
    (models / "calls.sql").write_text("select {{ elsewhere.hidden() }} as x")
    (project / "profiles.yml").symlink_to("/dev/zero")
    (project / "target").mkdir()
    os.mkfifo(project / "target" / "manifest.json")
    found = audit(project)
    assert [entry.finding.file for entry in found.entries] == ["models/good.sql"]
    told = {problem.file.removeprefix("models/"): problem.message for problem in found.problems}
    outside, link = "It is a link that leads out of the project: it was not read.", "It is a link to a folder"
    assert told.pop("link.sql") == told.pop("folder") == told.pop("zero.sql") == outside
    assert link in told.pop("inside")
    assert link in told.pop("up")
    assert "cannot be opened" in told.pop("circle.sql")
    assert told.pop("pipe.sql") == "It is no plain file: it was not read."
    assert "10000.0 MB" in told.pop("huge.sql")
    assert "Macro elsewhere.hidden is not known" in told.pop("calls.sql")
    assert told == {}


def test_names_of_files_that_are_no_text_are_shown(project):
    (project / "models" / "a\n\x1b[31m.sql").write_text(RULE)
    (project / os.fsdecode(b"models/\xff.sql")).write_text(RULE)
    files = [entry.finding.file for entry in audit(project).entries]
    assert files == [r"models/\xff.sql", r"models/a\n\x1b[31m.sql", "models/good.sql"]


@pytest.mark.parametrize("key", ["model-paths", "snapshot-paths", "macro-paths"])
@pytest.mark.parametrize("named", ["../../etc", "/etc", "models/../../elsewhere", "{{ var('x') }}/../../elsewhere"])
def test_folders_outside_are_a_problem_and_the_rest_is_audited(project, key, named):
    (project / "dbt_project.yml").write_text(f'name: shop\n{key}: ["{named}", models]\n')
    found = audit(project)
    assert {entry.finding.file for entry in found.entries} == {"models/good.sql"}
    [problem] = found.problems
    assert (problem.file, problem.line) == ("dbt_project.yml", None)
    assert problem.message.startswith(f"Its {key} names {named}, outside of the project")


def test_nothing_but_folders_outside_is_one_sentence(project):
    (project / "shared").symlink_to(project.parent / "elsewhere")
    for named in ("shared", "../elsewhere"):
        (project / "dbt_project.yml").write_text(f"name: shop\nmodel-paths: [{named}]\n")
        with pytest.raises(OlistError, match=rf"names {named}, which is outside of the project; audit that folder"):
            audit(project)


def test_a_template_in_the_name_of_a_folder_stands_for_any(project):
    for folder in ("north", "south", ".hidden"):
        (project / folder / "models").mkdir(parents=True)
        (project / folder / "models" / f"{folder}.sql").write_text(RULE)
    (project / "far").symlink_to(project.parent / "elsewhere")
    (project / "dbt_project.yml").write_text(
        """name: shop\nmodel-paths: ["{{ env_var('TENANT', 'not-set') }}/models"]\n"""
    )
    found = audit(project)
    assert [entry.finding.file for entry in found.entries] == ["north/models/north.sql", "south/models/south.sql"]
    assert found.problems == ()


def test_a_folder_of_projects_says_that_each_is_audited_by_itself(project):
    found = audit(project.parent)
    assert [warning for warning in found.warnings if "dbt projects below" in warning] == [
        "There are dbt projects below it (elsewhere, project): audit each by itself, with its variables, macros and"
        " dialect."
    ]


def test_models_in_python_are_not_passed_over_in_silence(project):
    for number in range(7):
        (project / "models" / f"m{number}.py").write_text("def model(dbt, session): ...\n")
    [warning] = [warning for warning in audit(project).warnings if "Python" in warning]
    assert warning.startswith("Models in Python were not looked into (models/m0.py, ")
    assert warning.endswith("models/m4.py, and 2 more): read them yourself.")


def test_a_project_without_models_says_where_it_looked(project):
    (project / "models" / "good.sql").unlink()
    with pytest.raises(OlistError, match=r"no .sql file in the model-paths of .*where models call them"):
        audit(project)


@pytest.mark.parametrize(
    "settings",
    [
        "name: [1, 2]\nvars: [1]\n",
        "name: shop\nvars: {shop: 1}\nprofile: {a: 1}\n",
        "name: shop\ntarget-path: ../elsewhere\n",
        'name: shop\ntarget-path: "a\\0b"\n',
        "name: shop\ntarget-path: [1]\n",
    ],
)
def test_settings_of_another_shape_count_as_not_there(project, settings):
    (project / "dbt_project.yml").write_text(settings)
    (project / "profiles.yml").write_text("[1, 2]")
    (project / "models" / "m.yml").write_text("models: {a: 1}\n")
    (project / "models" / "n.yml").write_text("models: [1, {name: good, config: [1], meta: 2}]\n")
    assert len(audit(project).entries) == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (BOMB, "aliases stand for more"),
        ("a: &a [*a]", "aliases stand for more"),
        (MERGES, "aliases stand"),
        ("[" * 1200, "nested too deeply"),
        ("!!python/object/apply:os.system [ls]", "could not determine a constructor"),
        ("name: !!timestamp nothing", "no attribute|not well formed"),
        ("name: 2020-99-99", "month must be"),
        ("name: [", r"expected the node content.* in line 1, column 8\): "),
        ("name: a\x07", "unacceptable character"),
        ("- a\n- b", "holds no settings"),
        ("a" * 3_000_000, "3.0 MB"),
    ],
    ids=lambda value: value[:20],
)  # fmt: skip
def test_settings_that_nobody_can_read_are_one_sentence_and_the_models_are_read(project, text, words):
    (project / "dbt_project.yml").write_text(text)
    found = audit(project)
    assert len(found.entries) == 1
    [problem] = found.problems
    assert problem.file == "dbt_project.yml"
    assert re.match(rf"It cannot be read as YAML \(.*({words})", problem.message)


@pytest.mark.parametrize("named", ["models", "[1]", "{a: 1}"])
def test_folders_that_are_no_list_are_a_problem_and_those_of_dbt_are_read(project, named):
    (project / "dbt_project.yml").write_text(f"name: shop\nmodel-paths: {named}\n")
    found = audit(project)
    assert len(found.entries) == 1
    assert [item.message for item in found.problems] == [
        "Its model-paths is no list of folders: dbt's default is taken."
    ]


def test_properties_that_nobody_can_read_are_a_problem_and_other_yaml_is_none(project):
    (project / "models" / "orders.yml").write_text("models:\n  - name: orders\n    columns: [{name: a, tests: [b}]\n")
    (project / "models" / "chart.yml").write_text("{{ if .Values.on }}\nkind: Service\n")
    [problem] = audit(project).problems
    assert problem.file == "models/orders.yml"
    assert re.match(r"It cannot be read as YAML \(.* in line 3, column \d+\): its tests were not", problem.message)


def test_aliases_that_people_write_are_read():
    assert yaml_text.parse("a: &a {x: 1}\nb: {<<: *a, y: 2}\nc: [*a, *a]") == {
        "a": {"x": 1}, "b": {"x": 1, "y": 2}, "c": [{"x": 1}, {"x": 1}],
    }  # fmt: skip


@pytest.mark.parametrize("text", ["[" * 200_000, "{", "\xff", '{"nodes": [1], "macros": 2, "metadata": 3}', "[1]"])
def test_a_manifest_of_another_shape_is_a_problem_or_not_there(project, text):
    (project / "target").mkdir()
    (project / "target" / "manifest.json").write_text(text, "latin-1")
    found = audit(project)
    assert len(found.entries) == 1
    assert len(found.problems) == (not text.endswith(("}", "]")))
    assert all("manifest.json cannot be read as a manifest" in item.message for item in found.problems)


def test_a_manifest_that_was_named_and_cannot_be_read_is_one_sentence(project):
    (project / "other.json").write_text("{")
    with pytest.raises(OlistError, match=r"other.json cannot be read as a manifest .*; run `dbt compile` again"):
        audit(project, manifest=project / "other.json")


@pytest.mark.parametrize(
    ("folder", "is_one"), [("staging", True), ("2_Marts", True), ("gold", True), ("03-silver", True), ("sales", False)]
)
def test_folders_of_layers_are_no_contexts(folder, is_one):
    assert is_layer(folder) is is_one


def test_functions_of_the_project_are_read_where_properties_name_them(project):
    files = {
        "functions/is_large.sql": "{{ config(meta={'context': 'sizes'}) }}\n-- by the law\nweight > 30",
        "functions/net.sql": "select price / 1.19 as net",
        "functions/odd.py": "def main(x): return x > 3",
        "functions/setup.sql": "create function f() as 'select 1 > x'",
        "functions/all.yml": "functions: [{name: is_large}, {name: net}, {name: odd}, {name: gone}]",
        "functions/gone.sql": "{{ config(enabled=false) }} a > 3",
        "models/good.sql": "select {{ function('is_large') }}(weight) as is_large from {{ ref('parcels') }}",
    }
    for name, text in files.items():
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).write_text(text)
    for path in (project, project / "functions", project / "functions" / "is_large.sql"):
        found = audit(path)
        told = [(entry.finding.place, entry.finding.line, entry.context) for entry in found.entries]
        assert told[0] == ("is_large.is_large", 3, "sizes")
        assert found.problems == () or path == project / "functions"
    found = audit(project)
    assert [entry.finding.place for entry in found.entries] == ["is_large.is_large", "net.net"]
    assert any("Python were not looked into (functions/odd.py)" in warning for warning in found.warnings)
    assert any("switched off" in warning and "(gone)" in warning for warning in found.warnings)
