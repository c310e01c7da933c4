"""The warehouse: the DuckDB file that dbt alone writes, and which tables it must hold, from dbt's manifest.

What belongs here: opening the warehouse for reading, and the tables and contracts of the trees. What does
not: comparing tables, publishing them, and running dbt.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from olist_pipeline.errors import OlistError
from olist_pipeline.registry import CONTEXTS

OLD, REPLAY, NEW = "old", "replay", "new"
NEW_PREFIX = "new__"
_LOCKED = "set lock"
"""What DuckDB says of a file that another process has open."""


@dataclass(frozen=True)
class WarehouseTable:
    """A table that stands in `old`, `replay` and `new`: its context, key and what else its model declares.

    `reads` are the staged tables (`context/table`) that its new model is made of, over all models in between.
    `measures` are the columns whose sums a dashboard shows. `is_monthly` says that it is built month by month (its
    model is incremental).
    """

    name: str
    context: str
    key: tuple[str, ...]
    tolerances: Mapping[str, Any]
    excluded: Mapping[str, str]
    reads: tuple[str, ...] = ()
    is_monthly: bool = False
    measures: tuple[str, ...] = ()


def load_manifest(path: Path) -> dict[str, Any]:
    """Return dbt's manifest; raises OlistError before dbt has parsed the project."""
    try:
        manifest: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise OlistError(f"dbt's manifest {path} is missing; `olist run` makes it.") from error
    return manifest


def warehouse_tables(manifest: Mapping[str, Any]) -> tuple[WarehouseTable, ...]:
    """Return the new tables of the contexts that have moved, by name; each must declare `meta.parity.key`."""
    tables = [_table(node, manifest) for node in manifest["nodes"].values() if _is_new_table(node)]
    return tuple(sorted((table for table in tables if table.context in CONTEXTS), key=lambda table: table.name))


@contextmanager
def reading(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a read-only connection to the warehouse; raises OlistError when it is missing or being written.

    The connection is closed at once afterwards: even a reader keeps dbt out.
    """
    if not path.exists():
        raise OlistError(f"The warehouse {path} does not exist yet; run `olist run`.")
    try:
        connection = duckdb.connect(str(path), read_only=True)
    except duckdb.IOException as error:
        raise OlistError(
            f"The warehouse {path} is being written by another process; try again when it is done."
        ) from error
    try:
        yield connection
    finally:
        connection.close()


def set_aside_where_damaged(path: Path) -> None:
    """Rename a warehouse that is none any more: all of it is built anew from landing and staging."""
    if not path.exists():
        return
    try:
        if path.is_file():
            duckdb.connect(str(path), read_only=True).close()
            return
    except duckdb.Error as error:
        if _LOCKED in str(error):
            return
    path.rename(path.with_name(f"{path.name}.damaged-{time.time_ns()}"))
    path.with_name(f"{path.name}.wal").unlink(missing_ok=True)


def await_free(path: Path, seconds: float = 60) -> None:
    """Wait until nobody has the warehouse open; raises OlistError when somebody still has after `seconds`.

    A dbt that outlived its killed run needs a moment to end; a person's own connection may last for hours.
    """
    deadline = time.monotonic() + seconds
    while path.exists():
        try:
            duckdb.connect(str(path)).close()
            return
        except duckdb.Error as error:
            if _LOCKED not in str(error):
                why = str(error).splitlines()[0]
                raise OlistError(f"The warehouse {path} is damaged ({why}); `olist run` builds it anew.") from error
            if time.monotonic() > deadline:
                raise OlistError(
                    f"The warehouse {path} is open in another process ({str(error).splitlines()[0]}); close it there."
                ) from error
        time.sleep(0.2)


def _is_new_table(node: Mapping[str, Any]) -> bool:
    return (
        node["resource_type"] == "model"
        and node["name"].startswith(NEW_PREFIX)
        and node["config"]["materialized"] in ("table", "incremental")
    )


def _staged_sources(node: Mapping[str, Any], manifest: Mapping[str, Any]) -> set[str]:
    """Return the staged tables that a model reads, itself or through others."""
    found: set[str] = set()
    for parent in node["depends_on"]["nodes"]:
        if parent in manifest["sources"]:
            found.add("/".join(manifest["sources"][parent]["config"]["meta"]["dagster"]["asset_key"]))
        elif parent in manifest["nodes"]:
            found |= _staged_sources(manifest["nodes"][parent], manifest)
    return found


def _table(node: Mapping[str, Any], manifest: Mapping[str, Any]) -> WarehouseTable:
    meta = node["config"]["meta"]
    parity = meta.get("parity") or {}
    if not parity.get("key"):
        raise OlistError(
            f"The model {node['name']} declares no key; add `meta: {{parity: {{key: [...]}}}}` to its YAML."
        )
    return WarehouseTable(
        name=node["alias"],
        context=meta["context"],
        key=tuple(parity["key"]),
        tolerances=parity.get("tolerances", {}),
        excluded=parity.get("excluded", {}),
        reads=tuple(sorted(_staged_sources(node, manifest))),
        is_monthly=node["config"]["materialized"] == "incremental",
        measures=tuple(parity.get("measures", ())),
    )
