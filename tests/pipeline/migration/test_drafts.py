"""Guesses and drafts: how old finds landing, what identifies a row, what a scaffold says."""

import ast
import gzip
import re
from typing import Any

import duckdb
import pytest

from olist_pipeline.audit.audit import audit
from olist_pipeline.drafts.columns import sample_of
from olist_pipeline.drafts.landing import guessed_landing, landed_seeds, with_types
from olist_pipeline.drafts.migration_file import contexts_of, key_of_rows, key_of_tests, whole_text
from olist_pipeline.drafts.scaffold import files_of
from olist_pipeline.errors import OlistError
from olist_pipeline.migration.clock import OTHERS, asking, changing_columns
from olist_pipeline.migration.load import load_migration
from olist_pipeline.migration.project import unasked_landing
from olist_pipeline.settings import Settings
from tests.pipeline.migration.test_file import SMALL, written

SOURCE = {
    "source_name": "raw", "name": "rides", "identifier": "rides", "schema": "raw", "columns": {}, "meta": {},
    "original_file_path": "models/sources.yml",
}  # fmt: skip


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("{{ var('data_dir') }}/rides.csv", {"variable": "data_dir"}),
        ("{{ env_var('HIRE_DATA') }}/{name}.csv", {"environment": "HIRE_DATA"}),
        ("'data/raw/rides.csv'", {"folder": "data/raw"}),
        ("'/srv/raw/rides.csv'", {"variable": "landing"}),
        ("'../raw/rides.csv'", {"variable": "landing"}),
        ("data/raw/rides.csv", {"folder": "data/raw"}),
        ("{{ var('data_dir') }}/{{ var('name') }}/rides.csv", {"variable": "data_dir"}),
    ],
)
@pytest.mark.parametrize("file", ["rides.csv", "All Rides (2).csv", "caf\u00e9, rides & more.csv"])
def test_landing_is_guessed_from_locations_and_from_sql(tmp_path, location, expected, file):
    location = location.replace("rides.csv", file)
    if "{name}" in location and file != "rides.csv":
        return
    said = {"external_location": location}
    of_source = {"sources": {"s": {**SOURCE, "meta": said}}, "nodes": {}}
    assert guessed_landing(tmp_path, {"sources": {"s": {**SOURCE, "config": said}}, "nodes": {}}) == guessed_landing(
        tmp_path, of_source
    )
    guessed = guessed_landing(tmp_path, of_source)
    assert expected.items() <= guessed.items()
    assert guessed["files"] == {file: {"source": "raw.rides"}}
    for reader in ("read_csv('{}', header = true)", "'{}' as rides"):
        code = f"select * from {reader.format(location.strip(chr(39)))}".replace("{name}", "rides")
        of_model = {"sources": {}, "nodes": {"m": {"raw_code": code}}}
        assert guessed_landing(tmp_path, of_model) == {**expected, "files": {file: {}}}


def test_seeds_are_landing_where_a_project_reads_nothing_else(tmp_path):
    (tmp_path / "dbt_project.yml").write_text("name: shop\n")

    def seed(path, package="shop"):
        return {"resource_type": "seed", "package_name": package, "original_file_path": path}

    nodes = {"a": seed("seeds/raw/rides.csv"), "b": seed("seeds/raw/of/docks.csv"), "c": seed("x/y.csv", "paint")}
    guessed = {"folder": "seeds/raw", "files": {"of/docks.csv": {}, "rides.csv": {}}}
    assert guessed_landing(tmp_path, {"sources": {}, "nodes": nodes}) == guessed
    assert "raw_schema" in guessed_landing(tmp_path, {"sources": {"s": SOURCE}, "nodes": nodes})
    for elsewhere in ("data/zones.csv", "zones.csv"):
        in_two_folders = {**nodes, "d": seed(elsewhere)}
        assert guessed_landing(tmp_path, {"sources": {}, "nodes": in_two_folders})["files"] == {}


