"""Marketplace records: typed rows of sellers, products, categories and reviews, as intake publishes them.

What belongs here: columns, their types and whether they may be missing. What does not: rules.
"""

from datetime import datetime

from olist_domain.kernel.records import Record


class SellerRecord(Record):
    """One row of `olist_sellers_dataset.csv`."""

    seller_id: str
    seller_zip_code_prefix: str
    seller_city: str
    seller_state: str


class ProductRecord(Record):
    """One row of `olist_products_dataset.csv`; two column names are misspelt in the source."""

    product_id: str
    product_category_name: str | None = None
    product_name_lenght: int | None = None
    product_description_lenght: int | None = None
    product_photos_qty: int | None = None
    product_weight_g: int | None = None
    product_length_cm: int | None = None
    product_height_cm: int | None = None
    product_width_cm: int | None = None


class CategoryRecord(Record):
    """One row of `product_category_name_translation.csv`."""

    product_category_name: str
    product_category_name_english: str


class ReviewRecord(Record):
    """One row of `olist_order_reviews_dataset.csv`; a review id may stand on several orders."""

    review_id: str
    order_id: str
    review_score: int
    review_comment_title: str | None = None
    review_comment_message: str | None = None
    review_creation_date: datetime | None = None
    review_answer_timestamp: datetime | None = None
