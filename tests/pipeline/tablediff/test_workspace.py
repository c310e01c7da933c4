"""A workspace leaves the caller's connection as it was: transaction, tables and settings."""

import duckdb
import pytest

from olist_pipeline.tablediff.workspace import workspace


@pytest.fixture
def own():
    """A connection whose settings a test may change."""
    with duckdb.connect(config={"threads": 1}) as connection:
        yield connection


def switched_off(con):
    return con.execute("SELECT current_setting('disabled_optimizers')").fetchall()[0][0]


def temporary(con):
    return [name for (name,) in con.execute("SELECT table_name FROM duckdb_tables() WHERE temporary").fetchall()]


def test_tables_are_gone_afterwards_and_no_transaction_is_open(own):
    with workspace(own, wide=False) as work:
        first, second = work.create("t", "SELECT 1 AS a"), work.create("t", "SELECT 2 AS a")
        assert work.rows(f"FROM {first} UNION ALL FROM {second} ORDER BY a") == [(1,), (2,)]
        assert work.row(f"FROM {second}") == (2,)
        assert len(temporary(own)) == 2
        work.drop(first)
        assert work.tables == [second]
    assert temporary(own) == []
    own.begin()
    own.rollback()


def test_all_statements_are_one_transaction(own):
    own.execute("CREATE TABLE kept AS SELECT 1 AS a")
    with workspace(own, wide=False) as work:
        work.row("SELECT count(*) FROM kept")
        assert work.row("SELECT txid_current()") == work.row("SELECT txid_current()")
        assert work.count("kept") == 1


def test_a_transaction_of_the_caller_goes_on_without_the_tables(own):
    own.begin()
    own.execute("CREATE TABLE kept AS SELECT 1 AS a")
    with workspace(own, wide=False) as work:
        work.create("t", "FROM kept")
        work.create("t", "FROM kept")
    assert temporary(own) == []
    own.commit()
    assert own.execute("FROM kept").fetchall() == [(1,)]


def test_hidden_names_are_no_one_elses(own):
    with workspace(own, wide=False) as one, workspace(own, wide=False) as other:
        assert len({one.hidden("k0"), one.hidden("k1"), other.hidden("k0")}) == 3
        assert one.hidden("k0") == one.hidden("k0")


@pytest.mark.parametrize("before", ["", "filter_pushdown", "filter_pushdown,join_order"])
def test_an_optimiser_is_off_for_a_wide_table_and_those_of_the_caller_stay_off(own, before):
    own.execute(f"SET disabled_optimizers = '{before}'")
    kept = switched_off(own)
    with workspace(own, wide=False):
        assert switched_off(own) == kept
    with workspace(own, wide=True):
        assert set(switched_off(own).split(",")) == {*filter(None, kept.split(",")), "projection_placement"}
    assert switched_off(own) == kept


def test_settings_are_put_back_after_an_error(own):
    with pytest.raises(duckdb.Error), workspace(own, wide=True) as work:
        work.rows("FROM nowhere")
    assert switched_off(own) == ""
    assert temporary(own) == []


def test_an_error_in_the_callers_transaction_is_the_callers_to_roll_back(own):
    own.begin()
    with pytest.raises(duckdb.Error, match="nowhere"), workspace(own, wide=True) as work:
        work.rows(f"FROM {work.create('t', 'SELECT 1 AS a')}, nowhere")
    own.rollback()
    assert temporary(own) == []
