"""Description: what the graph says of each asset besides what its own module says.

What belongs here: owners, freshness, links and code references, the same for all assets. What does not: descriptions
and columns, which come from the code and from dbt.
"""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from olist_pipeline.migration.model import NEW, OLD, REPLAY
from olist_pipeline.orchestration.freshness import freshness_policy
from olist_pipeline.orchestration.graph_names import relation_key, relation_of_key
from olist_pipeline.registry import CONTEXTS
from olist_pipeline.settings import Settings
from olist_pipeline.warehouse import WarehouseTable


def described(assets: Sequence[Any], settings: Settings, tables: Sequence[WarehouseTable]) -> list[Any]:
    """Return `assets` with owner and freshness policy, and where in the code each is made."""
    old_names = {table.new_relation: table.name for table in tables}

    def describe(spec: dg.AssetSpec) -> dg.AssetSpec:
        owner = spec.group_name if spec.group_name in CONTEXTS else "platform"
        layer = "staging" if spec.key.path[0] in CONTEXTS else spec.key.path[0]
        return spec.replace_attributes(
            owners=[f"team:{owner}"],
            freshness_policy=freshness_policy(spec.key, settings),
            tags={**spec.tags, "layer": layer},
            metadata={**spec.metadata, **_links(spec.key, old_names)},
        )

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        return list(dg.with_source_code_references(dg.map_asset_specs(describe, assets)))


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
