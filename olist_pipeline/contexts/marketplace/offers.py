"""The validation of sellers, products and categories: typed rows in, accepted and quarantined ones out.

What belongs here: what a seller and a product are judged beside: the translation of a category, and the first
sale. What does not: rules and derivations (the domain's rulebooks are run), reading and writing (see `steps`).
"""

from __future__ import annotations

import polars as pl

from olist_domain.marketplace.events import PRODUCT_HISTORY, SELLER_HISTORY
from olist_domain.marketplace.facts import ProductFacts, SellerFacts
from olist_domain.marketplace.published import PublishedItem, PublishedOrder
from olist_domain.marketplace.rules import CATEGORY_RULES, PRODUCT_RULES, SELLER_RULES
from olist_pipeline.engine.history import event_rows
from olist_pipeline.engine.judge import derive, judge
from olist_pipeline.landing.catalogue import CATEGORIES, PRODUCTS, SELLERS
from olist_pipeline.validation.inputs import Inputs
from olist_pipeline.validation.judged import IS_ACCEPTED, Judged, JudgedTable, derived_names, valid_rows
from olist_pipeline.validation.table import StagedTable

SELLER_TABLE, PRODUCT_TABLE, CATEGORY_TABLE = map(StagedTable.of, (SELLERS, PRODUCTS, CATEGORIES))


def judge_inputs(inputs: Inputs) -> Judged:
    """Judge all sellers, products and categories."""
    orders = inputs.published("sales/orders", PublishedOrder.model_fields)
    items = inputs.published("sales/order_items", PublishedItem.model_fields)
    return judge_offers(
        inputs.intake("sellers"),
        inputs.intake("products"),
        inputs.intake("categories"),
        items.join(orders, on="order_id"),
    )


def judge_offers(sellers: pl.LazyFrame, products: pl.LazyFrame, categories: pl.LazyFrame, sold: pl.LazyFrame) -> Judged:
    """Judge intake rows of sellers, products and categories beside `sold`: accepted items with their purchase."""
    judged_categories = judge(derive(valid_rows(categories), CATEGORY_RULES), CATEGORY_RULES).collect()
    translated = judged_categories.lazy().filter(IS_ACCEPTED).select(CATEGORIES.columns)
    whole_sellers = _with_first_sale(valid_rows(sellers), sold, "seller_id")
    whole_products = _with_first_sale(valid_rows(products), sold, "product_id").join(
        translated, on="product_category_name", how="left", maintain_order="left"
    )
    judged_sellers, judged_products = pl.collect_all(
        [
            judge(derive(whole_sellers, SELLER_RULES), SELLER_RULES),
            judge(derive(whole_products, PRODUCT_RULES), PRODUCT_RULES),
        ]
    )
    return Judged.of(
        [
            JudgedTable(SELLER_TABLE, judged_sellers, derived_names(SELLER_RULES)),
            JudgedTable(PRODUCT_TABLE, judged_products, derived_names(PRODUCT_RULES)),
            JudgedTable(CATEGORY_TABLE, judged_categories),
        ],
        [
            *(event_rows(judged_sellers.filter(IS_ACCEPTED), SellerFacts, told) for told in SELLER_HISTORY),
            *(event_rows(judged_products.filter(IS_ACCEPTED), ProductFacts, told) for told in PRODUCT_HISTORY),
        ],
    )


def _with_first_sale(rows: pl.LazyFrame, sold: pl.LazyFrame, key: str) -> pl.LazyFrame:
    first = sold.group_by(key).agg(pl.col("order_purchase_timestamp").min().alias("first_sold_at"))
    return rows.join(first, on=key, how="left", maintain_order="left")
