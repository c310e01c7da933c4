"""The staged tables of the marketplace context: what it publishes of its accepted rows.

What belongs here: their declarations. What does not: how they are made, which takes libraries of frames.
"""

from olist_pipeline.landing.catalogue import CATEGORIES, ORDER_REVIEWS, PRODUCTS, SELLERS
from olist_pipeline.validation.table import StagedTable

REVIEW_TABLE, SELLER_TABLE, PRODUCT_TABLE, CATEGORY_TABLE = map(
    StagedTable.of, (ORDER_REVIEWS, SELLERS, PRODUCTS, CATEGORIES)
)
