"""The fulfillment context in the pipeline: deliveries month by month, and geography as a whole.

What belongs here: its staged tables and steps, and how frames are validated, split and turned into events. What does
not: a rule (see `olist_domain.fulfillment`), and orchestration.
"""

from olist_domain.fulfillment.published import PublishedOrder
from olist_domain.fulfillment.rules import DELIVERY_RULES, GEOGRAPHY_RULES, GEOLOCATION_RULES
from olist_pipeline.landing.catalogue import GEOLOCATION, ORDERS
from olist_pipeline.validation.context import Context, Imported, ValidationStep
from olist_pipeline.validation.table import Link, StagedTable, Summary

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

FULFILLMENT = Context(
    "fulfillment",
    landing=(GEOLOCATION,),
    steps=(
        ValidationStep(
            "geography",
            (POINT_TABLE, ZIP_PREFIX_TABLE),
            Imported("olist_pipeline.contexts.fulfillment.geography:validate_inputs"),
            intake=("geolocation",),
        ),
        ValidationStep(
            "deliveries",
            (DELIVERY_TABLE,),
            Imported("olist_pipeline.contexts.fulfillment.deliveries:validate_inputs"),
            intake=("orders",),
            published=(
                "sales/orders",
                "sales/order_items",
                "customer/customers",
                "marketplace/sellers",
                "fulfillment/zip_prefixes",
            ),
            cut="order_id",
            has_whole_aggregates=True,
        ),
    ),
    rulebooks=(DELIVERY_RULES, GEOLOCATION_RULES, GEOGRAPHY_RULES),
    links=(Link("zip_code_prefix", cell="geolocation_zip_code_prefix"),),
)
