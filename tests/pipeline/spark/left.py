"""What the steps of all contexts leave: staging, quarantine and events, as frames that can be compared."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from olist_pipeline.intake.span import dated_span
from olist_pipeline.months import MonthRange
from olist_pipeline.registry import CONTEXTS, LANDING, STEPS
from olist_pipeline.settings import Settings
from olist_pipeline.steps import ValidationReport, run_intake, run_validation
from olist_pipeline.stores.postgres import query_rows

TODAY = date(2026, 1, 1)
QUARANTINE = """
SELECT step, context, aggregate_type, aggregate_id, source_table, source_file, source_row, rules::text, payload::text,
    order_month::text
FROM data_quality.quarantine ORDER BY source_table, source_row, step
"""
EVENTS = """
SELECT event_id::text, version, event_type, context, aggregate_type, aggregate_id, payload::text, occurred_at::text
FROM event_store.domain_events ORDER BY aggregate_type, aggregate_id, version
"""
Rows = list[tuple[Any, ...]]


@dataclass(frozen=True)
class Left:
    """Staging by the path of its file, quarantine, and events; what the steps reported, and where each was run."""

    staging: dict[str, pl.DataFrame]
    quarantine: Rows
    events: Rows
    reports: dict[str, ValidationReport]

    def differences_from(self, other: Left) -> list[str]:
        """Return a sentence for each thing that differs."""
        found = [f"{path} is on one side only" for path in sorted(set(self.staging) ^ set(other.staging))]
        found += [
            f"{path} differs"
            for path in sorted(set(self.staging) & set(other.staging))
            if self.staging[path].schema != other.staging[path].schema
            or not self.staging[path].equals(other.staging[path])
        ]
        found += [f"the counts of {name} differ" for name in self.reports if self._counts(name) != other._counts(name)]
        if self.quarantine != other.quarantine:
            found.append("quarantine differs")
        return [*found, "events differ"] if self.events != other.events else found

    def _counts(self, step: str) -> tuple[object, ...]:
        return self.reports[step].tables, self.reports[step].events


def validate_all(settings: Settings) -> Left:
    """Take in all of landing and validate it; return what the steps left."""
    url = str(settings.postgres_url)
    for table in LANDING.values():
        run_intake(settings, url, table, TODAY, "r")
    span = dated_span(settings.landing, LANDING["orders"], TODAY)
    first, last = (moment.date().replace(day=1) for moment in span)
    months = list(MonthRange(first, last))
    reports = {
        step.name: run_validation(settings, url, step, months if step.is_monthly else None, "r", LANDING["orders"])
        for step in STEPS
    }
    tables = [(context.name, table.name) for context in CONTEXTS.values() for table in context.tables]
    staging = {
        str(path.relative_to(settings.staging)): pl.read_parquet(path, glob=False, hive_partitioning=False)
        for context, table in tables
        for path in sorted((settings.staging / context / table).glob("*.parquet"))
    }
    return Left(staging, query_rows(url, QUARANTINE), query_rows(url, EVENTS), reports)
