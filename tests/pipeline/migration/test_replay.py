"""Replay's landing: the accepted rows of each file, every cell as it came."""

from dataclasses import replace
from datetime import date

import polars as pl
import pytest

from olist_pipeline.errors import OlistError
from olist_pipeline.landing.catalogue import ORDER_ITEMS, ORDERS
from olist_pipeline.landing.csv_file import SOURCE_ROW, read_records
from olist_pipeline.migration.load import load_migration, present_migration
from olist_pipeline.replay import STAMPS, write_replay_landing
from olist_pipeline.settings import Settings
from olist_pipeline.staging import write_months
from tests.pipeline.migration.test_file import SMALL, written

JANUARY = date(2018, 1, 1)


@pytest.fixture
def settings(tmp_path) -> Settings:
    (tmp_path / "landing").mkdir()
    header = ",".join([*ORDERS.columns, "note"])
    cells = '"o{n}",c{n},delivered,2018-01-0{n} 10:00:00,,,,2018-02-01 00:00:00,"a ""{n}"",\nb"'
    rows = [cells.format(n=n) for n in (1, 2, 3)]
    (tmp_path / "landing" / ORDERS.file).write_text("\n".join([header, *rows]) + "\n", "utf-8")
    (tmp_path / "landing" / "rates.csv").write_text("day,rate\n")
    return Settings(tmp_path / "home", tmp_path / "landing", None)


def accept(settings, *numbers):
    rows = pl.DataFrame(
        {SOURCE_ROW: numbers, "order_month": [JANUARY] * len(numbers)}, schema_overrides={SOURCE_ROW: pl.Int64}
    )
    write_months(rows, settings.staging, "sales", "orders", [JANUARY])


def test_accepted_rows_are_written_with_every_cell_as_it_came(settings):
    accept(settings, 1, 3)
    assert write_replay_landing(settings, present_migration({})) == {ORDERS.file: 2}
    found, _, _ = read_records(settings.replay_landing / ORDERS.file, ORDERS)
    before, numbers, _ = read_records(settings.landing / ORDERS.file, ORDERS)
    assert found.equals(before.filter(numbers != 2))
    assert found["note"].to_list() == ['a "1",\nb', 'a "3",\nb']


@pytest.mark.parametrize("name", [SOURCE_ROW, "order_month", "rules"])
def test_a_column_of_the_file_may_have_any_name(settings, name):
    path = settings.landing / ORDERS.file
    path.write_text(path.read_text("utf-8").replace("note", name, 1), "utf-8")
    accept(settings, 1, 3)
    write_replay_landing(settings, present_migration({}))
    found, _, _ = read_records(settings.replay_landing / ORDERS.file, ORDERS)
    assert found[name].to_list() == ['a "1",\nb', 'a "3",\nb']


def test_what_nobody_names_is_not_there(settings, tmp_path):
    accept(settings, 1)
    write_replay_landing(settings, present_migration({}))
    assert {path.name for path in settings.replay_landing.iterdir()} == {ORDERS.file}
    migration = load_migration(written(tmp_path, SMALL.replace("data_dir}", "data_dir, files: {rates.csv: {}}}")))
    write_replay_landing(settings, migration)
    assert {path.name for path in settings.replay_landing.iterdir()} == {ORDERS.file, "rates.csv"}
    write_replay_landing(settings, present_migration({}))
    assert not (settings.replay_landing / "rates.csv").exists()


def test_a_file_is_written_again_only_when_its_rows_changed(settings):
    accept(settings, 1)
    write_replay_landing(settings, present_migration({}))
    path = settings.replay_landing / ORDERS.file
    written_at = path.stat().st_mtime_ns
    write_replay_landing(settings, present_migration({}))
    assert path.stat().st_mtime_ns == written_at
    accept(settings, 1, 2)
    assert write_replay_landing(settings, present_migration({}))[ORDERS.file] == 2
    assert path.stat().st_mtime_ns > written_at


STAMPED = {"damaged": "{}x", "of an earlier version": f'{{"{ORDERS.file}": ["abc", 2]}}', "none": "[]", "null": "null"}


@pytest.mark.parametrize("stamps", ["whole", *STAMPED])
def test_a_file_that_was_damaged_is_written_again(settings, stamps):
    accept(settings, 1, 3)
    write_replay_landing(settings, present_migration({}))
    path = settings.replay_landing / ORDERS.file
    whole = path.read_bytes()
    path.write_bytes(bytes(len(whole)))
    if stamps != "whole":
        (settings.home / STAMPS).write_text(STAMPED[stamps])
    assert write_replay_landing(settings, present_migration({})) == {ORDERS.file: 2}
    assert path.read_bytes() == whole


def test_rows_that_are_not_in_landing_any_more_are_refused(settings):
    accept(settings, 1, 9)
    with pytest.raises(OlistError, match="has changed since its rows were accepted: 2 were, and 1 of them"):
        write_replay_landing(settings, present_migration({}))


def test_tables_that_were_never_validated_are_left_out(settings):
    accept(settings, 1)
    assert ORDER_ITEMS.file not in write_replay_landing(replace(settings, engine="polars"), present_migration({}))
