"""The release that a page shows: pinned, read-only, and one sentence where there is none."""

import shutil
from datetime import UTC, date, datetime

import duckdb
import pytest

from dashboards.queries import QUERIES
from dashboards.release import Reader, current
from olist_pipeline.errors import OlistError
from olist_pipeline.release_manifest import Release, write_manifest
from olist_pipeline.serving.release import point_to

SPOILED = {
    "mart_executive_dashboard": {
        **dict.fromkeys(("revenue", "cumulative_revenue"), "9.5::DECIMAL(18, 2)"),
        **dict.fromkeys(("total_orders", "delivered_orders", "canceled_orders", "sale_orders"), "1"),
        **{"order_month": "DATE '2018-01-01'", "average_order_value": "2.5::DOUBLE"},
        **{"cancellation_rate": "'inf'::DOUBLE", "revenue_growth": "'nan'::DOUBLE"},
    },
    "dim_geography": {"state": "'SP'", "city": "'avaré'", "points": "1", "latitude": "'nan'::DOUBLE", "longitude": "1"},
    "mart_geographic_analysis": {
        **{"state": "'SP'", "city": "'avaré'", "region": "'Southeast'"},
        **dict.fromkeys(("revenue", "total_orders", "customers", "sellers", "revenue_rank"), "1"),
        **dict.fromkeys(("late_rate", "average_delivery_days"), "1::DOUBLE"),
    },
}
"""Views of one row, by the value of each column."""


def make_release(serving, number, revenue):
    """A release of one table, with a manifest as `publish` writes it."""
    folder = serving / "releases" / f"{number:05d}"
    folder.mkdir(parents=True)
    with duckdb.connect(str(folder / "serving.duckdb")) as connection:
        connection.execute(
            f"CREATE TABLE mart_executive_dashboard AS SELECT DATE '2018-01-01' AS order_month, {revenue}"
        )
    write_manifest(folder, Release(number, "2026-01-02T03:04:05+00:00", "r1", "f", "2018-10-17", {}, {}, {}))
    point_to(serving, number)


@pytest.fixture
def serving(tmp_path):
    make_release(tmp_path / "serving", 1, "1")
    return tmp_path / "serving"


def test_says_what_it_is(serving):
    release = current(serving)
    assert (release.number, release.as_of) == (1, date(2018, 10, 17))
    assert release.made_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_a_page_keeps_its_release_while_another_is_published(serving):
    shown = current(serving)
    make_release(serving, 2, "2")
    assert current(serving).number == 2
    assert shown.folder.name == "00001"
    with shown.reading() as reader:
        assert reader.options("executive_months") == [date(2018, 1, 1)]


def test_reading_keeps_nobody_out_and_leaves_nothing_open(serving):
    with current(serving).reading() as reader, current(serving).reading() as other:
        assert reader.options("executive_months") == other.options("executive_months")
    with duckdb.connect(str(serving / "releases" / "00001" / "serving.duckdb")) as writer:
        writer.execute("CREATE TABLE written AS SELECT 1")


def test_nothing_can_be_written(serving):
    with current(serving).reading() as reader, pytest.raises(duckdb.Error, match="read-only"):
        reader.connection.execute("DELETE FROM mart_executive_dashboard")


def test_a_release_without_its_data_is_one_sentence(serving):
    (serving / "rows.parquet").touch()
    with duckdb.connect(str(serving / "releases" / "00001" / "serving.duckdb")) as connection:
        rows = f"(SELECT DATE '2018-01-01' AS order_month) TO '{serving}/rows.parquet'"
        connection.execute(f"COPY {rows}; DROP TABLE mart_executive_dashboard")
        connection.execute(f"CREATE VIEW mart_executive_dashboard AS FROM '{serving}/rows.parquet'")
    (serving / "rows.parquet").unlink()
    with (
        current(serving).reading() as reader,
        pytest.raises(OlistError, match=r"Release 1 cannot be read \(.*rows.parquet.*`olist release verify 1`"),
    ):
        reader.options("executive_months")


def test_before_the_first_release_one_sentence(tmp_path):
    with pytest.raises(OlistError, match=r"There is no release in .*`olist run` makes the first"):
        current(tmp_path / "serving")


def test_a_release_with_a_damaged_manifest_is_one_sentence(serving):
    (serving / "current" / "manifest.json").write_text('{"number": 1}')
    with pytest.raises(OlistError, match=r"no readable manifest.json \(it lacks made_at\)"):
        current(serving)


def test_a_release_that_is_gone_is_one_sentence(serving):
    shown = current(serving)
    shutil.rmtree(shown.folder)
    with pytest.raises(OlistError, match="Release 1 is gone"), shown.reading():
        pass


@pytest.mark.parametrize("damage", [lambda data: data[: len(data) // 2], lambda data: data[:9000] + b"x" * 400])
def test_a_release_that_is_damaged_is_one_sentence(serving, damage):
    shown = current(serving)
    path = shown.folder / "serving.duckdb"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(OlistError, match="Release 1 cannot be read") as raised, shown.reading() as reader:
        reader.options("executive_months")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("name", ["migration_routes", "sales_totals", "executive_totals"])
def test_a_release_without_what_a_query_reads_is_one_sentence(serving, name):
    with current(serving).reading() as reader, pytest.raises(OlistError, match="Release 1 lacks"):
        reader.ask(name)


def test_what_sql_gets_of_a_division_by_zero_is_missing():
    """Old is served as it is: a rate of no orders is infinite there, or no number, and so may a place be."""
    with duckdb.connect() as connection:
        for view, values in SPOILED.items():
            columns = ", ".join(f"{value} AS {name}" for name, value in values.items())
            connection.execute(f"CREATE VIEW {view} AS SELECT {columns}")
        reader = Reader(connection, 1)
        [month] = reader.ask("executive_by_month").to_dicts()
        assert (month["cancellation_rate"], month["revenue_growth"], month["average_order_value"]) == (None, None, 2.5)
        assert reader.ask("geography_cities").is_empty()


def test_a_misspelled_query_is_one_sentence(serving):
    with current(serving).reading() as reader, pytest.raises(OlistError, match="There is no query 'sales_month'; name"):
        reader.ask("sales_month")


def test_an_unknown_parameter_is_an_error_of_the_page(serving):
    with (
        current(serving).reading() as reader,
        pytest.raises(TypeError, match="executive_months has no parameter state"),
    ):
        reader.ask("executive_months", state="SP")
    assert "executive_months" in QUERIES
