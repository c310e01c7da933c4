"""The type of Dagster's asset graph, for annotations.

What belongs here: names of types that Dagster hands out but does not export. What does not: anything that runs.

Private: `BaseAssetGraph`. `RepositoryDefinition.asset_graph` and `AssetLayer.asset_graph` are public and return it, but
its name is not.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from dagster._core.definitions.assets.graph.base_asset_graph import BaseAssetGraph

AssetGraph: TypeAlias = BaseAssetGraph[Any]