def test_each_file_is_of_the_source_that_reads_it_however_its_yaml_is_quoted(tmp_path):
    (tmp_path / "models").mkdir()
    said = 'meta: {external_location: "read_csv(\'{{ var(\\"data_dir\\") }}/%s.csv\')"}\n'
    (tmp_path / "models" / "sources.yml").write_text("".join(said % name for name in ("rides", "docks")))
    sources = {
        name: {**SOURCE, "name": name, "meta": {"external_location": f"read_csv('../raw/{name}.csv')"}}
        for name in ("rides", "docks")
    }
    for source in sources.values():
        source["original_file_path"] = "models/sources.yml"
    assert guessed_landing(tmp_path, {"sources": sources, "nodes": {}}) == {
        "variable": "data_dir",
        "files": {"rides.csv": {"source": "raw.rides"}, "docks.csv": {"source": "raw.docks"}},
    }
    # One location for several tables, which are called otherwise than their files.
    named = {**SOURCE, "identifier": "All Rides", "meta": {"external_location": "read_csv('/srv/{identifier}.csv')"}}
    assert guessed_landing(tmp_path, {"sources": {"s": named}, "nodes": {}})["files"] == {
        "All Rides.csv": {"source": "raw.rides"}
    }
    # Of the package dbt_external_tables, which somebody else's step loads: dbt-duckdb does not read it.
    external = {**SOURCE, "external": {"location": "csvs/all_rides.csv"}}
    assert guessed_landing(tmp_path, {"sources": {"s": external}, "nodes": {}}) == {
        "raw_schema": "raw",
        "files": {"all_rides.csv": {"source": "raw.rides"}},
    }


@pytest.mark.parametrize(
    ("landing", "asking", "is_asked"),
    [
        ("{variable: data_dir}", "select '{{ var(\"data_dir\") }}'", True),
        ("{variable: data_dir}", "select '{{ var(\"other\") }}' -- data_dir", False),
        ("{environment: SHOP_DATA}", 'meta: "{{ env_var(\\"SHOP_DATA\\") }}"', True),
        ("{environment: SHOP_DATA}", "", False),
        ("{folder: data}", "", True),
    ],
)
def test_a_variable_that_nothing_asks_for_cannot_hold_landing(tmp_path, landing, asking, is_asked):
    (tmp_path / "shop" / "models").mkdir(parents=True)
    (tmp_path / "shop" / "models" / "sources.yml").write_text(asking)
    (tmp_path / "shop" / "models" / "gone.sql").symlink_to("nowhere")
    for elsewhere in (".venv", "target"):
        (tmp_path / "shop" / elsewhere).mkdir()
        (tmp_path / "shop" / elsewhere / "a.py").write_text("'data_dir' 'SHOP_DATA'")
    migration = load_migration(written(tmp_path, SMALL.replace("{variable: data_dir}", landing)))
    assert ("which nothing in" in unasked_landing(migration)) is not is_asked


def test_tables_of_a_raw_schema_are_files_to_load(tmp_path):
    columns = {"minutes": {"data_type": "integer"}, "fare": {}}
    guessed = guessed_landing(tmp_path, {"sources": {"s": {**SOURCE, "columns": columns}}, "nodes": {}})
    assert guessed == {
        "raw_schema": "raw",
        "files": {"rides.csv": {"source": "raw.rides", "types": {"minutes": "integer"}}},
    }


def test_tables_of_several_raw_schemas_are_files_to_load_and_what_the_project_makes_itself_is_none(tmp_path):
    sources = [("raw", "rides"), ("crm", "rides"), ("crm", "people"), ("history", "rides_snapshot")]
    snapshot = {"resource_type": "snapshot", "schema": "History", "alias": "rides_snapshot"}
    manifest = {
        "sources": {
            f"{schema}.{name}": {**SOURCE, "source_name": schema, "schema": schema, "name": name, "identifier": name}
            for schema, name in sources
        },
        "nodes": {"snapshot": snapshot},
    }
    guessed = guessed_landing(tmp_path, manifest)
    assert guessed["raw_schema"] == "crm"
    assert guessed["files"] == {
        "raw/rides.csv": {"source": "raw.rides"},
        "crm/rides.csv": {"source": "crm.rides"},
        "people.csv": {"source": "crm.people"},
    }


