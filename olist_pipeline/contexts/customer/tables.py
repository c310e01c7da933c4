"""The staged tables of the customer context: what it publishes of its accepted rows.

What belongs here: their declarations. What does not: how they are made, which takes libraries of frames.
"""

from olist_pipeline.landing.catalogue import CUSTOMERS
from olist_pipeline.validation.table import StagedTable, Summary

PERSON = "customer_unique_id"

CUSTOMER_TABLE = StagedTable.of(CUSTOMERS)
PURCHASE_TABLE = StagedTable(
    "purchases",
    "customer",
    aggregate="customer",
    identity=PERSON,
    columns=("order_id", PERSON),
    is_monthly=False,
    summary=Summary(of="sales/orders", by="order_id", key="order_id", among=("customer/customers", "customer_id")),
)
PERSON_TABLE = StagedTable(
    "persons",
    "customer",
    aggregate="customer",
    identity=PERSON,
    columns=(PERSON, "zip_code_prefix", "city", "state"),
    is_monthly=False,
    summary=Summary(of="customer/customers", by=PERSON, key=PERSON),
)
