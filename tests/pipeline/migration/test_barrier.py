"""What replay can read: what it is given, and nothing else, whoever asks; and what the manifest tells of the rest."""

import re
from pathlib import Path

import duckdb
import pytest
import yaml

from olist_pipeline.errors import OlistError
from olist_pipeline.migration.barrier import Plugin
from olist_pipeline.migration.load import load_migration
from olist_pipeline.migration.profiles import database_of, unloaded, write_profile
from olist_pipeline.migration.project import ProjectPart, find_old, read_by_hooks, relations_among, selection
from olist_pipeline.migration.proof import letting_in, refusal, unproven
from olist_pipeline.old_tables import bring
from olist_pipeline.paths import duckdb_path
from olist_pipeline.settings import Settings
from tests.pipeline.migration.test_file import SMALL, written

FORBIDDEN = (
    "FROM read_csv('{outside}/rows.csv')",
    "FROM '{outside}/*.csv'",
    "FROM read_csv('{inside}/../outside/rows.csv')",
    "FROM read_csv('{inside}/link.csv')",
    "FROM read_text('{outside}/rows.csv')",
    "FROM glob('{outside}/*')",
    "ATTACH '{outside}/other.duckdb' AS other",
    "CREATE TABLE loaded AS FROM read_csv('{outside}/rows.csv')",
    "COPY (SELECT 1) TO '{outside}/made.csv'",
    "SET allowed_directories = ['{outside}']",
    "SET enable_external_access = true",
    "FROM read_csv('https://example.org/rows.csv')",
    "FROM read_csv(['{inside}/rows.csv', '{outside}/rows.csv'])",
    "FROM read_duckdb('{outside}/other.duckdb', table_name = 't')",
    "FROM sniff_csv('{outside}/rows.csv')",
    "FROM query('FROM read_csv(''{outside}/rows.csv'')')",
    "CREATE MACRO rows() AS TABLE FROM read_csv('{outside}/rows.csv')",
    "PREPARE p AS FROM read_csv('{outside}/rows.csv')",
    "IMPORT DATABASE '{outside}'",
    "INSTALL sqlite",
    "LOAD sqlite",
    "SET allowed_paths = ['{outside}/rows.csv']",
)


@pytest.fixture
def places(tmp_path) -> dict[str, Path]:
    for name in ("inside", "outside", "allowed"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "rows.csv").write_text(f"id\n{name}\n")
    duckdb.connect(str(tmp_path / "outside" / "other.duckdb")).close()
    (tmp_path / "inside" / "link.csv").symlink_to(tmp_path / "outside" / "rows.csv")
    return {name: tmp_path / name for name in ("inside", "outside", "allowed")}


