"""Old's tables: from the database that the old project writes to the warehouse, under the names that dashboards know.

What belongs here: loading a raw schema for the old project, and bringing what it made into `old` and `replay`. What
does not: running it (`orchestration.dbt_build`), and which rows replay has (`replay`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from olist_pipeline.dialect.check import check
from olist_pipeline.dialect.dialect import duckdb_relation
from olist_pipeline.errors import OlistError
from olist_pipeline.landing.folder import files_of, has_landed
from olist_pipeline.landing.packed import called
from olist_pipeline.landing.table import OtherFile
from olist_pipeline.machine import bound_memory
from olist_pipeline.migration.closing import close_off
from olist_pipeline.migration.model import NEW, OLD, REPLAY, LandingFile, Migration, bare_name
from olist_pipeline.migration.profiles import attach, database_of, project_folder, reach
from olist_pipeline.migration.project import (
    DbtNode,
    database_name,
    find_old,
    found_old,
    is_relation,
    loaded_sources,
    new_part,
    old_relations,
    relation_of,
)
from olist_pipeline.settings import Settings
from olist_pipeline.spark.trees import make_room
from olist_pipeline.tablediff.names import split_names
from olist_pipeline.tablediff.sql import literal, quote, relation_name


def names_of(manifest: DbtNode, migration: Migration) -> dict[str, tuple[str, ...]]:
    """Return by unique id the name of each relation of old in the graph: the one that dashboards know, if they do."""
    named = {uid: split_names(name, ".") for name, uid in old_relations(manifest, migration).items()}
    for wanted in (*(pair.old for pair in migration.pairs), *migration.served):
        named |= {node["unique_id"]: (bare_name(wanted),) for node in found_old(manifest, migration, wanted)}
    return named


def shown_of(manifest: DbtNode, migration: Migration, tree: str, names: Collection[str]) -> dict[str, DbtNode]:
    """Return those relations of a tree among `names` that the warehouse has: those of pairs, and what is served."""
    if tree == NEW:
        part = new_part(migration)
        found = (node for node in manifest["nodes"].values() if is_relation(node) and part.holds(node))
        return {node["alias"]: node for node in found if node["alias"] in names}
    served = migration.served if tree == OLD else ()
    wanted = {bare_name(name): name for name in (*(pair.old for pair in migration.pairs), *served)}
    return {name: find_old(manifest, migration, old) for name, old in wanted.items() if name in names}


def bring(settings: Settings, migration: Migration, manifest: DbtNode, tree: str, names: Collection[str]) -> None:
    """Bring those of `names` that a pair has, or that are served, from the database of `tree` into the warehouse.

    Raises OlistError for a relation that is not there.
    """
    nodes = shown_of(manifest, migration, tree, names)
    database = database_of(settings, migration, tree)
    with duckdb.connect(str(database)) as connection:
        bound_memory(connection)
        own = database_name(connection)
        # Its own name may be that of the old project's database.
        warehouse = f"{own} and warehouse"
        # A view names its database, and may read files by paths within the project.
        connection.execute(f"SET file_search_path = {literal(str(project_folder(settings, migration, tree)))}")
        connection.execute(f"ATTACH {literal(str(settings.warehouse))} AS {quote(warehouse)}")
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {relation_name(warehouse, tree)}")
        # A view reads only now what it is made of.
        if tree == OLD and any(node["config"].get("materialized") == "view" for node in nodes.values()):
            attach(connection, migration)
        if tree == REPLAY:
            close_off(connection, **reach(settings, migration))
        for name, node in nodes.items():
            made = relation_of(node, own)
            target = relation_name(warehouse, tree, name)
            make_room(connection, "TABLE", warehouse, tree, name)
            try:
                connection.execute(f"CREATE OR REPLACE TABLE {target} AS FROM {made}")
            except duckdb.Error as error:
                why = str(error).splitlines()[0]
                raise OlistError(f"{made} of the {tree} tables cannot be read: {why}.") from error


def load_raw(settings: Settings, migration: Migration, manifest: DbtNode, tree: str, landing: Path) -> None:
    """Load the files of landing into a tree's database, each where its source is, in the place of what is there.

    Nothing is done where the old project finds landing by itself. Raises OlistError for a file that is missing, or a
    cell that is not of its column's type.
    """
    if not migration.landing.raw_schema:
        return
    sources = loaded_sources(manifest, migration)
    with duckdb.connect(str(database_of(settings, migration, tree))) as connection:
        bound_memory(connection)
        for file, said in migration.landing.files.items():
            one = OtherFile(file)
            if not has_landed(landing, one):
                raise OlistError(f"{file}, which is loaded as {said.source}, is missing in {landing}; put it there.")
            if file not in sources:
                raise OlistError(
                    f"{migration.path.name}: {file} is {said.source}, which is no source of the old project."
                )
            _load(connection, files_of(landing, one), sources[file], said)


def _load(connection: duckdb.DuckDBPyConnection, files: Sequence[Path], source: DbtNode, said: LandingFile) -> None:
    header, *_ = (check(path, name=called(path)).header for path in files)
    if unknown := [name for name in said.types if name not in header]:
        raise OlistError(f"{called(files[0])} has no column {unknown[0]}, of which migration.yml says the type.")
    cells = ", ".join(
        f"CAST({quote(name)} AS {said.types[name]}) AS {quote(name)}" if name in said.types else quote(name)
        for name in header
    )
    own = database_name(connection)
    schema = relation_name(own, source["schema"])
    target = relation_name(own, source["schema"], source["identifier"])
    try:
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        connection.execute(f"CREATE OR REPLACE TABLE {target} AS SELECT {cells} FROM {duckdb_relation(files, header)}")
    except duckdb.Error as error:
        first, *others = str(error).splitlines()
        # Of a cell that is not of its type DuckDB says the line first, and the column and the cell further down.
        why = ": ".join([first, *(line for line in others if line.startswith("Error when converting"))])
        raise OlistError(f"{called(files[0])} cannot be loaded as {said.source}: {why}; see its types.") from error


def without_pair(manifest: Mapping[str, Any], migration: Migration) -> list[str]:
    """Return the relations of old that no pair has: what is not migrated."""
    paired = {node["unique_id"] for pair in migration.pairs for node in found_old(manifest, migration, pair.old)}
    return sorted(name for name, uid in old_relations(manifest, migration).items() if uid not in paired)
