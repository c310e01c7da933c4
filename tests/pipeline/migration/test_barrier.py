"""What replay can read: what it is given, and nothing else, whoever asks; and what the manifest tells of the rest."""

from pathlib import Path

import duckdb
import pytest

from olist_pipeline.migration.barrier import Plugin
from olist_pipeline.migration.load import load_migration
from olist_pipeline.migration.proof import refusal, unproven
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


def manifest(**nodes):
    return {
        "nodes": {f"model.x.{name}": {"name": name, "resource_type": "model", **node} for name, node in nodes.items()},
        "sources": {"source.x.raw.a": {"source_name": "raw", "name": "a", "meta": {"plugin": "excel"}}},
    }


def test_what_goes_past_duckdb_is_found_in_the_manifest(tmp_path):
    text = SMALL + "besides: [{seed: zones, reason: They are ours}]\n"
    migration = load_migration(written(tmp_path, text))
    nodes = manifest(
        guess={"language": "python"},
        plain={"language": "sql"},
        zones={"resource_type": "seed"},
        prices={"resource_type": "seed"},
    )
    found = unproven(nodes, migration, [*nodes["nodes"], *nodes["sources"]])
    assert [sentence.split(" has ")[0].split(" is ")[0] for sentence in found] == [
        "the model guess",
        "the seed prices",
        "the source raw.a",
    ]
    assert unproven(nodes, migration, ["model.x.plain", "model.x.zones"]) == []
