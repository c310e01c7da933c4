"""The warehouse: what is said of a file that cannot be opened, and what a new model is made of."""

import copy

import duckdb
import pytest

from olist_pipeline import warehouse
from olist_pipeline.errors import OlistError
from olist_pipeline.orchestration.dbt_projects import ensure_manifest
from olist_pipeline.warehouse import load_manifest, reading, refuse_unmade, warehouse_tables


def test_a_damaged_file_is_not_called_busy(tmp_path):
    path = tmp_path / "warehouse.duckdb"
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(OlistError, match=r"is damaged \(.*\); `olist run` builds it anew"), reading(path):
        pass


def test_a_file_that_another_process_writes_is_busy(tmp_path, monkeypatch):
    path = tmp_path / "warehouse.duckdb"
    path.touch()

    def refuse(*_, **__):
        raise duckdb.IOException('Could not set lock on file "w": Conflicting lock is held in python (PID 7)')

    monkeypatch.setattr(duckdb, "connect", refuse)
    with pytest.raises(OlistError, match="is being written by another process"), reading(path):
        pass


@pytest.mark.parametrize("reason", ["Permission denied", "Too many open files"])
def test_a_file_that_cannot_be_opened_is_no_damaged_one(tmp_path, monkeypatch, reason):
    """It was renamed, and all that it held was made again beside it."""
    path = tmp_path / "warehouse.duckdb"
    path.touch()

    def refuse(*_, **__):
        raise duckdb.IOException(f'IO Error: Cannot open file "{path}": {reason}')

    monkeypatch.setattr(duckdb, "connect", refuse)
    for opens in (warehouse.set_aside_where_damaged, warehouse.await_free):
        with pytest.raises(OlistError, match=rf"cannot be opened \(.*: {reason}\); .* and run again\.$"):
            opens(path)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("text", ['{"nodes": {', "{}", "[]", "null", '{"nodes": []}'])
def test_a_manifest_that_was_cut_or_is_none_is_said_to_be_damaged(tmp_path, text):
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(OlistError, match=r"is damaged .* makes it anew"):
        load_manifest(tmp_path / "manifest.json")


def test_what_a_model_reads_is_found_however_many_ways_lead_there():
    """Two models a layer, each of both below: the ways double with every layer."""
    source = {"source_name": "s", "name": "orders", "config": {"meta": {"dagster": {"asset_key": ["sales", "orders"]}}}}
    nodes = {"0a": {"depends_on": {"nodes": ["source"]}}, "0b": {"depends_on": {"nodes": ["seed"]}}, "seed": {}}
    for layer in range(1, 60):
        below = [f"{layer - 1}a", f"{layer - 1}b"]
        nodes |= {f"{layer}{side}": {"depends_on": {"nodes": below}} for side in "ab"}
    assert warehouse._staged_sources(nodes["59a"], {"nodes": nodes, "sources": {"source": source}}) == {"sales/orders"}


def test_a_source_of_no_staged_table_is_one_sentence(parsed_project):
    manifest = copy.deepcopy(load_manifest(ensure_manifest(parsed_project)))
    for source in manifest["sources"].values():
        said = source["config"]["meta"].get("dagster", {}).get("asset_key")
        if said == ["sales", "orders"]:
            source["config"]["meta"]["dagster"]["asset_key"] = ["sales", "order"]
    with pytest.raises(OlistError, match=r"no staged table .* 'sales/order'; did you mean sales/orders"):
        warehouse_tables(manifest)


def test_a_pair_of_a_misspelled_context_is_one_sentence(parsed_project):
    manifest = copy.deepcopy(load_manifest(ensure_manifest(parsed_project)))
    [model] = [node for node in manifest["nodes"].values() if node["name"] == "new__fact_orders"]
    model["config"]["meta"]["context"] = "salse"
    with pytest.raises(OlistError, match=r"of the pair fact_orders. 'salse'; did you mean sales"):
        warehouse_tables(manifest)


def test_what_has_not_been_made_is_named_whatever_its_case(tmp_path):
    with duckdb.connect(str(tmp_path / "made.duckdb")) as connection:
        connection.execute("CREATE SCHEMA new; CREATE TABLE new.Fact AS FROM range(1)")
        connection.execute("CREATE VIEW new.seen AS FROM new.Fact")
        refuse_unmade(connection, [("new", "fact"), ("NEW", "seen")])
        with pytest.raises(OlistError, match="new/gone is not in the warehouse; materialise it first"):
            refuse_unmade(connection, [("new", "fact"), ("new", "gone")])
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{tmp_path / 'made.duckdb'}' AS warehouse (READ_ONLY); CREATE SCHEMA new")
        refuse_unmade(connection, [("new", "Fact")], "warehouse")
        with pytest.raises(OlistError, match="new/Fact is not in the warehouse"):
            refuse_unmade(connection, [("new", "Fact")])
