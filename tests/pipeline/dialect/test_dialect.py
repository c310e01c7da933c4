"""DuckDB's options: said once, the same for dbt and for Python, and read as written."""

import duckdb
import yaml
from hypothesis import HealthCheck, given, settings

from olist_pipeline.dialect.dialect import Dialect, duckdb_options, duckdb_relation
from olist_pipeline.landing.catalogue import MOST_COLUMNS
from olist_pipeline.landing.parts import folder_name
from olist_pipeline.registry import LANDING
from olist_pipeline.settings import DBT_DIR
from tests.pipeline.dialect.reference import read
from tests.pipeline.dialect.test_check import contents


def declared():
    return yaml.safe_load((DBT_DIR / "models" / "old" / "sources.yml").read_text("utf-8"))["sources"][0]


def test_dbt_has_the_options_of_the_dialect():
    meta = declared()["config"]["meta"]
    assert meta["csv_options"] == duckdb_options()
    for columns in (meta["csv_columns"], meta["csv_record"]):
        assert f"range(1, {MOST_COLUMNS + 1})" in columns


def test_dbt_reads_the_columns_of_the_catalogue():
    for table in declared()["tables"]:
        meta = table["config"]["meta"]
        expected = LANDING[table["name"]]
        folder = f"{{{{ '/*' if '{expected.name}' in env_var('OLIST_LANDING_PARTS', '').split(',') }}}}"
        assert meta["file"] == f"{folder_name(expected)}{folder}.csv"
        assert tuple(meta["cells"].split("'")[1].split()) == expected.columns


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(content=contents())
def test_duckdb_reads_what_is_written(tmp_path, content):
    expected = read(content)
    if expected.fault:
        return
    path = tmp_path / "file.csv"
    path.write_bytes(content)
    wanted = [tuple((cell or None) for cell in [*record, "", ""][:2]) for record in expected.records[1:]]
    assert duckdb.execute(f"FROM {duckdb_relation(path, ['x', 'y'])}").fetchall() == wanted


def test_another_dialect_is_read_as_it_is_said(tmp_path):
    path = tmp_path / "a[1].tsv"
    path.write_bytes("x\ty\n'1\t2'\t\xe3\n#\t\"\n".encode("latin-1"))
    relation = duckdb_relation(path, ["x", "y"], Dialect("\t", "'", "latin-1"))
    assert duckdb.execute(f"FROM {relation}").fetchall() == [("1\t2", "ã"), ("#", '"')]
