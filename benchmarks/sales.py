"""The sales validation step beside a plain parse of the same files.

What belongs here: timing intake, validation and the two engines. What does not: whole runs (see `run`).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from statistics import median

import polars as pl

from olist_domain.sales.order import OrderRecords
from olist_domain.sales.records import OrderItemRecord, OrderRecord, PaymentRecord
from olist_pipeline.contexts.sales.validation import validate_sales
from olist_pipeline.intake.rows import ingest
from olist_pipeline.landing.catalogue import ORDER_ITEMS, ORDER_PAYMENTS, ORDERS
from olist_pipeline.months import MonthRange
from olist_pipeline.staging import intake_path, scan_intake, write_frame, write_months

TABLES = (ORDERS, ORDER_ITEMS, ORDER_PAYMENTS)
ROUNDS = 7
SAMPLE = 5_000
MONTHS = MonthRange(date(2016, 9, 1), date(2018, 10, 1))


def measure(landing: Path, home: Path) -> None:
    """Print medians of rounds that alternate, and the ratios of one round."""
    rounds = [
        [
            _seconds(lambda: _parse_and_write(landing, home)),
            _seconds(lambda: _ingest(landing, home)),
            _seconds(lambda: _validate(home)),
        ]
        for _ in range(ROUNDS)
    ]
    plain, intake, validation = (median(column) for column in zip(*rounds, strict=True))
    ratio = median(row[2] / row[0] for row in rounds)
    whole = median((row[1] + row[2]) / row[0] for row in rounds)
    print("sales, three files, medians of", ROUNDS)
    print(f"  Polars parses and writes them to Parquet     {plain:6.3f} s")
    print(f"  intake (read, cast, structure, write)        {intake:6.3f} s")
    print(f"  validation (read, validate, split, write)       {validation:6.3f} s   {ratio:4.1f} x the plain parse")
    print(f"  intake and validation together               {intake + validation:6.3f} s   {whole:4.1f} x")
    on_columns = median(_seconds(lambda: _validate(home)) for _ in range(ROUNDS))
    orders = _intake(home)["orders"].height
    on_objects = _seconds_on_objects(home) / SAMPLE * orders
    print(
        f"  validating on columns {on_columns:.3f} s, on objects {on_objects:.1f} s: {on_objects / on_columns:.0f} x\n"
    )


def _parse_and_write(landing: Path, home: Path) -> None:
    for table in TABLES:
        pl.read_csv(landing / table.file).write_parquet(home / f"plain_{table.name}.parquet")


def _ingest(landing: Path, home: Path) -> None:
    months = ORDERS.months(date.today())
    orders = ingest(ORDERS, landing, months)
    write_frame(orders, intake_path(home / "intake", ORDERS.name))
    for table in (ORDER_ITEMS, ORDER_PAYMENTS):
        write_frame(ingest(table, landing, months, orders), intake_path(home / "intake", table.name))


def _intake(home: Path) -> dict[str, pl.DataFrame]:
    return {table.name: scan_intake(home / "intake", table.name).collect() for table in TABLES}


def _validate(home: Path) -> None:
    validated = validate_sales(_intake(home))
    validated.quarantined()
    for table in TABLES:
        write_months(validated.accepted(table.name), home / "staging", "sales", table.name, list(MONTHS))


def _seconds_on_objects(home: Path) -> float:
    intake = _intake(home)
    ids = intake["orders"]["order_id"].head(SAMPLE)
    parts = {
        name: intake[name].filter(pl.col("order_id").is_in(ids.implode())).to_dicts()
        for name in ("orders", "order_items", "order_payments")
    }
    started = time.perf_counter()
    items: dict[str, list[OrderItemRecord]] = {}
    for row in parts["order_items"]:
        items.setdefault(row["order_id"], []).append(OrderItemRecord.model_validate(row))
    payments: dict[str, list[PaymentRecord]] = {}
    for row in parts["order_payments"]:
        payments.setdefault(row["order_id"], []).append(PaymentRecord.model_validate(row))
    for row in parts["orders"]:
        order_id = row["order_id"]
        OrderRecords(OrderRecord.model_validate(row), items.get(order_id, []), payments.get(order_id, [])).violations()
    return time.perf_counter() - started


def _seconds(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
