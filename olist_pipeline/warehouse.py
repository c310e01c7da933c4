"""The warehouse: the DuckDB file that dbt alone writes, and which tables it must hold, from dbt's manifest.

What belongs here: opening the warehouse for reading, and the tables and contracts of the trees. What does
not: comparing tables, publishing them, and running dbt.

The warehouse has three schemas: `old` and `replay` hold what the old project made of landing and of the accepted rows,
under the names that dashboards know; `new` holds what the new project makes, under its own.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from olist_pipeline.errors import OlistError
from olist_pipeline.file_locks import alone
from olist_pipeline.files import remedy_for
from olist_pipeline.machine import bound_memory
from olist_pipeline.migration.load import load_migration, present_migration
from olist_pipeline.migration.model import NEW, OLD, Migration, TablePair, bare_name
from olist_pipeline.migration.project import ProjectPart, context_of_new, context_of_old, find_old, new_part
from olist_pipeline.months import MONTH
from olist_pipeline.near import unknown
from olist_pipeline.registry import CONTEXTS
from olist_pipeline.settings import Settings
from olist_pipeline.tablediff.contract import Tolerance, fold
from olist_pipeline.tablediff.sql import quote, relation_name

if TYPE_CHECKING:
    # Elsewhere only by what opens the file: commands that ask which tables there are do not wait for it.
    import duckdb

_WITHIN = "table_catalog = CASE $1 WHEN '' THEN current_database() ELSE $1 END"
_LOCKED = "set lock"
"""What DuckDB says of a file that another process has open."""


@dataclass(frozen=True)
class WarehouseTable:
    """A pair of tables: `name` in `old` and `replay`, `new_name` in `new`; its context, key and contract.

    `key`, `tolerances`, `excluded` and `measures` speak of columns as old names them, `renamed` maps new's names to
    these. `reads` are the staged tables (`context/table`) that the new model is made of, over all models in between.
    `is_monthly` says that it is built month by month. A table that is not paired has an old side alone.
    """

    name: str
    context: str
    key: tuple[str, ...]
    tolerances: Mapping[str, Tolerance]
    excluded: Mapping[str, str]
    reads: tuple[str, ...] = ()
    is_monthly: bool = False
    measures: tuple[str, ...] = ()
    new_name: str = ""
    renamed: Mapping[str, str] = field(default_factory=dict)
    is_dimension: bool = False
    is_paired: bool = True

    @property
    def new_relation(self) -> str:
        """The name of the new relation."""
        return self.new_name or self.name

    def names(self, schema: str) -> str:
        """Return the name of the table in one of the schemas of the warehouse."""
        return self.new_relation if schema == NEW else self.name


def manifest_folder(settings: Settings, tree: str) -> Path:
    """Return the folder of the manifest of a tree's project.

    One serves all trees where new has no project of its own.
    """
    migration = load_migration(settings.migration)
    return settings.dbt_target / (NEW if is_of_new(migration, tree) else OLD)


def is_of_new(migration: Migration, tree: str) -> bool:
    """Whether a tree's manifest is that of a new project of its own."""
    return tree == NEW and migration.new_folder != migration.old_folder


def load_manifest(path: Path) -> dict[str, Any]:
    """Return dbt's manifest; raises OlistError before dbt has parsed the project, and for a damaged one."""
    try:
        manifest: dict[str, Any] = json.loads(path.read_text("utf-8"))
        if not isinstance(manifest, dict) or not isinstance(manifest.get("nodes"), dict):
            raise ValueError("it has no nodes")
    except FileNotFoundError as error:
        raise OlistError(f"dbt's manifest {path} is missing; `olist run` makes it.") from error
    except ValueError as error:
        raise OlistError(f"dbt's manifest {path} is damaged ({error}); `olist run` makes it anew.") from error
    return manifest


def warehouse_tables(manifest: Mapping[str, Any], migration: Migration | None = None) -> tuple[WarehouseTable, ...]:
    """Return the pairs, by name; `manifest` is the new project's.

    Raises OlistError where a new model is not there, is of no context that has moved, has another schema, or reads no
    staged table.
    """
    migration = migration or present_migration()
    part = new_part(migration)
    models = {node["alias"]: node for node in manifest["nodes"].values() if _is_new_table(node, part)}
    tables = [_table(pair, models, manifest, migration) for pair in migration.pairs]
    staged = {table.asset for context in CONTEXTS.values() for table in context.tables}
    for table in tables:
        if table.context not in CONTEXTS:
            raise unknown(f"context that has moved (of the pair {table.name})", table.context, CONTEXTS)
        for name in set(table.reads) - staged:
            raise unknown(f"staged table (an asset_key of a source that {table.new_relation} reads)", name, staged)
    return tuple(sorted(tables, key=lambda table: table.name))


