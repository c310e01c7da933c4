"""The gate: what keeps a release from being published.

What belongs here: reading stored verdicts again, and listing what is missing, red or stale. What does not:
making verdicts. A run's own success counts for nothing here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import duckdb

from olist_pipeline.parity.attribution import parity_subject
from olist_pipeline.parity.conservation import conservation_subject
from olist_pipeline.registry import CONTEXTS
from olist_pipeline.settings import Settings
from olist_pipeline.stores import verdicts
from olist_pipeline.stores.routes import Route
from olist_pipeline.stores.verdicts import Verdict
from olist_pipeline.warehouse import WarehouseTable

GATED_ROUTES: tuple[Route, ...] = ("shadow", "new")
"""A context in shadow is held to what new will be held to; one on old is not compared yet."""


def objections(
    settings: Settings,
    url: str,
    warehouse: duckdb.DuckDBPyConnection,
    tables: Iterable[WarehouseTable],
    routes: Mapping[str, Route],
) -> list[str]:
    """Return one sentence for each verdict that is missing, red or stale; none means that the gate is open."""
    gated = [context for context, route in routes.items() if route in GATED_ROUTES]
    parity, conservation = verdicts.latest(url, "parity"), verdicts.latest(url, "conservation")
    found = [
        _objection(f"parity of {table.name}", parity.get((table.context, table.name)), parity_subject(warehouse, table))
        for table in tables
        if table.context in gated
    ]
    found += [
        _objection(
            f"conservation of {table.name}",
            conservation.get((context, table.name)),
            conservation_subject(settings, table),
        )
        for context in gated
        for table in CONTEXTS[context].tables
    ]
    return [objection for objection in found if objection]


def _objection(name: str, verdict: Verdict | None, subject: str) -> str:
    if verdict is None:
        return f"{name} has never been checked"
    if not verdict.is_green:
        return f"{name} is red ({verdict.verdict}, run {verdict.run_id})"
    if verdict.subject != subject:
        return f"{name} is stale: the data has changed since run {verdict.run_id}"
    return ""
