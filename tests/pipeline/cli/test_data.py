"""`olist data`: what is in a folder, and what is generated."""

import json
import re

import pytest
from click.testing import CliRunner

from olist_pipeline.cli.data import data
from olist_pipeline.errors import OlistError
from olist_pipeline.landing.inspection import inspect_landing
from olist_pipeline.registry import LANDING
from olist_pipeline.settings import Settings


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("data")
    result = CliRunner().invoke(data, ["generate", "--orders", "300", "--seed", "5", "--out", str(out)])
    assert result.exit_code == 0
    return out


def check(folder):
    result = CliRunner().invoke(data, ["check", str(folder), "--json"])
    return result.exit_code, {report["file"]: report for report in json.loads(result.stdout)}


def test_a_generated_folder_is_complete(folder):
    code, reports = check(folder)
    assert code == 0
    assert set(reports) == {table.file for table in LANDING.values()}
    assert reports["olist_orders_dataset.csv"]["rows"] == 300
    assert reports["product_category_name_translation.csv"]["encoding"] == "UTF-8 with BOM"
    for table in LANDING.values():
        assert tuple(reports[table.file]["columns"]) == table.columns


def test_problems_and_remarks_are_reported(folder, tmp_path):
    for path in folder.glob("*.csv"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "olist_sellers_dataset.csv").unlink()
    orders = tmp_path / "olist_orders_dataset.csv"
    orders.write_text(orders.read_text().replace("\n", ",x\n"))
    items = tmp_path / "olist_order_items_dataset.csv"
    items.write_text(items.read_text() + "o,1\n\n")
    code, reports = check(tmp_path)
    assert code == 1
    assert "is missing" in reports["olist_sellers_dataset.csv"]["problem"]
    assert reports["olist_orders_dataset.csv"]["remark"] == "unexpected columns: x"
    assert reports["olist_orders_dataset.csv"]["problem"] == ""
    assert reports["olist_order_items_dataset.csv"]["remark"] == "1 malformed record; 1 empty line"


@pytest.mark.parametrize("name", ["nowhere", "a_file"])
def test_what_is_no_folder_is_one_sentence(tmp_path, name):
    (tmp_path / "a_file").write_text("x")
    with pytest.raises(OlistError, match="name the folder"):
        inspect_landing(Settings(tmp_path / "home", tmp_path / name, None), LANDING.values())


def test_generating_into_a_file_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("x")
    result = CliRunner().invoke(data, ["generate", "--orders", "5", "--out", str(tmp_path / "file")])
    assert isinstance(result.exception, OlistError)


def test_files_of_somebodys_are_not_replaced_by_invented_ones_unless_they_are_named(tmp_path, monkeypatch):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "olist_orders_dataset.csv").write_text("mine")
    monkeypatch.setenv("OLIST_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("OLIST_DATA_DIR", str(tmp_path / "real"))
    generating = ["generate", "--orders", "1"]
    assert "has files already" in str(CliRunner().invoke(data, generating).exception)
    assert (tmp_path / "real" / "olist_orders_dataset.csv").read_text() == "mine"
    assert CliRunner().invoke(data, [*generating, "--out", str(tmp_path / "real")]).exit_code == 0
    monkeypatch.delenv("OLIST_DATA_DIR")
    assert [CliRunner().invoke(data, generating).exit_code for _ in range(2)] == [0, 0]


@pytest.mark.parametrize("command", ["generate", "download"])
def test_nothing_is_written_to_an_address(tmp_path, monkeypatch, command):
    monkeypatch.setenv("OLIST_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("OLIST_DATA_DIR", "s3://bucket/olist")
    assert "to which nothing is written; name a folder with --out" in str(CliRunner().invoke(data, [command]).exception)
    assert not (tmp_path / "home").exists()


def test_the_real_set_is_recognised(real_data):
    code, reports = check(real_data)
    assert code == 0
    assert sum(report["rows"] for report in reports.values()) == 1_550_922


def test_a_file_that_is_mostly_rejected_is_reported_with_its_cause_and_no_success(folder, tmp_path):
    for path in folder.glob("*.csv"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    orders = tmp_path / "olist_orders_dataset.csv"
    orders.write_text(re.sub(r",(20\d\d)-(\d\d)-(\d\d) (\d\d:\d\d):\d\d", r",\3/\2/\1 \4", orders.read_text()))
    code, reports = check(tmp_path)
    assert code == 1
    assert reports[orders.name]["quarantine"]["stops"]
    result = CliRunner().invoke(data, ["check", str(tmp_path)])
    lines = [line for line in result.stdout.splitlines() if "are rejected" in line]
    assert any(
        "300 of 300 rows of orders are rejected (100.00%, limit 2.00%)" in line
        and "UNPARSEABLE_ORDER_" in line
        and "e.g. row 1 of olist_orders_dataset.csv" in line
        for line in lines
    ), result.stdout