def served_tables(manifest: Mapping[str, Any], migration: Migration) -> tuple[WarehouseTable, ...]:
    """Return the old tables without a pair that dashboards read; `manifest` is the old project's."""
    nodes = {name: find_old(manifest, migration, name) for name in migration.served}
    return tuple(
        WarehouseTable(bare_name(name), context_of_old(node, migration), (), {}, {}, is_paired=False)
        for name, node in nodes.items()
    )


def monthly_assets(context: str, tables: Iterable[WarehouseTable]) -> list[tuple[str, ...]]:
    """Return the paths of the assets of a context that are by month: staged, then those of new among `tables`."""
    staged = [(context, table.name) for table in CONTEXTS[context].tables if table.is_monthly]
    return [*staged, *((NEW, table.new_relation) for table in tables if table.is_monthly and table.context == context)]


def as_old_shows_it(connection: duckdb.DuckDBPyConnection, table: WarehouseTable, catalog: str = "") -> str:
    """Return the new relation of a table with old's columns, under their names and in their order, as a relation.

    A column that is left out of the comparison and that new does not have is NULL; one that only new has is left out,
    too, if the contract says so. Where old is not built any more, it is new's columns under old's names.
    """
    new = _columns(connection, catalog, NEW, table.new_relation)
    old = _columns(connection, catalog, OLD, table.name)
    prefix = f"{quote(catalog)}." if catalog else ""
    relation = f"{prefix}{relation_name(NEW, table.new_relation)}"
    if not table.renamed and not table.excluded:
        return relation
    cells = _by_olds_name(table, new)
    excluded = {fold(name) for name in table.excluded}
    shown = [
        f"{quote(cells[fold(name)]) if fold(name) in cells else f'CAST(NULL AS {kind})'} AS {quote(name)}"
        for name, kind in old.items()
        if fold(name) in cells or fold(name) in excluded
    ]
    known = {fold(name) for name in old}
    spelled = {fold(name): name for name in (*new, *table.renamed.values())}
    shown += [
        f"{quote(name)} AS {quote(spelled[to])}"
        for to, name in cells.items()
        if to not in known and not (old and to in excluded)
    ]
    return f"(SELECT {', '.join(shown)} FROM {relation})"


