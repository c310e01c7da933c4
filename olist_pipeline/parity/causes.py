"""Causes: the rules that quarantined what a warehouse row stands on, by the ids that the row bears.

What belongs here: tracing quarantined rows to ids. What does not: which warehouse rows differ (see `effects`), and
storing quarantined rows.

A row that was rejected for the sake of others (PARENT_REJECTED, CHILD_REJECTED) is traced to the rules that these
broke: to those of its order.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import polars as pl

from olist_pipeline.intake.codes import CHILD_REJECTED, PARENT_REJECTED
from olist_pipeline.staging import is_staged, scan_staging
from olist_pipeline.stores import quarantine

ORDER_ID = "order_id"
CELLS = {"zip_code_prefix": "geolocation_zip_code_prefix"}
"""Ids that have another name in the warehouse than in landing: the warehouse's name -> landing's."""

THROUGH = {"customer_unique_id": ("customer", "customers", "customer_id")}
"""Ids that a row bears only through another: the id -> context, staged table and the other id, both its columns."""

FOR_OTHERS = (PARENT_REJECTED.code, CHILD_REJECTED.code)
SCHEMA = {"link": pl.String, "value": pl.String, "rules": pl.String}


def causes(url: str, staging: Path, links: Iterable[str]) -> pl.DataFrame:
    """Return link, value and rules for each id in quarantine: `rules` are codes joined by ' + '.

    links: names of warehouse columns that are ids, e.g. `order_id`. Every (link, value) occurs once.
    """
    wanted = sorted(set(links))
    cells = {link: CELLS.get(link, link) for link in (*wanted, ORDER_ID, *(by for *_, by in THROUGH.values()))}
    rows = quarantine.broken(url, sorted(set(cells.values())))
    traced = _with_root(rows)
    found = [_by(traced, link, pl.col(cells[link])) for link in wanted]
    found += [_through(traced, link, staging) for link in wanted if link in THROUGH]
    return pl.concat([pl.DataFrame(schema=SCHEMA), *found]).group_by("link", "value").agg(_joined("rules")).sort("link")


def _with_root(rows: pl.DataFrame) -> pl.DataFrame:
    """Return `rows` with `root`: the codes that a row broke itself, else those that its order broke, else its own."""
    own = pl.col("rules").list.set_difference(list(FOR_OTHERS))
    rows = rows.with_columns(own.alias("own"))
    of_orders = rows.filter(pl.col(ORDER_ID).is_not_null()).group_by(ORDER_ID).agg(pl.col("own").explode().unique())
    joined = rows.join(of_orders, on=ORDER_ID, how="left", suffix="_of_order", maintain_order="left")
    has_own, order_has = pl.col("own").list.len() > 0, pl.col("own_of_order").list.drop_nulls().list.len() > 0
    root = pl.when(has_own).then("own").when(order_has).then("own_of_order").otherwise("rules")
    return joined.with_columns(root.list.drop_nulls().alias("root"))


def _by(rows: pl.DataFrame, link: str, value: pl.Expr) -> pl.DataFrame:
    return rows.filter(value.is_not_null()).select(
        pl.lit(link).alias("link"), value.alias("value"), pl.col("root").list.sort().list.join(" + ").alias("rules")
    )


def _through(rows: pl.DataFrame, link: str, staging: Path) -> pl.DataFrame:
    """Return the causes of ids that quarantined rows bear through another id, which a staged table knows."""
    context, table, other = THROUGH[link]
    if not is_staged(staging, context, table):
        return pl.DataFrame(schema=SCHEMA)
    known = scan_staging(staging, context, table).select(other, pl.col(link).alias("through")).collect()
    return _by(rows.join(known, on=other), link, pl.col("through"))


def _joined(column: str) -> pl.Expr:
    """Return the codes of several rows of one id, each once, joined."""
    return pl.col(column).str.split(" + ").explode().unique().sort().str.join(" + ")