def test_types_of_raw_tables_are_those_that_all_rows_fit(tmp_path):
    (tmp_path / "t.csv").write_text(
        "id,price,day,at,open,zip,big,nothing,mixed,Sent,back\n"
        "1,2.5,2020-01-02,2020-01-02 03:04:05,true,01037,12345678901234567890,,1,,2020-01-02\n"
        "-2,3,,2020-01-02T03:04:05,False,22,1,,x,2020-01-02,\n"
    )
    (tmp_path / "bad.csv").write_text('a\n"1')
    files = {
        "t.csv": {"source": "raw.t", "types": {"price": "decimal(10, 2)"}},
        "bad.csv": {"source": "raw.bad"},
        "none.csv": {"source": "raw.none"},
    }
    sql = "select nullif(trim(t.back), '') from t where \"Sent\" <> '' and id = '''x' and open = 'x'"
    manifest = {"nodes": {"model.shop.m": {"raw_code": sql}, "seed.shop.s": {}}}
    settings = Settings(tmp_path / "home", tmp_path, None)
    typed = with_types({"raw_schema": "raw", "files": files}, settings, manifest)
    types = {"id": "bigint", "price": "decimal(10, 2)", "day": "date", "at": "timestamp", "open": "boolean"}
    assert typed == {"raw_schema": "raw", "files": {**files, "t.csv": {"source": "raw.t", "types": types}}}
    other = {"variable": "landing", "files": files}
    assert with_types(other, settings, manifest) == other


@pytest.mark.parametrize("landed", [["t.csv.gz"], ["t/1.csv.gz", "t/2.csv.gz"], ["t/1.csv", "t/2.csv.gz"]])
def test_types_of_raw_tables_are_those_of_files_that_landed_packed_or_in_parts(tmp_path, landed):
    for name, cell in zip(landed, ("1.5", "x"), strict=False):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        opened = gzip.open if name.endswith(".gz") else open
        with opened(tmp_path / name, "wt") as file:
            file.write(f"id,price\n7,{cell}\n")
    files = {"t.csv": {"source": "raw.t"}}
    typed = with_types(
        {"raw_schema": "raw", "files": files}, Settings(tmp_path / "home", tmp_path, None), {"nodes": {}}
    )
    types = {"id": "bigint"} if landed[1:] else {"id": "bigint", "price": "double"}
    assert typed["files"] == {"t.csv": {"source": "raw.t", "types": types}}


def test_a_file_of_landing_is_called_like_a_seed_in_whichever_form_it_landed(tmp_path):
    (tmp_path / "plain.csv").touch()
    (tmp_path / "packed.csv.gz").touch()
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "1.csv").touch()
    names = ("plain", "packed", "parts", "own")
    nodes = {name: {"resource_type": "seed", "name": name} for name in names}
    nodes["model"] = {"resource_type": "model", "name": "plain"}
    assert landed_seeds(tmp_path, {"nodes": nodes}) == ["plain.csv", "packed.csv", "parts.csv"]
    assert landed_seeds(tmp_path / "none", {"nodes": nodes}) == []


def test_keys_come_from_tests_else_from_rows():
    test = {"attached_node": "m", "test_metadata": {"name": "unique", "kwargs": {"column_name": "id"}}}
    several = {
        "attached_node": "m",
        "test_metadata": {"name": "unique_combination_of_columns", "kwargs": {"combination_of_columns": ["a", "b"]}},
    }
    assert key_of_tests({"nodes": {"t": test, "u": several}}, "m") == ["id"]
    assert key_of_tests({"nodes": {"u": several}}, "m") == ["a", "b"]
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE t AS SELECT n // 2 AS a, n % 2 AS b, 1 AS c FROM range(6) t(n)")
        assert key_of_rows(connection, "t") == ["a", "b"]
        connection.execute("INSERT INTO t SELECT * FROM t")
        assert key_of_rows(connection, "t") == []


def test_a_test_of_expressions_names_no_key():
    kwargs = {"combination_of_columns": ["a", "date_trunc('month', b)"]}
    test = {"attached_node": "m", "test_metadata": {"name": "unique_combination_of_columns", "kwargs": kwargs}}
    assert key_of_tests({"nodes": {"t": test}}, "m") == []


def test_types_of_another_database_are_left_to_people(tmp_path):
    types = {
        "a": "NUMBER(38,0)",
        "b": "STRUCT<x: int>",
        "c": "decimal(10, 2)",
        "d": "int); drop table t",
        "e": "timestamp",
    }
    columns = {name: {"data_type": said} for name, said in types.items()}
    [file] = guessed_landing(tmp_path, {"sources": {"s": {**SOURCE, "columns": columns}}, "nodes": {}})[
        "files"
    ].values()
    assert file["types"].keys() == {"c", "e"}


