"""The staged tables of the fulfillment context: what it publishes of its accepted rows.

What belongs here: their declarations. What does not: how they are made, which takes libraries of frames.
"""

from olist_domain.fulfillment.published import PublishedOrder
from olist_pipeline.landing.catalogue import GEOLOCATION, ORDERS
from olist_pipeline.validation.table import StagedTable, Summary

ZIP_PREFIX, POINT_PREFIX = "zip_code_prefix", "geolocation_zip_code_prefix"

POINT_TABLE = StagedTable.of(GEOLOCATION)
ZIP_PREFIX_TABLE = StagedTable(
    "zip_prefixes",
    "fulfillment",
    aggregate="zip_prefix",
    identity=ZIP_PREFIX,
    columns=(ZIP_PREFIX,),
    is_monthly=False,
    summary=Summary(of="fulfillment/geolocation", by=POINT_PREFIX, key=ZIP_PREFIX),
)
DELIVERY_TABLE = StagedTable(
    "deliveries",
    "fulfillment",
    aggregate="delivery",
    identity="order_id",
    columns=tuple(name for name in PublishedOrder.model_fields if name != "customer_id"),
    is_monthly=True,
    source=ORDERS,
)
