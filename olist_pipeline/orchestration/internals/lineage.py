"""Column lineage: which columns of its parents each column of a dbt model is made of.

What belongs here: handing dbt's compiled queries, with the columns that the project declares, to dagster-dbt, which
reads the lineage of them. What does not: the database: dagster-dbt's own way would keep it open, and nobody else could
write it then.

Private: `_build_column_lineage_metadata`, and `EventHistoryMetadata` that it takes. Publicly, `fetch_column_metadata`
does the same with a connection to the warehouse of its own.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dagster_dbt import DagsterDbtTranslator
from dagster_dbt.core.dbt_cli_event import EventHistoryMetadata, _build_column_lineage_metadata
from sqlglot.errors import SqlglotError


def column_lineage(
    manifest: Mapping[str, Any], unique_id: str, translator: DagsterDbtTranslator, target_path: Path
) -> dict[str, Any]:
    """Return the metadata entry of a model's column lineage; nothing where dbt does not give it.

    It does not for a model that reads sources, which are files here without columns, or whose query was not compiled
    below `target_path`.
    """
    props = manifest["nodes"][unique_id]
    parents = [manifest["nodes"].get(uid) or manifest["sources"].get(uid) for uid in props["depends_on"]["nodes"]]
    if not parents or not all(parent and parent["relation_name"] for parent in parents):
        return {}
    declared = EventHistoryMetadata(
        columns=_columns(props), parents={parent["relation_name"]: _columns(parent) for parent in parents if parent}
    )
    try:
        return _build_column_lineage_metadata(declared, props, manifest, translator, target_path, None)
    except (SqlglotError, KeyError, OSError):
        return {}


def _columns(props: Mapping[str, Any]) -> dict[str, Any]:
    return {name: {"data_type": column.get("data_type") or "varchar"} for name, column in props["columns"].items()}
