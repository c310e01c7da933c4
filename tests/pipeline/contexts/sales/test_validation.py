"""The sales validation step: an order is accepted or rejected with its parts, on frames as on objects."""

import json
from collections import Counter, defaultdict
from datetime import date
from decimal import Decimal

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from olist_domain.kernel.rules import Rule, Severity
from olist_domain.sales.facts import OrderItemFacts
from olist_domain.sales.order import Order, OrderRecords
from olist_domain.sales.order_item import OrderItem
from olist_domain.sales.records import OrderItemRecord, OrderRecord, PaymentRecord
from olist_domain.sales.rules import ORDER_ITEM_RULES
from olist_pipeline.contexts.sales.validation import validate_sales
from olist_pipeline.intake.rows import ingest
from olist_pipeline.landing.catalogue import ORDER_ITEMS, ORDER_PAYMENTS, ORDERS
from olist_pipeline.months import MonthRange
from tests.domain.rulebooks import one_more
from tests.pipeline.contexts.worlds import LOOKED_AT, telling
from tests.pipeline.intake.test_bad_input import edit

TABLES = (ORDERS, ORDER_ITEMS, ORDER_PAYMENTS)
MONTHS = MonthRange(date(2016, 1, 1), date(2018, 12, 1))


def take_all_in(landing):
    orders = ingest(ORDERS, landing, MONTHS)
    others = {table.name: ingest(table, landing, MONTHS, orders) for table in (ORDER_ITEMS, ORDER_PAYMENTS)}
    return {ORDERS.name: orders, **others}


def rejected(landing):
    """Return the rules of each row that validation quarantines, by table and source row."""
    quarantined = validate_sales(take_all_in(landing)).quarantined()
    return {
        (table, row): rules for table, row, rules in quarantined.select("source_table", "source_row", "rules").rows()
    }


def test_a_valid_order_is_accepted_with_its_derived_attributes(landing):
    validated = validate_sales(take_all_in(landing))
    assert validated.quarantined().is_empty()
    [first, second] = validated.accepted(ORDERS.name).to_dicts()
    assert (first["total_amount"], first["revenue"], first["order_validity"]) == (Decimal("38.71"),) * 2 + ("VALID",)
    assert (second["total_items"], second["num_sellers"], second["is_multivendor"]) == (2, 2, True)
    assert (first["order_month"], first["source_row"], first["flags"]) == (date(2017, 10, 1), 1, [])
    assert validated.accepted(ORDER_ITEMS.name)["total_amount"].to_list() == [
        Decimal(t) for t in ("38.71", "141.46", "11.50")
    ]


def test_an_order_without_items_takes_its_payments_along(landing):
    edit(landing, ORDER_ITEMS.file, b"o1,1,p1,s1,2017-10-06 11:07:15,29.99,8.72\n", b"")
    assert rejected(landing) == {
        ("orders", 1): "ORDER_WITHOUT_ITEMS",
        ("order_payments", 1): "PARENT_REJECTED",
        ("order_payments", 2): "PARENT_REJECTED",
    }


def test_a_negative_amount_rejects_the_item_its_order_and_everything_with_it(landing):
    edit(landing, ORDER_ITEMS.file, b"118.70", b"-118.70")
    assert rejected(landing) == {
        ("orders", 2): "CHILD_REJECTED",
        ("order_items", 2): "NEGATIVE_AMOUNT,PARENT_REJECTED",
        ("order_items", 3): "PARENT_REJECTED",
        ("order_payments", 3): "PARENT_REJECTED",
    }


def test_a_part_that_intake_rejected_rejects_its_order(landing):
    edit(landing, ORDER_PAYMENTS.file, b"152.96", b"abc")
    assert rejected(landing) == {
        ("orders", 2): "CHILD_REJECTED",
        ("order_items", 2): "PARENT_REJECTED",
        ("order_items", 3): "PARENT_REJECTED",
    }


def test_an_order_is_not_accepted_without_an_item_that_could_not_be_split(landing):
    edit(landing, ORDER_ITEMS.file, b"10.00,1.50", b"10,00,1.50")
    assert rejected(landing) == {
        ("orders", 2): "CHILD_REJECTED",
        ("order_items", 2): "PARENT_REJECTED",
        ("order_payments", 3): "PARENT_REJECTED",
    }


def test_parts_of_an_order_that_could_not_be_split_are_no_orphans(landing):
    edit(landing, ORDERS.file, b"o2,c2", b"o2,c2,c3")
    intake = take_all_in(landing)
    assert intake["order_items"]["rules"].to_list() == ["", "PARENT_REJECTED", "PARENT_REJECTED"]


