"""Validation on Spark: whatever Polars makes of a landing in this process, tasks of Spark make too, file by file."""

import dataclasses

import pytest

from benchmarks.same import spoilt
from olist_pipeline.registry import STEPS
from olist_pipeline.settings import Settings
from olist_pipeline.validation import units
from tests.conftest import empty_stores
from tests.pipeline.spark.conftest import MASTER
from tests.pipeline.spark.left import validate_all

pytestmark = pytest.mark.spark
ORDERS = 200
ROWS = 30
"""So many rows a unit: the larger months of these orders are cut."""


def test_every_row_and_event_is_the_same(session, database, monkeypatch, tmp_path):
    monkeypatch.setattr(units, "ROWS_A_UNIT", ROWS)
    on_one = Settings(tmp_path / "polars", spoilt(tmp_path / "landing", ORDERS, 2), database)
    on_polars = validate_all(on_one)
    empty_stores(database)
    on_spark = validate_all(dataclasses.replace(on_one, home=tmp_path / "spark", engine="spark", spark_master=MASTER))

    assert on_spark.differences_from(on_polars) == []
    was_on_spark = {name for name, report in on_spark.reports.items() if report.place.get("spark_application")}
    assert was_on_spark == {step.name for step in STEPS if step.is_monthly}
    assert not any(report.place for report in on_polars.reports.values())
    assert len(on_polars.quarantine) > ORDERS / 4
    assert len(on_polars.events) > ORDERS
    assert any(".2of" in path for path in on_polars.staging), "no month was cut"
    assert_differences_are_seen(on_polars)


def assert_differences_are_seen(left):
    """One value of one row, one event's version and one rule of quarantine make a difference."""
    path, rows = next((path, rows) for path, rows in left.staging.items() if rows.height > 1)
    changed = dataclasses.replace(left, staging={**left.staging, path: rows[1:].vstack(rows[:1])})
    assert changed.differences_from(left) == [f"{path} differs"]
    event = left.events[0]
    changed = dataclasses.replace(left, events=[(event[0], event[1] + 1, *event[2:]), *left.events[1:]])
    assert changed.differences_from(left) == ["events differ"]
    assert dataclasses.replace(left, quarantine=left.quarantine[1:]).differences_from(left) == ["quarantine differs"]
