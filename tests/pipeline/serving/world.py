"""A small release of four contexts, whose tables say which side they are of, and its switches."""

import shutil
from dataclasses import replace
from pathlib import Path

import duckdb

from olist_pipeline.release_manifest import Key, Release
from olist_pipeline.serving.build import Publication, publish
from olist_pipeline.serving.cutover import cutover
from olist_pipeline.serving.journal import present_state
from olist_pipeline.serving.release import current_release
from olist_pipeline.serving.rollback import rollback
from olist_pipeline.serving.routing import served_schemas
from olist_pipeline.settings import CutoverRules, Settings
from olist_pipeline.warehouse import WarehouseTable

CONTEXTS = ("sales", "marketplace", "customer", "fulfillment")
SHADOW = dict.fromkeys(CONTEXTS, "shadow")


def table(name, context, key, *reads):
    return WarehouseTable(name, context, (key,), {}, {}, tuple(reads), is_dimension=name.startswith("dim_"))


TABLES = (
    table("fact_orders", "sales", "order_id", "sales/orders"),
    table("dim_seller", "marketplace", "seller_id", "marketplace/sellers"),
    table("fact_reviews", "marketplace", "order_id", "marketplace/order_reviews", "customer/customers"),
    table("dim_customer", "customer", "customer_id", "customer/persons"),
    table("dim_geography", "fulfillment", "prefix", "fulfillment/zip_prefixes"),
    table("mart_delivery", "fulfillment", "prefix", "fulfillment/deliveries", "sales/orders"),
)
REFERENCES = (
    Key("fact_reviews", "order_id", "fact_orders", "order_id"),
    Key("fact_orders", "seller_id", "dim_seller", "seller_id"),
    Key("mart_delivery", "prefix", "dim_geography", "prefix"),
)

OLD_SIDE = """
CREATE TABLE old.fact_orders AS
    SELECT 'o' || n AS order_id, 's' || n % 2 AS seller_id, 'old' AS side FROM range(4) AS r(n);
CREATE TABLE old.dim_seller AS SELECT 's' || n AS seller_id, 'both' AS side FROM range(2) AS r(n);
CREATE TABLE old.fact_reviews AS SELECT 'o' || n AS order_id, 'old' AS side FROM range(4) AS r(n);
CREATE TABLE old.dim_customer AS SELECT 'c' || n AS customer_id, 'old' AS side FROM range(3) AS r(n);
CREATE TABLE old.dim_geography AS SELECT 'p' || n AS prefix, 'old' AS side FROM range(3) AS r(n);
CREATE TABLE old.mart_delivery AS SELECT 'p' || n AS prefix, 'old' AS side FROM range(2) AS r(n);
"""
NEW_SIDE = """
CREATE TABLE new.fact_orders AS SELECT * REPLACE ('new' AS side) FROM old.fact_orders WHERE order_id <> 'o0';
CREATE TABLE new.dim_seller AS FROM old.dim_seller;
CREATE TABLE new.fact_reviews AS SELECT * REPLACE ('new' AS side) FROM old.fact_reviews WHERE order_id <> 'o0';
CREATE TABLE new.dim_customer AS SELECT * REPLACE ('new' AS side) FROM old.dim_customer;
CREATE TABLE new.dim_geography AS SELECT * REPLACE ('new' AS side) FROM old.dim_geography;
CREATE TABLE new.mart_delivery AS SELECT * REPLACE ('new' AS side) FROM old.mart_delivery;
"""


def settings_of(folder: Path, url: str | None = None, **rules) -> Settings:
    """Return settings whose warehouse holds both sides of all tables."""
    settings = Settings(folder / "home", folder / "landing", url, cutover=CutoverRules(**rules))
    settings.home.mkdir(parents=True)
    with duckdb.connect(str(settings.warehouse)) as connection:
        connection.execute("CREATE SCHEMA old; CREATE SCHEMA new")
        connection.execute(OLD_SIDE + NEW_SIDE)
    return settings


def copy_of(settings: Settings, folder: Path) -> Settings:
    """Return settings over a copy of another home: publishing takes longer than copying."""
    shutil.copytree(settings.home, folder / "home", symlinks=True)
    return replace(settings, home=folder / "home", landing=folder / "landing")


def published(settings: Settings, routes=SHADOW, objections=lambda tables, routes: (), **changes) -> Release:
    """Publish the warehouse as it is under `routes`, which may be a function that reads them."""
    publication = Publication(TABLES, "r1", "f", "c", "2018-10-17", {}, REFERENCES)
    read_routes = routes if callable(routes) else lambda: routes
    publication = replace(publication, **changes)
    return publish(settings.serving, settings.warehouse, publication, read_routes, objections)


def release_of(settings: Settings) -> Release:
    """Return the release that is served; fails where there is none."""
    release = current_release(settings.serving)
    assert release is not None
    return release


def sides(settings: Settings) -> dict[str, str]:
    """Return which side dashboards read of each table, from its rows."""
    database = (settings.serving / "current").resolve() / "serving.duckdb"
    with duckdb.connect(str(database), read_only=True) as connection:
        return {
            table.name: connection.execute(f"SELECT DISTINCT side FROM {table.name}").fetchall()[0][0]
            for table in TABLES
        }


def expected_sides(release: Release, routes) -> dict[str, str]:
    """Return which side the rule names for each table; dim_seller is the same on both."""
    return {**served_schemas(release.tables, routes), "dim_seller": "both"}


def opened(release):
    """Return what a gate without objections says."""
    return []


def cut_over(settings: Settings, context, objections=opened, **more):
    """Cut a context over, for a reason."""
    return cutover(settings, context, objections, by="me", reason=more.pop("reason", "proven"), **more)


def roll_back(settings: Settings, context, **more):
    """Roll a context back, for a reason."""
    return rollback(settings, context, by="me", reason="a doubt", **more)


def routes(settings: Settings):
    """Return the present routes."""
    return present_state(settings.serving).routes