def test_contexts_are_names_of_packages_and_no_table_is_served_twice(tmp_path):
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "dbt_project.yml").write_text("name: shop\n")
    migration = load_migration(written(tmp_path, SMALL))
    node = {"resource_type": "model", "depends_on": {"nodes": []}, "package_name": "shop"}
    nodes = {
        uid: {
            **node,
            "unique_id": uid,
            "name": uid,
            "alias": alias,
            "schema": schema,
            "path": f"{folder}/{uid}.sql",
            "fqn": ["shop", folder, uid],
            "config": {"materialized": kind},
        }
        for uid, alias, schema, folder, kind in (
            ("a", "list", "main", "3-growth accounting", "table"),
            ("b", "list", "other", "class", "table"),
            ("c", "c", "main", "class", "ephemeral"),
            ("d", "d", "main", "staging", "view"),
            ("e", "e", "main", "growth/snapshots.yml", "ephemeral"),
        )
    }
    manifest = {"nodes": nodes, "sources": {}, "macros": {}}
    contexts = contexts_of(manifest, migration)
    assert contexts == {"growth": ["e"], "of_3_growth_accounting": ["a"], "of_class": ["b", "c"], "unsorted": ["d"]}
    path = tmp_path / "whole.yml"
    path.write_text(whole_text(migration, manifest, {"variable": "landing"}, contexts, [], None, []))
    assert load_migration(path).served == ("d",)
    assert "several schemas have a table of one name" in path.read_text()


def test_a_table_that_the_run_did_not_leave_has_no_key_yet(tmp_path):
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "dbt_project.yml").write_text("name: shop\n")
    migration = load_migration(written(tmp_path, SMALL))
    names = {"name": "sold", "alias": "sold", "schema": "main", "unique_id": "model.shop.sold", "path": "sold.sql"}
    others = {"config": {"materialized": "mine"}, "depends_on": {"nodes": []}, "fqn": ["shop", "sold"]}
    node = {"resource_type": "model", **names, **others}
    manifest = {"nodes": {"model.shop.sold": node}, "sources": {}, "macros": {}}
    duckdb.connect(str(tmp_path / "made.duckdb")).close()
    for database in (tmp_path / "made.duckdb", tmp_path / "never.duckdb"):
        text = whole_text(migration, manifest, {"variable": "data_dir"}, {}, [], database, [])
        assert "#  - old: sold\n#    key: [?]" in text


def test_a_seed_whose_name_a_file_of_landing_has_is_not_vouched_for(tmp_path):
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "dbt_project.yml").write_text("name: shop\n")
    migration = load_migration(written(tmp_path, SMALL))
    shared = {"resource_type": "seed", "config": {"materialized": "seed"}, "depends_on": {"nodes": []}, "fqn": ["shop"]}
    nodes = {name: {**shared, "name": name, "alias": name, "unique_id": name} for name in ("orders", "countries")}
    manifest = {"nodes": nodes, "sources": {}, "macros": {}}
    text = whole_text(migration, manifest, {"variable": "data_dir"}, {}, [], None, [], ["orders.csv", "items.csv"])
    assert load_migration(written(tmp_path, text)).seeds == {"countries"}
    assert "landing has files of the names of seeds: orders. Seeds that are data" in text


def test_what_is_left_to_do_is_a_comment_whatever_dbt_says(tmp_path):
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "dbt_project.yml").write_text("name: shop\n")
    migration = load_migration(written(tmp_path, SMALL))
    said = "old did not run: \x1b[31mError\nin model: [\x00\x1b[0m"
    text = whole_text(migration, {"nodes": {}, "sources": {}}, {"variable": "data_dir"}, {}, [], None, [said])
    written(tmp_path, text)
    assert load_migration(tmp_path / "migration.yml").landing.variable == "data_dir"


def test_models_that_ask_the_clock_are_named():
    nodes = {
        "a": {"name": "a", "raw_code": "select Current_Date, x -- now()\n"},
        "b": {"name": "b", "raw_code": "select known from t {# random() #}"},
    }
    assert asking({"nodes": nodes}, {"a", "b"}) == {"a": ["current_date"]}


