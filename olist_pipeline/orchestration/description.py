"""Description: what the graph says of each asset besides what its own module says.

What belongs here: owners, links and code references, the same for all assets; their policy of freshness, and the checks
of it that the hourly job evaluates. What does not: descriptions and columns, which come from the code and from dbt, and
the limit of freshness itself (OLIST_FRESHNESS_HOURS, which the guard of what is served reads too).
"""

import time
import warnings
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import dagster as dg

from olist_pipeline.migration.model import NEW, OLD, REPLAY
from olist_pipeline.orchestration.graph_names import relation_key, relation_of_key
from olist_pipeline.orchestration.serving import RELEASE
from olist_pipeline.orchestration.validation import staging_key
from olist_pipeline.registry import CONTEXTS
from olist_pipeline.settings import Settings
from olist_pipeline.warehouse import WarehouseTable

WARN_AT = 0.9
"""The part of the limit of freshness after which Dagster warns."""


def described(assets: Sequence[Any], settings: Settings, tables: Sequence[WarehouseTable]) -> list[Any]:
    """Return `assets` with owner and freshness policy, and where in the code each is made."""
    old_names = {table.new_relation: table.name for table in tables}

    def describe(spec: dg.AssetSpec) -> dg.AssetSpec:
        owner = spec.group_name if spec.group_name in CONTEXTS else "platform"
        layer = "staging" if spec.key.path[0] in CONTEXTS else spec.key.path[0]
        return spec.replace_attributes(
            owners=[f"team:{owner}"],
            freshness_policy=_freshness_policy(spec.key, settings),
            tags={**spec.tags, "layer": layer},
            metadata={**spec.metadata, **_links(spec.key, old_names)},
        )

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        return list(dg.with_source_code_references(dg.map_asset_specs(describe, assets)))


def _freshness_policy(key: dg.AssetKey, settings: Settings) -> dg.FreshnessPolicy | None:
    """Return the policy of an asset; landing has none, for its files come when they come.

    Intake and replay have that of what people read: where one of them is late, so is what it makes or proves.
    """
    if key.path[0] == "landing":
        return None
    limit = timedelta(hours=settings.cutover.freshness_hours)
    return dg.FreshnessPolicy.time_window(fail_window=limit, warn_window=limit * WARN_AT)


def _links(key: dg.AssetKey, old_names: Mapping[str, str]) -> dict[str, Any]:
    """Return what an asset's page leads to: its proof, its counterparts, the rules that its rows are held to."""
    layer, *_, name = relation_of_key(key)
    if layer == NEW and name in old_names:
        return {
            "parity report": _check_page(key, "parity"),
            "compared with": dg.MetadataValue.asset(relation_key(OLD, old_names[name])),
            "replay": dg.MetadataValue.asset(relation_key(REPLAY, old_names[name])),
        }
    if layer not in CONTEXTS:
        return {}
    rules = [
        f"- `{rule.code}` ({rule.severity}): {rule.statement}"
        for book in CONTEXTS[layer].rulebooks
        if book.table == name
        for rule in book.rules
    ]
    links = {"reconciliation": _check_page(key, "reconciliation")}
    return {**links, "rules": dg.MetadataValue.md("\n".join(rules))} if rules else links


def _check_page(key: dg.AssetKey, name: str) -> dg.MetadataValue[Any]:
    return dg.MetadataValue.url(f"/assets/{'/'.join(key.path)}?view=checks&checkDetail={name}")


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