def test_what_an_unreadable_item_would_add_up_to_is_unknown_not_nothing(landing):
    edit(landing, ORDER_ITEMS.file, b"29.99", b"abc")
    orders = validate_sales(take_all_in(landing)).tables["orders"].rows
    assert orders["rejects"].to_list() == ["CHILD_REJECTED", ""], "nobody may say that the order has no items"
    assert orders["flags"].to_list() == ["", ""]


def test_every_broken_rule_of_an_order_is_kept(landing):
    edit(landing, ORDERS.file, b"delivered,2017-10-02 10:56:33", b"lost,2017-12-02 10:56:33")
    assert rejected(landing)["orders", 1] == "ORDER_DELIVERED_BEFORE_PURCHASE,ORDER_STATUS_UNKNOWN"


def test_a_quarantined_row_keeps_its_cells_file_and_place(landing):
    edit(landing, ORDERS.file, b"shipped", b"lost")
    row = validate_sales(take_all_in(landing)).quarantined().filter(pl.col("source_table") == "orders").to_dicts()[0]
    assert (row["source_file"], row["source_row"], row["aggregate_id"]) == (ORDERS.file, 2, "o2")
    assert json.loads(row["payload"]) == {
        "order_id": "o2",
        "customer_id": "c2",
        "order_status": "lost",
        "order_purchase_timestamp": "2018-01-24 20:41:37",
        "order_approved_at": "2018-01-26 03:24:27",
        "order_delivered_carrier_date": "2018-01-26 14:31:00",
        "order_delivered_customer_date": None,
        "order_estimated_delivery_date": "2018-02-13 00:00:00",
    }


def test_flags_let_a_row_in_and_mark_it(landing):
    edit(landing, ORDER_PAYMENTS.file, b"boleto,1,152.96", b"boleto,2,150.00")
    validated = validate_sales(take_all_in(landing))
    assert validated.accepted(ORDERS.name)["flags"].to_list() == [[], ["PAYMENT_MISMATCH"]]
    assert validated.accepted(ORDER_PAYMENTS.name)["flags"].to_list() == [[], [], ["INSTALMENTS_NOT_ALLOWED"]]


def test_events_tell_each_order_in_order(landing):
    events = validate_sales(take_all_in(landing)).events
    types = events.filter(pl.col("aggregate_id") == "o1")["event_type"].to_list()
    assert types == ["OrderPlaced", *["PaymentReceived"] * 2, "OrderApproved", "OrderShipped", "OrderDelivered"]


def test_a_rejected_order_has_one_event(landing):
    edit(landing, ORDERS.file, b"shipped", b"lost")
    [event] = validate_sales(take_all_in(landing)).events.filter(pl.col("aggregate_id") == "o2").to_dicts()
    assert event["event_type"] == "OrderRejected"
    assert json.loads(event["payload"]) == {"order_id": "o2", "rules": ["ORDER_STATUS_UNKNOWN"]}


def test_a_month_without_rows_is_validated_to_nothing(landing):
    empty = {name: rows.clear() for name, rows in take_all_in(landing).items()}
    validated = validate_sales(empty)
    assert all(validated.accepted(table.name).is_empty() for table in TABLES)
    assert validated.quarantined().is_empty()
    assert validated.events.is_empty()


def records_of(intake):
    """Return each order of intake rows as the records that the domain validates, by order id."""
    items = by_order(intake["order_items"], OrderItemRecord.model_validate)
    payments = by_order(intake["order_payments"].sort("payment_sequential"), PaymentRecord.model_validate)
    return {
        row["order_id"]: OrderRecords(
            OrderRecord.model_validate(row), items[row["order_id"]], payments[row["order_id"]]
        )
        for row in intake["orders"].to_dicts()
    }


def by_order(rows, make, key="order_id"):
    grouped = defaultdict(list)
    for row in rows.iter_rows(named=True):
        grouped[row[key]].append(make(row))
    return grouped


def said(event):
    return event["event_type"], event["occurred_at"], json.loads(event["payload"])


def assert_frames_agree_with_objects(intake):
    """Compare verdicts, flags, derived attributes and events of every order on both engines."""
    validated = validate_sales(intake)
    by_id = {row["order_id"]: row for row in validated.tables["orders"].rows.to_dicts()}
    events = by_order(validated.events, said, "aggregate_id")
    for order_id, records in records_of(intake).items():
        violations = records.violations()
        row = by_id[order_id]
        own = [v for v in violations if v.subject == f"order {order_id}"]
        assert [c for c in row["rejects"].split(",") if c and c != "CHILD_REJECTED"] == codes(own, "reject")
        assert [c for c in row["flags"].split(",") if c] == codes(own, "flag")
        assert ("CHILD_REJECTED" in row["rejects"]) == bool(
            set(codes(violations, "reject")) - set(codes(own, "reject"))
        )
        derived = records.derived()
        assert {name: row[name] for name in derived} == derived
        if not row["rejects"]:
            assert events[order_id] == [(type(e).__name__, e.occurred_at, e.payload()) for e in records.history()]


