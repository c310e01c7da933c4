"""Customer records: typed rows of customers, as intake publishes them.

What belongs here: columns, their types and whether they may be missing. What does not: rules.
"""

from olist_domain.kernel.records import Record


class CustomerRecord(Record):
    """One row of `olist_customers_dataset.csv`: an order's customer; `customer_unique_id` is the person."""

    customer_id: str
    customer_unique_id: str
    customer_zip_code_prefix: str
    customer_city: str
    customer_state: str
