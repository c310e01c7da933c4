"""Partitions: the months of monthly tables, as Dagster keeps them.

What belongs here: the partitions definition, the way from a run's keys to months and back, and which months there
are. What does not: the arithmetic of months.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import dagster as dg

from olist_pipeline.intake.span import dated_span
from olist_pipeline.landing.folder import readable_landing
from olist_pipeline.months import MonthRange
from olist_pipeline.registry import CONTEXTS, FIRST_MONTH, LANDING
from olist_pipeline.settings import Settings
from olist_pipeline.staging import staged_months

PARTITION_NAME_TAG = "dagster/partition"
ASSET_PARTITION_RANGE_START_TAG = "dagster/asset_partition_range_start"
ASSET_PARTITION_RANGE_END_TAG = "dagster/asset_partition_range_end"
"""Dagster's tags of a run over one partition, or a range of them."""

MONTHS = dg.MonthlyPartitionsDefinition(start_date=FIRST_MONTH.isoformat(), fmt="%Y-%m-%d", end_offset=1)
"""Keys are first days of months; the present month is included."""


COMPARED_WHOLE = {"olist/compared": "whole"}
"""The tag of a run that ends a backfill of several ranges, or in a release: it compares all months, not its own."""


def months_of(keys: Sequence[str]) -> list[date]:
    """Return the months of partition keys."""
    return [date.fromisoformat(key) for key in keys]


def range_tags(months: MonthRange) -> dict[str, str]:
    """Return the tags of a run over `months`."""
    return {
        ASSET_PARTITION_RANGE_START_TAG: months.first.isoformat(),
        ASSET_PARTITION_RANGE_END_TAG: months.last.isoformat(),
    }


def tagged_months(tags: Mapping[str, str]) -> list[date]:
    """Return the months of a run with `tags`; none for a run without partitions."""
    first = tags.get(ASSET_PARTITION_RANGE_START_TAG) or tags.get(PARTITION_NAME_TAG)
    last = tags.get(ASSET_PARTITION_RANGE_END_TAG) or first
    return list(MonthRange(date.fromisoformat(first), date.fromisoformat(last))) if first and last else []


def all_months(settings: Settings) -> MonthRange:
    """Return the months of landing and of staging: a month that left landing is emptied in staging.

    Where nothing in landing is dated it is the present month: there are no monthly tables then. Raises OlistError
    where a dated table has no date that can be read.
    """
    today = date.today()
    dated = [table for table in LANDING.values() if table.month_of]
    spans = [dated_span(readable_landing(settings, [table]), table, today) for table in dated]
    months = {moment.date().replace(day=1) for span in spans for moment in span} or {today.replace(day=1)}
    for context in CONTEXTS.values():
        for table in context.tables:
            months.update(staged_months(settings.staging, context.name, table.name))
    return MonthRange(min(months), max(months))


def describe(months: Sequence[date]) -> str:
    """Return `YYYY-MM`, or the first and the last of several months."""
    return str(MonthRange(min(months), max(months))) if months else "no month"
