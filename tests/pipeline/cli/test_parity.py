"""`olist parity`: the comparator as a tool without a project around it, stored verdicts, and approvals."""

import json
import os
from decimal import Decimal

import duckdb
import polars as pl
import pytest
from click.testing import CliRunner

from olist_pipeline.cli.parity import parity
from olist_pipeline.errors import OlistError
from olist_pipeline.parity.attribution import Evidence, parity_of
from olist_pipeline.stores import verdicts
from olist_pipeline.stores.verdicts import Verdict
from olist_pipeline.warehouse import WarehouseTable


@pytest.fixture
def files(tmp_path):
    rows = pl.DataFrame({"id": [1, 2, 3], "price": [Decimal("1.00"), Decimal("2.00"), Decimal("3.00")]})
    rows.write_parquet(tmp_path / "old.parquet")
    rows.with_columns(price=pl.col("price") + Decimal("0.01")).write_parquet(tmp_path / "new.parquet")
    with duckdb.connect(str(tmp_path / "db.duckdb")) as connection:
        connection.execute("CREATE SCHEMA s")
        connection.execute(f"CREATE TABLE s.prices AS FROM read_parquet('{tmp_path / 'old.parquet'}') ORDER BY id DESC")
    return tmp_path


def compare(*arguments):
    return CliRunner().invoke(parity, list(map(str, arguments)))


def test_a_difference_of_a_cent_is_named(files):
    result = compare("--old", files / "old.parquet", "--new", files / "new.parquet", "--key", "id")
    assert result.exit_code == 1
    assert "3 rows unequal" in result.output
    assert "price" in result.output


def test_a_tolerance_lets_it_pass(files):
    arguments = ["--old", files / "old.parquet", "--new", files / "new.parquet", "--key", "id"]
    assert compare(*arguments, "--tolerance", "price=0.01").exit_code == 0
    assert compare(*arguments, "--tolerance", "price=0.009").exit_code == 1


def test_a_file_and_a_table_are_compared_whatever_their_order(files):
    result = compare(
        "--old", files / "old.parquet", "--new", f"{files / 'db.duckdb'}:s.prices", "--key", "id", "--json"
    )
    assert result.exit_code == 0
    assert json.loads(result.output)["identical"] is True


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--old", "OLD", "--new", "OLD", "--key", "ID2"], "did you mean 'id'?"),
        (["--old", "OLD", "--new", "OLD", "--key", "id", "--exclude", "prise=x"], "did you mean 'price'?"),
        (["--old", "OLD", "--new", "OLD", "--key", "id", "--exclude", "price"], "COLUMN=REASON"),
        (["--old", "OLD", "--new", "OLD", "--key", '"id'], "apart"),
        (["--old", "a.parquet"], "needs --old, --new and --key"),
        (["--key", "id"], "needs --old, --new and --key"),
        (["--where", "true"], "needs --old, --new and --key"),
        (["fact_orders", "--old", "OLD", "--new", "OLD", "--key", "id"], "fact_orders names a stored comparison"),
        (["--old", "a.parquet", "--new", "b.parquet", "--key", "id"], "a.parquet"),
        (["--old", "a.parquet", "--new", "b.parquet", "--key", "id", "--tolerance", "price"], "COLUMN=BOUND"),
        (["--key", "id", "--tolerance", "v=1", "--tolerance", "V=2"], "--tolerance names the column V more than once"),
        (["--key", "id", "--exclude", "v=x", "--exclude", "v=y"], "--exclude names the column v more than once"),
        (["--old", "a.parquet", "--new", "b.parquet", "--key", "id", "--tolerance", "price=much"], "not a number"),
    ],
)
def test_what_cannot_be_compared_is_one_sentence(files, arguments, words):
    result = compare(*(files / "old.parquet" if argument == "OLD" else argument for argument in arguments))
    assert isinstance(result.exception, OlistError)
    assert words in str(result.exception)


