"""Partitions: the months of monthly tables, as Dagster keeps them.

What belongs here: the partitions definition, the way from a run's keys to months and back, and how Dagster comes to
know of the months that there are. What does not: which these are (`data_months`), and the arithmetic of months.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import dagster as dg

from olist_pipeline.data_months import all_months
from olist_pipeline.errors import OlistError
from olist_pipeline.months import MonthRange
from olist_pipeline.settings import Settings

PARTITION_NAME_TAG = "dagster/partition"
ASSET_PARTITION_RANGE_START_TAG = "dagster/asset_partition_range_start"
ASSET_PARTITION_RANGE_END_TAG = "dagster/asset_partition_range_end"
"""Dagster's tags of a run over one partition, or a range of them."""

_NAME = "months"
MONTHS = dg.DynamicPartitionsDefinition(name=_NAME)
"""The months of the data; keys are their first days.

They are stored, not computed from the clock: so webserver, daemon, code server and run know of a new month at once, and
none is shown that the data does not reach.
"""

UNFINISHED = [
    status
    for status in dg.DagsterRunStatus
    if status not in (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)
]

COMPARED_WHOLE = {"olist/compared": "whole"}
"""The tag of a run that ends a backfill of several ranges, or in a release: it compares all months, not its own."""

FORCED = {"olist/forced": "true"}
"""The tag of a run that reads, works through and proves what has not changed since it was last."""


def is_forced(tags: Mapping[str, str]) -> bool:
    """Return whether a run with `tags` does again what has not changed."""
    return FORCED.items() <= tags.items()


def months_of(keys: Sequence[str]) -> list[date]:
    """Return the months of partition keys; raises OlistError for a key that is none, which the UI lets people add."""
    if wrong := [key for key in keys if not _is_month(key)]:
        raise OlistError(f"The partition {wrong[0]!r} is no month; take one that is written like 2018-10-01.")
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


def follow_data(instance: dg.DagsterInstance, settings: Settings) -> None:
    """Let Dagster know of the months that there are, and of no others.

    Others are forgotten only while no run is unfinished: one that empties a month still needs its key. Raises
    OlistError where landing cannot be read.
    """
    months = all_months(settings)
    know_months(instance, months)
    if not instance.get_runs(dg.RunsFilter(statuses=UNFINISHED), limit=1):
        present = {month.isoformat() for month in months}
        for key in set(instance.get_dynamic_partitions(_NAME)) - present:
            instance.delete_dynamic_partition(_NAME, key)


def knows_months(instance: dg.DagsterInstance) -> bool:
    """Return whether Dagster knows of any month."""
    return bool(instance.get_dynamic_partitions(_NAME))


def know_months(instance: dg.DagsterInstance, months: MonthRange) -> None:
    """Let Dagster know of `months` before a run over them, and of all between them and those that it knows.

    A range of keys goes by their order, which is that of their coming: where an earlier month comes, those after it are
    added anew.
    """
    known = list(instance.get_dynamic_partitions(_NAME))
    before = months_of([key for key in known if _is_month(key)])
    wanted = [month.isoformat() for month in MonthRange(min([*before, months.first]), max([*before, months.last]))]
    if known != wanted[: len(known)]:
        for key in known:
            instance.delete_dynamic_partition(_NAME, key)
        known = []
    if missing := wanted[len(known) :]:
        instance.add_dynamic_partitions(_NAME, missing)


def _is_month(key: str) -> bool:
    try:
        return date.fromisoformat(key).isoformat() == key and key.endswith("-01")
    except ValueError:
        return False


def describe(months: Sequence[date]) -> str:
    """Return `YYYY-MM`, or the first and the last of several months."""
    return str(MonthRange(min(months), max(months))) if months else "no month"
