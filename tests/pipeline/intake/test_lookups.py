"""What is looked up over all rows: repeated keys, parents, and of several parents the first."""

from datetime import date

import polars as pl
import pytest

from olist_pipeline.intake.lookups import IS_REPEATED, PARENT_IS_VALID, looked_up
from olist_pipeline.landing.catalogue import ORDER_ITEMS, ORDERS
from olist_pipeline.months import MONTH

OCTOBER, NOVEMBER = date(2017, 10, 1), date(2017, 11, 1)
PARENTS = [
    (9, "a", OCTOBER, ""),
    (1, "b", NOVEMBER, "DUPLICATE_KEY"),
    (2, "b", OCTOBER, "DUPLICATE_KEY"),
    (3, "c", None, "MALFORMED_ROW"),
    (4, "c", NOVEMBER, ""),
    (5, "d", None, "UNPARSEABLE_ORDER_PURCHASE_TIMESTAMP,DUPLICATE_KEY"),
    (6, "d", OCTOBER, "DUPLICATE_KEY"),
    (7, None, OCTOBER, "MISSING_ORDER_ID"),
    (8, None, OCTOBER, "MISSING_ORDER_ID"),
]
FOUND = {
    "a": (OCTOBER, True),
    "b": (NOVEMBER, False),
    "c": (NOVEMBER, False),
    "d": (None, False),
    "nobody": (None, None),
    None: (None, None),
}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_of_several_parents_the_first_says_the_month_and_each_must_be_valid(seed):
    kinds = {"source_row": pl.Int64, "order_id": pl.String, MONTH: pl.Date, "rules": pl.String}
    parents = pl.DataFrame(PARENTS, kinds, orient="row").sample(fraction=1, shuffle=True, seed=seed)
    items = pl.DataFrame({"order_id": list(FOUND), "order_item_id": 1})
    found = looked_up(items.lazy(), ORDER_ITEMS, parents.lazy()).collect()
    assert {row["order_id"]: (row[MONTH], row[PARENT_IS_VALID]) for row in found.to_dicts()} == FOUND
    assert found.height == len(FOUND)


def test_a_key_is_repeated_where_all_of_it_is():
    keys = [("a", 1), ("a", 2), ("a", 2), (None, 1), (None, 1), ("b", None), ("b", None)]
    items = pl.DataFrame(keys, {"order_id": pl.String, "order_item_id": pl.Int64}, orient="row")
    found = looked_up(items.lazy(), ORDER_ITEMS, None).collect()
    assert found.filter(pl.col(IS_REPEATED)).select("order_id", "order_item_id").rows() == [("a", 2)] * 2
    assert found[IS_REPEATED].null_count() == 0
    orders = looked_up(pl.LazyFrame({"order_id": ["a", "b", "a"]}), ORDERS, None).collect()
    assert sorted(orders.rows()) == [("a", True), ("a", True), ("b", False)]
