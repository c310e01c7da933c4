"""Old relations whose names have a dot: told apart from a schema and its relation, from the file to a release."""

from pathlib import Path

import duckdb
import pytest

from olist_pipeline.drafts.migration_file import whole_text
from olist_pipeline.errors import OlistError
from olist_pipeline.migration.load import load_migration
from olist_pipeline.migration.profiles import database_of
from olist_pipeline.migration.project import find_old, old_relations
from olist_pipeline.old_tables import bring, names_of, shown_of, without_pair
from olist_pipeline.serving.build import Publication, publish
from olist_pipeline.serving.release_checks import release_problems
from olist_pipeline.settings import Settings
from olist_pipeline.warehouse import WarehouseTable, served_tables
from tests.pipeline.migration.test_file import SMALL, written
from tests.pipeline.serving.world import release_of

RELATIONS = {"a": ("main", "sums.v1"), "b": ("sums", "v1"), "c": ("main", "list"), "d": ("other", "list")}


def manifest():
    nodes = {
        uid: {
            "unique_id": uid,
            "name": uid,
            "alias": alias,
            "schema": schema,
            "resource_type": "model",
            "path": f"sales/{uid}.sql",
            "package_name": "shop",
            "fqn": ["shop", "sales", uid],
            "config": {"materialized": "table"},
            "depends_on": {"nodes": []},
        }
        for uid, (schema, alias) in RELATIONS.items()
    }
    return {"nodes": nodes, "sources": {}, "macros": {}}


@pytest.fixture
def migration(tmp_path):
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "dbt_project.yml").write_text("name: shop\n")
    pairs = """pairs: [{old: '"sums.v1"', key: [id]}]\nserved: [sums.v1, other.list]\n"""
    return load_migration(written(tmp_path, SMALL + pairs))


def test_the_file_tells_a_dot_in_a_name_from_one_behind_a_schema(migration):
    assert [pair.name for pair in migration.pairs] == ["sums.v1"]
    assert old_relations(manifest(), migration) == {'"sums.v1"': "a", "v1": "b", "main.list": "c", "other.list": "d"}
    assert names_of(manifest(), migration) == {"a": ("sums.v1",), "b": ("v1",), "c": ("main", "list"), "d": ("list",)}
    shown = shown_of(manifest(), migration, "old", ["sums.v1", "v1", "list"])
    assert {name: node["unique_id"] for name, node in shown.items()} == {"sums.v1": "a", "v1": "b", "list": "d"}
    assert [table.name for table in served_tables(manifest(), migration)] == ["v1", "list"]
    assert without_pair(manifest(), migration) == ["main.list", "other.list", "v1"]
    assert find_old(manifest(), migration, 'main."sums.v1"')["unique_id"] == "a"


def test_a_name_that_is_not_quoted_is_one_sentence_that_quotes_it(migration):
    with pytest.raises(OlistError, match=r"""has no relation main.sums.v1; did you mean '?"sums.v1"'?\?"""):
        find_old(manifest(), migration, "main.sums.v1")
    with pytest.raises(OlistError, match=r"is no name, and no schema\.name; a name with a dot is in double quotes"):
        load_migration(written(migration.path.parent, SMALL + "served: ['a..b']\n"))


def test_a_first_file_quotes_them(migration, tmp_path):
    path = tmp_path / "whole.yml"
    path.write_text(whole_text(migration, manifest(), {"variable": "landing"}, {}, ["sums.v1"], None, []))
    assert load_migration(path).served == ('"sums.v1"', "v1")


def test_they_are_served_under_their_whole_name(migration, tmp_path):
    settings = Settings(tmp_path / "home", tmp_path / "landing", None, migration=migration.path)
    database = database_of(settings, migration, "old")
    database.parent.mkdir(parents=True)
    with duckdb.connect(str(database)) as connection:
        connection.execute('CREATE SCHEMA sums; CREATE TABLE "sums.v1" AS SELECT 1 AS id')
        connection.execute("CREATE TABLE sums.v1 AS SELECT 2 AS id")
    bring(settings, migration, manifest(), "old", ["sums.v1", "v1"])
    with duckdb.connect(str(settings.warehouse)) as connection:
        connection.execute('CREATE SCHEMA new; CREATE TABLE new."sums.v1" AS FROM old."sums.v1"')
    tables = [WarehouseTable("sums.v1", "sales", ("id",), {}, {}), *served_tables(manifest(), migration)[:1]]
    publication = Publication(tables, "r1", "f", "c", "2018-10-17", {})
    publish(settings.serving, settings.warehouse, publication, lambda: {"sales": "shadow"}, lambda tables, routes: ())
    current = Path(settings.serving / "current").resolve() / "serving.duckdb"
    with duckdb.connect(str(current), read_only=True) as connection:
        assert release_problems(connection, release_of(settings)) == []
        assert connection.execute('SELECT * FROM "sums.v1", v1').fetchall() == [(1, 2)]
