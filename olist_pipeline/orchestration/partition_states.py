"""Partition states: which months of a context are present, missing or failed, as Dagster remembers them.

What belongs here: reading the states, the check that is red while a month is not present, and the command that mends
it. What does not: running anything.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Literal

import dagster as dg

from olist_pipeline.migration.model import NEW
from olist_pipeline.months import MonthRange, following, month_text
from olist_pipeline.orchestration.partitions import MONTHS, all_months
from olist_pipeline.orchestration.resources import PipelineResource, clear_failures
from olist_pipeline.orchestration.validation import staging_key
from olist_pipeline.registry import CONTEXTS
from olist_pipeline.warehouse import WarehouseTable

PartitionState = Literal["present", "missing", "failed"]
CHECK = "partitions"


def monthly_keys(context: str, tables: Iterable[WarehouseTable]) -> list[dg.AssetKey]:
    """Return the asset keys of a context's monthly tables: staged ones, then those of the new tree among `tables`."""
    staged = [staging_key(context, table.name) for table in CONTEXTS[context].tables if table.is_monthly]
    built = [
        dg.AssetKey([NEW, table.new_relation]) for table in tables if table.is_monthly and table.context == context
    ]
    return [*staged, *built]


def partition_states(
    instance: dg.DagsterInstance, keys: Iterable[dg.AssetKey], months: Iterable[date]
) -> dict[date, PartitionState]:
    """Return the worst state of `keys` in each of `months`; what is running right now counts as present."""
    wanted = {month.isoformat(): month for month in months}
    states: dict[date, PartitionState] = dict.fromkeys(wanted.values(), "present")
    for key in keys:
        of_key = instance.get_status_by_partition(key, list(wanted), MONTHS) or {}
        for name, month in wanted.items():
            state = _STATES.get(of_key.get(name), "missing")
            states[month] = min(states[month], state, key=_FROM_WORST.index)
    return states


_FROM_WORST: tuple[PartitionState, ...] = ("failed", "missing", "present")
_STATES: Mapping[dg.AssetPartitionStatus | None, PartitionState] = {
    dg.AssetPartitionStatus.MATERIALIZED: "present",
    dg.AssetPartitionStatus.IN_PROGRESS: "present",
    dg.AssetPartitionStatus.FAILED: "failed",
}


def ranges(months: Iterable[date]) -> list[MonthRange]:
    """Return `months` as ranges without gaps, the oldest first."""
    found: list[MonthRange] = []
    for month in sorted(set(months)):
        if found and following(found[-1].last) == month:
            found[-1] = MonthRange(found[-1].first, month)
        else:
            found.append(MonthRange(month, month))
    return found


def in_state(states: Mapping[date, PartitionState], state: PartitionState) -> list[date]:
    """Return the months that are in `state`."""
    return [month for month, found in states.items() if found == state]


def shortfall(context: str, states: Mapping[date, PartitionState]) -> str:
    """Return one sentence on the months that are not present, with the command that mends it; empty if all are."""
    words = []
    for state in ("failed", "missing"):
        if months := in_state(states, state):
            command = f"olist backfill {context} --from {month_text(min(months))} --to {month_text(max(months))}"
            words.append(f"{_listed(months)} {state}: run `{command} --only {state}`")
    return "; ".join(words)


def partition_checks(tables: Sequence[WarehouseTable]) -> list[dg.AssetChecksDefinition]:
    """Return the standing check of each context that has months; it blocks nothing."""
    return [_partition_check(context, keys) for context in CONTEXTS if (keys := monthly_keys(context, tables))]


def _partition_check(owner: str, keys: list[dg.AssetKey]) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=keys[0],
        name=CHECK,
        additional_deps=keys[1:],
        description=f"No month of {owner} is missing or failed; `olist backfill {owner}` mends it.",
    )
    def partitions(context: dg.AssetCheckExecutionContext, pipeline: PipelineResource) -> dg.AssetCheckResult:
        with clear_failures():
            months = all_months(pipeline.settings)
        states = partition_states(context.instance, keys, months)
        problem = shortfall(owner, states)
        return dg.AssetCheckResult(
            passed=not problem,
            description=problem or f"All {len(states)} months are present.",
            metadata={str(state): len(in_state(states, state)) for state in _FROM_WORST},
        )

    return partitions


def _listed(months: Sequence[date]) -> str:
    parts = [
        month_text(part.first) if part.first == part.last else f"{month_text(part.first)} to {month_text(part.last)}"
        for part in ranges(months)
    ]
    return f"{', '.join(parts)} {'is' if len(months) == 1 else 'are'}"
