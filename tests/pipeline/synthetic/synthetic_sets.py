"""The tables of a synthetic set, read as the text that stands in its files, and what must hold for any set."""

from __future__ import annotations

from pathlib import Path

import polars as pl

FILES = {
    "orders": "olist_orders_dataset.csv",
    "items": "olist_order_items_dataset.csv",
    "payments": "olist_order_payments_dataset.csv",
    "reviews": "olist_order_reviews_dataset.csv",
    "customers": "olist_customers_dataset.csv",
    "sellers": "olist_sellers_dataset.csv",
    "products": "olist_products_dataset.csv",
    "geolocation": "olist_geolocation_dataset.csv",
    "translation": "product_category_name_translation.csv",
}

Tables = dict[str, pl.DataFrame]


def read(folder: Path) -> Tables:
    """The tables of a folder, every column as text."""
    return {table: pl.read_csv(folder / file, infer_schema=False, encoding="utf8") for table, file in FILES.items()}


def check_integrity(tables: Tables) -> None:
    """Asserts that keys are unique, references resolve and time runs forward from the purchase."""
    for table, key in {
        "orders": ["order_id"],
        "items": ["order_id", "order_item_id"],
        "payments": ["order_id", "payment_sequential"],
        "reviews": ["review_id", "order_id"],
        "customers": ["customer_id"],
        "products": ["product_id"],
        "sellers": ["seller_id"],
        "translation": ["product_category_name"],
    }.items():
        assert not tables[table].select(key).is_duplicated().any(), f"{table}: {key} is not unique"
    for child, column, parent in (
        ("orders", "customer_id", "customers"),
        ("customers", "customer_id", "orders"),
        ("items", "order_id", "orders"),
        ("items", "product_id", "products"),
        ("items", "seller_id", "sellers"),
        ("payments", "order_id", "orders"),
        ("reviews", "order_id", "orders"),
    ):
        orphans = tables[child].join(tables[parent], on=column, how="anti")
        assert orphans.is_empty(), f"{child}.{column} without {parent}"
    early = pl.col("order_delivered_customer_date") < pl.col("order_purchase_timestamp")
    assert tables["orders"].filter(early).is_empty()
    assert mismatches(tables).filter(pl.col("order_status") == "approved").is_empty()


def cents(column: str) -> pl.Expr:
    """A column of decimal text as integers."""
    return pl.col(column).str.replace(".", "", literal=True).cast(pl.Int64)


def mismatches(tables: Tables) -> pl.DataFrame:
    """Orders with items whose payments differ from their total by more than a cent, with the difference."""
    total = tables["items"].group_by("order_id").agg(total=(cents("price") + cents("freight_value")).sum())
    paid = tables["payments"].group_by("order_id").agg(paid=cents("payment_value").sum())
    return (
        tables["orders"]
        .join(total, on="order_id")
        .join(paid, on="order_id", how="left")
        .with_columns(difference=pl.col("paid").fill_null(0) - pl.col("total"))
        .filter(pl.col("difference").abs() > 1)
    )
