"""Intake of tables in parts on Spark: the rows, in their order, are those that Polars makes of the same parts."""

import csv
import dataclasses
import shutil
from datetime import date
from itertools import pairwise

import polars as pl
import pytest

from olist_pipeline.errors import OlistError
from olist_pipeline.intake.cast import RULES
from olist_pipeline.landing.parts import folder_name
from olist_pipeline.registry import LANDING
from olist_pipeline.staging import intake_path
from olist_pipeline.steps import run_intake
from olist_pipeline.stores.postgres import query_rows
from tests.pipeline.spark.conftest import MASTER
from tests.pipeline.spark.left import QUARANTINE, TODAY

IN_PARTS = ("orders", "order_items", "order_reviews", "geolocation", "customers")
"""With a date, a parent of the same and of another table, without a key, and with neither parent nor month."""
PLACES = (0, 3, 3, 40, 41)


@pytest.fixture(scope="module")
def in_parts(on_one, tmp_path_factory):
    """Settings over the spoilt landing, of which some tables are in parts: one is empty, one there twice."""
    landing = tmp_path_factory.mktemp("parts") / "landing"
    landing.mkdir()
    for table in LANDING.values():
        if table.name not in IN_PARTS:
            shutil.copy(on_one.landing / table.file, landing)
            continue
        folder = landing / folder_name(table)
        folder.mkdir()
        with (on_one.landing / table.file).open(encoding="utf-8", newline="") as file:
            header, *records = csv.reader(file)
        again = [list(record) for record in records[3:40]]
        if table.month_of:
            # Two orders of one id and of two months: the first says the month of what belongs to them.
            again[2][header.index(table.month_of)] = "2016-12-03 04:05:06"
        cut = [records[first:last] for first, last in pairwise((*PLACES, len(records)))]
        for number, part in enumerate([*cut, *([again] if table.key else [])]):
            with (folder / f"{number}.csv").open("w", encoding="utf-8", newline="") as file:
                csv.writer(file, lineterminator="\n").writerows([header, *part])
    return dataclasses.replace(on_one, home=landing.parent / "polars", landing=landing)


def left_by(settings):
    """Return the intake of each table, what was said of it, and quarantine."""
    url = str(settings.postgres_url)
    reports = {table.name: run_intake(settings, url, table, TODAY, "r") for table in LANDING.values()}
    frames = {name: pl.read_parquet(intake_path(settings.intake, name), glob=False) for name in LANDING}
    return frames, reports, query_rows(url, QUARANTINE)


@pytest.mark.spark
def test_spark_makes_the_same_rows_of_parts(session, in_parts, database):
    expected, said, quarantined = left_by(in_parts)
    on_spark = dataclasses.replace(
        in_parts, home=in_parts.home.parent / "on spark", engine="spark", spark_master=MASTER
    )
    frames, reports, rows = left_by(on_spark)
    for name, frame in expected.items():
        assert frames[name].schema == frame.schema, name
        assert frames[name].equals(frame), name
    assert (reports, rows) == (said, quarantined)
    codes = {code for name in IN_PARTS for text in expected[name][RULES].unique() for code in text.split(",")}
    assert codes >= {"DUPLICATE_KEY", "MALFORMED_ROW", "PARENT_REJECTED", "ORPHAN_ORDER_ITEMS"}
    assert not (on_spark.outbox / "intake").exists() or not list((on_spark.outbox / "intake").iterdir())
    again = run_intake(on_spark, str(on_spark.postgres_url), LANDING["order_items"], TODAY, "r")
    assert again == said["order_items"], "what is known need not be made again"


@pytest.mark.spark
def test_a_part_that_cannot_be_read_is_named(session, in_parts, database, tmp_path):
    landing = tmp_path / "landing" / folder_name(LANDING["sellers"])
    landing.mkdir(parents=True)
    (landing / "1.csv").write_text("seller_id,seller_zip_code_prefix,seller_city\n1,2,3\n", "utf-8")
    settings = dataclasses.replace(
        in_parts, home=tmp_path / "home", landing=landing.parent, engine="spark", spark_master=MASTER
    )
    with pytest.raises(OlistError, match=r"1\.csv lacks the column seller_state; .* \(said by Spark's executor on "):
        run_intake(settings, str(settings.postgres_url), LANDING["sellers"], date(2018, 1, 1), "r")
