"""Description: what the graph says of each asset besides what its own module says.

What belongs here: owners, freshness, links and code references, the same for all assets. What does not: descriptions
and columns, which come from the code and from dbt.
"""

import warnings
from collections.abc import Sequence
from typing import Any

import dagster as dg

from olist_pipeline.orchestration.freshness import freshness_policy
from olist_pipeline.registry import CONTEXTS
from olist_pipeline.settings import Settings


def described(assets: Sequence[Any], settings: Settings) -> list[Any]:
    """Return `assets` with owner and freshness policy, and where in the code each is made."""

    def describe(spec: dg.AssetSpec) -> dg.AssetSpec:
        owner = spec.group_name if spec.group_name in CONTEXTS else "platform"
        layer = "staging" if spec.key.path[0] in CONTEXTS else spec.key.path[0]
        return spec.replace_attributes(
            owners=[f"team:{owner}"],
            freshness_policy=freshness_policy(spec.key, settings),
            tags={**spec.tags, "layer": layer},
        )

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        return list(dg.with_source_code_references(dg.map_asset_specs(describe, assets)))
