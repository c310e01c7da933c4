"""The catalogue of Olist's export: the nine files, their records, keys, parents and owners.

What belongs here: what is true of a file before it is opened. What does not: reading it, and files that a
context brings from elsewhere (they are declared with the context).
"""

from __future__ import annotations

from dataclasses import dataclass

from olist_domain.customer.records import CustomerRecord
from olist_domain.fulfillment.records import GeolocationRecord
from olist_domain.kernel.records import Record
from olist_domain.marketplace.records import CategoryRecord, ProductRecord, ReviewRecord, SellerRecord
from olist_domain.sales.records import OrderItemRecord, OrderRecord, PaymentRecord

TEXT_COLUMN = "text"
"""The column of a record that could not be split into cells: its text as a whole."""


@dataclass(frozen=True)
class LandingTable:
    """One landing file.

    `key` identifies a row (empty: rows may repeat). `month_of` is the timestamp column that gives a row its
    `order_month`; rows of a table with a `parent` take it from the parent row with the same `order_id`.
    """

    name: str
    file: str
    context: str
    record: type[Record]
    key: tuple[str, ...]
    aggregate: str
    identity: str
    month_of: str | None = None
    parent: str | None = None

    @property
    def is_monthly(self) -> bool:
        """Whether the rows belong to orders, so that each has its order's month."""
        return bool(self.month_of or self.parent)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the file must have."""
        return tuple(self.record.model_fields)


ORDERS = LandingTable(
    "orders",
    "olist_orders_dataset.csv",
    "sales",
    OrderRecord,
    ("order_id",),
    aggregate="order",
    identity="order_id",
    month_of="order_purchase_timestamp",
)
ORDER_ITEMS = LandingTable(
    "order_items",
    "olist_order_items_dataset.csv",
    "sales",
    OrderItemRecord,
    ("order_id", "order_item_id"),
    aggregate="order",
    identity="order_id",
    parent="orders",
)
ORDER_PAYMENTS = LandingTable(
    "order_payments",
    "olist_order_payments_dataset.csv",
    "sales",
    PaymentRecord,
    ("order_id", "payment_sequential"),
    aggregate="order",
    identity="order_id",
    parent="orders",
)
ORDER_REVIEWS = LandingTable(
    "order_reviews",
    "olist_order_reviews_dataset.csv",
    "marketplace",
    ReviewRecord,
    ("review_id", "order_id"),
    aggregate="review",
    identity="review_id",
    parent="orders",
)
CUSTOMERS = LandingTable(
    "customers",
    "olist_customers_dataset.csv",
    "customer",
    CustomerRecord,
    ("customer_id",),
    aggregate="customer",
    identity="customer_unique_id",
)
SELLERS = LandingTable(
    "sellers",
    "olist_sellers_dataset.csv",
    "marketplace",
    SellerRecord,
    ("seller_id",),
    aggregate="seller",
    identity="seller_id",
)
PRODUCTS = LandingTable(
    "products",
    "olist_products_dataset.csv",
    "marketplace",
    ProductRecord,
    ("product_id",),
    aggregate="product",
    identity="product_id",
)
CATEGORIES = LandingTable(
    "categories",
    "product_category_name_translation.csv",
    "marketplace",
    CategoryRecord,
    ("product_category_name",),
    aggregate="category",
    identity="product_category_name",
)
GEOLOCATION = LandingTable(
    "geolocation",
    "olist_geolocation_dataset.csv",
    "fulfillment",
    GeolocationRecord,
    (),
    aggregate="zip_prefix",
    identity="geolocation_zip_code_prefix",
)
