"""`olist parity --old --new`: the comparator as a tool, without a project around it."""

import json
from decimal import Decimal

import duckdb
import polars as pl
import pytest
from click.testing import CliRunner

from olist_pipeline.cli.parity import parity
from olist_pipeline.errors import OlistError


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
        (["--old", "a.parquet"], "needs --old, --new and --key"),
        (["--old", "a.parquet", "--new", "b.parquet", "--key", "id"], "a.parquet"),
        (["--old", "a.parquet", "--new", "b.parquet", "--key", "id", "--tolerance", "price"], "COLUMN=BOUND"),
        (["--old", "a.parquet", "--new", "b.parquet", "--key", "id", "--tolerance", "price=much"], "not a number"),
    ],
)
def test_what_cannot_be_compared_is_one_sentence(arguments, words):
    result = compare(*arguments)
    assert isinstance(result.exception, OlistError)
    assert words in str(result.exception)
