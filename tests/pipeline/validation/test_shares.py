"""Shares of quarantine: which are too large, which stop a run, and the sentence that names the cause."""

from datetime import date

import pytest

from olist_pipeline.months import MonthRange
from olist_pipeline.registry import CONTEXTS, LANDING
from olist_pipeline.settings import CutoverRules
from olist_pipeline.steps import run_intake, run_validation
from olist_pipeline.stores import quarantine
from olist_pipeline.validation.landing_shares import structural_shares
from olist_pipeline.validation.shares import Counted, Share, beside, broken_by, stored_shares

TODAY = date(2018, 12, 1)
SALES = CONTEXTS["sales"]
TABLES = [LANDING[name] for name in ("order_items", "orders", "order_payments")]


def edit(landing, table, old, new):
    path = landing / LANDING[table].file
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def day_first(landing):
    """Write the estimates as a spreadsheet of Brazil shows them."""
    edit(landing, "orders", "2017-10-18 00:00:00", "18/10/2017 00:00")
    edit(landing, "orders", "2018-02-13 00:00:00", "13/02/2018 00:00")


def alone(landing, rules=None):
    return structural_shares(landing, TABLES, TODAY, rules or CutoverRules(), landing.parent / "large")


def stored(settings):
    """Validate sales as a run does; return the shares of its tables that are above the limit."""
    url = settings.postgres_url
    for table in SALES.landing:
        run_intake(settings, url, table, TODAY, "r1")
    run_validation(
        settings, url, SALES.steps[0], list(MonthRange(date(2017, 10, 1), date(2018, 1, 1))), "r1", SALES.landing[0]
    )
    rows = {"orders": 2, "order_items": 3, "order_payments": 3}
    counts = [
        Counted(table, rows[table.name], len(quarantine.source_rows(url, table.name, table.name)))
        for table in SALES.tables
    ]
    return {share.table: share for share in stored_shares(url, counts, settings.cutover)}


@pytest.mark.parametrize(
    ("landing", "quarantined", "limit", "is_large", "stops"),
    [
        (0, 0, 0.02, False, False),
        (100, 2, 0.02, False, False),
        (100, 3, 0.02, True, False),
        (100, 50, 0.02, True, False),
        (100, 51, 0.02, True, True),
        (3, 2, 0.02, True, False),  # two bad rows of three: a tiny table, and one row is left
        (2, 2, 0.02, True, True),  # nothing is left
        (100, 51, 0.6, False, False),  # a limit above a half is meant
        (100, 100, 1, False, False),
    ],
)
def test_what_is_too_much(landing, quarantined, limit, is_large, stops):
    share = Share("orders", landing, quarantined, limit)
    assert (share.is_large, share.stops) == (is_large, stops)


def test_an_id_that_differs_by_what_one_does_not_see_is_shown(landing):
    """Of an order whose parts find no parent, nobody would see why."""
    edit(landing, "order_items", "o2,", "o2\u200b,")
    cause = alone(landing)["order_items"].cause
    assert cause is not None
    assert (cause.rule, cause.sample()) == (
        "ORPHAN_ORDER_ITEMS",
        "row 2 of olist_order_items_dataset.csv, order 'o2\\u200b'",
    )


@pytest.mark.parametrize(("identity", "said"), [("o1", ", order o1"), ("", ""), (None, "")])
def test_a_row_without_an_id_names_none(identity, said):
    row = {"source_table": "orders", "rule": "OTHER", "rows": 1, "source_file": "orders.csv", "source_row": 3}
    row |= {"payload": {}, "aggregate_type": "order", "aggregate_id": identity}
    assert broken_by(row, None).sample() == f"row 3 of orders.csv{said}"


def test_nothing_is_said_of_valid_files(settings, landing):
    assert stored(settings) == {}
    shares = alone(landing)
    assert [share.sentence() for share in shares.values() if share.is_large] == []


@pytest.mark.parametrize("validate", ["without a database", "stored"])
def test_the_cause_is_the_rule_that_began_it(settings, landing, validate):
    day_first(landing)
    shares = (
        stored(settings)
        if validate == "stored"
        else structural_shares(landing, TABLES, TODAY, settings.cutover, settings.outbox)
    )
    sample = "row 1 of olist_orders_dataset.csv: order_estimated_delivery_date '18/10/2017 00:00'"
    assert shares["orders"].sentence() == (
        "2 of 2 rows of orders are rejected (100.00%, limit 2.00%), "
        f"2 by UNPARSEABLE_ORDER_ESTIMATED_DELIVERY_DATE, e.g. {sample}"
    )
    assert shares["order_items"].sentence() == (
        "3 of 3 rows of order_items are rejected (100.00%, limit 2.00%), for the sake of orders, "
        f"which break UNPARSEABLE_ORDER_ESTIMATED_DELIVERY_DATE, e.g. {sample}"
    )
    assert all(share.stops for share in shares.values())


def test_orders_that_are_rejected_for_their_items_name_the_rule_of_these(settings, landing):
    for price in ("29.99", "118.70"):
        edit(landing, "order_items", price, "abc")
    shares = stored(settings)
    assert "for the sake of order_items, which break UNPARSEABLE_PRICE, e.g. row 1 of" in shares["orders"].sentence()
    assert "2 by UNPARSEABLE_PRICE" in shares["order_items"].sentence()
    assert "for the sake of order_items, which break UNPARSEABLE_PRICE" in shares["order_payments"].sentence()


def test_a_rule_of_the_whole_row_names_its_aggregate(settings, landing):
    for order in ("o1", "o2"):
        edit(landing, "order_items", f"\n{order},", "\nother,")
    sentence = stored(settings)["orders"].sentence()
    assert "2 by ORDER_WITHOUT_ITEMS, e.g. row 1 of olist_orders_dataset.csv, order o1" in sentence


def test_a_long_text_is_cut_and_an_empty_one_is_named(landing):
    edit(landing, "orders", "2017-10-02 10:56:33", "x" * 500)
    edit(landing, "orders", "2018-01-24 20:41:37", "y" * 500)
    assert f"'{'x' * 60}...'" in alone(landing)["orders"].sentence()
    edit(landing, "orders", "x" * 500, "")
    edit(landing, "orders", "y" * 500, "")
    sentence = alone(landing)["orders"].sentence()
    assert sentence.endswith("order_purchase_timestamp is empty")


@pytest.mark.parametrize(
    ("value", "bound", "said"),
    [(5.004, 5, "5.004"), (5, 5, "5.00"), (33.333333, 5, "33.33"), (89.96, 90, "89.96"), (0.0000001, 0, "0.0000001")],
)
def test_no_rounding_hides_on_which_side_of_a_bound_a_number_lies(value, bound, said):
    assert beside(value, bound, 2) == said
