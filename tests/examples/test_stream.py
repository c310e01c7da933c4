"""The consumer: each event once, whether its workers are several, are killed, or meet a transaction that is late."""

import os
import signal
import subprocess
import sys
import threading
from contextlib import closing
from datetime import timedelta

import pytest

from examples.api.orders import Database
from examples.api.orders import create_table as create_shop
from examples.stream import sales
from examples.stream.consumer import Consumer
from olist_domain.sales.order import Order
from olist_domain.sales.order_item import OrderItem
from olist_domain.sales.payment import Payment
from olist_domain.sales.records import OrderItemRecord, PaymentRecord
from olist_pipeline.stores.postgres import connect, query, query_rows
from tests.examples.conftest import ITEM, NOW, PAYMENT
from tests.patience import wait_for

APPLIED = "SELECT order_id, events, last_event, total::text, paid::text FROM stream.orders ORDER BY 1"
RIGHT = """
SELECT count(*) AS orders, count(*) FILTER (WHERE applied.events = stored.events) AS right
FROM (SELECT aggregate_id, count(*) AS events FROM event_store.domain_events GROUP BY 1) AS stored
LEFT JOIN stream.orders AS applied ON applied.order_id = stored.aggregate_id
"""


@pytest.fixture
def stream(shop) -> str:
    create_shop(shop)
    sales.create_table(shop)
    return shop


def place(orders, order_id):
    item = OrderItemRecord.model_validate({"order_id": order_id, "order_item_id": 1, **ITEM})
    order = Order.place(
        order_id=order_id, customer_id="c", at=NOW, estimated_delivery=NOW + timedelta(9), items=[OrderItem(item)]
    )
    orders.add(order)
    return order


def pay(orders, order_id, number=1):
    order = orders.get(order_id)
    record = PaymentRecord.model_validate({"order_id": order_id, "payment_sequential": number, **PAYMENT})
    order.add_payment(Payment(record), at=NOW)
    if number == 1:
        order.approve(at=NOW)
    orders.add(order)


def drain(consumer, url):
    """Let one worker do all that there is; return how much that was."""
    with closing(connect(url)) as connection:
        return sum(iter(lambda: consumer.step(connection), 0))


def test_what_happened_is_what_the_table_says(stream):
    database = Database(stream)
    with database.orders() as orders:
        place(orders, "o1")
        place(orders, "o2")
    with database.orders() as orders:
        pay(orders, "o1")
    assert drain(Consumer(stream, "orders", sales.apply), stream) == 4
    assert query_rows(stream, APPLIED) == [
        ("o1", 3, "OrderApproved", "72.19", "72.19"),
        ("o2", 1, "OrderPlaced", "72.19", "0"),
    ]


def test_one_that_begins_again_goes_on_where_it_ended_and_another_name_begins_at_the_beginning(stream):
    database = Database(stream)
    with database.orders() as orders:
        place(orders, "o1")
    assert drain(Consumer(stream, "orders", sales.apply), stream) == 1
    assert drain(Consumer(stream, "orders", sales.apply), stream) == 0
    with database.orders() as orders:
        pay(orders, "o1")
    assert drain(Consumer(stream, "orders", sales.apply), stream) == 2
    assert drain(Consumer(stream, "others", lambda connection, events: None), stream) == 3


def test_a_slice_that_fails_has_done_nothing_and_is_read_again(stream):
    database = Database(stream)
    with database.orders() as orders:
        place(orders, "o1")

    def fail(connection, events):
        sales.apply(connection, events)
        raise RuntimeError("in the middle")

    with closing(connect(stream)) as connection, pytest.raises(RuntimeError):
        Consumer(stream, "orders", fail).step(connection)
    assert query_rows(stream, APPLIED) == []
    assert drain(Consumer(stream, "orders", sales.apply), stream) == 1


def test_a_transaction_that_is_late_is_read_in_its_turn(stream):
    database, consumer = Database(stream), Consumer(stream, "orders", sales.apply)
    with database.orders() as slow:
        place(slow, "slow")
        with database.orders() as orders:
            place(orders, "fast")
        assert drain(consumer, stream) == 0
    assert drain(consumer, stream) == 2
    assert [row[0] for row in query_rows(stream, APPLIED)] == ["fast", "slow"]


def test_a_share_that_somebody_holds_is_left_to_them(stream):
    with Database(stream).orders() as orders:
        place(orders, "o1")
    inside, outside = threading.Event(), threading.Event()

    def wait(connection, events):
        sales.apply(connection, events)
        if events:
            inside.set()
            assert outside.wait(60)

    slow = threading.Thread(target=drain, args=(Consumer(stream, "orders", wait), stream))
    slow.start()
    assert inside.wait(60)
    assert drain(Consumer(stream, "orders", sales.apply), stream) == 0, "the share with the event is taken"
    outside.set()
    slow.join()
    assert query(stream, RIGHT) == [{"orders": 1, "right": 1}]


def test_workers_that_are_killed_at_work_lose_and_repeat_nothing(stream, program):
    """Two processes follow while orders are placed and paid; one after the other is killed, and others begin."""

    def start():
        return subprocess.Popen([sys.executable, "-P", "-m", "examples.stream"], env=program, cwd="/")

    workers, database = [start(), start()], Database(stream)
    for number in range(60):
        with database.orders() as orders:
            place(orders, f"o{number}")
        with database.orders() as orders:
            pay(orders, f"o{number}")
        if number in (20, 40):
            killed = workers.pop(0)
            wait_for(lambda: query_rows(stream, APPLIED), "the first events", 30)
            os.kill(killed.pid, signal.SIGKILL)
            killed.wait()
            workers.append(start())
    try:
        wait_for(lambda: query(stream, RIGHT) == [{"orders": 60, "right": 60}], "every event, once", 60)
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    assert {row[1:] for row in query_rows(stream, APPLIED)} == {(3, "OrderApproved", "72.19", "72.19")}