def test_macros_that_a_model_calls_are_looked_into():
    macros = {
        "macro.x.stamp": {"name": "stamp", "macro_sql": "{{ inner() }}", "depends_on": {"macros": ["macro.x.inner"]}},
        "macro.x.inner": {
            "name": "inner",
            "macro_sql": "today() /* now() */",
            "depends_on": {"macros": ["macro.x.stamp"]},
        },
        "macro.dbt.current_timestamp": {
            "name": "current_timestamp",
            "package_name": "dbt",
            "macro_sql": "{{ 1 }} now()",
        },
        "macro.dbt.is_incremental": {"name": "is_incremental", "package_name": "dbt", "macro_sql": "now()"},
    }
    calls = {
        "a": ["macro.x.stamp"],
        "b": ["macro.dbt.current_timestamp", "macro.dbt.is_incremental"],
        "c": ["macro.dbt.is_incremental"],
    }
    nodes: dict[str, dict[str, object]] = {
        name: {
            "name": name,
            "raw_code": "select 1" if name == "c" else "select 1 using  sample 5",
            "depends_on": {"macros": called},
        }
        for name, called in calls.items()
    }
    assert asking({"nodes": nodes, "macros": macros}, set(calls)) == {
        "a": ["today", "using sample"],
        "b": ["now", "using sample"],
    }


def test_views_are_asked_twice(tmp_path):
    """Of a database that is called like its schema, as of many a project."""
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "dbt_project.yml").write_text("name: shop\n")
    pairs = "pairs: [{old: fleet, key: [id], left_out: {seen: The time of reading}}, {old: docks, key: [id]}]\n"
    migration = load_migration(written(tmp_path, SMALL + pairs))
    nodes: dict[str, dict[str, object]] = {}
    for name in ("fleet", "docks"):
        config = {"materialized": "view" if name == "fleet" else "table"}
        nodes[name] = {"unique_id": name, "name": name, "schema": "shop", "resource_type": "model", "config": config}
        nodes[name] |= {"alias": name, "fqn": ["shop", name]}
    databases = [tmp_path / number / "shop.duckdb" for number in "12"]
    for number, database in enumerate(databases):
        database.parent.mkdir()
        with duckdb.connect(str(database)) as connection:
            connection.execute("CREATE SCHEMA shop; USE shop.shop")
            connection.execute("CREATE VIEW fleet AS SELECT 1 AS id, now() AS seen, 2 AS wheels")
            connection.execute(f"CREATE TABLE docks AS SELECT 1 AS id, {number} AS chance")
    found = changing_columns(migration, {"nodes": nodes}, *databases)
    assert [(one.table, one.column, one.reason) for one in found] == [
        ("fleet", "seen", "The time of reading"),
        ("docks", "chance", ""),
    ]


@pytest.mark.parametrize(
    ("rows", "differ"),
    [
        ("SELECT NULL AS id, 1 AS seen, 5 AS v", []),
        ("SELECT 1 AS id, unnest([1, 2]) AS seen, 5 AS v", []),
        ("SELECT 1 AS id, 1 AS seen, CASE {run} WHEN 1 THEN 0.3::DOUBLE ELSE 0.1::DOUBLE + 0.2::DOUBLE END AS v", []),
        ("SELECT 1 AS id, {run} AS seen, 5 AS v", ["seen"]),
        ("SELECT 1 AS id, unnest([{run}, 7]) AS seen, 5 AS v", []),
        ("SELECT 1 AS id, unnest([7, 8]) AS seen, {run} AS v", [OTHERS]),
        ("SELECT {run} AS id, 1 AS seen, 5 AS v", [OTHERS]),
    ],
)
def test_two_runs_differ_in_what_the_comparison_would_see(tmp_path, rows, differ):
    """Rows without a key or with one of several, and sums of floats in another order, are not made by chance."""
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "dbt_project.yml").write_text("name: shop\n")
    migration = load_migration(written(tmp_path, SMALL + "pairs: [{old: t, key: [id], left_out: {seen: The time}}]\n"))
    node = {
        "unique_id": "t",
        "name": "t",
        "alias": "t",
        "schema": "main",
        "resource_type": "model",
        "fqn": ["shop", "t"],
    }
    databases = [tmp_path / f"{run}.duckdb" for run in (1, 2)]
    for run, database in enumerate(databases, start=1):
        with duckdb.connect(str(database)) as connection:
            connection.execute(f"CREATE TABLE t AS {rows.format(run=run)}")
    manifest = {"nodes": {"t": {**node, "config": {"materialized": "table"}}}}
    assert [one.column for one in changing_columns(migration, manifest, *databases)] == differ


