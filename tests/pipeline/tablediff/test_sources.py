"""Two relations without a project around them: files and tables of database files."""

import duckdb
import pytest

from olist_pipeline.tablediff.contract import RelationError, Tolerance
from olist_pipeline.tablediff.sources import compare_sources
from tests.pipeline.tablediff.tables import contract


@pytest.fixture
def folder(tmp_path):
    with duckdb.connect(str(tmp_path / "it's.duckdb")) as con:
        con.execute('CREATE SCHEMA "old schema"; CREATE TABLE t AS SELECT i AS id, i / 4 AS v FROM range(8) AS r(i)')
        con.execute('CREATE TABLE "old schema".t AS SELECT id, v + (id = 3)::INTEGER * 0.01::DOUBLE AS v FROM t')
        (tmp_path / "parts" / "deep").mkdir(parents=True)
        con.execute(f"COPY t TO '{tmp_path / 't.parquet'}'")
        con.execute(f"COPY (FROM t WHERE id < 4) TO '{tmp_path / 'parts' / '1.parquet'}'")
        con.execute(f"COPY (FROM t WHERE id >= 4) TO '{tmp_path / 'parts' / 'deep' / '2.parquet'}'")
        con.execute(f"COPY t TO '{tmp_path / 't.csv'}'")
        con.execute(f"COPY (SELECT id, v + 0.001 AS v FROM t) TO '{tmp_path / 'near.csv.gz'}'")
    return tmp_path


def test_files_folders_and_tables_are_compared(folder):
    database = folder / "it's.duckdb"

    for source in (folder / "t.parquet", folder / "parts", f"{database}:t", f"{database}:main.t"):
        assert compare_sources(str(source), str(folder / "t.parquet"), contract()).identical
    found = compare_sources(f"{database}:old schema.t", f"{database}:t", contract())
    assert [sample.key for sample in found.unequal_samples] == [{"id": "3"}]


def test_csv_columns_are_text_but_for_those_with_a_tolerance(folder):
    csv, near = str(folder / "t.csv"), str(folder / "near.csv.gz")

    assert compare_sources(csv, csv, contract()).columns[0].old_type == "VARCHAR"
    assert compare_sources(csv, near, contract()).unequal == 8
    assert compare_sources(csv, near, contract(tolerances={"v": Tolerance("0.001")})).identical


def test_a_csv_cell_keeps_zeros_blanks_and_the_empty_text(tmp_path):
    (tmp_path / "a.csv").write_text('id,v\n1,007\n2,""\n3,x \n4,\n')
    (tmp_path / "b.csv").write_text("id,v\n1,7\n2,\n3,x\n4,\n")

    found = compare_sources(str(tmp_path / "a.csv"), str(tmp_path / "b.csv"), contract(), memory_limit="1GB")

    assert [(c.old, c.new) for c in found.columns[0].changes] == [("", None), ("007", "7"), ("x ", "x")]


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("nowhere.parquet", "There is no Parquet file at"),
        ("nowhere.csv", "There is no file"),
        ("nowhere.duckdb:t", "There is no database file"),
        ("t.xlsx", "Cannot tell what"),
        ("it's.duckdb:none.t", "Cannot read"),
        ("empty", "There is no Parquet file at"),
        ("t.parquet.db:t", "Cannot open"),
    ],
)
def test_a_source_that_cannot_be_read_is_said_in_one_sentence(folder, source, why):
    (folder / "empty").mkdir()
    (folder / "t.parquet.db").write_bytes(b"no database" * 1000)

    with pytest.raises(RelationError, match=why) as refusal:
        compare_sources(str(folder / source), str(folder / "t.parquet"), contract())

    assert "\n" not in str(refusal.value)


def test_a_memory_limit_that_is_none_is_said_in_one_sentence(folder):
    source = str(folder / "t.parquet")

    with pytest.raises(RelationError, match="Cannot set the memory limit 'lots'"):
        compare_sources(source, source, contract(), memory_limit="lots")
