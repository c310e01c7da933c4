"""Queries: every number on a dashboard, by name; a module a page.

What belongs here: SQL over the tables of a release, with the filters of the pages as parameters. What does not:
business thresholds (segments, flags and verdicts stand in the tables), formatting, and opening a release.

A parameter stands in the SQL as `$name`; NULL, the default of most, means that the filter is off. Every query ends
in an ORDER BY that leaves no tie, so that the same tables give the same rows in the same order. Sums are taken of
decimals and whole numbers, means as a quotient of sums, so that they do not depend on the order of rows either.
"""

from collections.abc import Mapping
from types import MappingProxyType

from dashboards.queries.customers import CUSTOMERS
from dashboards.queries.definitions import DEFINITIONS
from dashboards.queries.delivery import DELIVERY
from dashboards.queries.executive import EXECUTIVE
from dashboards.queries.migration import MIGRATION
from dashboards.queries.products import PRODUCTS
from dashboards.queries.query import Query
from dashboards.queries.sales import SALES
from dashboards.queries.sellers import SELLERS

QUERIES: Mapping[str, Query] = MappingProxyType(
    EXECUTIVE | SALES | CUSTOMERS | PRODUCTS | SELLERS | DELIVERY | MIGRATION | DEFINITIONS
)
