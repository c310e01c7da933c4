"""The customer context in the pipeline: the customers of orders, and the persons that they are.

What belongs here: its staged tables and steps, and how frames are validated, split and turned into events. What does
not: a rule (see `olist_domain.customer`), and orchestration.
"""

from olist_domain.customer.rules import CUSTOMER_RULES, PERSON_RULES, PURCHASE_RULES
from olist_pipeline.landing.catalogue import CUSTOMERS
from olist_pipeline.validation.context import Context, Imported, ValidationStep
from olist_pipeline.validation.table import Link, StagedTable, Summary

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

CUSTOMER = Context(
    "customer",
    landing=(CUSTOMERS,),
    steps=(
        ValidationStep(
            "customers",
            (CUSTOMER_TABLE, PURCHASE_TABLE, PERSON_TABLE),
            Imported("olist_pipeline.contexts.customer.validation:validate_inputs"),
            intake=("customers",),
            published=("sales/orders", "marketplace/order_reviews"),
            cut=PERSON,
            has_whole_aggregates=True,
            overview=Imported("olist_pipeline.contexts.customer.validation:ranks_of_all"),
        ),
    ),
    rulebooks=(CUSTOMER_RULES, PURCHASE_RULES, PERSON_RULES),
    links=(Link("customer_unique_id", through=("customer/customers", "customer_id")),),
)
