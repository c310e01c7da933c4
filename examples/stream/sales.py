"""What a shop's page shows of an order, kept by its events: its last event, what it costs, what was paid.

What belongs here: the table and how events change it. What does not: following the store (`consumer`).
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from psycopg2.extensions import connection as Connection  # noqa: N812 - psycopg2's class is in lower case
from psycopg2.extras import execute_values

from olist_pipeline.stores.postgres import transaction

ORDER = "order"


def create_table(url: str) -> None:
    """Create the table where it is missing."""
    with transaction(url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('stream.orders') IS NOT NULL")
        if cursor.fetchone() != (True,):
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('stream.orders'))")
            cursor.execute(_TABLE)


def apply(connection: Connection, events: Sequence[dict[str, Any]]) -> None:
    """Bring the events of orders, oldest first, into the table."""
    changes: dict[str, list[Any]] = {}
    for event in events:
        if event["aggregate_type"] != ORDER:
            continue
        row = changes.setdefault(event["aggregate_id"], [event["aggregate_id"], 0, "", 0, 0])
        row[1] += 1
        row[2] = event["event_type"]
        if event["event_type"] == "OrderPlaced":
            row[3] = event["payload"]["total_amount"]
        elif event["event_type"] == "PaymentReceived":
            row[4] += Decimal(event["payload"]["payment_value"])
    if changes:
        with connection.cursor() as cursor:
            execute_values(cursor, _APPLY, sorted(changes.values()), "(%s, %s, %s, %s::numeric, %s::numeric)")


_TABLE = """
CREATE SCHEMA IF NOT EXISTS stream;
CREATE TABLE IF NOT EXISTS stream.orders (
    order_id   text    PRIMARY KEY,
    events     integer NOT NULL,
    last_event text    NOT NULL,
    total      numeric NOT NULL,
    paid       numeric NOT NULL
);
COMMENT ON COLUMN stream.orders.events IS 'as many as the order has, or some were lost or repeated';
"""

_APPLY = """
INSERT INTO stream.orders (order_id, events, last_event, total, paid) VALUES %s
ON CONFLICT (order_id) DO UPDATE SET
    events = orders.events + excluded.events,
    last_event = excluded.last_event,
    total = orders.total + excluded.total,
    paid = orders.paid + excluded.paid
"""
