"""The registry of bounded contexts that have moved into the pipeline, in the order of their migration.

What belongs here: one line a context. What does not: anything about its inside.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import polars as pl

from olist_pipeline.landing.catalogue import LandingTable
from olist_pipeline.sales import validation as sales


class Judged(Protocol):
    """What a context's validation makes of its intake rows."""

    def accepted(self, table: LandingTable) -> pl.DataFrame:
        """Return the staging rows of a table."""

    def quarantined(self) -> pl.DataFrame:
        """Return the quarantine rows of all tables of the context."""

    def events(self) -> pl.DataFrame:
        """Return the event rows of the context."""


@dataclass(frozen=True)
class Context:
    """A bounded context: its landing tables and its validation."""

    name: str
    tables: tuple[LandingTable, ...]
    judge: Callable[[dict[str, pl.DataFrame]], Judged]


CONTEXTS: dict[str, Context] = {
    context.name: context for context in (Context("sales", sales.TABLES, sales.judge_sales),)
}
