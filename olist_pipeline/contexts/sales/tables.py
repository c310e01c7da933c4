"""The staged tables of the sales context: what it publishes of its accepted rows.

What belongs here: their declarations. What does not: how they are made, which takes libraries of frames.
"""

from olist_pipeline.landing.catalogue import ORDER_ITEMS, ORDER_PAYMENTS, ORDERS
from olist_pipeline.validation.table import StagedTable

ORDER_TABLE, ITEM_TABLE, PAYMENT_TABLE = map(StagedTable.of, (ORDERS, ORDER_ITEMS, ORDER_PAYMENTS))
