"""Whole sets validated in memory: intake of every file, and every context's step in their order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from olist_domain.fulfillment.published import PublishedCustomer, PublishedItem, PublishedSeller
from olist_pipeline.contexts.customer.validation import validate_customers
from olist_pipeline.contexts.fulfillment.deliveries import validate_deliveries
from olist_pipeline.contexts.fulfillment.geography import validate_geography
from olist_pipeline.contexts.marketplace.offers import validate_offers
from olist_pipeline.contexts.marketplace.reviews import validate_reviews
from olist_pipeline.contexts.sales.validation import validate_sales
from olist_pipeline.intake.rows import ingest
from olist_pipeline.intake.span import as_of
from olist_pipeline.months import MonthRange
from olist_pipeline.registry import LANDING
from olist_pipeline.validation.validated import Validated

MONTHS = MonthRange(date(2016, 1, 1), date(2018, 12, 1))


@dataclass(frozen=True)
class ValidatedSet:
    """The intake of a landing, and what every step made of it."""

    intake: dict[str, pl.DataFrame]
    as_of: date
    sales: Validated
    reviews: Validated
    offers: Validated
    customers: Validated
    geography: Validated
    deliveries: Validated


def validate_all(landing: Path) -> ValidatedSet:
    """Validate a whole landing."""
    intake: dict[str, pl.DataFrame] = {}
    for name, table in LANDING.items():
        intake[name] = ingest(table, landing, MONTHS, intake["orders"] if table.parent else None)
    sales = validate_sales(intake)
    orders, items = sales.accepted("orders").lazy(), sales.accepted("order_items").lazy()
    reviews = validate_reviews(intake["order_reviews"].lazy(), intake["order_reviews"].lazy(), orders.select(*_ORDER))
    sold = items.select("order_id", "product_id", "seller_id").join(orders.select(*_ORDER), on="order_id")
    sellers, products, categories = (intake[name].lazy() for name in ("sellers", "products", "categories"))
    offers = validate_offers(sellers, products, categories, sold)
    day = as_of(landing, LANDING["orders"])
    customers = validate_customers(
        intake["customers"].lazy(),
        orders,
        reviews.accepted("order_reviews").lazy().select("order_id", "review_score"),
        day,
    )
    geography = validate_geography(intake["geolocation"].lazy())
    deliveries = validate_deliveries(
        intake["orders"].lazy(),
        sales.accepted("orders")["order_id"],
        items.select(*PublishedItem.model_fields),
        customers.accepted("customers").lazy().select(*PublishedCustomer.model_fields),
        offers.accepted("sellers").lazy().select(*PublishedSeller.model_fields),
        geography.accepted("zip_prefixes").lazy().select("zip_code_prefix", "latitude", "longitude"),
    )
    return ValidatedSet(intake, day, sales, reviews, offers, customers, geography, deliveries)


_ORDER = ("order_id", "order_purchase_timestamp")


def quarantined_by_rule(validated: Validated) -> dict[tuple[str, str], int]:
    """Return the number of quarantined rows by table and codes."""
    return {
        (table, rules): count
        for table, rules, count in validated.quarantined().group_by("source_table", "rules").len().rows()
    }


def flagged(validated: Validated, table: str) -> dict[str, int]:
    """Return the number of accepted rows of a table by flag."""
    flags = validated.accepted(table)["flags"].explode().drop_nulls()
    return dict(flags.value_counts().rows())


LOOKED_AT = 5_000
"""About so many validated rows are rebuilt as objects; building all of the real ones takes minutes."""


def telling(validated: pl.DataFrame) -> pl.DataFrame:
    """Return the validated rows that break any rule, and of the others every so many."""
    step = max(1, validated.height // LOOKED_AT)
    breaks = (pl.col("rejects") != "") | (pl.col("flags") != "")
    return validated.filter(breaks | (pl.int_range(pl.len()) % step == 0))


def codes(text: str) -> list[str]:
    """Return the codes of a column `rejects` or `flags`."""
    return [code for code in text.split(",") if code]


SMALL = {
    "orders": [
        "o1,c1,delivered,2017-10-02 10:00:00,2017-10-02 11:00:00,2017-10-04 10:00:00,"
        "2017-10-10 21:00:00,2017-10-18 00:00:00",
        "o2,c2,delivered,2018-01-05 10:00:00,2018-01-05 11:00:00,2018-01-06 10:00:00,"
        "2018-01-20 21:00:00,2018-01-15 00:00:00",
        "o3,c3,delivered,2018-01-09 10:00:00,2018-01-09 11:00:00,2018-01-10 10:00:00,,2018-01-30 00:00:00",
    ],
    "order_items": [
        "o1,1,p1,s1,2017-10-06 11:00:00,30.00,8.00",
        "o2,1,p2,s1,2018-01-09 11:00:00,50.00,10.00",
    ],
    "order_payments": [
        "o1,1,boleto,1,38.00",
        "o2,1,credit_card,2,60.00",
        "o3,1,boleto,1,10.00",
    ],
    "order_reviews": [
        "r1,o1,5,,fine,2017-10-11 00:00:00,2017-10-12 00:00:00",
        "r2,o2,1,,,2018-01-21 00:00:00,2018-01-22 00:00:00",
        "r3,o3,4,,,2018-01-31 00:00:00,2018-02-01 00:00:00",
    ],
    "customers": [
        "c1,person1,01001,sao paulo,SP",
        "c2,person1,20001,rio de janeiro,RJ",
        "c3,person2,01001,sao paulo,SP",
    ],
    "sellers": ["s1,01001,sao paulo,SP"],
    "products": ["p1,beleza,10,20,1,100,10,10,10", "p2,,10,20,1,0,10,10,10"],
    "categories": ["beleza,health"],
    "geolocation": ["01001,-23.55,-46.63,sao paulo,SP", "20001,-22.90,-43.17,rio de janeiro,RJ"],
}
"""A landing of three orders, the last without items; person1 has two of them, person2 the last."""


def validate_small(folder: Path, **changed: list[str]) -> ValidatedSet:
    """Validate `SMALL` with the records of some tables changed."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in LANDING.items():
        records = [",".join(table.columns), *changed.get(name, SMALL[name])]
        (folder / table.file).write_text("\n".join(records) + "\n")
    return validate_all(folder)


def rejected(validated: Validated, table: str) -> dict[int, str]:
    """Return the codes of a table's quarantined rows, by row number."""
    rows = validated.quarantined().filter(pl.col("source_table") == table)
    return dict(rows.select("source_row", "rules").rows())