@pytest.fixture
def draft(tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "dbt_project.yml").write_text("name: shop\n")
    sql = "select case when n < 10 then 'few' else 'many' end as size_of from {{ ref('t') }} where amount > 0"
    (tmp_path / "models" / "orders.sql").write_text(sql)
    (tmp_path / "orders.csv").write_text(
        "id,n,amount,at,day,note\n1,9,1.50,2023-01-01 10:00:00,2023-01-01,\n2,9,2.00,2023-01-02 10:00:00,2023-02-01,x\n"
    )
    return files_of("shopping", audit(tmp_path).entries, {"orders.csv": tmp_path / "orders.csv"})


def test_types_are_those_that_the_rows_fit(draft, tmp_path):
    assert sample_of(tmp_path / "orders.csv").types == {
        "id": "int", "n": "int", "amount": "Decimal", "at": "datetime", "day": "datetime", "note": "str | None",
    }  # fmt: skip
    (tmp_path / "zip.csv").write_text("zip,big\n01234,1\n99999,\n")
    assert sample_of(tmp_path / "zip.csv").types == {"zip": "str", "big": "int | None"}
    (tmp_path / "odd.csv").write_text("blank,blanks,huge\n 7,7,1234567890123.00\n8,  ,1.00\n")
    assert set(sample_of(tmp_path / "odd.csv").types.values()) == {"str", "float"}, "what intake would refuse"
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(OlistError, match="has no header"):
        sample_of(tmp_path / "empty.csv")


@pytest.mark.parametrize(
    ("rows", "key"),
    [
        ("o1,1,a\no1,2,a\no2,1,b\n", ("order_id", "item")),
        ("o1,1,a\no2,1,a\n", ("order_id",)),
        ("o1,1,a\no1,1,a\n", ("order_id",)),
        ("", ("order_id",)),
    ],
)
def test_a_key_is_the_first_column_and_what_it_takes_besides(tmp_path, rows, key):
    (tmp_path / "items.csv").write_text(f"order_id,item,product\n{rows}")
    assert sample_of(tmp_path / "items.csv").key == key
    files = dict.fromkeys(("items.csv", "more.csv"), tmp_path / "items.csv")
    text = files_of("sales", [], files)["sales/declared.py"]
    assert f"({', '.join(map(repr, key))},),".replace("'", '"') in text
    assert text.count('Link("order_id")') == 1


def test_a_context_may_be_called_like_its_file(tmp_path):
    (tmp_path / "rides.csv").write_text("ride,fare\nr1,1.50\n")
    text = files_of("rides", [], {"rides.csv": tmp_path / "rides.csv"})["rides/declared.py"]
    given = [ast.unparse(node.targets[0]) for node in ast.parse(text).body if isinstance(node, ast.Assign)]
    assert given == ["RIDES_TABLE", "RIDES"]


def test_an_id_that_any_table_may_have_is_linked_by_its_table(draft):
    assert 'links=(Link("id", table="orders"),)' in draft["shopping/declared.py"]


def test_a_scaffold_is_python_with_the_sql_beside_each_draft(draft):
    for name, text in draft.items():
        if name.endswith(".py"):
            ast.parse(text)
    rules = draft["shopping/rules.py"]
    assert "# CASE WHEN" in rules or "# case when" in rules
    assert 'replaces=("orders.size_of",)' in rules
    assert rules.count("raise Undecided(") == 2
    assert draft["tests/test_shopping_rules.py"].count("raise AssertionError(") == 2
    assert "LandingTable" in draft["shopping/declared.py"]


