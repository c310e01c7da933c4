"""Landing in parts, or packed, as the old project finds it: before, and written anew for replay."""

import gzip
from datetime import date

import duckdb
import polars as pl
import pytest

from olist_pipeline.errors import OlistError
from olist_pipeline.landing.catalogue import ORDERS
from olist_pipeline.landing.folder import readable_landing
from olist_pipeline.landing.table import OtherFile
from olist_pipeline.migration.closing import close_off
from olist_pipeline.migration.load import load_migration
from olist_pipeline.migration.profiles import database_of, project_folder, reach
from olist_pipeline.migration.project import loaded_seeds
from olist_pipeline.old_tables import load_raw
from olist_pipeline.orchestration.dbt_projects import environment_of, landing_of
from olist_pipeline.replay import write_replay_landing
from olist_pipeline.settings import Settings
from olist_pipeline.staging import write_months
from tests.pipeline.migration.test_file import SMALL, written

JANUARY = date(2018, 1, 1)
FOLDER = ORDERS.file.removesuffix(".csv")
FILES = f"files: {{{ORDERS.file}: {{source: raw.orders}}, rates.csv: {{source: raw.rates}}}}"
SOURCES = {
    "orders": {"source_name": "raw", "name": "orders", "schema": "raw", "identifier": "orders"},
    "rates": {"source_name": "raw", "name": "rates", "schema": "money", "identifier": "TBL rates"},
}
SEEDS = {name: {"resource_type": "seed", "schema": "Raw", "alias": name} for name in ("orders", "others")}
MANIFEST = {"nodes": SEEDS, "sources": SOURCES}


@pytest.fixture
def settings(tmp_path) -> Settings:
    """The settings of a project whose orders are in two parts, one packed; its rates, which nobody validates, plain."""
    landing = tmp_path / "shop" / "raw"
    (landing / FOLDER).mkdir(parents=True)
    (tmp_path / "shop" / "dbt_project.yml").write_text("name: shop\nprofile: shop\n")
    part = "\n".join([",".join(ORDERS.columns), "o{},c,delivered,2018-01-01 10:00:00,,,,", "o{},c,delivered,,,,,\n"])
    (landing / FOLDER / "1.csv").write_text(part.format(1, 2))
    (landing / FOLDER / "2.csv.gz").write_bytes(gzip.compress(part.format(3, 4).encode()))
    (landing / "rates.csv").write_text("day,rate\n1,2\n")
    return Settings(tmp_path / "home", landing, None, migration=migrated(tmp_path, f"variable: data_dir, {FILES}"))


def migrated(folder, landing):
    return written(folder, SMALL.replace("variable: data_dir", landing))


def replay(settings, *accepted):
    rows = pl.DataFrame({"source_row": accepted, "order_month": [JANUARY] * len(accepted)})
    write_months(rows, settings.staging, "sales", "orders", [JANUARY])
    write_replay_landing(settings, load_migration(settings.migration))
    folder = settings.replay_landing
    return {
        str(path.relative_to(folder)): [line.partition(",")[0] for line in path.read_text().splitlines()[1:]]
        for path in sorted(folder.rglob("*.csv"))
    }


def test_replay_finds_parts_where_old_does(settings):
    expected = {f"{FOLDER}/1.csv": ["o1"], f"{FOLDER}/2.csv": ["o3", "o4"], "rates.csv": ["1"]}
    assert replay(settings, 1, 3, 4) == expected == replay(settings, 1, 3, 4)
    named = environment_of(settings, "replay", settings.replay_landing, JANUARY)
    assert named["OLIST_LANDING_PARTS"] == "orders"


def test_a_part_that_is_gone_and_parts_that_are_one_file_now_leave_nothing(settings):
    replay(settings, 1, 3)
    parts = settings.landing / FOLDER
    (parts / "2.csv.gz").unlink()
    assert replay(settings, 2) == {f"{FOLDER}/1.csv": ["o2"], "rates.csv": ["1"]}
    (parts / "1.csv").rename(settings.landing / ORDERS.file)
    parts.rmdir()
    assert replay(settings, 2) == {ORDERS.file: ["o2"], "rates.csv": ["1"]}
    assert not (settings.replay_landing / FOLDER).exists()
    parts.mkdir()
    (settings.landing / ORDERS.file).rename(parts / "9.csv")
    assert replay(settings, 2) == {f"{FOLDER}/9.csv": ["o2"], "rates.csv": ["1"]}


