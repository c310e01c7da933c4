"""Building: a release from the warehouse, with both sides of each table.

What belongs here: copying tables and proving the copies, the lineage that routing needs, and publishing. What does
not: the same data under other routes (see `compose`), and whether a release may be published (see `gate`).
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from olist_pipeline.errors import OlistError
from olist_pipeline.parity.fingerprint import fingerprint
from olist_pipeline.parity.sql import literal, quote, relation_name
from olist_pipeline.registry import contexts_behind
from olist_pipeline.serving import standby
from olist_pipeline.serving.about import write
from olist_pipeline.serving.audit import audit
from olist_pipeline.serving.compose import refuse_impossible, show, tell_routes
from olist_pipeline.serving.journal import done_acts, sole_switch
from olist_pipeline.serving.release import (
    DATABASE,
    Release,
    new_folder,
    next_number,
    point_to,
    put_in_place,
    refuse_past,
    remove_unneeded,
    write_manifest,
)
from olist_pipeline.serving.routing import DIMENSION, NEW, OLD, Reference, served_schemas
from olist_pipeline.stores.routes import Route
from olist_pipeline.warehouse import NEW_PREFIX, WarehouseTable

COPIES = 2
"""So many tables are copied at a time."""

ReadRoutes = Callable[[], Mapping[str, Route]]
Objections = Callable[[duckdb.DuckDBPyConnection, Mapping[str, Route]], Sequence[str]]


@dataclass(frozen=True)
class Key:
    """A column of `child` whose values are those of the column `key` of `parent`."""

    child: str
    column: str
    parent: str
    key: str


def references_of(manifest: Mapping[str, Any], tables: Iterable[WarehouseTable]) -> tuple[Key, ...]:
    """Return the references between `tables`, from dbt's manifest.

    They are the relationships that the new models test, and every column that has the name of a dimension's key.
    """
    by_name = {table.name: table for table in tables}
    models = {uid: node for uid, node in manifest["nodes"].items() if node["name"].startswith(NEW_PREFIX)}
    declared = {
        Key(
            models[node["attached_node"]]["alias"],
            node["test_metadata"]["kwargs"]["column_name"],
            models[parent]["alias"],
            node["test_metadata"]["kwargs"]["field"],
        )
        for node in manifest["nodes"].values()
        if node["resource_type"] == "test" and (node.get("test_metadata") or {}).get("name") == "relationships"
        for parent in node["depends_on"]["nodes"]
        if node["attached_node"] in models and parent in models and parent != node["attached_node"]
    }
    dimensions = {
        table.key[0]: name for name, table in by_name.items() if name.startswith(DIMENSION) and not table.key[1:]
    }
    named = {
        Key(node["alias"], column, dimensions[column], column)
        for node in models.values()
        for column in node.get("columns", {})
        if column in dimensions and dimensions[column] != node["alias"]
    }
    found = [key for key in declared | named if {key.child, key.parent} <= by_name.keys()]
    return tuple(sorted(found, key=lambda key: (key.child, key.column, key.parent)))


def publish(
    serving: Path,
    warehouse: Path,
    tables: Sequence[WarehouseTable],
    read_routes: ReadRoutes,
    *,
    run_id: str,
    fingerprint: str,
    code: str,
    as_of: str,
    landing: Mapping[str, str],
    references: Iterable[Key] = (),
    parity_runs: Mapping[str, str] | None = None,
    retired: Collection[str] = (),
    objections: Objections = lambda connection, routes: (),
    about: Mapping[str, pl.DataFrame] | None = None,
) -> Release:
    """Build the next release of `tables` from `warehouse`, gate and audit it, and let `current` point to it.

    `about` are the tables that it says of the migration (see the module `about`). Routes are read once the tables are
    copied, so that a cutover meanwhile is not undone. A crash before the last rename leaves the former release
    serving. Raises OlistError with all `objections`, and when the release is not what stands in the warehouse, mixes
    sides that do not belong together, or fails its audit.
    """
    refuse_past(serving, datetime.now(UTC))
    folder = new_folder(serving)
    try:
        with duckdb.connect(str(folder / DATABASE)) as connection:
            copied = _copy_tables(connection, warehouse, tables, retired)
            measured = [asdict(_measured(connection, copied, key)) for key in references]
            gated = read_routes()
            refuse(objections(connection, gated))
            write(connection, about or {})
        with sole_switch(serving):
            routes = read_routes()
            schemas = served_schemas(copied, routes)
            release = Release(
                number=next_number(serving),
                made_at=datetime.now(UTC).isoformat(timespec="seconds"),
                run_id=run_id,
                fingerprint=fingerprint,
                as_of=as_of,
                routes=dict(routes),
                landing=dict(landing),
                tables={
                    name: {
                        **table,
                        "schema": schemas[name],
                        "rows": table["sources"].get(schemas[name], {}).get("rows"),
                    }
                    for name, table in copied.items()
                },
                code=code,
                parity_runs=dict(parity_runs or {}),
                references=measured,
            )
            refuse_impossible(release, schemas)
            with duckdb.connect(str(folder / DATABASE)) as connection:
                if routes != gated:
                    refuse(objections(connection, routes))
                show(connection, schemas)
                tell_routes(connection, routes, done_acts(serving))
                refuse(audit(connection, release))
            write_manifest(folder, release)
            put_in_place(serving, folder, release.number)
            point_to(serving, release.number)
            remove_unneeded(serving)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    standby.prepare(serving)
    return release


def refuse(problems: Sequence[str]) -> None:
    """Raise OlistError with all problems in one sentence, if there are any."""
    if problems:
        raise OlistError("No release is published: " + "; ".join(problems) + ".")


def needs_of(table: WarehouseTable) -> list[str]:
    """Return the contexts that must be on new before a table is: its own, and those that its rows come from."""
    return sorted({table.context} | contexts_behind(table.reads))


def _copy_tables(
    connection: duckdb.DuckDBPyConnection,
    warehouse: Path,
    tables: Iterable[WarehouseTable],
    retired: Collection[str],
) -> dict[str, dict[str, Any]]:
    """Copy both sides of each table, or the new one alone of a retired context, and prove that the copies are whole.

    Sides with the same rows are kept once: new then is a view.
    """

    def copy(table: WarehouseTable) -> dict[str, Any]:
        sides = (NEW,) if table.context in retired else (OLD, NEW)
        with connection.cursor() as cursor:
            sources = {side: _copy_side(cursor, table.name, side) for side in sides}
        return {"context": table.context, "key": list(table.key), "needs": needs_of(table), "sources": sources}

    connection.execute(f"CREATE SCHEMA {OLD}; CREATE SCHEMA {NEW}")
    connection.execute(f"ATTACH {literal(str(warehouse))} AS warehouse (READ_ONLY)")
    # Small tables are written by one core each.
    with ThreadPoolExecutor(COPIES) as side_by_side:
        copied = {table.name: side_by_side.submit(copy, table) for table in tables}
    connection.execute("DETACH warehouse")
    return {name: one.result() for name, one in copied.items()}


def _copy_side(connection: duckdb.DuckDBPyConnection, name: str, side: str) -> dict[str, Any]:
    source, target = f"warehouse.{side}.{quote(name)}", relation_name(side, name)
    before = fingerprint(connection, source)
    if side == NEW and _has(connection, OLD, name) and fingerprint(connection, relation_name(OLD, name)) == before:
        connection.execute(f"CREATE VIEW {target} AS FROM {relation_name(OLD, name)}")
        return before.to_dict()
    connection.execute(f"CREATE TABLE {target} AS FROM {source}")
    if fingerprint(connection, target) != before:
        raise OlistError(f"The copy of {side}.{name} is not what the warehouse holds; run again.")
    return before.to_dict()


def _has(connection: duckdb.DuckDBPyConnection, schema: str, name: str) -> bool:
    statement = (
        "SELECT count(*) FROM information_schema.tables "
        "WHERE table_catalog = current_database() AND table_schema = $1 AND table_name = $2"
    )
    [(found,)] = connection.execute(statement, [schema, name]).fetchall()
    return bool(found)


def _measured(connection: duckdb.DuckDBPyConnection, tables: Mapping[str, Mapping[str, Any]], key: Key) -> Reference:
    """Count the references that would be lost between the sides of two tables (see `Reference.lost`)."""
    child, parent = tables[key.child]["sources"], tables[key.parent]["sources"]
    lost: dict[str, int] = {}
    for side, other in ((OLD, NEW), (NEW, OLD)):
        if side not in child or not {OLD, NEW} <= parent.keys() or parent[OLD] == parent[NEW]:
            continue
        has = f"SELECT {quote(key.key)} FROM {{}} WHERE {quote(key.key)} IS NOT NULL"
        own, others = (has.format(relation_name(schema, key.parent)) for schema in (side, other))
        column = quote(key.column)
        [(rows,)] = connection.execute(
            f"SELECT count(*) FROM {relation_name(side, key.child)} "
            f"WHERE {column} IN ({own}) AND {column} NOT IN ({others})"
        ).fetchall()
        lost[side] = rows
    return Reference(**asdict(key), lost=lost)
