"""Landing assets: the CSV files, external to the graph.

What belongs here: their specs. What does not: reading them; intake observes the version that it read.
"""

from __future__ import annotations

import dagster as dg

from olist_pipeline.registry import LANDING


def landing_key(table: str) -> dg.AssetKey:
    """Return the asset key of a landing file."""
    return dg.AssetKey(["landing", table])


def landing_specs() -> list[dg.AssetSpec]:
    """Return the external assets of landing."""
    return [
        dg.AssetSpec(
            landing_key(name),
            group_name="landing",
            description=f"`{table.file}` as it arrives. {table.record.__doc__ or ''}",
            kinds={"csv"},
            metadata={"file": table.file, "columns": dg.MetadataValue.json(list(table.columns))},
        )
        for name, table in LANDING.items()
    ]
