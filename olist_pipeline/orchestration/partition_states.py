"""Partition states: which months of a context are present, missing or failed, as Dagster remembers them.

What belongs here: the check that is red while a month is not present, and the command that mends it. What does not:
reading the states (`stores.run_history`), and running anything.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

import dagster as dg

from olist_pipeline.data_months import all_months
from olist_pipeline.months import MonthRange, following, month_text
from olist_pipeline.orchestration.graph_names import relation_key
from olist_pipeline.orchestration.resources import PipelineResource, clear_failures
from olist_pipeline.registry import CONTEXTS
from olist_pipeline.stores.run_history import FROM_WORST, MonthState, month_states
from olist_pipeline.warehouse import WarehouseTable, monthly_assets

CHECK = "partitions"


def ranges(months: Iterable[date]) -> list[MonthRange]:
    """Return `months` as ranges without gaps, the oldest first."""
    found: list[MonthRange] = []
    for month in sorted(set(months)):
        if found and following(found[-1].last) == month:
            found[-1] = MonthRange(found[-1].first, month)
        else:
            found.append(MonthRange(month, month))
    return found


def in_state(states: Mapping[date, MonthState], state: MonthState) -> list[date]:
    """Return the months that are in `state`."""
    return [month for month, found in states.items() if found == state]


def shortfall(context: str, states: Mapping[date, MonthState]) -> str:
    """Return one sentence on the months that are not present, with the command that mends it; empty if all are."""
    words = []
    for state in ("failed", "missing"):
        if months := in_state(states, state):
            command = f"olist backfill {context} --from {month_text(min(months))} --to {month_text(max(months))}"
            words.append(f"{_listed(months)} {state}: run `{command} --only {state}`")
    return "; ".join(words)


def partition_checks(tables: Sequence[WarehouseTable]) -> list[dg.AssetChecksDefinition]:
    """Return the standing check of each context that has months; it blocks nothing."""
    monthly = {context: monthly_assets(context, tables) for context in CONTEXTS}
    return [_partition_check(context, assets) for context, assets in monthly.items() if assets]


def _partition_check(owner: str, assets: Sequence[tuple[str, ...]]) -> dg.AssetChecksDefinition:
    keys = [relation_key(*path) for path in assets]

    @dg.asset_check(
        asset=keys[0],
        name=CHECK,
        additional_deps=keys[1:],
        description=f"No month of {owner} is missing or failed; `olist backfill {owner}` mends it.",
    )
    def partitions(pipeline: PipelineResource) -> dg.AssetCheckResult:
        with clear_failures():
            months = all_months(pipeline.settings)
        states = month_states(pipeline.url, assets, months)
        problem = shortfall(owner, states)
        return dg.AssetCheckResult(
            passed=not problem,
            description=problem or f"All {len(states)} months are present.",
            metadata={str(state): len(in_state(states, state)) for state in FROM_WORST},
        )

    return partitions


def _listed(months: Sequence[date]) -> str:
    return f"{', '.join(map(str, ranges(months)))} {'is' if len(months) == 1 else 'are'}"
