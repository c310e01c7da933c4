"""The new side of a pair under the names and columns of old."""

import duckdb
import pytest

from olist_pipeline.errors import OlistError
from olist_pipeline.parity.attribution import Evidence, parity_of
from olist_pipeline.warehouse import WarehouseTable, as_old_shows_it

TABLE = WarehouseTable(
    "rides", "riding", ("ride_id",), {}, {"loaded_at": "the time of the load", "extra": "only new has it"},
    new_name="fact_rides", renamed={"ride": "ride_id"},
)  # fmt: skip


@pytest.fixture
def warehouse():
    with duckdb.connect() as connection:
        connection.execute("CREATE SCHEMA old; CREATE SCHEMA replay; CREATE SCHEMA new")
        for schema in ("old", "replay"):
            cells = "5 AS fare, 'r' || n AS ride_id, now() AS loaded_at"
            connection.execute(f"CREATE TABLE {schema}.rides AS SELECT {cells} FROM range(3) t(n)")
        connection.execute("CREATE TABLE new.fact_rides AS SELECT ride_id AS ride, fare, 1 AS extra FROM old.rides")
        yield connection


def columns(connection, relation):
    return [row[:2] for row in connection.execute(f"DESCRIBE FROM {relation}").fetchall()]


def test_it_has_olds_columns_in_olds_order(warehouse):
    shown = columns(warehouse, as_old_shows_it(warehouse, TABLE))
    assert shown == columns(warehouse, "old.rides")


def test_the_pair_is_compared_under_these_names(warehouse):
    parity = parity_of(warehouse, TABLE, Evidence({}))
    assert parity.verdict.value == "identical", parity.sentences()
    warehouse.execute("UPDATE new.fact_rides SET fare = 6 WHERE ride = 'r1'")
    parity = parity_of(warehouse, TABLE, Evidence({}))
    assert [column.column for column in parity.equivalence.differing_columns] == ["fare"]


def test_a_column_that_new_lacks_and_nobody_left_out_is_a_difference(warehouse):
    warehouse.execute("ALTER TABLE new.fact_rides DROP fare")
    assert not parity_of(warehouse, TABLE, Evidence({})).is_green


def test_without_old_it_has_news_columns_under_olds_names(warehouse):
    warehouse.execute("DROP TABLE old.rides")
    assert [name for name, _ in columns(warehouse, as_old_shows_it(warehouse, TABLE))] == ["ride_id", "fare", "extra"]


def test_a_table_without_other_names_is_itself(warehouse):
    plain = WarehouseTable("rides", "riding", ("ride_id",), {}, {})
    assert as_old_shows_it(warehouse, plain) == '"new"."rides"'


def test_two_columns_of_new_that_old_calls_the_same_are_refused(warehouse):
    """One of them would be compared, and the other would not be seen to differ."""
    warehouse.execute("ALTER TABLE new.fact_rides ADD COLUMN RIDE_ID VARCHAR DEFAULT 'another'")
    with pytest.raises(OlistError, match="fact_rides has two columns that old calls ride_id, ride and RIDE_ID"):
        parity_of(warehouse, TABLE, Evidence({}))
