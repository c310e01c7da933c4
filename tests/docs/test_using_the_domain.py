"""The examples of docs/using_the_domain.md, run over a staging of two orders."""

import doctest
from datetime import date
from pathlib import Path

from olist_pipeline.contexts.sales.validation import validate_sales
from olist_pipeline.intake.rows import ingest
from olist_pipeline.landing.catalogue import ORDER_ITEMS, ORDER_PAYMENTS, ORDERS
from olist_pipeline.months import MonthRange
from olist_pipeline.staging import write_months

DOCUMENT = Path(__file__).parents[2] / "docs" / "using_the_domain.md"
MONTHS = MonthRange(date(2017, 10, 1), date(2018, 1, 1))


def test_every_example_does_what_it_says(landing, tmp_path):
    orders = ingest(ORDERS, landing, MONTHS)
    parts = {table.name: ingest(table, landing, MONTHS, orders) for table in (ORDER_ITEMS, ORDER_PAYMENTS)}
    validated = validate_sales({ORDERS.name: orders, **parts})
    for table in validated.tables:
        write_months(validated.accepted(table), tmp_path, "sales", table, list(MONTHS))
    result = doctest.testfile(str(DOCUMENT), module_relative=False, globs={"STAGING": tmp_path}, verbose=False)
    assert result.attempted > 20
    assert result.failed == 0