def test_a_scaffold_is_python_whatever_files_and_columns_are_called(tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "dbt_project.yml").write_text("name: shop\n")
    cases = ", ".join(
        f"case when n < {number} then 'few' else 'many' end as {name}"
        for number, name in enumerate(("rule", '"2nd"', '"class"', '"a ""b"""'))
    )
    (tmp_path / "models" / "orders.sql").write_text(f"select {cases} from {{{{ ref('t') }}}}")
    for file in ("2024 orders.csv", "заказы.csv", "class.csv"):
        (tmp_path / file).write_text("id,n\n1,9\n")
    landing = {path.name: path for path in tmp_path.glob("*.csv")}
    texts = files_of("shopping", audit(tmp_path).entries, landing)
    for name, text in texts.items():
        if name.endswith(".py"):
            ast.parse(text)
    defined = {
        node.name for node in ast.walk(ast.parse(texts["shopping/rules.py"])) if isinstance(node, ast.FunctionDef)
    }
    assert defined == {"of_rule", "of_2nd", "of_class", "a_b"}


def test_a_scaffold_keeps_its_lines_and_its_types_whatever_it_is_drafted_of(tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "dbt_project.yml").write_text("name: shop\n")
    whens = " ".join(f"when n < {number} then 'a rather long label {number}'" for number in range(40))
    for number in range(8):
        (tmp_path / "models" / f"a_model_with_a_long_name_{number}.sql").write_text(
            f"select case {whens} end as id from {{{{ ref('t') }}}} where amount > {number}"
        )
    (tmp_path / "orders.csv").write_text("n,amount,datetime,str\n9,1.50,2023-01-01 10:00:00,\n10,2.00,,x\n")
    texts = files_of("shopping", audit(tmp_path).entries, {"orders.csv": tmp_path / "orders.csv"})
    for name, text in texts.items():
        assert max(map(len, text.splitlines())) <= 150, name
        if name.endswith(".py"):
            compile(text, name, "exec")
    assert "datetime: datetime_type | None = None" in texts["shopping/records.py"]
    assert "str: builtins.str | None = None" in texts["shopping/records.py"]
    assert "def of_id(" in texts["shopping/rules.py"]
    assert "def test_of_id_is_decided() -> None:" in texts["tests/test_shopping_rules.py"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "has no header"),
        (b"id,caf\xe9\n", "cannot be read as CSV in UTF-8"),
    ],
)
def test_a_file_that_no_record_can_be_of_is_one_sentence(tmp_path, content, said):
    (tmp_path / "rides.csv").write_bytes(content)
    with pytest.raises(OlistError, match=said):
        sample_of(tmp_path / "rides.csv")


def test_a_column_that_is_called_what_no_field_can_be_is_the_alias_of_one(tmp_path):
    header = ["Ride ID", "ride_id", "Ride-ID", "from", "rules", "copy", "gro\u0308ße", "2nd", "_x", "Total, $", "😀"]
    (tmp_path / "rides.csv").write_text(",".join(f'"{name}"' for name in header) + "\n" + "1," * 10 + "\n")
    texts = files_of("riding", [], {"rides.csv": tmp_path / "rides.csv"})
    names: dict[str, Any] = {"__name__": "records"}
    exec(compile(texts["riding/records.py"], "records.py", "exec"), names)
    fields = names["RidesRecord"].model_fields
    assert [field.alias or name for name, field in fields.items()] == header
    expected = ["ride_id_2", "ride_id", "ride_id_3", "of_from", "of_rules", "of_copy", "größe", "of_2nd", "x", "total"]
    assert list(fields) == [*expected, "unnamed"]
    assert 'unnamed: str | None = Field(default=None, alias="😀")' in texts["riding/records.py"]
    assert '("ride_id_2",),  # what identifies a row' in texts["riding/declared.py"]


MODELS = {
    "prep_rides": "select id as ride_id, dock, minutes as lasted, fare from {{ source('raw', 'rides') }}",
    "prep_docks": "select * from {{ source('raw', 'docks') }}",
    "trips": """
        with joined as (
            select r.*, d.zone, d.name as dock_name
            from {{ ref('prep_rides') }} as r
            left join {{ ref('prep_docks') }} as d on r.dock = d.code
        )
        select
            ride_id,
            case when lasted < 10 then 'short' else 'long' end as length_of,
            case when zone = 'N' then 'north' else 'south' end as side,
            case when zone = 'N' and fare > 3 then 'dear' else 'cheap' end as price_class
        from joined
        where fare > 0
    """,
    "elsewhere": "select case when level > 3 then 'high' else 'low' end as height from {{ source('raw', 'tides') }}",
    "direct": "select coalesce(zone, 'none') as zone from read_csv('{{ var(\"data\") }}/docks.csv')",
    "settled": """
        select case when fare > 9 then 'x' else 'y' end as mark from {{ ref('prep_rides') }} where dock <> 'D9'
    """,
}


