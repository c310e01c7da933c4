"""The checks of a release: what must hold before anybody reads it, and may be asked again at any time.

What belongs here: keys, row counts, and the dashboards' own queries, on a release's database. What does not: whether
its figures are right (parity says that).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import duckdb

from olist_pipeline.errors import OlistError
from olist_pipeline.release_manifest import ABOUT, NEW, Content, Release, ReleasedTable
from olist_pipeline.tablediff.contract import RelationError
from olist_pipeline.tablediff.fingerprint import fingerprint
from olist_pipeline.tablediff.sql import quote, relation_name


class UncheckedQueriesError(OlistError):
    """The dashboards' queries cannot be run, for nobody knows them here."""


@dataclass(frozen=True)
class FailingQuery:
    """A query of the dashboards that failed, why, and the tables that it reads."""

    name: str
    why: str
    tables: frozenset[str]

    def __str__(self) -> str:
        return f"the dashboard query {self.name} fails ({self.why})"


def dashboard_queries() -> Mapping[str, Any]:
    """Return the dashboards' queries by name; raises UncheckedQueriesError where their package cannot be imported.

    Of another warehouse than Olist's they are those that ask of the migration alone: its own `fact_orders` is another
    table, of which a query that fails says nothing.
    """
    try:
        from dashboards.queries import QUERIES
    except ImportError as error:
        raise UncheckedQueriesError(
            f"the dashboards' queries cannot be checked, for the package dashboards cannot be imported ({error}); "
            "install it beside olist_pipeline"
        ) from None
    # A rollback does not ask for it, and does not wait for its libraries.
    from olist_pipeline.migration.load import present_migration

    if present_migration().is_olists:
        return QUERIES
    return {
        name: query for name, query in QUERIES.items() if all(table.startswith(f"{ABOUT}.") for table in query.tables)
    }


def unchecked() -> list[str]:
    """Return one sentence for each check of a release that cannot be made here; none where all can."""
    try:
        dashboard_queries()
    except UncheckedQueriesError as error:
        return [str(error)]
    return []


def failing_queries(connection: duckdb.DuckDBPyConnection, tables: Collection[str] | None = None) -> list[FailingQuery]:
    """Run the dashboards' queries, of `tables` alone or all, on a release; return those that fail.

    A query of tables that this release does not hold at all is left out: it is no question to it. Raises
    UncheckedQueriesError where they are not known here.
    """
    there = {_shown(*where) for where in _relations(connection)}
    failing = []
    for name, query in dashboard_queries().items():
        if not set(query.tables) <= there or (tables is not None and not set(query.tables) & set(tables)):
            continue
        try:
            connection.execute(query.sql, dict(query.defaults)).fetchall()
        except duckdb.Error as error:
            failing.append(FailingQuery(name, _why(error), frozenset(query.tables)))
    return failing


def _why(error: duckdb.Error) -> str:
    said = str(error).splitlines()[0].rstrip(".!")
    if isinstance(error, duckdb.BinderException | duckdb.CatalogException):
        return f"{said}; where another version made the release, `olist run --force` makes one that has what it reads"
    return said


def key_problems(connection: duckdb.DuckDBPyConnection, tables: Mapping[str, ReleasedTable]) -> list[str]:
    """Return one sentence for each new table whose key is missing somewhere or not unique.

    Old tables are served as they are: the old pipeline reports a doubled row and goes on.
    """
    problems = []
    for name, table in tables.items():
        if not table.is_paired:
            continue
        relation, key = relation_name(NEW, name), ", ".join(map(quote, table.key))
        some = " OR ".join(f"{quote(column)} IS NULL" for column in table.key)
        [(rows, keys, nulls)] = connection.execute(
            f"SELECT count(*), count(DISTINCT row({key})), count(*) FILTER ({some}) FROM {relation}"
        ).fetchall()
        if nulls or keys != rows:
            problems.append(f"{NEW}.{name} has {rows:,} rows, {keys:,} keys ({key}) and {nulls:,} without one")
    return problems


def release_problems(connection: duckdb.DuckDBPyConnection, release: Release) -> list[str]:
    """Return one sentence for each way in which a release's database is not what its manifest says, or cannot be read.

    Main has the rows of the side that it shows, and the other side those that a switch would show; keys of new tables
    are unique, and every query of the dashboards runs, where they can be run at all (see `unchecked`).
    """
    problems = []
    there = _relations(connection)
    for name, table in release.tables.items():
        for side, expected in release.sources(name).items():
            where = ("main" if side == table.schema else side, name)
            problems += _changes(connection, where, expected) if where in there else [f"{_shown(*where)} is missing"]
    return problems or unservable(connection, release)


def unservable(connection: duckdb.DuckDBPyConnection, release: Release) -> list[str]:
    """Return one sentence for each key of a new table that identifies no row, and each dashboard query that fails."""
    queries = [] if unchecked() else failing_queries(connection)
    return key_problems(connection, release.tables) + [str(query) for query in queries]


def _changes(connection: duckdb.DuckDBPyConnection, where: tuple[str, str], expected: Content) -> list[str]:
    """Return a sentence where the relation of a schema and a name cannot be read or has other rows than published."""
    shown = _shown(*where)
    try:
        found = fingerprint(connection, relation_name(*where))
    except (RelationError, duckdb.Error) as error:
        return [f"{shown} cannot be read ({str(error).splitlines()[0]})"]
    if found.digest == expected.digest:
        return []
    if found.rows != expected.rows:
        return [f"{shown} is not what was published: {found.rows:,} rows in place of {expected.rows:,}"]
    return [f"{shown} is not what was published: its {found.rows:,} rows are others"]


def _shown(schema: str, name: str) -> str:
    return name if schema == "main" else f"{schema}.{name}"


def _relations(connection: duckdb.DuckDBPyConnection) -> set[tuple[str, str]]:
    """Return the tables and views by schema and name."""
    rows = connection.execute("SELECT table_schema, table_name FROM information_schema.tables").fetchall()
    return {(schema, name) for schema, name in rows}