@pytest.fixture
def closed(places, tmp_path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(str(tmp_path / "replay.duckdb"))
    config = {"folders": [str(places["inside"])], "files": [str(places["allowed"] / "rows.csv")]}
    Plugin("barrier", config).configure_connection(connection)
    return connection


def test_what_is_given_can_be_read(closed, places):
    for name in ("inside", "allowed"):
        assert closed.execute(f"FROM read_csv('{places[name]}/rows.csv')").fetchall() == [(name,)]
    closed.execute("CREATE TABLE t AS SELECT random() AS r FROM range(1000) ORDER BY r")


@pytest.mark.parametrize("name", ["a [1]", "what?", "it's 50% *", "é#"])
def test_a_folder_of_any_name_can_be_read_and_none_that_it_would_match_as_a_pattern(tmp_path, name):
    for folder in (name, re.split(r"[*?\[]", name)[0] + " beside"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "rows.csv").write_text("id\nread\n")
    connection = duckdb.connect()
    config = {"folders": [str(tmp_path / name)], "files": [str(tmp_path / name / "rows.csv")]}
    Plugin("barrier", config).configure_connection(connection)
    given = duckdb_path(tmp_path / name / "rows.csv").replace("'", "''")
    assert connection.execute(f"FROM read_csv('{given}')").fetchall() == [("read",)]
    with pytest.raises(duckdb.Error):
        connection.execute(f"FROM read_csv('{tmp_path}/*/rows.csv')").fetchall()


@pytest.mark.parametrize("statement", FORBIDDEN)
def test_nothing_else_can(closed, places, statement):
    with pytest.raises(duckdb.Error):
        closed.cursor().execute(statement.format(**places)).fetchall()


def test_a_refusal_names_who_asked_and_what_for():
    said = refusal(
        'Runtime Error in model prep_rides (models/prep_rides.sql)\n  Permission Error: Cannot access file "/x.csv"'
    )
    assert said.startswith("Replay is no proof: the model prep_rides reads /x.csv, where no accepted rows are;")
    assert "a hook (on-run-start) reads /y" in refusal('on-run-start failed, error:\n Cannot access directory "/y" -')
    assert refusal("Catalog Error: Table with name x does not exist") == ""


def test_a_function_of_an_extension_that_replay_does_not_load_is_named():
    lines = (
        "Runtime Error in model taxes (models/taxes.sql)",
        "Catalog Error: Table Function sqlite_scan is not there, but it exists in the sqlite_scanner extension",
    )
    said = refusal("\n".join(lines))
    assert said.startswith("Replay is no proof: the model taxes needs the extension sqlite_scanner, which replay does")


def test_extensions_that_may_open_files_by_themselves_are_not_loaded(tmp_path):
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "dbt_project.yml").write_text("name: shop\nprofile: shop\n")
    extensions = "[fts, sqlite_scanner, {name: spatial, repo: core}, {name: excel}, nobody_knows, {name: H3}]"
    output = f"{{type: duckdb, path: a.duckdb, attach: [{{path: b.duckdb}}], extensions: {extensions}}}"
    (tmp_path / "shop" / "profiles.yml").write_text(f"shop: {{target: prod, outputs: {{prod: {output}}}}}\n")
    old = "old: {project: shop, profile: {file: shop/profiles.yml}}"
    vouched = "besides: [{extension: h3, reason: It computes}]\n"
    path = written(tmp_path, SMALL.replace("old: {project: shop}", old) + vouched)
    settings = Settings(tmp_path / "home", tmp_path / "landing", None, migration=path)
    assert unloaded(load_migration(path)) == ["nobody_knows", "spatial", "sqlite_scanner"]
    profiles = {
        tree: write_profile(settings, load_migration(path), tree).folder / "profiles.yml" for tree in ("old", "replay")
    }
    ours = {tree: yaml.safe_load(file.read_text())["shop"]["outputs"]["prod"] for tree, file in profiles.items()}
    assert len(ours["old"]["extensions"]) == 6
    assert ours["replay"]["extensions"] == ["fts", {"name": "excel"}, {"name": "H3"}]
    assert "attach" not in ours["replay"]


def test_a_view_of_replay_is_read_behind_the_barrier_too(tmp_path, places):
    """dbt made it with the barrier; whoever reads it afterwards must not open what it could not."""
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "dbt_project.yml").write_text("name: shop\n")
    migration = load_migration(written(tmp_path, SMALL + "pairs: [{old: mart, key: [id]}]\n"))
    settings = Settings(tmp_path / "home", tmp_path / "landing", None, migration=migration.path)
    node = {
        "unique_id": "m",
        "name": "mart",
        "alias": "mart",
        "schema": "warehouse",
        "resource_type": "model",
        "fqn": ["shop"],
    }
    parsed = {"nodes": {"m": {**node, "fqn": ["shop", "mart"], "config": {"materialized": "view"}}}}
    for tree in ("old", "replay"):
        database = database_of(settings, migration, tree)
        database.parent.mkdir(parents=True)
        with duckdb.connect(str(database)) as connection:
            # The database is called like this schema of it.
            connection.execute("CREATE SCHEMA warehouse; USE warehouse.warehouse")
            connection.execute(f"CREATE VIEW mart AS FROM read_csv('{places['outside']}/rows.csv')")
    with pytest.raises(OlistError, match="has no relation Mart; did you mean 'mart'"):
        find_old(parsed, migration, "Mart")
    bring(settings, migration, parsed, "old", ["mart"])
    with pytest.raises(OlistError, match="replay tables cannot be read: Permission Error: Cannot access"):
        bring(settings, migration, parsed, "replay", ["mart"])
    with duckdb.connect(str(database)) as connection:
        connection.execute("CREATE OR REPLACE VIEW warehouse.warehouse.mart AS SELECT 'a' AS id")
    bring(settings, migration, parsed, "replay", ["mart"])
    with duckdb.connect(str(settings.warehouse)) as warehouse:
        found = warehouse.execute("FROM old.mart UNION ALL FROM replay.mart").fetchall()
    assert found == [("outside",), ("a",)]


