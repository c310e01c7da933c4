"""Parquet files between the steps: what a full disk or a missing step looks like to a person."""

from datetime import date

import polars as pl
import pytest

from olist_pipeline.errors import OlistError
from olist_pipeline.staging import (
    scan_intake,
    scan_staging,
    staged_months,
    staging_path,
    write_frame,
    write_months,
    write_snapshot,
)

FULL = "parquet: File out of specification: underlying IO error: No space left on device (os error 28)"


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), pl.exceptions.ComputeError(FULL)])
def test_a_full_disk_is_one_sentence_and_leaves_the_former_file(tmp_path, monkeypatch, error):
    path = tmp_path / "orders.parquet"
    write_frame(pl.DataFrame({"a": [1]}), path)

    def refuse(*_, **__):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(pl.DataFrame, "write_parquet", refuse)
        with pytest.raises(OlistError, match=r"orders\.parquet cannot be written: No space left on device"):
            write_frame(pl.DataFrame({"a": [2]}), path)
    assert pl.read_parquet(path)["a"].to_list() == [1]
    assert [file.name for file in tmp_path.iterdir()] == ["orders.parquet"]


def test_a_step_that_has_not_run_is_named(tmp_path):
    with pytest.raises(OlistError, match="materialise intake/orders first"):
        scan_intake(tmp_path, "orders")
    with pytest.raises(OlistError, match="materialise sales/orders first"):
        scan_staging(tmp_path, "sales", "orders")


STRANGE = ("2018-01 (copy).parquet", "copy of 2018-01.parquet", "2018-13.parquet", "0000-01.parquet", "abcd-ef.parquet")


def test_copies_that_somebody_made_count_for_nothing_and_go(tmp_path):
    month = date(2018, 1, 1)
    rows = pl.DataFrame({"order_id": ["o1"], "order_month": [month]})
    write_months(rows, tmp_path, "sales", "orders", [month], ".1of2")
    folder = staging_path(tmp_path, "sales", "orders", month).parent
    for name in STRANGE:
        rows.write_parquet(folder / name)
    assert staged_months(tmp_path, "sales", "orders") == [month]
    pl.DataFrame({"of": ["somebody"]}).write_parquet(folder / "export.parquet")
    assert scan_staging(tmp_path, "sales", "orders", [month]).collect().height == 1
    assert scan_staging(tmp_path, "sales", "orders").collect().height == 1
    write_months(rows, tmp_path, "sales", "orders", [month], ".2of2")
    assert sorted(path.name for path in folder.iterdir()) == ["2018-01.1of2.parquet", "2018-01.2of2.parquet"]


def test_months_without_rows_are_written_with_their_columns(tmp_path):
    months = [date(2018, 1, 1), date(2018, 2, 1)]
    rows = pl.DataFrame({"order_id": ["o1"], "order_month": [months[0]]})
    write_months(rows, tmp_path, "sales", "orders", months)
    empty = pl.read_parquet(staging_path(tmp_path, "sales", "orders", months[1]))
    assert (empty.height, empty.columns) == (0, ["order_id", "order_month"])


def test_a_table_that_gets_months_or_loses_them_has_its_rows_once(tmp_path):
    """Its context came to say which column dates it: what was staged before must not stand beside."""
    months = [date(2018, 1, 1), date(2018, 2, 1)]
    rows = pl.DataFrame({"order_id": ["o1", "o2"], "order_month": months})
    write_snapshot(rows, tmp_path, "sales", "orders")
    write_months(rows, tmp_path, "sales", "orders", months)
    assert scan_staging(tmp_path, "sales", "orders").collect().height == 2
    assert scan_staging(tmp_path, "sales", "orders", months[:1]).collect().height == 1
    write_snapshot(rows, tmp_path, "sales", "orders")
    assert scan_staging(tmp_path, "sales", "orders").collect().height == 2
