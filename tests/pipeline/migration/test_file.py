"""The migration file: what it says, and one sentence for each thing that is wrong with it."""

from pathlib import Path

import pytest

from olist_pipeline.errors import OlistError
from olist_pipeline.migration.load import load_migration, present_migration
from olist_pipeline.registry import contexts_of
from olist_pipeline.settings import DBT_DIR, migration_file
from tests.tables import TABLES

SMALL = """
version: 1
contexts: contexts
old: {project: shop}
landing: {variable: data_dir}
new: {project: new}
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "migration.yml"
    path.write_text(text, "utf-8")
    load_migration.cache_clear()
    return path


def test_ours_is_a_file_like_any_other():
    migration = present_migration({})
    assert migration.path == DBT_DIR / "migration.yml"
    assert {pair.name for pair in migration.pairs} == TABLES
    assert migration.old_folder == migration.new_folder == DBT_DIR


def test_it_is_named_by_the_environment_else_it_lies_below_home(tmp_path):
    home = {"OLIST_HOME": str(tmp_path)}
    assert migration_file(home) == DBT_DIR / "migration.yml"
    path = written(tmp_path, SMALL)
    assert migration_file(home) == path
    assert migration_file({**home, "OLIST_MIGRATION": "/elsewhere.yml"}) == Path("/elsewhere.yml")


def test_paths_are_relative_to_the_file(tmp_path):
    migration = load_migration(written(tmp_path, SMALL))
    assert migration.old_folder == tmp_path.resolve() / "shop"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("version: 1", "version: 2"), "version: must be 1"),
        (("version: 1", "versoin: 1"), r"the file: versoin is no word of it \(did you mean version\?\)"),
        (("{variable: data_dir}", "{variable: a, folder: b}"), "say one of .* and not variable and folder"),
        (("{variable: data_dir}", "{}"), "say one of .* and not none"),
        (
            ("{variable: data_dir}", "{raw_schema: raw, files: {a.csv: {source: raw.a}, b.csv: {source: raw.A}}}"),
            "landing: two of its files are raw.a, and the second would take the place of the first",
        ),
        (("new: {project: new}", "new: {project: new}\npairs: [{old: a}]"), "pairs.a.key: is missing"),
        (
            ("new: {project: new}", "new: {project: new}\npairs: [{old: a, key: []}]"),
            "pairs.a.key: must name one at least",
        ),
        (("new: {project: new}", "new: {project: new}\npairs: [{old: 1, key: [k]}]"), "pairs.0.old: must be a text"),
        (("new: {project: new}", "new: {project: new}\npairs: {old: a}"), r"pairs: must be a list, as \[a, b\]"),
        (("new: {project: new}", "new: new"), "new: must be a mapping, as {name: value}"),
        (("new: {project: new}", "new: {project: ''}"), "new.project: must not be empty"),
        (
            ("new: {project: new}", "new: {project: new}\npairs: [{old: a, key: [k], left_out: {c: ' '}}]"),
            "pairs.a.left_out.c",
        ),
        (
            ("new: {project: new}", "new: {project: new}\npairs: [{old: x.a, key: [k]}, {old: y.a, key: [k]}]"),
            "old tables stand twice in pairs and served: a",
        ),
        (
            ("new: {project: new}", "new: {project: new}\nserved: [a]\npairs: [{old: a, key: [k]}]"),
            "old tables stand twice",
        ),
        (("new: {project: new}", "new: {project: new}\nbesides: [{reason: r}]"), "say one of seed, path and"),
        (("new: {project: new}", "new: {project: new}\nbesides: [{seed: s}]"), "besides.s.reason: is missing"),
        (
            ("version: 1", "version: 1\nmodels: {sales: [a, 'b*'], stock: ['b*', c]}"),
            r"models: b\* stands in sales and in stock; take it out of one",
        ),
        (
            ("version: 1", "<<<<<<< HEAD\nversion: 1\n=======\nversion: 2\n>>>>>>> theirs"),
            "is not YAML: it holds a merge that is not finished \\(<<<<<<<\\) in line 2",
        ),
        (("version: 1", "version: ["), r"is not YAML: .* in line \d+, column \d+\.$"),
        (("version: 1", "version: 2020-13-45"), r"is not YAML: month must be in 1\.\.12"),
        (("version: 1", "version: &a [*a]"), "is not YAML: its aliases stand for more"),
        (("version: 1", "version: 1\nversion: 1"), "version stands twice; keep one.*line 3, column 1"),
        (("version: 1", "version: 1\nmodels: {sales: [a], no: [b]}"), "no is no text here; quote it.*line 3"),
        (("{variable: data_dir}", "{folder: /data/raw}"), "landing.folder: '/data/raw' must lie below its folder"),
        (("{variable: data_dir}", "{folder: ../raw}"), "landing.folder: '../raw' must lie below"),
        (("{variable: data_dir}", "{folder: .}"), "landing.folder: '.' must lie below"),
        (("{variable: data_dir}", "{variable: a, files: {../a.csv: {}}}"), "landing.files.*'../a.csv' must lie below"),
        (("new: {project: new}", "new: {project: new}\nserved: [A]\npairs: [{old: a, key: [k]}]"), "stand twice.*: a"),
        *(
            (
                ("new: {project: new}", f"new: {{project: new}}\npairs: [{{old: a, key: [k], {pair}}}]"),
                f"pairs.a: {said}",
            )
            for pair, said in (
                ("columns: {a: x, b: X}", "columns names x of old twice"),
                ("columns: {a: x, A: y}", "columns names a of new twice"),
                ("left_out: {K: r}", "Contract of a: column 'K' is part of the key and cannot be excluded"),
                ("tolerances: {v: {absolute: -1}}", "The absolute tolerance '-1.0' must be a finite number"),
                ("tolerances: {v: {relative: '{}'}}", "The relative tolerance '{}' is not a number"),
            )
        ),
        (("version: 1", "path: /x\nversion: 1"), "says `path`; write it like"),
        (("{project: new}", '{project: "n\\0w"}'), "a text holds a NUL character"),
        (("{project: shop}", "{project: shop, environment: {A=B: c}}"), "'A=B' cannot be the name of an environment"),
        (("{project: shop}", "{project: shop, environment: {'': c}}"), "'' cannot be the name of an environment"),
    ],
)
def test_what_is_wrong_is_one_sentence(tmp_path, change, said):
    with pytest.raises(OlistError, match=said) as raised:
        load_migration(written(tmp_path, SMALL.replace(*change)))
    assert "\n" not in str(raised.value)


def test_a_file_that_is_not_there_is_said(tmp_path):
    (tmp_path / "latin.yml").write_bytes("# preço\n".encode("latin-1"))
    with pytest.raises(OlistError, match=r"latin.yml cannot be read: it is not UTF-8; save it so\."):
        load_migration(tmp_path / "latin.yml")
    with pytest.raises(OlistError, match="cannot be read: No such file or directory; set OLIST_MIGRATION"):
        load_migration(tmp_path / "nowhere.yml")


def test_the_module_of_contexts_must_be_one(tmp_path):
    with pytest.raises(OlistError, match="the module contexts_of_nobody cannot be used"):
        contexts_of(
            load_migration(written(tmp_path, SMALL.replace("contexts: contexts", "contexts: contexts_of_nobody")))
        )
    (tmp_path / "contexts_of_texts.py").write_text("CONTEXTS = ('sales',)")
    with pytest.raises(OlistError, match="holds 'sales', no Context"):
        contexts_of(
            load_migration(written(tmp_path, SMALL.replace("contexts: contexts", "contexts: contexts_of_texts")))
        )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def", r"SyntaxError: invalid syntax \(contexts_0.py, line 1\)"),
        (
            "from olist_pipeline.errors import OlistError\nraise OlistError('Its own sentence.')",
            r"^Its own sentence \(.*contexts_1\.py:2\)\.$",
        ),
        ("CONTEXTS = None", r"contexts_2.CONTEXTS must be a tuple; one context alone has a comma behind it"),
        ("\nCONTEXTS = (1 / 0,)", "ZeroDivisionError: division by zero, .*contexts_3.py:2.; mend it there"),
        ("from olist_domain.kernel.rules import Severity\nSeverity('x')", "'x' is not a valid .*contexts_4.py:2"),
    ],
)
def test_a_module_of_contexts_that_fails_is_one_sentence(tmp_path, request, text, said):
    number = request.node.callspec.indices["text"]
    (tmp_path / f"contexts_{number}.py").write_text(text)
    path = written(tmp_path, SMALL.replace("contexts: contexts", f"contexts: contexts_{number}"))
    with pytest.raises(OlistError, match=said):
        contexts_of(load_migration(path))


def test_entries_of_models_that_name_nothing_are_found(tmp_path):
    said = "models: {sales: [orders, 'stg_*', order_itms], stock: ['ware*']}\n"
    migration = load_migration(written(tmp_path, SMALL + said))
    found = migration.matching_nothing({"orders", "stg_orders", "order_items"})
    assert found == ["models.sales: order_itms", "models.stock: ware*"]


def test_models_that_patterns_of_two_contexts_have_are_said(tmp_path):
    migration = load_migration(
        written(tmp_path, SMALL + "models: {sales: ['*orders'], stock: [cellars], rest: ['*']}\n")
    )
    assert migration.context_of("stg_orders") == "sales"
    assert migration.matching_twice(["stg_orders", "orders", "dates"]) == [
        "models: orders, stg_orders by patterns of sales and of rest; sales has them, for it stands first"
    ]
