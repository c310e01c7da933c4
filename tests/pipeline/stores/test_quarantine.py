"""The quarantine: replaced by scope, stable under repetition."""

from datetime import date

import polars as pl

from olist_pipeline.stores import quarantine
from olist_pipeline.stores.postgres import query

OCTOBER, NOVEMBER = date(2017, 10, 1), date(2017, 11, 1)


def rows(*cells, rules="ORDER_WITHOUT_ITEMS"):
    """Return quarantine rows of (source_row, month)."""
    return pl.DataFrame(
        [
            ("sales", "order", f"o{n}", "orders", "orders.csv", n, rules, '{"order_id": "o"}', month)
            for n, month in cells
        ],
        schema={
            **dict.fromkeys(("context", "aggregate_type", "aggregate_id", "source_table", "source_file"), pl.String),
            "source_row": pl.Int64,
            "rules": pl.String,
            "payload": pl.String,
            "order_month": pl.Date,
        },
        orient="row",
    )


def replace(url, frame, months=None, run="r1", step="validation"):
    quarantine.replace_rows(url, step, ["orders"], months, [frame], run)


def stored(url):
    found = query(url, "SELECT source_row, run_id, step FROM data_quality.quarantine ORDER BY source_row, step")
    return [(row["source_row"], row["run_id"], row["step"]) for row in found]


def test_rows_are_kept_with_all_their_rules(database):
    replace(database, rows((1, OCTOBER), rules="A,B"))
    [row] = quarantine.find(database, table="orders", rule="B", aggregate_id=None, limit=9)
    assert row["rules"] == ["A", "B"]
    for rule, number in (("B", 1), ("C", 0), (None, 1)):
        assert quarantine.number_of(database, table="orders", rule=rule, aggregate_id=None) == number
    assert row["payload"] == {"order_id": "o"}
    assert quarantine.counts_by_rule(database, ["orders"]) == [
        {"source_table": "orders", "rule": rule, "rows": 1} for rule in ("A", "B")
    ]


def test_repeating_changes_nothing_and_keeps_the_first_run(database):
    replace(database, rows((1, OCTOBER)))
    replace(database, rows((1, OCTOBER)), run="r2")
    assert stored(database) == [(1, "r1", "validation")]


def test_a_row_that_breaks_other_rules_now_is_recorded_anew(database):
    replace(database, rows((1, OCTOBER)))
    replace(database, rows((1, OCTOBER), rules="OTHER"), run="r2")
    assert stored(database) == [(1, "r2", "validation")]


def test_a_row_whose_file_has_another_name_now_says_that(database):
    replace(database, rows((1, OCTOBER)))
    moved = rows((1, OCTOBER)).with_columns(pl.lit("orders/1.csv@0").alias("source_file"))
    replace(database, moved, run="r2")
    replace(database, moved, run="r3")
    [row] = quarantine.find(database, table="orders", rule=None, aggregate_id=None, limit=9)
    assert (row["source_file"], row["run_id"]) == ("orders/1.csv@0", "r2")


def test_rows_that_are_accepted_now_leave(database):
    replace(database, rows((1, OCTOBER), (2, OCTOBER)))
    replace(database, rows((2, OCTOBER)), run="r2")
    assert stored(database) == [(2, "r1", "validation")]


def test_other_months_and_steps_are_left_alone(database):
    replace(database, rows((1, OCTOBER), (2, NOVEMBER)))
    replace(database, rows((3, None)), step="intake")
    replace(database, rows(), months=[OCTOBER], run="r2")
    assert stored(database) == [(2, "r1", "validation"), (3, "r1", "intake")]


def test_a_row_that_moves_to_another_month_is_there_once(database):
    replace(database, rows((1, OCTOBER)))
    replace(database, rows((1, NOVEMBER)), months=[NOVEMBER], run="r2")
    assert stored(database) == [(1, "r2", "validation")]
    assert len(quarantine.source_rows(database, "orders", "orders")) == 1
    assert quarantine.number_of_rows(database, "orders", "orders") == 1
