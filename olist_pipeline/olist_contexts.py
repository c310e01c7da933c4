"""The bounded contexts of Olist's warehouse that have moved into the pipeline, in the order of their migration.

What belongs here: one line a context. What does not: what follows from them (`registry`), and the inside of one.
`dbt/migration.yml` names this module; the migration file of another warehouse names another.
"""

from olist_pipeline.contexts.customer import CUSTOMER
from olist_pipeline.contexts.fulfillment import FULFILLMENT
from olist_pipeline.contexts.marketplace import MARKETPLACE
from olist_pipeline.contexts.sales import SALES

CONTEXTS = (SALES, MARKETPLACE, CUSTOMER, FULFILLMENT)