def test_what_hooks_refer_to_is_part_of_the_proof():
    hook = {"resource_type": "operation", "depends_on": {"nodes": ["seed.x.prices"]}}
    nodes = {"operation.x.0": hook, "model.x.m": {"resource_type": "model", "depends_on": {"nodes": ["seed.x.zones"]}}}
    assert read_by_hooks({"nodes": nodes}) == ["seed.x.prices"]


def test_nodes_are_selected_by_their_whole_path():
    nodes = [{"name": "rides", "fqn": ["x", "marts", "rides"]}, {"name": "odd", "fqn": ["x", "old models", "odd"]}]
    assert selection(nodes) == "fqn:x.marts.rides odd"


def test_what_a_folder_of_old_models_is_made_of_is_built_with_them():
    """Seeds and snapshots lie elsewhere in a project that holds old and new."""
    nodes = {
        "seed.x.zones": {"name": "zones", "resource_type": "seed", "config": {"materialized": "seed"}},
        "model.x.cte": {"name": "cte", "resource_type": "model", "config": {"materialized": "ephemeral"}},
        "test.x.t": {"name": "t", "resource_type": "test", "config": {}},
    }
    found = relations_among({"nodes": nodes}, [*nodes, "source.x.raw.a"])
    assert [node["name"] for node in found] == ["zones"]
    assert ProjectPart(Path(), ("x", "old")).select_with_ancestors == "+fqn:x.old"
    assert ProjectPart(Path(), ()).select_with_ancestors == "fqn:*"


def manifest(**nodes):
    return {
        "nodes": {f"model.x.{name}": {"name": name, "resource_type": "model", **node} for name, node in nodes.items()},
        "sources": {
            "source.x.raw.a": {"source_name": "raw", "name": "a", "meta": {"plugin": "excel"}},
            "source.x.raw.b": {"source_name": "raw", "name": "b", "config": {"plugin": "gsheet"}},
            "source.x.raw.c": {"source_name": "raw", "name": "c", "config": {"meta": {"loaded": "daily"}}},
        },
    }


def test_what_goes_past_duckdb_is_found_in_the_manifest(tmp_path):
    text = SMALL + "besides: [{seed: zones, reason: They are ours}]\n"
    migration = load_migration(written(tmp_path, text))
    nodes = manifest(
        guess={"language": "python"},
        plain={"language": "sql"},
        written={"config": {"materialized": "external", "location": "out.parquet"}},
        below={"config": {"materialized": "external"}},
        zones={"resource_type": "seed"},
        prices={"resource_type": "seed"},
    )
    found = unproven(nodes, migration, [*nodes["nodes"], *nodes["sources"]])
    assert [sentence.split(" has ")[0].split(" is ")[0] for sentence in found] == [
        "the model guess",
        "the seed prices",
        "the model written",
        "the source raw.a",
        "the source raw.b",
    ]
    assert unproven(nodes, migration, ["model.x.plain", "model.x.zones"]) == []


@pytest.mark.parametrize(
    ("path", "holds"), [(".", True), ("landing", True), ("landing/zones.csv", False), ("x", False)]
)
def test_besides_may_not_let_landing_itself_in(tmp_path, path, holds):
    migration = load_migration(written(tmp_path, SMALL + f"besides: [{{path: {path}, reason: ours}}]\n"))
    assert bool(letting_in(migration, tmp_path / "landing")) == holds
