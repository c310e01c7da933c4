"""Paths: none is a pattern, a column or SQL, to any reader, in any folder (the comparator's: `tablediff`)."""

import ast
import shutil
from pathlib import Path

import duckdb
import jinja2
import polars as pl
import pytest
import yaml

from olist_pipeline.errors import OlistError
from olist_pipeline.landing.catalogue import ORDERS
from olist_pipeline.landing.csv_file import read_text
from olist_pipeline.landing.folder import path_of
from olist_pipeline.parity.reconciliation import landing_relation
from olist_pipeline.paths import duckdb_path
from olist_pipeline.settings import DBT_DIR, Settings
from olist_pipeline.staging import scan_staging, staged_months, write_snapshot
from tests.conftest import PROJECT

NAMES = [
    "lan[1]",
    "a*b",
    "a?b",
    "[!a]",
    "**",
    "{a,b}",
    "k=v",
    "it's",
    'say "x"',
    "50%25 off",
    "a b",
    "é",
    "e\u0301",
    "$x`",
]
TWO_ORDERS = PROJECT / "tests" / "pipeline" / "two_orders"
BESIDE = ["lan1", "axb", "zab", "b", "a", "deep"]
"""Folders that the names would match as patterns."""


@pytest.fixture(params=NAMES)
def folder(request, tmp_path):
    for name in BESIDE:
        (tmp_path / name).mkdir()
        shutil.copy(TWO_ORDERS / ORDERS.file, tmp_path / name)
    (tmp_path / request.param).mkdir()
    return tmp_path / request.param


def rows(relation):
    with duckdb.connect() as connection:
        return connection.execute(f"SELECT * FROM {relation}").fetchall()


def test_landing_is_read_by_both_readers(folder):
    shutil.copytree(TWO_ORDERS, folder, dirs_exist_ok=True)
    path = path_of(folder, ORDERS)
    assert read_text(path, ORDERS).rows.height == len(rows(landing_relation([path], ORDERS))) == 2
    assert len(rows(landing_relation([path], ORDERS))[0]) == len(ORDERS.columns)


def test_staging_is_read_whole(folder):
    write_snapshot(pl.DataFrame({"id": ["mine"]}), folder, "sales", "orders")
    assert scan_staging(folder, "sales", "orders").collect().rows() == [("mine",)]
    assert staged_months(folder, "sales", "orders") == []


def test_the_sources_of_the_dbt_project_read_the_same_folders(folder):
    shutil.copy(TWO_ORDERS / ORDERS.file, folder)
    orders = pl.read_csv(folder / ORDERS.file, glob=False, infer_schema=False)
    write_snapshot(orders, folder / "staging", "sales", "orders")
    for tree in ("old", "new"):
        assert sorted(rows(relation_of_orders(tree, folder))) == sorted(orders.rows())


def relation_of_orders(tree: str, folder: Path) -> str:
    """Return what dbt makes of the source of orders, where both environment variables name `folder`."""
    [source, *_] = yaml.safe_load((DBT_DIR / "models" / tree / "sources.yml").read_text("utf-8"))["sources"]
    [orders, *_] = source["tables"]
    variables = {"env_var": lambda *_: str(folder)}
    meta = {
        name: jinja2.Template(value).render(variables) if isinstance(value, str) else value
        for name, value in {**source["config"]["meta"], **orders["config"]["meta"]}.items()
    }
    return meta["external_location"].format_map({**meta, "name": orders["name"]})


@pytest.mark.parametrize("name", ["a?b", "a#b", "a\\b", "a\nb", "a\udc80b"])
def test_a_home_that_no_database_can_be_in_is_refused(name, tmp_path):
    with pytest.raises(OlistError, match=r"OLIST_HOME is .*; name another folder"):
        Settings.from_env({"OLIST_HOME": str(tmp_path / name)})


def test_a_home_that_is_a_file_or_below_one_is_refused(tmp_path):
    file = tmp_path / "file"
    file.touch()
    for home in (file, file / "below" / "it"):
        with pytest.raises(OlistError, match=r"OLIST_HOME is .*/file is no folder; name another"):
            Settings.from_env({"OLIST_HOME": str(home)})
    assert Settings.from_env({"OLIST_HOME": str(tmp_path / "new" / "home")}).home == tmp_path / "new" / "home"


