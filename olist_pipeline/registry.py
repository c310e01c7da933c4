"""The registry of bounded contexts that have moved into the pipeline, in the order of their migration.

What belongs here: one line a context, and what follows from all of them. What does not: anything about the
inside of one.
"""

from __future__ import annotations

from collections.abc import Iterable

from olist_pipeline.contexts.customer import CUSTOMER
from olist_pipeline.contexts.fulfillment import FULFILLMENT
from olist_pipeline.contexts.marketplace import MARKETPLACE
from olist_pipeline.contexts.sales import SALES
from olist_pipeline.landing.catalogue import LandingTable
from olist_pipeline.validation.context import Context, ValidationStep
from olist_pipeline.validation.table import Link

CONTEXTS: dict[str, Context] = {context.name: context for context in (SALES, MARKETPLACE, CUSTOMER, FULFILLMENT)}

LANDING: dict[str, LandingTable] = {table.name: table for context in CONTEXTS.values() for table in context.landing}
"""The landing files of all contexts, by table."""

STEPS: tuple[ValidationStep, ...] = tuple(step for context in CONTEXTS.values() for step in context.steps)
"""The validation steps of all contexts."""

LINKS: tuple[Link, ...] = tuple(link for context in CONTEXTS.values() for link in context.links)
"""The ids by which rows are traced to quarantined ones; where a key has several, the first one counts."""


def origins(staged: Iterable[str]) -> set[str]:
    """Return the tables whose quarantined rows may be missing in `staged` tables (`context/table`).

    They are those tables, the landing tables that they come from, and the same of all tables that they were
    validated beside.
    """
    made_by = {f"{table.context}/{table.name}": step for step in STEPS for table in step.tables}
    waiting, found = list(staged), set[str]()
    while waiting:
        asset = waiting.pop()
        step = made_by[asset]
        seen = found
        found = found | {asset.rpartition("/")[2], *step.intake}
        waiting += [read for read in step.published if read.rpartition("/")[2] not in seen]
    return found


def contexts_behind(staged: Iterable[str]) -> set[str]:
    """Return the contexts whose accepted rows `staged` tables (`context/table`) are made of, over all steps."""
    made_by = {f"{table.context}/{table.name}": step for step in STEPS for table in step.tables}
    waiting, seen = list(staged), set[str]()
    while waiting:
        asset = waiting.pop()
        seen.add(asset)
        waiting += [read for read in made_by[asset].published if read not in seen]
    return {asset.partition("/")[0] for asset in seen}
