"""The months of the data: which months of monthly tables there are, or were when they were last made.

What belongs here: finding them in landing and staging. What does not: Dagster's partitions, which follow them.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

from olist_pipeline.intake.span import dated_span
from olist_pipeline.landing.folder import readable_landing
from olist_pipeline.months import MonthRange
from olist_pipeline.registry import CONTEXTS, LANDING
from olist_pipeline.settings import Settings
from olist_pipeline.staging import staged_months


def all_months(settings: Settings) -> MonthRange:
    """Return the months of landing and of staging: a month that left landing is emptied in staging.

    Where nothing in landing is dated it is the present month: there are no monthly tables then. Raises OlistError
    where a dated table has no date that can be read.
    """
    today = date.today()
    dated = [table for table in LANDING.values() if table.month_of]
    spans = [dated_span(readable_landing(settings, [table]), table, today) for table in dated]
    months = {moment.date().replace(day=1) for span in spans for moment in span} or {today.replace(day=1)}
    months |= months_of_staging(settings.staging)
    return MonthRange(min(months), max(months))


def months_of_staging(staging: Path) -> set[date]:
    """Return the months that any table has a staging file for."""
    tables = [table for context in CONTEXTS.values() for table in context.tables]
    return {month for table in tables for month in staged_months(staging, table.context, table.name)}