def test_a_file_that_nobody_validates_may_be_packed_or_in_parts_too(settings):
    rates = settings.landing / "rates.csv"
    rates.with_name("rates.csv.gz").write_bytes(gzip.compress(rates.read_bytes()))
    rates.unlink()
    assert replay(settings, 1)["rates.csv"] == ["1"]
    rates.with_name("rates.csv.gz").unlink()
    rates.with_name("rates").mkdir()
    (rates.with_name("rates") / "a.csv").write_text("day,rate\n5,2\n")
    found = replay(settings, 1)
    assert found["rates/a.csv"] == ["5"]
    assert "rates.csv" not in found


def test_old_finds_what_nobody_validates_beside_what_is_packed_or_in_parts(settings):
    landing = landing_of(settings)
    assert landing != settings.landing
    assert sorted(path.name for path in (landing / FOLDER).glob("*.csv")) == ["1.csv", "2.csv"]
    assert (landing / "rates.csv").read_text() == "day,rate\n1,2\n"


@pytest.mark.parametrize("tree", ["old", "replay"])
def test_a_raw_schema_is_loaded_of_all_parts(settings, tmp_path, tree):
    migration = load_migration(migrated(tmp_path, f"raw_schema: raw, {FILES}"))
    replay(settings, 1, 2, 3, 4)
    database_of(settings, migration, tree).parent.mkdir(parents=True, exist_ok=True)
    load_raw(settings, migration, MANIFEST, tree, settings.replay_landing if tree == "replay" else landing_of(settings))
    with duckdb.connect(str(database_of(settings, migration, tree))) as connection:
        found = connection.execute("SELECT order_id FROM raw.orders ORDER BY ALL").fetchall()
        rates = connection.execute('SELECT * FROM money."TBL rates"').fetchall()
    assert found == [("o1",), ("o2",), ("o3",), ("o4",)]
    assert rates == [("1", "2")], "where the source is, whatever it is called"


def test_a_seed_whose_table_is_loaded_is_left_to_landing(tmp_path):
    assert loaded_seeds(MANIFEST, load_migration(migrated(tmp_path, f"raw_schema: raw, {FILES}"))) == {"orders"}
    assert not loaded_seeds(MANIFEST, load_migration(migrated(tmp_path, f"variable: data_dir, {FILES}")))


def test_a_file_of_no_source_is_one_sentence(settings, tmp_path):
    migration = load_migration(migrated(tmp_path, f"raw_schema: raw, {FILES.replace('raw.rates', 'raw.rate')}"))
    database_of(settings, migration, "old").parent.mkdir(parents=True, exist_ok=True)
    with pytest.raises(OlistError, match="which is no source of the old project"):
        load_raw(settings, migration, MANIFEST, "old", landing_of(settings))


def test_a_cell_that_is_not_of_its_type_is_said_with_its_column(settings, tmp_path):
    typed = FILES.replace("source: raw.orders", "source: raw.orders, types: {order_id: integer}")
    migration = load_migration(migrated(tmp_path, f"raw_schema: raw, {typed}"))
    database_of(settings, migration, "old").parent.mkdir(parents=True, exist_ok=True)
    with pytest.raises(
        OlistError, match=r'cannot be loaded as raw.orders: .*column "order_id".*"o\d".*; see its types'
    ):
        load_raw(settings, migration, MANIFEST, "old", landing_of(settings))


def test_landing_in_the_project_is_read_where_it_is_and_so_must_be_plain(settings, tmp_path, monkeypatch):
    migration = load_migration(migrated(tmp_path, f"folder: raw, {FILES}"))
    packed = settings.landing / FOLDER / "2.csv.gz"
    with pytest.raises(OlistError, match=f"{FOLDER}/2.csv.gz is no plain CSV file"):
        landing_of(settings)
    packed.with_suffix("").write_bytes(gzip.decompress(packed.read_bytes()))
    packed.unlink()
    assert landing_of(settings) == settings.landing
    replay(settings, 1, 3)
    monkeypatch.chdir(project_folder(settings, migration, "replay"))
    with duckdb.connect() as connection:
        close_off(connection, **reach(settings, migration))
        found = connection.execute(f"SELECT order_id FROM read_csv('raw/{FOLDER}/*.csv') ORDER BY ALL").fetchall()
        assert found == [("o1",), ("o3",)]
        with pytest.raises(duckdb.PermissionException):
            connection.execute("FROM read_text('*.yml')")


def test_a_file_in_a_folder_of_landing_is_found_beside_one_that_is_packed(settings):
    (settings.landing / "deep").mkdir()
    (settings.landing / "rates.csv").rename(settings.landing / "deep" / "rates.csv")
    landing = readable_landing(settings, [ORDERS, OtherFile("deep/rates.csv")])
    assert (landing / "deep" / "rates.csv").read_text() == "day,rate\n1,2\n"