@pytest.mark.parametrize("name", ["OLIST_HOME", "OLIST_DATA_DIR"])
def test_a_folder_whose_links_go_in_circles_is_refused(name, tmp_path):
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    with pytest.raises(OlistError, match=rf"{name} is .*, whose links lead back to it; name another folder"):
        Settings.from_env({"OLIST_HOME": str(tmp_path), name: str(tmp_path / "circle" / "below")})


@pytest.mark.parametrize("name", ["OLIST_HOME", "OLIST_DATA_DIR", "OLIST_MIGRATION", "OLIST_POSTGRES_PASSWORD_FILE"])
def test_the_home_of_nobody_is_refused(name, tmp_path):
    env = {"OLIST_HOME": str(tmp_path), "OLIST_POSTGRES_URL": "postgresql://x", name: "~nobody-of-that-name/x"}
    with pytest.raises(OlistError, match=rf"{name} is '~nobody-of-that-name/x', and there is no such user"):
        Settings.from_env(env)


@pytest.mark.parametrize("address", ["s3://bucket/olist", "gs://bucket", "HTTPS://host/olist", "file:///data/olist"])
@pytest.mark.parametrize("name", ["OLIST_HOME", "OLIST_MIGRATION"])
def test_an_address_is_no_path(name, address, tmp_path):
    with pytest.raises(OlistError, match=rf"^{name} is '{address}', an address, and must be a path of this machine"):
        Settings.from_env({"OLIST_HOME": str(tmp_path), name: address})


@pytest.mark.parametrize(
    ("name", "value", "limits"),
    [
        ("OLIST_CUTOVER_STREAK", "1e3", "a whole number from 0 to 1,000,000"),
        ("OLIST_LOOK_SECONDS", "9" * 30, "a whole number from 0 to 1,000,000"),
        ("OLIST_QUARANTINE_LIMIT", "2", "a number from 0 to 1"),
        ("OLIST_FRESHNESS_HOURS", "0", "a number from 0.1 to 1,000,000"),
        ("OLIST_FRESHNESS_HOURS", "nan", "a number from 0.1 to 1,000,000"),
        ("OLIST_RETIRE_AFTER_DAYS", "1e300", "a number from 0 to 1,000,000"),
        ("OLIST_MEMORY", "8", "1 GB or more, as in 8GB or 1500MB"),
        ("OLIST_MEMORY", "900MB", "1 GB or more"),
        ("OLIST_MEMORY", "eight GB", "1 GB or more"),
    ],
)
def test_a_number_that_nobody_can_mean_is_refused(name, value, limits):
    with pytest.raises(OlistError, match=f"{name} is '{value}'; set it to {limits}"):
        Settings.from_env({name: value})


def test_landing_may_be_where_no_database_can_be(tmp_path):
    folder = tmp_path / "a?b#c"
    assert Settings.from_env({"OLIST_HOME": str(tmp_path), "OLIST_DATA_DIR": str(folder)}).landing == folder


def test_a_pattern_is_asked_for_and_nothing_else():
    assert duckdb_path(Path("/a[1]/b*")) == "/a[[]1]/b[*]"
    assert duckdb_path(Path("/a[1]"), "**/*.parquet") == "/a[[]1]/**/*.parquet"


READERS = {"scan_parquet", "read_parquet", "scan_csv", "read_csv"}


def test_no_reader_in_the_code_guesses():
    """Every call of Polars' readers says `glob=False`, every statement of DuckDB's `hive_partitioning = false`."""
    guessing, found = [], 0
    for path in (PROJECT / "olist_pipeline").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in READERS:
                given = {word.arg: ast.unparse(word.value) for word in node.keywords}
                is_plain = given.get("glob") == "False" and ("csv" in node.func.attr or "hive_partitioning" in given)
            elif isinstance(node, ast.JoinedStr) and any(f"{reader}(" in ast.unparse(node) for reader in READERS):
                is_plain = any(said in ast.unparse(node) for said in ("hive_partitioning = false", "duckdb_options("))
            else:
                continue
            found += 1
            guessing += [] if is_plain else [f"{path}:{node.lineno}"]
    assert found >= 6
    assert not guessing
