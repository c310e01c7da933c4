"""Causes: quarantined rows traced to the ids that warehouse rows bear, and to the rules that began it."""

from datetime import date
from typing import Any

import polars as pl
import pytest

from olist_pipeline.parity.causes import causes
from olist_pipeline.registry import LINKS
from olist_pipeline.staging import write_snapshot
from olist_pipeline.stores import quarantine
from olist_pipeline.validation.table import Link
from olist_pipeline.validation.validated import QUARANTINE


@pytest.fixture
def put(database):
    rows: list[tuple[Any, ...]] = []

    def put_row(table, rules, payload, *, aggregate=("order", None)):
        kind, identity = aggregate
        month = date(2018, 1, 1)
        rows.append(("sales", kind, identity, table, f"{table}.csv", len(rows) + 1, rules, payload, month))
        frame = pl.DataFrame(rows, schema=QUARANTINE, orient="row")
        quarantine.replace_rows(database, "validation", {row[3] for row in rows}, None, [frame], "r1")

    return put_row


def traced(url, staging, links=LINKS):
    return {(link, value): rules for link, value, rules in causes(url, staging, links).iter_rows()}


def test_an_empty_quarantine_causes_nothing(database, tmp_path):
    assert traced(database, tmp_path) == {}


def test_a_row_rejected_for_its_order_is_traced_to_what_the_order_broke(database, tmp_path, put):
    put("orders", "ORDER_WITHOUT_ITEMS", '{"order_id": "o1", "customer_id": "c1"}')
    put("order_payments", "PARENT_REJECTED", '{"order_id": "o1"}')
    put("order_items", "PARENT_REJECTED", '{"order_id": "o1", "seller_id": "s1"}')
    assert traced(database, tmp_path) == {
        ("order_id", "o1"): "ORDER_WITHOUT_ITEMS",
        ("seller_id", "s1"): "ORDER_WITHOUT_ITEMS",
    }


def test_an_order_rejected_for_a_part_is_traced_to_what_the_part_broke(database, tmp_path, put):
    put("orders", "CHILD_REJECTED", '{"order_id": "o1"}')
    put("order_items", "NEGATIVE_AMOUNT", '{"order_id": "o1", "seller_id": "s1"}')
    put("order_items", "PARENT_REJECTED", '{"order_id": "o1", "seller_id": "s2"}')
    assert set(traced(database, tmp_path).values()) == {"NEGATIVE_AMOUNT"}


def test_several_rules_of_one_id_stand_together(database, tmp_path, put):
    put("orders", "B,A", '{"order_id": "o1"}')
    put("order_items", "C", '{"order_id": "o1"}')
    assert traced(database, tmp_path) == {("order_id", "o1"): "A + B + C"}


def test_where_nothing_else_is_known_the_row_keeps_its_own_code(database, tmp_path, put):
    put("order_reviews", "PARENT_REJECTED", '{"order_id": "o9"}')
    assert traced(database, tmp_path) == {("order_id", "o9"): "PARENT_REJECTED"}


def test_a_person_is_known_through_the_customer_of_the_order(database, tmp_path, put):
    customers = pl.DataFrame({"customer_id": ["c1", "c2"], "customer_unique_id": ["p1", "p2"]})
    write_snapshot(customers, tmp_path, "customer", "customers")
    put("orders", "ORDER_WITHOUT_ITEMS", '{"order_id": "o1", "customer_id": "c1"}')
    assert traced(database, tmp_path)[("customer_unique_id", "p1")] == "ORDER_WITHOUT_ITEMS"


def test_a_zip_prefix_has_another_name_in_landing(database, tmp_path, put):
    place = ("point", "01000")
    put("geolocation", "OUTSIDE_BRAZIL", '{"geolocation_zip_code_prefix": "01000"}', aggregate=place)
    assert traced(database, tmp_path) == {("zip_code_prefix", "01000"): "OUTSIDE_BRAZIL"}


def test_a_record_that_could_not_be_split_belongs_to_the_order_that_it_names(database, tmp_path, put):
    put("order_items", "MALFORMED_ROW", '{"text": "o1,1"}', aggregate=("order", "o1"))
    assert traced(database, tmp_path) == {("order_id", "o1"): "MALFORMED_ROW"}


def test_a_context_brings_ids_of_its_own(database, tmp_path, put):
    put("tickets", "TICKET_TOO_LONG", '{"ticket_id": "t1"}', aggregate=("ticket", "t1"))
    put("messages", "PARENT_REJECTED", '{"ticket_id": "t1", "agent": "a1"}', aggregate=("message", "m1"))
    put("tickets", "MALFORMED_ROW", '{"text": "t2"}', aggregate=("ticket", "t2"))
    own = (Link("ticket_id", aggregate="ticket"), Link("agent_id", cell="agent"))
    assert traced(database, tmp_path, own) == {
        ("ticket_id", "t1"): "TICKET_TOO_LONG",
        ("agent_id", "a1"): "TICKET_TOO_LONG",
        ("ticket_id", "t2"): "MALFORMED_ROW",
    }


def test_an_id_of_one_table_is_not_that_of_another(database, tmp_path, put):
    put("raw_orders", "NEGATIVE", '{"id": "5"}')
    put("raw_payments", "UNKNOWN_METHOD", '{"id": "5", "order_id": "7"}')
    links = (Link("order_id", cell="id", table="raw_orders"), Link("order_id"), Link("payment_id", cell="id"))
    assert traced(database, tmp_path, links) == {
        ("order_id", "5"): "NEGATIVE",
        ("order_id", "7"): "UNKNOWN_METHOD",
        ("payment_id", "5"): "NEGATIVE + UNKNOWN_METHOD",
    }
