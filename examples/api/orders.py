"""Orders in PostgreSQL, with their events in the same transaction: the adapter of the sales port.

What belongs here: the table of orders, loading and keeping one, and the outbox. What does not: HTTP, and rules.

The outbox is the event store itself. An order and its events are written in one transaction, so neither is there
without the other, whenever the service dies; whoever wants to know what happened reads the store's tail
(`examples.stream`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from psycopg2.extensions import connection as Connection  # noqa: N812 - psycopg2's class is in lower case
from psycopg2.extras import execute_values
from sqlalchemy.pool import QueuePool

from olist_domain.sales.events import OrderEvent
from olist_domain.sales.order import Order, OrderRecords
from olist_domain.sales.records import OrderItemRecord, OrderRecord, PaymentRecord
from olist_domain.sales.repositories import OrderNotFoundError
from olist_pipeline.stores.postgres import connect, transaction

WRITER = "examples/api"
"""What the store says of who recorded an event."""


def create_table(url: str) -> None:
    """Create the table of orders where it is missing."""
    with transaction(url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('shop.orders') IS NOT NULL")
        if cursor.fetchone() != (True,):
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('shop.orders'))")
            cursor.execute(_TABLE)


class AnotherError(ValueError):
    """What was kept under a name is not what is sent under it now."""


class PostgresOrders:
    """The orders of the shop within one transaction; see `OrderRepository`."""

    def __init__(self, connection: Connection, *, may_change: bool) -> None:
        self._connection, self._may_change = connection, may_change
        self._versions: dict[str, int] = {}

    def get(self, order_id: str) -> Order:
        """Return the order; one that may change is nobody else's until the transaction ends.

        Raises OrderNotFoundError.
        """
        with self._connection.cursor() as cursor:
            if self._may_change:
                # FOR UPDATE would give the transaction an id before it waits, and ids are the order of the tail.
                cursor.execute(_LOCK, [order_id])
            cursor.execute("SELECT version, records FROM shop.orders WHERE order_id = %s", [order_id])
            row = cursor.fetchone()
        if row is None:
            raise OrderNotFoundError(order_id)
        self._versions[order_id] = row[0]
        return _order(row[1])

    def add(self, order: Order) -> None:
        """Keep the order as it stands, and append what happened to it since it was loaded or placed.

        Raises AnotherError for a new one whose events somebody else numbers, as the pipeline does those of landing.
        """
        events, before = order.collect_events(), self._versions.get(order.order_id, 0)
        version = before + len(events)
        with self._connection.cursor() as cursor:
            if order.order_id not in self._versions:
                cursor.execute(_OF_OTHERS, [OrderEvent.aggregate_type, order.order_id])
                if cursor.fetchone():
                    raise AnotherError(f"Order {order.order_id} has events of another writer")
            cursor.execute(_KEEP, {"order_id": order.order_id, "version": version, "records": _json(order)})
            rows = [_row(event, before + number) for number, event in enumerate(events, start=1)]
            execute_values(cursor, _APPEND, rows, _EVENT)
        self._versions[order.order_id] = version


class Database:
    """Connections to the server, kept for the next request: `most` of them at once."""

    def __init__(self, url: str, most: int = 8) -> None:
        self._pool = QueuePool(lambda: connect(url), pool_size=most, max_overflow=0, timeout=5)  # type: ignore[arg-type]

    @contextmanager
    def orders(self, *, may_change: bool = True) -> Iterator[PostgresOrders]:
        """Yield the orders in a transaction: committed when the block succeeds, undone when it does not."""
        held = self._pool.connect()
        connection: Connection = held.dbapi_connection  # type: ignore[assignment]
        try:
            yield PostgresOrders(connection, may_change=may_change)
            connection.commit()
        finally:
            if connection.closed:
                held.invalidate()
            held.close()  # undoes what was not committed

    def close(self) -> None:
        """End the connections."""
        self._pool.dispose()


def _order(records: dict[str, list[dict[str, object]]]) -> Order:
    return Order.from_records(
        OrderRecords(
            OrderRecord.model_validate(records["order"]),
            [OrderItemRecord.model_validate(item) for item in records["items"]],
            [PaymentRecord.model_validate(payment) for payment in records["payments"]],
        )
    )


def _json(order: Order) -> str:
    records = order.records()
    return json.dumps(
        {
            "order": records.order.model_dump(mode="json"),
            "items": [item.model_dump(mode="json") for item in records.items],
            "payments": [payment.model_dump(mode="json") for payment in records.payments],
        }
    )


def _row(event: OrderEvent, version: int) -> tuple[object, ...]:
    return (
        type(event).__name__,
        event.context,
        event.aggregate_type,
        event.aggregate_id,
        version,
        json.dumps(event.payload()),
        event.occurred_at,
        WRITER,
    )


_TABLE = """
CREATE SCHEMA IF NOT EXISTS shop;
CREATE TABLE IF NOT EXISTS shop.orders (
    order_id text    PRIMARY KEY,
    version  integer NOT NULL CHECK (version > 0),
    records  jsonb   NOT NULL
);
COMMENT ON COLUMN shop.orders.version IS 'the number of its events';
"""

_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('shop order ' || %s, 0))"

_OF_OTHERS = "SELECT 1 FROM event_store.domain_events WHERE aggregate_type = %s AND aggregate_id = %s LIMIT 1"

_KEEP = """
INSERT INTO shop.orders (order_id, version, records) VALUES (%(order_id)s, %(version)s, %(records)s)
ON CONFLICT (order_id) DO UPDATE SET version = excluded.version, records = excluded.records
"""

# An event's id is the hash of its content that the pipeline gives it.
_APPEND = """
INSERT INTO event_store.domain_events (
    event_id, event_type, context, aggregate_type, aggregate_id, version, payload, occurred_at, run_id
)
SELECT md5(jsonb_build_array(context, event_type, aggregate_id, occurred_at, payload)::text)::uuid, *
FROM (VALUES %s) AS happened (
    event_type, context, aggregate_type, aggregate_id, version, payload, occurred_at, run_id
)
"""
_EVENT = "(%s, %s, %s, %s, %s, %s::jsonb, %s::timestamp, %s)"