def codes(violations, severity):
    return [violation.code for violation in violations if violation.severity == severity]


CELLS = {
    "order_status": st.sampled_from(["approved", "delivered", "canceled", "unavailable", "lost"]),
    "delivered": st.sampled_from(["", "2017-10-02 10:56:32", "2017-10-02 10:56:33", "2018-01-01 00:00:00"]),
    "approved": st.sampled_from(["", "2017-10-02 11:00:00"]),
    "items": st.lists(st.sampled_from(["-1.00", "0.00", "10.00"]), max_size=3),
    "payments": st.lists(
        st.tuples(
            st.sampled_from(["credit_card", "boleto", "not_defined"]),
            st.sampled_from([0, 1, 2, 25]),
            st.sampled_from(["-1.00", "0.00", "10.00", "10.01", "10.02"]),
        ),
        max_size=3,
    ),
}


@given(orders=st.lists(st.fixed_dictionaries(CELLS), min_size=1, max_size=6))
@settings(max_examples=40)
def test_frames_agree_with_objects_on_any_orders(tmp_path_factory, orders):
    landing = tmp_path_factory.mktemp("landing")
    write_landing(landing, orders)
    assert_frames_agree_with_objects(take_all_in(landing))


def write_landing(landing, orders):
    lines = {table: [",".join(table.columns)] for table in TABLES}
    for number, order in enumerate(orders):
        moments = f"2017-10-02 10:56:33,{order['approved']},,{order['delivered']},2017-11-01 00:00:00"
        lines[ORDERS].append(f"o{number},c{number},{order['order_status']},{moments}")
        for line, price in enumerate(order["items"], start=1):
            lines[ORDER_ITEMS].append(f"o{number},{line},p,s{line},2017-10-09 00:00:00,{price},0.00")
        for line, (kind, instalments, value) in enumerate(order["payments"], start=1):
            lines[ORDER_PAYMENTS].append(f"o{number},{line},{kind},{instalments},{value}")
    for table, rows in lines.items():
        (landing / table.file).write_text("\n".join(rows) + "\n")


def test_frames_agree_with_objects_on_real_orders(real_data):
    intake = take_all_in(real_data)
    orders = telling(validate_sales(intake).tables["orders"].rows)["order_id"]
    assert orders.len() > LOOKED_AT
    assert_frames_agree_with_objects(
        {name: rows.filter(pl.col("order_id").is_in(orders.implode())) for name, rows in intake.items()}
    )


def test_the_real_set_is_split_as_known(real_data):
    validated = validate_sales(take_all_in(real_data))
    accepted = {table.name: validated.accepted(table.name).height for table in TABLES}
    assert accepted == {"orders": 98_666, "order_items": 112_650, "order_payments": 103_056}
    by_rule = dict(validated.quarantined()["rules"].value_counts().rows())
    assert by_rule == {"ORDER_WITHOUT_ITEMS": 775, "PARENT_REJECTED": 830}
    items = validated.accepted(ORDER_ITEMS.name)
    assert (items["price"].sum(), items["freight_value"].sum()) == (Decimal("13591643.70"), Decimal("2251909.54"))


FREIGHT_EXCEEDS_PRICE: Rule[OrderItemFacts] = Rule(
    "FREIGHT_EXCEEDS_PRICE",
    Severity.FLAG,
    "The freight of an item does not exceed its price.",
    lambda item: item.freight_value <= item.price,
)


def test_a_new_flag_on_items_leaves_every_real_order_loadable(real_data):
    intake = take_all_in(real_data)
    with one_more(ORDER_ITEM_RULES, FREIGHT_EXCEEDS_PRICE) as code:
        items = validate_sales(intake).accepted("order_items")
        flagged = items.filter(pl.col("flags").list.contains(code))
        ids = flagged["order_id"].unique()
        assert (items.height, flagged.height, ids.len()) == (112_650, 4_124, 3_346)
        some = {name: rows.filter(pl.col("order_id").is_in(ids.implode())) for name, rows in intake.items()}
        held = [Order.from_records(records) for records in records_of(some).values()]
        flags = Counter(flag.code for order in held for flag in order.flags)
        assert (len(held), flags[code]) == (3_346, 4_124)
        assert all(OrderItem(item.record) == item for order in held for item in order.items)
