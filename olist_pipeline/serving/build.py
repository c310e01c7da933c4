"""Building: a release from the warehouse, with both sides of each table.

What belongs here: gathering the tables of a release, the lineage that routing needs, and publishing. What does not:
the files that rows are in (see `data_files`), the same data under other routes (see `compose`), and whether a release
may be published (see `gate`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from olist_pipeline.errors import OlistError
from olist_pipeline.files import require_links
from olist_pipeline.machine import bound_memory
from olist_pipeline.migration.load import present_migration
from olist_pipeline.migration.model import Migration
from olist_pipeline.migration.project import new_part
from olist_pipeline.registry import contexts_behind
from olist_pipeline.release_manifest import (
    DATABASE,
    NEW,
    OLD,
    Key,
    Reference,
    Release,
    ReleasedTable,
    Route,
    Side,
    write_manifest,
)
from olist_pipeline.serving import data_files, standby
from olist_pipeline.serving.about import write
from olist_pipeline.serving.compose import refuse_impossible, show, write_routes
from olist_pipeline.serving.journal import done_acts, sole_switch
from olist_pipeline.serving.pruning import remove_unneeded
from olist_pipeline.serving.release import (
    building,
    next_number,
    point_to,
    put_in_place,
    refuse_past,
)
from olist_pipeline.serving.release_checks import unchecked, unservable
from olist_pipeline.serving.routing import served_schemas
from olist_pipeline.tablediff.sql import literal, quote, relation_name
from olist_pipeline.warehouse import WarehouseTable, as_old_shows_it, refuse_unmade

COPIES = 2
"""So many tables are stored at a time."""

ReadRoutes = Callable[[], Mapping[str, Route]]
GateOfTables = Callable[[Mapping[str, ReleasedTable], Mapping[str, Route]], Sequence[str]]
"""What the gate has against publishing these tables, which say what they hold, under these routes."""


@dataclass(frozen=True)
class Publication:
    """What is published: the tables, and what the release says of itself and of the migration.

    `references` are counted in it. Of `retired` contexts the new side alone is held. `about` are the tables of its
    schema about by name (see the module `about`); the other fields are those of `Release`.
    """

    tables: Sequence[WarehouseTable]
    run_id: str
    fingerprint: str
    code: str
    as_of: str
    landing: Mapping[str, str]
    references: Sequence[Key] = ()
    parity_runs: Mapping[str, str] = field(default_factory=dict)
    retired: Collection[str] = ()
    about: Mapping[str, pl.DataFrame] = field(default_factory=dict)


def references_of(
    manifest: Mapping[str, Any], tables: Iterable[WarehouseTable], migration: Migration | None = None
) -> tuple[Key, ...]:
    """Return the references between `tables`, from dbt's manifest of the new project, under the names of old.

    They are the relationships that the new models test, and every column that has the name of a dimension's key.
    """
    by_new = {table.new_relation: table for table in tables}
    part = new_part(migration or present_migration())
    models = {
        uid: by_new[node["alias"]]
        for uid, node in manifest["nodes"].items()
        if node["resource_type"] == "model" and part.holds(node) and node["alias"] in by_new
    }
    declared = {
        Key(
            models[node["attached_node"]].name,
            _as_old(models[node["attached_node"]], node["test_metadata"]["kwargs"]["column_name"]),
            models[parent].name,
            _as_old(models[parent], node["test_metadata"]["kwargs"]["field"]),
        )
        for node in manifest["nodes"].values()
        if node["resource_type"] == "test" and (node.get("test_metadata") or {}).get("name") == "relationships"
        for parent in node["depends_on"]["nodes"]
        if node["attached_node"] in models and parent in models and parent != node["attached_node"]
    }
    dimensions = {table.key[0]: table.name for table in by_new.values() if table.is_dimension and not table.key[1:]}
    named = {
        Key(table.name, column, dimensions[column], column)
        for uid, table in models.items()
        for column in (_as_old(table, name) for name in manifest["nodes"][uid].get("columns", {}))
        if column in dimensions and dimensions[column] != table.name
    }
    return tuple(sorted(declared | named, key=lambda key: (key.child, key.column, key.parent)))


def publish(
    serving: Path,
    warehouse: Path,
    publication: Publication,
    read_routes: ReadRoutes,
    objections: GateOfTables = lambda tables, routes: (),
) -> Release:
    """Build the next release from `warehouse`, gate and check it, and let `current` point to it.

    Routes are read once the tables are stored, so that a cutover meanwhile is not undone. A crash before the last
    rename leaves the former release serving. A check that cannot be made here stops no release, for it would stop the
    old tables, too: the release says so (`unchecked`), and no cutover passes. Raises OlistError with all `objections`,
    and when the release is not what stands in the warehouse, mixes sides that do not belong together, or fails its
    audit.
    """
    refuse_past(serving, datetime.now(UTC))
    require_links(serving)
    with building(serving) as folder, data_files.in_use(serving):
        folder.mkdir()
        with duckdb.connect(str(folder / DATABASE)) as connection:
            bound_memory(connection)
            stored = _store_tables(connection, serving, warehouse, publication.tables, publication.retired)
            measured = tuple(_measured(connection, stored, key) for key in publication.references)
            gated = read_routes()
            refuse(objections(stored, gated))
            write(connection, publication.about)
        with sole_switch(serving):
            routes = read_routes()
            schemas = served_schemas(stored, routes)
            release = Release(
                number=next_number(serving),
                made_at=datetime.now(UTC).isoformat(timespec="seconds"),
                run_id=publication.run_id,
                fingerprint=publication.fingerprint,
                as_of=publication.as_of,
                routes=dict(routes),
                landing=dict(publication.landing),
                tables=stored,
                code=publication.code,
                parity_runs=dict(publication.parity_runs),
                references=measured,
                unchecked=tuple(unchecked()),
            )
            refuse_impossible(release, schemas)
            release = release.showing(schemas)
            with duckdb.connect(str(folder / DATABASE)) as connection:
                if routes != gated:
                    refuse(objections(stored, routes))
                show(connection, schemas)
                write_routes(connection, routes, done_acts(serving))
                # That each side holds what the warehouse does was proven when it was stored.
                refuse(unservable(connection, release))
            write_manifest(folder, release)
            put_in_place(serving, folder, release.number)
            point_to(serving, release.number)
    with sole_switch(serving):
        remove_unneeded(serving)
    standby.prepare(serving)
    return release


def refuse(problems: Sequence[str]) -> None:
    """Raise OlistError with all problems in one sentence, if there are any."""
    if problems:
        raise OlistError("No release is published: " + "; ".join(problems) + ".")


def needs_of(table: WarehouseTable) -> tuple[str, ...]:
    """Return the contexts that must be on new before a table is: its own, and those that its rows come from."""
    return tuple(sorted({table.context} | contexts_behind(table.reads)))


def _store_tables(
    connection: duckdb.DuckDBPyConnection,
    serving: Path,
    warehouse: Path,
    tables: Sequence[WarehouseTable],
    retired: Collection[str],
) -> dict[str, ReleasedTable]:
    """Store both sides of each table, or the new one alone of a retired context; make a view of each.

    They are returned as shown from new, where they have it: a table without a pair has an old side alone. New has the
    names and columns of old.
    """

    def store(table: WarehouseTable) -> ReleasedTable:
        with connection.cursor() as cursor:
            sources = {
                side: data_files.store(
                    cursor,
                    serving,
                    _source(cursor, table, side),
                    relation_name(side, table.name),
                    is_monthly=table.is_monthly,
                )
                for side in sides[table.name]
            }
        shown = sides[table.name][-1]
        return ReleasedTable(
            shown, sources[shown].rows, table.context, table.key, needs_of(table), sources, table.is_dimension
        )

    sides = {table.name: _sides(table, retired) for table in tables}
    connection.execute(f"CREATE SCHEMA {OLD}; CREATE SCHEMA {NEW}")
    connection.execute(f"ATTACH {literal(str(warehouse))} AS warehouse (READ_ONLY)")
    needed = [(side, table.names(side)) for table in tables for side in sides[table.name]]
    refuse_unmade(connection, needed, "warehouse")
    # Small tables are written by one core each.
    with ThreadPoolExecutor(COPIES) as side_by_side:
        stored = {table.name: side_by_side.submit(store, table) for table in tables}
    connection.execute("DETACH warehouse")
    return {name: one.result() for name, one in stored.items()}


def _sides(table: WarehouseTable, retired: Collection[str]) -> tuple[Side, ...]:
    if not table.is_paired:
        return (OLD,)
    return (NEW,) if table.context in retired else (OLD, NEW)


def _source(connection: duckdb.DuckDBPyConnection, table: WarehouseTable, side: Side) -> str:
    """Return one side of a table in the warehouse, new under the names of old, as what can stand after FROM."""
    if side == NEW:
        return as_old_shows_it(connection, table, "warehouse")
    return relation_name("warehouse", side, table.name)


def _as_old(table: WarehouseTable, column: str) -> str:
    """Return the name that old has for a column of a new table."""
    return table.renamed.get(column, column)


def _measured(connection: duckdb.DuckDBPyConnection, tables: Mapping[str, ReleasedTable], key: Key) -> Reference:
    """Count the references that would be lost between the sides of two tables (see `Reference.lost`)."""
    child, parent = tables[key.child].sources, tables[key.parent].sources
    lost: dict[Side, int] = {}
    directions: tuple[tuple[Side, Side], ...] = ((OLD, NEW), (NEW, OLD))
    for side, other in directions:
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
