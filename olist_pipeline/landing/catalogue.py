"""The catalogue of Olist's export: the nine files, their records, keys, parents and owners.

What belongs here: what is true of these files before they are opened. What does not: reading them, what a landing
table is (`table`), and files that a context brings from elsewhere (they are declared with the context).
"""

from __future__ import annotations

from datetime import date
from functools import partial

from olist_domain.customer.records import CustomerRecord
from olist_domain.fulfillment.records import GeolocationRecord
from olist_domain.marketplace.records import CategoryRecord, ProductRecord, ReviewRecord, SellerRecord
from olist_domain.sales.records import OrderItemRecord, OrderRecord, PaymentRecord
from olist_pipeline.landing.table import LandingTable, Parent

MOST_COLUMNS = 32
"""The sources of the old project (sources.yml) read so many cells of a record, whatever their names."""

_file = partial(LandingTable, widest=MOST_COLUMNS)

ORDERS = _file(
    "orders",
    "olist_orders_dataset.csv",
    "sales",
    OrderRecord,
    ("order_id",),
    aggregate="order",
    identity="order_id",
    month_of="order_purchase_timestamp",
    # Olist sold nothing before.
    since=date(2016, 1, 1),
)
ORDER_ITEMS = _file(
    "order_items",
    "olist_order_items_dataset.csv",
    "sales",
    OrderItemRecord,
    ("order_id", "order_item_id"),
    aggregate="order",
    identity="order_id",
    parent=Parent(ORDERS, ("order_id",)),
)
ORDER_PAYMENTS = _file(
    "order_payments",
    "olist_order_payments_dataset.csv",
    "sales",
    PaymentRecord,
    ("order_id", "payment_sequential"),
    aggregate="order",
    identity="order_id",
    parent=Parent(ORDERS, ("order_id",)),
)
ORDER_REVIEWS = _file(
    "order_reviews",
    "olist_order_reviews_dataset.csv",
    "marketplace",
    ReviewRecord,
    ("review_id", "order_id"),
    aggregate="review",
    identity="review_id",
    parent=Parent(ORDERS, ("order_id",)),
)
CUSTOMERS = _file(
    "customers",
    "olist_customers_dataset.csv",
    "customer",
    CustomerRecord,
    ("customer_id",),
    aggregate="customer",
    identity="customer_unique_id",
)
SELLERS = _file(
    "sellers",
    "olist_sellers_dataset.csv",
    "marketplace",
    SellerRecord,
    ("seller_id",),
    aggregate="seller",
    identity="seller_id",
)
PRODUCTS = _file(
    "products",
    "olist_products_dataset.csv",
    "marketplace",
    ProductRecord,
    ("product_id",),
    aggregate="product",
    identity="product_id",
)
CATEGORIES = _file(
    "categories",
    "product_category_name_translation.csv",
    "marketplace",
    CategoryRecord,
    ("product_category_name",),
    aggregate="category",
    identity="product_category_name",
)
GEOLOCATION = _file(
    "geolocation",
    "olist_geolocation_dataset.csv",
    "fulfillment",
    GeolocationRecord,
    (),
    aggregate="zip_prefix",
    identity="geolocation_zip_code_prefix",
)
