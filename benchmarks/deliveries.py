"""Deliveries: a landing as it was the day before, and one of which a month has changed.

What belongs here: writing such landings from a whole one, by its text. What does not: the generator (`olist_pipeline.
synthetic`), and running anything over them.
"""

from __future__ import annotations

import os
from pathlib import Path

import polars as pl

ORDERS = "olist_orders_dataset.csv"
OF_ORDERS = (
    ORDERS,
    "olist_order_items_dataset.csv",
    "olist_order_payments_dataset.csv",
    "olist_order_reviews_dataset.csv",
)
CUSTOMERS = "olist_customers_dataset.csv"
_PURCHASED = pl.col("order_purchase_timestamp")


def day_before(landing: Path, folder: Path) -> None:
    """Write to `folder`, which is not there yet, what `landing` was before its last day with orders.

    The orders of that day are missing with their items, payments, reviews and customers. The other files are links.
    """
    folder.mkdir(parents=True)
    orders = _scan(landing / ORDERS)
    day = pl.lit(orders.select(_PURCHASED.max()).collect().item()[:10])
    late = orders.filter(_PURCHASED.str.slice(0, 10) == day).select("order_id", "customer_id").collect().lazy()
    for path in landing.iterdir():
        key = "order_id" if path.name in OF_ORDERS else "customer_id" if path.name == CUSTOMERS else None
        if key is None:
            os.link(path, folder / path.name)
        else:
            _scan(path).join(late.select(key), on=key, how="anti", maintain_order="left").sink_csv(folder / path.name)


def change_month(landing: Path, month: str) -> None:
    """Let every twentieth order of a month (`2018-07`) be expected a day later."""
    expected = "order_estimated_delivery_date"
    later = pl.col(expected).str.to_datetime("%Y-%m-%d %H:%M:%S").dt.offset_by("1d").dt.to_string("%Y-%m-%d %H:%M:%S")
    is_changed = _PURCHASED.str.starts_with(month) & (pl.int_range(pl.len()) % 20 == 0)
    written = landing / f"{ORDERS}.new"
    _scan(landing / ORDERS).with_columns(
        pl.when(is_changed).then(later).otherwise(pl.col(expected)).alias(expected)
    ).sink_csv(written)
    written.replace(landing / ORDERS)


def month_before_the_last(landing: Path) -> str:
    """Return the last but one month with orders, `YYYY-MM`."""
    months = _scan(landing / ORDERS).select(_PURCHASED.str.slice(0, 7).unique().sort()).collect().to_series()
    return str(months[-2])


def last_busy_month(landing: Path) -> str:
    """Return the last month that has half as many orders as the average month, `YYYY-MM`: files may end in a few."""
    months = _scan(landing / ORDERS).group_by(_PURCHASED.str.slice(0, 7).alias("month")).len()
    return str(months.filter(pl.col("len") * 2 >= pl.col("len").mean()).select(pl.col("month").max()).collect().item())


def _scan(path: Path) -> pl.LazyFrame:
    return pl.scan_csv(path, infer_schema=False, glob=False)
