"""The sales context in the pipeline: orders, with their items and payments, month by month.

What belongs here: its staged tables and steps, and how frames are validated, split and turned into events. What does
not: a rule (see `olist_domain.sales`), and orchestration.
"""

from olist_domain.sales.rules import ORDER_ITEM_RULES, ORDER_RULES, PAYMENT_RULES
from olist_pipeline.landing.catalogue import ORDER_ITEMS, ORDER_PAYMENTS, ORDERS
from olist_pipeline.validation.context import Context, Imported, ValidationStep
from olist_pipeline.validation.table import Link, StagedTable

ORDER_TABLE, ITEM_TABLE, PAYMENT_TABLE = map(StagedTable.of, (ORDERS, ORDER_ITEMS, ORDER_PAYMENTS))

SALES = Context(
    "sales",
    landing=(ORDERS, ORDER_ITEMS, ORDER_PAYMENTS),
    steps=(
        ValidationStep(
            "sales",
            (ORDER_TABLE, ITEM_TABLE, PAYMENT_TABLE),
            Imported("olist_pipeline.contexts.sales.validation:validate_inputs"),
            intake=("orders", "order_items", "order_payments"),
            cut="order_id",
            has_whole_aggregates=True,
        ),
    ),
    rulebooks=(ORDER_RULES, ORDER_ITEM_RULES, PAYMENT_RULES),
    links=(Link("order_id", aggregate="order"),),
)