@contextmanager
def reading(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a read-only connection to the warehouse; raises OlistError when it is missing or being written.

    The connection is closed at once afterwards: even a reader keeps dbt out.
    """
    import duckdb

    if not path.exists():
        raise OlistError(f"The warehouse {path} does not exist yet; run `olist run`.")
    try:
        connection = duckdb.connect(str(path), read_only=True)
    except duckdb.Error as error:
        if _LOCKED not in str(error):
            raise _unopened(path, error) from error
        raise OlistError(
            f"The warehouse {path} is being written by another process; try again when it is done."
        ) from error
    try:
        bound_memory(connection)
        yield connection
    finally:
        connection.close()


def sole_use(settings: Settings, while_waiting: Callable[[], None] | None = None) -> AbstractContextManager[None]:
    """Return a block in which no other step of a run opens the warehouse; it waits for those that have it open.

    dbt old and dbt replay write databases of their own, beside whatever has the warehouse, and bring what they made at
    their end. For `while_waiting` see `file_locks.alone`.
    """
    return alone(settings.home / "locks" / "warehouse.lock", while_waiting)


def set_aside_where_damaged(path: Path) -> None:
    """Rename a warehouse that is none any more: all of it is built anew from landing and staging.

    Raises OlistError for one that is whole, as far as anybody knows, and cannot be opened.
    """
    import duckdb

    if not path.exists():
        return
    try:
        if path.is_file():
            duckdb.connect(str(path), read_only=True).close()
            return
    except duckdb.Error as error:
        if _LOCKED in str(error):
            return
        if remedy_for(str(error)):
            raise _unopened(path, error) from error
    path.rename(path.with_name(f"{path.name}.damaged-{time.time_ns()}"))
    path.with_name(f"{path.name}.wal").unlink(missing_ok=True)


def await_free(path: Path) -> None:
    """Wait until nobody has the warehouse open; raises OlistError when somebody still has after a minute.

    A dbt that outlived its killed run needs a moment to end; a person's own connection may last for hours.
    """
    import duckdb

    deadline = time.monotonic() + 60
    while path.exists():
        try:
            duckdb.connect(str(path)).close()
            return
        except duckdb.Error as error:
            if _LOCKED not in str(error):
                raise _unopened(path, error) from error
            if time.monotonic() > deadline:
                raise OlistError(
                    f"The warehouse {path} is open in another process ({str(error).splitlines()[0]}); close it there."
                ) from error
        time.sleep(0.2)


def _unopened(path: Path, error: Exception) -> OlistError:
    """Return what is said of a warehouse that cannot be opened: as the machine lacks something, or as it is damaged."""
    said = str(error).splitlines()[0]
    if remedy := remedy_for(said):
        return OlistError(f"The warehouse {path} cannot be opened ({said}); {remedy} and run again.")
    return OlistError(f"The warehouse {path} is damaged ({said}); `olist run` builds it anew.")


def only_in_new(connection: duckdb.DuckDBPyConnection, table: WarehouseTable) -> set[str]:
    """Return the columns that only the new relation of a table has, under their names there, folded."""
    old = {fold(name) for name in _columns(connection, "", OLD, table.name)}
    return _by_olds_name(table, _columns(connection, "", NEW, table.new_relation)).keys() - old


def _by_olds_name(table: WarehouseTable, new: Iterable[str]) -> dict[str, str]:
    """Return new's columns by the names that old gives them, folded; raises OlistError where two have one name."""
    renamed = {fold(name): fold(to) for name, to in table.renamed.items()}
    found: dict[str, str] = {}
    for name in new:
        to = renamed.get(fold(name), fold(name))
        if to in found:
            raise OlistError(
                f"The new table {table.new_relation} has two columns that old calls {to}, {found[to]} and {name}; only "
                "one can be compared: drop the other from the model, or name it in `columns` of its pair."
            )
        found[to] = name
    return found


def _is_monthly(node: Mapping[str, Any]) -> bool:
    config = node["config"]
    return bool(config["materialized"] == "incremental" and config.get("incremental_strategy") == "months")


def refuse_unmade(connection: duckdb.DuckDBPyConnection, made: Iterable[tuple[str, str]], catalog: str = "") -> None:
    """Raise OlistError where a relation, by schema and name, is not in the warehouse, or in what is attached of it."""
    query = f"SELECT table_schema, table_name FROM information_schema.tables WHERE {_WITHIN}"
    there = {(fold(schema), fold(name)) for schema, name in connection.execute(query, [catalog]).fetchall()}
    if missing := [f"{schema}/{name}" for schema, name in made if (fold(schema), fold(name)) not in there]:
        raise OlistError(f"{missing[0]} is not in the warehouse; materialise it first, or run `olist run`.")


def _columns(connection: duckdb.DuckDBPyConnection, catalog: str, schema: str, name: str) -> dict[str, str]:
    """Return the columns of a relation with their types; none where it is not there."""
    query = f"SELECT column_name, data_type FROM information_schema.columns WHERE {_WITHIN}"
    query += " AND table_schema = $2 AND table_name = $3 ORDER BY ordinal_position"
    return dict(connection.execute(query, [catalog, schema, name]).fetchall())


def _is_new_table(node: Mapping[str, Any], part: ProjectPart) -> bool:
    return (
        node["resource_type"] == "model"
        and part.holds(node)
        and node["config"]["materialized"] in ("table", "incremental", "view")
    )


def _staged_sources(node: Mapping[str, Any], manifest: Mapping[str, Any]) -> set[str]:
    """Return the staged tables that a model reads, itself or through others."""
    waiting, seen = list(node["depends_on"]["nodes"]), set[str]()
    while waiting:
        parent = waiting.pop()
        if parent not in seen:
            seen.add(parent)
            waiting += manifest["nodes"].get(parent, {}).get("depends_on", {}).get("nodes", ())
    return {"/".join(_asset_key(manifest["sources"][parent])) for parent in seen & manifest["sources"].keys()}


def _asset_key(source: Mapping[str, Any]) -> list[str]:
    key = ((source["config"].get("meta") or {}).get("dagster") or {}).get("asset_key")
    if not key:
        raise OlistError(
            f"The source {source['source_name']}.{source['name']} of the new project does not say which staged table "
            "it is; add `config: {meta: {dagster: {asset_key: [CONTEXT, TABLE]}}}` to it."
        )
    return list(key)


def _table(
    pair: TablePair, models: Mapping[str, Mapping[str, Any]], manifest: Mapping[str, Any], migration: Migration
) -> WarehouseTable:
    node = models.get(pair.new_name)
    if node is None:
        raise OlistError(
            f"{migration.path.name} pairs {pair.old} with {pair.new_name}, which is no table of the new project "
            f"{migration.new_folder}; write that model, or take the pair out."
        )
    if (made_in := node.get("schema", NEW)) != NEW:
        raise OlistError(
            f"The new project makes {pair.new_name} in the schema {made_in}, and it is looked for in {NEW}; let the "
            "model have that schema (dbt's own `generate_schema_name` puts the target's before `+schema`)."
        )
    context = pair.context or context_of_new(node)
    if not context:
        raise OlistError(f"The model {node['name']} says no context; add `meta: {{context: ...}}` to its YAML.")
    return WarehouseTable(
        name=pair.name,
        context=context,
        key=tuple(pair.key),
        tolerances=pair.contract.tolerances,
        excluded=dict(pair.left_out),
        reads=tuple(sorted(_staged_sources(node, manifest))),
        is_monthly=_is_monthly(node) and MONTH not in pair.left_out,
        measures=tuple(pair.measures),
        new_name=pair.new_name,
        renamed=dict(pair.columns),
        is_dimension=pair.is_dimension,
    )
