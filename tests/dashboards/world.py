"""The trees of a finished run, and a release of each: wholly old, wholly replay, wholly new."""

from functools import partial
from pathlib import Path

import duckdb

from olist_pipeline.intake.span import as_of
from olist_pipeline.landing.catalogue import ORDERS
from olist_pipeline.migration.model import REPLAY
from olist_pipeline.orchestration.dbt_projects import ensure_manifest
from olist_pipeline.registry import CONTEXTS
from olist_pipeline.release_manifest import Route
from olist_pipeline.serving.about import about
from olist_pipeline.serving.build import Publication, publish
from olist_pipeline.settings import Settings
from olist_pipeline.stores import postgres
from olist_pipeline.warehouse import load_manifest, warehouse_tables

ROUTES: dict[str, Route] = {"old": "old", "new": "new"}


def routes_of(tree: str) -> dict[str, Route]:
    """Return the routes of a release that shows a tree; replay is no route, and put in the place of old."""
    return dict.fromkeys(CONTEXTS, ROUTES.get(tree, "old"))


def make_releases(settings: Settings, folder: Path) -> None:
    """Make a home with a release for each tree of the warehouse of `settings`: `folder/<tree>`."""
    tables = warehouse_tables(load_manifest(ensure_manifest(settings)))
    said = about(settings, postgres.server_url(settings))
    publication = Publication(tables, "r1", "f", "c", as_of(settings.landing, ORDERS).isoformat(), {}, about=said)
    for tree in ("old", "new", "replay"):
        serving = folder / tree / "serving"
        release = publish(serving, settings.warehouse, publication, partial(routes_of, tree))
        if tree == REPLAY:
            database = serving / "releases" / f"{release.number:05d}" / "serving.duckdb"
            with duckdb.connect(str(database)) as connection:
                replace_by_replay(connection, settings.warehouse, release.tables)


def replace_by_replay(connection: duckdb.DuckDBPyConnection, warehouse: Path, names) -> None:
    """No route serves replay: it is only the measure of what old and new may differ by."""
    connection.execute(f"ATTACH '{warehouse}' AS warehouse (READ_ONLY)")
    for name in names:
        connection.execute(f"DROP VIEW {name}; CREATE TABLE {name} AS FROM warehouse.{REPLAY}.{name}")
    connection.execute("DETACH warehouse")


def verdicts_by_table(release: Path) -> dict[str, str]:
    """Return the verdict of parity on each table, as the release says it."""
    with duckdb.connect(str(release), read_only=True) as connection:
        return dict(connection.execute("SELECT table_name, verdict FROM about.migration_parity").fetchall())
