"""The rows: references, rules that hold, quirks that are there, shares near the real ones."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from olist_pipeline.synthetic import baskets, generate, generator, orders, payments, shapes, writer
from olist_pipeline.synthetic.catalogue import Catalogue
from olist_pipeline.synthetic.draw import Stream
from olist_pipeline.synthetic.people import People

from .synthetic_sets import Tables, cents, check_integrity, mismatches, read

col = pl.col


def test_keys_references_and_rules_hold(tables: Tables) -> None:
    check_integrity(tables)


@settings(max_examples=15)
@given(count=st.integers(1, 150), seed=st.integers(0, 2**64))
def test_they_hold_for_any_size_and_seed(count: int, seed: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        rows = generate(Path(name), orders=count, seed=seed)
        tables = read(Path(name))
    assert rows["olist_orders_dataset.csv"] == len(tables["orders"]) == len(tables["customers"]) == count
    check_integrity(tables)


def test_they_hold_across_many_chunks(tmp_path: Path) -> None:
    persons = []
    for chunk in (64, 2000):
        with writer.FileSet(tmp_path) as files:
            generator._write_set(files, 2000, 3, chunk, lambda _: None)
        tables = read(tmp_path)
        assert len(tables["orders"]) == 2000
        check_integrity(tables)
        assert tables["orders"]["order_purchase_timestamp"].str.tail(8).n_unique() > 1800, "chunks repeat each other"
        persons.append(tables["customers"].sort("customer_id"))
    assert persons[0].equals(persons[1]), "who buys must not depend on the chunks"


def test_approved_orders_are_paid_to_the_cent() -> None:
    order = np.arange(4000)
    stream = Stream(9, 0)
    placed = replace(
        orders.place(order, People(4000, 9).behind(order), stream),
        status=np.full(4000, shapes.APPROVED),
        has_items=order % 1000 != 703,
    )
    basket = baskets.fill(placed, Catalogue(4000, 9, stream), stream)
    paid = payments.payment_frame(9, placed, basket, stream).group_by("order_id").agg(col("payment_value").sum())
    total = pl.DataFrame({"order_id": orders.order_ids(9, order), "total": basket.total / 100})
    both = total.filter(pl.Series(placed.has_items)).join(paid, on="order_id")
    assert len(both) > 3900
    assert both.select(((col("total") - col("payment_value")).abs() < 0.005).all()).item()


def orders_per_person(tables: Tables) -> pl.DataFrame:
    return tables["customers"].group_by("customer_unique_id").len("orders")


def statuses(*names: str) -> pl.Expr:
    return col("order_status").is_in(names)


def shipped_before_approval(tables: Tables) -> pl.DataFrame:
    return tables["orders"].filter(col("order_delivered_carrier_date") < col("order_approved_at"))


def late_orders(tables: Tables) -> pl.DataFrame:
    return tables["orders"].filter(col("order_delivered_customer_date") > col("order_estimated_delivery_date"))


QUIRKS: dict[str, Callable[[Tables], pl.DataFrame]] = {
    "delivery before approval": lambda t: t["orders"].filter(
        col("order_delivered_customer_date") < col("order_approved_at")
    ),
    "carrier before approval": shipped_before_approval,
    "carrier before purchase": lambda t: t["orders"].filter(
        col("order_delivered_carrier_date") < col("order_purchase_timestamp")
    ),
    "delivered without approval": lambda t: t["orders"].filter(
        statuses("delivered"), col("order_approved_at").is_null()
    ),
    "delivered without date": lambda t: t["orders"].filter(
        statuses("delivered"), col("order_delivered_customer_date").is_null()
    ),
    "delivered without carrier": lambda t: t["orders"].filter(
        statuses("delivered"), col("order_delivered_carrier_date").is_null()
    ),
    "canceled after delivery": lambda t: t["orders"].filter(
        statuses("canceled"), col("order_delivered_customer_date").is_not_null()
    ),
    "late delivery": late_orders,
    "orders without items": lambda t: t["orders"].join(t["items"], on="order_id", how="anti"),
    "order without payment": lambda t: t["orders"].join(t["payments"], on="order_id", how="anti"),
    "order without review": lambda t: t["orders"].join(t["reviews"], on="order_id", how="anti"),
    "order with two reviews": lambda t: t["reviews"].filter(col("order_id").is_duplicated()),
    "review of two orders": lambda t: t["reviews"].filter(col("review_id").is_duplicated()),
    "shipping limit in 2020": lambda t: t["items"].filter(col("shipping_limit_date").str.starts_with("2020-")),
    "several sellers an order": lambda t: t["items"]
    .group_by("order_id")
    .agg(col("seller_id").n_unique())
    .filter(col("seller_id") > 1),
    "several products an order": lambda t: t["items"]
    .group_by("order_id")
    .agg(col("product_id").n_unique())
    .filter(col("product_id") > 1),
    "freight for nothing": lambda t: t["items"].filter(col("freight_value") == "0.00"),
    "payment differs": mismatches,
    "payment of nothing": lambda t: t["payments"].filter(
        col("payment_value") == "0.00", col("payment_type") == "voucher"
    ),
    "payment not defined": lambda t: t["payments"].filter(col("payment_type") == "not_defined"),
    "no instalments": lambda t: t["payments"].filter(col("payment_installments") == "0"),
    "vouchers": lambda t: t["payments"].filter(
        col("payment_type") == "voucher", col("payment_sequential").cast(pl.Int64) > 3
    ),
    "first payment missing": lambda t: t["payments"]
    .group_by("order_id")
    .agg(col("payment_sequential").cast(pl.Int64).min())
    .filter(col("payment_sequential") > 1),
    "heavy buyer": lambda t: orders_per_person(t).filter(col("orders") > 10),
    "person with four orders": lambda t: orders_per_person(t).filter(col("orders") == 4),
    "person who moved": lambda t: t["customers"]
    .group_by("customer_unique_id")
    .agg(col("customer_zip_code_prefix").n_unique())
    .filter(col("customer_zip_code_prefix") > 1),
    "product without category": lambda t: t["products"].filter(col("product_category_name").is_null()),
    "category without translation": lambda t: t["products"]
    .drop_nulls("product_category_name")
    .join(t["translation"], on="product_category_name", how="anti"),
    "product without dimensions": lambda t: t["products"].filter(col("product_weight_g").is_null()),
    "product without weight": lambda t: t["products"].filter(col("product_weight_g") == "0"),
    "leading zero, customers": lambda t: t["customers"].filter(
        col("customer_zip_code_prefix").str.starts_with("0")
    ),
    "leading zero, sellers": lambda t: t["sellers"].filter(col("seller_zip_code_prefix").str.starts_with("0")),
    "accented city": lambda t: t["geolocation"].filter(col("geolocation_city") == "são paulo"),
    "city in capitals": lambda t: t["geolocation"].filter(col("geolocation_city") == "SAO PAULO"),
    "city of a seller with its state": lambda t: t["sellers"].filter(col("seller_city").str.contains("[/,-]")),
    "point twice": lambda t: t["geolocation"].filter(pl.struct(pl.all()).is_duplicated()),
    "point abroad": lambda t: t["geolocation"].filter(
        (col("geolocation_lat").cast(pl.Float64) > 6) | (col("geolocation_lng").cast(pl.Float64) > -33)
    ),
    "prefix without geolocation": lambda t: t["customers"].join(
        t["geolocation"],
        left_on="customer_zip_code_prefix",
        right_on="geolocation_zip_code_prefix",
        how="anti",
    ),
    "line break in a message": lambda t: t["reviews"].filter(col("review_comment_message").str.contains("\r\n")),
    "comma in a message": lambda t: t["reviews"].filter(col("review_comment_message").str.contains(",")),
    "quote in a message": lambda t: t["reviews"].filter(col("review_comment_message").str.contains('"')),
    "accent in a message": lambda t: t["reviews"].filter(col("review_comment_message").str.contains("[ãéç]")),
}  # fmt: skip


@pytest.mark.parametrize("quirk", QUIRKS)
def test_quirk_is_there(tables: Tables, quirk: str) -> None:
    assert len(QUIRKS[quirk](tables)) > 0


@pytest.mark.parametrize(
    "status", ["delivered", "shipped", "canceled", "unavailable", "invoiced", "processing", "created", "approved"]
)
def test_every_status_is_there(tables: Tables, status: str) -> None:
    assert not tables["orders"].filter(statuses(status)).is_empty()


def test_timestamps_follow_the_status(tables: Tables) -> None:
    placed = tables["orders"]
    assert placed.filter(statuses("created"))["order_approved_at"].is_null().all()
    unsent = placed.filter(statuses("created", "approved", "invoiced", "processing", "unavailable"))
    assert unsent["order_delivered_carrier_date"].is_null().all()
    assert unsent["order_delivered_customer_date"].is_null().all()
    assert placed.filter(statuses("shipped"))["order_delivered_carrier_date"].is_not_null().all()
    assert placed.filter(statuses("shipped"))["order_delivered_customer_date"].is_null().all()
    assert placed["order_estimated_delivery_date"].str.ends_with(" 00:00:00").all()


def test_purchases_cover_the_real_time(tables: Tables) -> None:
    days = tables["orders"]["order_purchase_timestamp"].str.head(10)
    assert (days.min(), days.max()) == ("2016-09-04", "2018-10-17")
    assert "2016-11" not in set(days.str.head(7))
    assert days.unique_counts().max() == (days == "2017-11-24").sum(), "Black Friday is the busiest day"


def test_items_of_an_order_are_numbered_from_1(tables: Tables) -> None:
    numbers = tables["items"].group_by("order_id").agg(col("order_item_id").cast(pl.Int64))
    assert numbers.select((col("order_item_id").list.max() == col("order_item_id").list.len()).all()).item()


def test_places_agree(tables: Tables) -> None:
    """One prefix is one city and state, for customers and sellers; points lie near each other."""
    customers = tables["customers"].group_by("customer_zip_code_prefix").agg(
        col("customer_city").n_unique(), col("customer_state").n_unique()
    )  # fmt: skip
    assert customers.select(pl.max("customer_city", "customer_state")).row(0) == (1, 1)
    states = tables["geolocation"].select(zip=pl.first(), state=pl.last()).unique()
    assert not states["zip"].is_duplicated().any()
    sellers = tables["sellers"].join(states, left_on="seller_zip_code_prefix", right_on="zip")
    assert (sellers["seller_state"] == sellers["state"]).all()
    latitude = col("geolocation_lat").cast(pl.Float64)
    spread = tables["geolocation"].group_by(pl.first()).agg(latitude.quantile(0.9) - latitude.quantile(0.1))
    assert spread.select((col("geolocation_lat") < 0.02).mean()).item() > 0.9


def share(part: pl.DataFrame, whole: pl.DataFrame) -> float:
    return len(part) / len(whole)


SHARES: dict[str, tuple[Callable[[Tables], float], float, float]] = {
    "delivered": (lambda t: share(t["orders"].filter(statuses("delivered")), t["orders"]), 0.965, 0.975),
    "late": (lambda t: share(late_orders(t), t["orders"]), 0.065, 0.095),
    "carrier first": (lambda t: share(shipped_before_approval(t), t["orders"]), 0.010, 0.021),
    "without items": (lambda t: share(QUIRKS["orders without items"](t), t["orders"]), 0.006, 0.010),
    "mismatch": (lambda t: share(mismatches(t), t["orders"]), 0.0015, 0.0055),
    "items": (lambda t: share(t["items"], t["orders"]), 1.10, 1.17),
    "several products": (lambda t: share(QUIRKS["several products an order"](t), t["orders"]), 0.025, 0.040),
    "payments": (lambda t: share(t["payments"], t["orders"]), 1.03, 1.06),
    "reviews": (lambda t: share(t["reviews"], t["orders"]), 0.99, 1.005),
    "persons": (lambda t: share(orders_per_person(t), t["orders"]), 0.955, 0.975),
    "products": (lambda t: share(t["products"], t["orders"]), 0.32, 0.34),
    "sellers": (lambda t: share(t["sellers"], t["orders"]), 0.030, 0.032),
    "geolocations": (lambda t: share(t["geolocation"], t["orders"]), 10.0, 10.0),
    "no category": (lambda t: share(QUIRKS["product without category"](t), t["products"]), 0.012, 0.025),
    "five stars": (lambda t: share(t["reviews"].filter(col("review_score") == "5"), t["reviews"]), 0.55, 0.61),
    "messages": (lambda t: share(t["reviews"].drop_nulls("review_comment_message"), t["reviews"]), 0.38, 0.44),
    "same point": (lambda t: 1 - share(t["geolocation"].unique(), t["geolocation"]), 0.22, 0.30),
    "mean price": (lambda t: t["items"].select(cents("price").mean()).item() / 100, 105, 140),
    "mean freight": (lambda t: t["items"].select(cents("freight_value").mean()).item() / 100, 18.5, 22.5),
}


@pytest.mark.parametrize("name", SHARES)
def test_share_is_near_the_real_one(tables: Tables, name: str) -> None:
    measure, low, high = SHARES[name]
    assert low <= measure(tables) <= high
