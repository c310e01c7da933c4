"""The validation of sellers, products and categories: typed rows in, accepted and quarantined ones out.

What belongs here: what a seller and a product are validated beside: the translation of a category, and the first
sale. What does not: rules and derivations (the domain's rulebooks are run), reading and writing (see `steps`).
"""

from __future__ import annotations

import polars as pl

from olist_domain.marketplace.events import PRODUCT_HISTORY, SELLER_HISTORY
from olist_domain.marketplace.facts import ProductFacts, SellerFacts
from olist_domain.marketplace.published import PublishedItem, PublishedOrder
from olist_domain.marketplace.rules import CATEGORY_RULES, PRODUCT_RULES, SELLER_RULES
from olist_pipeline.contexts.marketplace import CATEGORY_TABLE, PRODUCT_TABLE, SELLER_TABLE
from olist_pipeline.engine.history import event_rows
from olist_pipeline.engine.rulebooks import derive, validate
from olist_pipeline.validation.inputs import Inputs
from olist_pipeline.validation.validated import IS_ACCEPTED, Validated, ValidatedTable, derived_names, valid_rows


def validate_inputs(inputs: Inputs) -> Validated:
    """Validate all sellers, products and categories."""
    orders = inputs.published("sales/orders", PublishedOrder.model_fields)
    items = inputs.published("sales/order_items", PublishedItem.model_fields)
    return validate_offers(
        inputs.intake("sellers"),
        inputs.intake("products"),
        inputs.intake("categories"),
        items.join(orders, on="order_id"),
    )


def validate_offers(
    sellers: pl.LazyFrame, products: pl.LazyFrame, categories: pl.LazyFrame, sold: pl.LazyFrame
) -> Validated:
    """Validate intake rows of sellers, products and categories beside `sold`: accepted items with their purchase."""
    validated_categories = validate(derive(valid_rows(categories), CATEGORY_RULES), CATEGORY_RULES).collect()
    translated = validated_categories.lazy().filter(IS_ACCEPTED).select(CATEGORY_TABLE.columns)
    whole_sellers = _with_first_sale(valid_rows(sellers), sold, "seller_id")
    whole_products = _with_first_sale(valid_rows(products), sold, "product_id").join(
        translated, on="product_category_name", how="left", maintain_order="left"
    )
    validated_sellers, validated_products = pl.collect_all(
        [
            validate(derive(whole_sellers, SELLER_RULES), SELLER_RULES),
            validate(derive(whole_products, PRODUCT_RULES), PRODUCT_RULES),
        ]
    )
    return Validated.of(
        [
            ValidatedTable(SELLER_TABLE, validated_sellers, derived_names(SELLER_RULES)),
            ValidatedTable(PRODUCT_TABLE, validated_products, derived_names(PRODUCT_RULES)),
            ValidatedTable(CATEGORY_TABLE, validated_categories),
        ],
        [
            *(
                event_rows(validated_sellers.filter(IS_ACCEPTED), SellerFacts, milestone)
                for milestone in SELLER_HISTORY
            ),
            *(
                event_rows(validated_products.filter(IS_ACCEPTED), ProductFacts, milestone)
                for milestone in PRODUCT_HISTORY
            ),
        ],
    )


def _with_first_sale(rows: pl.LazyFrame, sold: pl.LazyFrame, key: str) -> pl.LazyFrame:
    first = sold.group_by(key).agg(pl.col("order_purchase_timestamp").min().alias("first_sold_at"))
    return rows.join(first, on=key, how="left", maintain_order="left")
