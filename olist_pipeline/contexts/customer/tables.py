"""The staged tables of the customer context: what it publishes of its accepted rows.

What belongs here: their declarations. What does not: how they are made, which takes libraries of frames.
"""

from olist_pipeline.landing.catalogue import CUSTOMERS
from olist_pipeline.validation.table import StagedTable, Summary

PERSON = "customer_unique_id"

CUSTOMER_TABLE = StagedTable.of(CUSTOMERS)
PERSON_TABLE = StagedTable(
    "persons",
    "customer",
    aggregate="customer",
    identity=PERSON,
    columns=(PERSON, "zip_code_prefix", "city", "state"),
    is_monthly=False,
    summary=Summary(of="customers", by=PERSON, key=PERSON),
)
