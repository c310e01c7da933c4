"""Freshness: how old what dashboards read may become.

What belongs here: the policy of assets, and the checks that the hourly job evaluates. What does not: the limit itself
(OLIST_FRESHNESS_HOURS, which the guard of what is served reads too).
"""

import time
from datetime import timedelta

import dagster as dg

from olist_pipeline.orchestration.serving import RELEASE
from olist_pipeline.orchestration.validation import staging_key
from olist_pipeline.registry import CONTEXTS
from olist_pipeline.settings import Settings

WARN_AT = 0.9
"""The part of the limit after which Dagster warns."""


def freshness_policy(key: dg.AssetKey, settings: Settings) -> dg.FreshnessPolicy | None:
    """Return the policy of an asset; landing has none, for its files come when they come.

    Intake and replay have that of what people read: where one of them is late, so is what it makes or proves.
    """
    if key.path[0] == "landing":
        return None
    limit = timedelta(hours=settings.cutover.freshness_hours)
    return dg.FreshnessPolicy.time_window(fail_window=limit, warn_window=limit * WARN_AT)


def freshness_checks(settings: Settings) -> list[dg.AssetChecksDefinition]:
    """Return the checks that are red when a context was not validated, or nothing was released, for too long."""
    first_tables = [staging_key(moved.name, moved.tables[0].name) for moved in CONTEXTS.values()]
    return [_freshness_check(key, settings.cutover.freshness_hours) for key in (*first_tables, RELEASE)]


def _freshness_check(key: dg.AssetKey, hours: float) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=key, name="freshness", description=f"Made in the last {hours:g} hours (OLIST_FRESHNESS_HOURS)."
    )
    def freshness(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        made = context.instance.get_latest_materialization_event(key)
        if made is None:
            return dg.AssetCheckResult(passed=False, description="It was never made; run `olist run`.")
        age = (time.time() - made.timestamp) / 3600
        return dg.AssetCheckResult(
            passed=age <= hours,
            description=f"Made {age:.1f} hours ago; at most {hours:g} are allowed. `olist run --force` makes it anew.",
            metadata={"age_hours": round(age, 1)},
        )

    return freshness