def test_a_column_is_left_out_with_a_reason_that_is_shown(files, tmp_path):
    arguments = ["--old", files / "old.parquet", "--new", files / "new.parquet", "--key", "id"]
    page = tmp_path / "page.html"
    result = compare(*arguments, "--exclude", "price=set by the clock", "--html", page)
    assert result.exit_code == 0
    for shown in (result.output, page.read_text("utf-8")):
        assert "Column price is not compared: set by the clock" in shown
    report = json.loads(compare(*arguments, "--exclude", "price=set by the clock", "--json").output)
    assert report["excluded"] == {"price": "set by the clock"}


def test_the_page_for_a_browser_is_as_readable_as_what_the_user_writes(files, monkeypatch):
    page = files / "page.html"
    before = os.umask(0o077)
    try:
        monkeypatch.setattr("olist_pipeline.files._given_umask", 0o022)
        compare("--old", files / "old.parquet", "--new", files / "new.parquet", "--key", "id", "--html", page)
    finally:
        os.umask(before)
    assert page.stat().st_mode & 0o777 == 0o644


def test_names_with_commas_and_equal_signs_stand_in_quotes(tmp_path):
    for name, price in (("old", "1.0"), ("new", "1.1")):
        (tmp_path / f"{name}.csv").write_text(f'"a,b","c=d","e""f"\n1,{price},{name}\n')
    result = compare(
        "--old", tmp_path / "old.csv", "--new", tmp_path / "new.csv",
        "--key", '"a,b"', "--tolerance", '"c=d"=0.1', "--exclude", '"e""f"=a=b',
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert 'Column e"f is not compared: a=b.' in result.output


def test_help_shows_the_free_comparison():
    assert "olist parity --old old.csv --new new.parquet --key id" in compare("--help").output


@pytest.fixture
def stored(database, tmp_path, monkeypatch):
    """A store with a red verdict on fact_orders, one cell of whose revenue differs."""
    monkeypatch.setenv("OLIST_POSTGRES_URL", database)
    monkeypatch.setenv("OLIST_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")
    with duckdb.connect() as connection:
        for schema in ("old", "replay", "new"):
            connection.execute(f"CREATE SCHEMA {schema}")
            connection.execute(f"CREATE TABLE {schema}.fact_orders AS SELECT 'o1' AS order_id, 10.25 AS revenue")
        connection.execute("UPDATE new.fact_orders SET revenue = 10.26")
        found = parity_of(connection, WarehouseTable("fact_orders", "sales", ("order_id",), {}, {}), Evidence({}))
    report = found.to_dict()
    verdicts.record(database, Verdict("sales", "fact_orders", "parity", "differs", False, "s", report, "r1"))
    return database


def test_one_table_is_shown_old_beside_new(stored):
    result = compare("fact_orders")
    assert result.exit_code == 1
    for word in ("differs", "order_id = o1", "revenue", "10.25", "10.26", "replay"):
        assert word in result.output


def test_the_page_for_a_browser_is_written(stored, tmp_path):
    assert compare("--html", tmp_path / "page.html").exit_code == 1
    assert "10.26" in (tmp_path / "page.html").read_text("utf-8")


def test_an_approval_is_given_listed_and_revoked(stored):
    given = compare("approve", "fact_orders", "--column", "revenue", "--reason", "rounded", "--until", "2999-12-31")
    assert given.exit_code == 0, given.output
    [listed] = json.loads(compare("approvals", "--json").output)
    assert (listed["table"], listed["column"], listed["state"]) == ("fact_orders", "revenue", "active")
    assert "rounded" in compare().output, "every report shows it"
    assert compare("revoke", listed["approval_id"]).exit_code == 0
    [listed] = json.loads(compare("approvals", "--json").output)
    assert listed["state"] == "revoked"


@pytest.mark.parametrize(
    ("table", "column", "until", "words"),
    [
        ("fact_order", "revenue", "2999-12-31", "There is no compared table 'fact_order'; did you mean fact_orders?"),
        ("fact_orders", "profit", "2999-12-31", "no compared column profit; it has: revenue"),
        ("fact_orders", "revenue", "2018-01-01", "give a day from"),
    ],
)
def test_an_approval_that_cannot_be_meant_is_refused(stored, table, column, until, words):
    result = compare("approve", table, "--column", column, "--reason", "r", "--until", until)
    assert isinstance(result.exception, OlistError)
    assert words in str(result.exception)
    assert json.loads(compare("approvals", "--json").output) == []