@pytest.fixture(scope="module")
def placed_drafts(tmp_path_factory):
    """The rules of a context with two files, drafted from models that rename, join and read elsewhere."""
    folder = tmp_path_factory.mktemp("placed")
    (folder / "models").mkdir()
    (folder / "dbt_project.yml").write_text("name: hire\nvars: {data: landing}\n")
    for name, sql in MODELS.items():
        (folder / "models" / f"{name}.sql").write_text(sql)
    tested = "{name: minutes, data_tests: [{accepted_values: {values: [1, 2]}}]}"
    (folder / "models" / "tests.yml").write_text(f"models: [{{name: renamed, columns: [{tested}]}}]")
    (folder / "docks-2024.csv").write_text("code,zone,name\nD1,N,Quay\n")
    (folder / "rides.csv").write_text("id,dock,Minutes,fare\n1,D1,9,1.50\n")
    landing = {"docks-2024.csv": folder / "docks-2024.csv", "rides.csv": folder / "rides.csv"}
    entries = audit(folder, origins=True).entries
    return files_of("hiring", entries, landing, {"raw.docks": "docks-2024.csv"})["hiring/rules.py"]


@pytest.mark.parametrize(
    ("function", "facts", "note"),
    [
        ("length_of", "RidesFacts", None),  # renamed in a model, and read through a CTE's star
        ("fare", "RidesFacts", None),
        ("side", "Docks2024Facts", None),  # through `select *`, of a source that the migration file names
        ("mark", "RidesFacts", None),
        ("minutes", "RidesFacts", None),  # of a data test, which names its column
        ("price_class", "Docks2024Facts", "several files: docks-2024.csv (zone), rides.csv (fare)"),
        ("height", "Docks2024Facts", "NOT KNOWN which file its columns come from; it reads tides.level"),
        ("zone", "Docks2024Facts", "NOT KNOWN which file its columns come from; it reads docks.csv.zone"),
    ],
)
def test_a_draft_stands_at_the_file_that_its_columns_come_from(placed_drafts, function, facts, note):
    text = placed_drafts[placed_drafts.index(f"def {function}(") :]
    own = text[: text.index("raise Undecided")]
    assert own.startswith(f"def {function}(row: {facts})")
    assert (note in own) if note else ("files" not in own and "NOT KNOWN" not in own)


def test_a_draft_finds_columns_by_what_the_file_calls_them(tmp_path):
    """Behind an alias, too, and with points in the name."""
    (tmp_path / "models").mkdir()
    (tmp_path / "dbt_project.yml").write_text("name: hire\n")
    (tmp_path / "models" / "rides.sql").write_text(
        """select case when "Fare (BRL)" > 3 then 'x' else 'y' end as dear, coalesce("class", 'z') as ranked,
        case when "Ride No." > 9 then 'x' else 'y' end as late from {{ source('raw', 'rides') }}"""
    )
    (tmp_path / "docks.csv").write_text("Dock\n1\n")
    (tmp_path / "rides.csv").write_text("Ride No.,Fare (BRL),class\n1,2.00,x\n")
    landing = {name: tmp_path / name for name in ("docks.csv", "rides.csv")}
    text = files_of("hiring", audit(tmp_path, origins=True).entries, landing, {"raw.rides": "rides.csv"})
    for name in ("dear", "ranked", "late"):
        assert f"def {name}(row: RidesFacts)" in text["hiring/rules.py"]
    assert "NOT KNOWN" not in text["hiring/rules.py"]


def test_a_rulebook_has_the_drafts_of_its_file(placed_drafts):
    books = placed_drafts[placed_drafts.index("DOCKS_2024_RULES =") :]
    docks, rides = books.split("RIDES_RULES =")
    assert "side" in docks
    assert "length_of" in rides
    [rules] = re.findall(r"rules=\((.*),\)", rides)
    assert set(rules.split(", ")) == {"dock", "fare", "minutes"}
    assert "derivations=(mark, length_of,)" in rides
