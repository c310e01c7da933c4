"""Causes: the rules that quarantined what a warehouse row stands on, by the ids that the row bears.

What belongs here: tracing quarantined rows to ids. What does not: which warehouse rows differ (see `effects`), and
storing quarantined rows.

A row that was rejected for the sake of others (PARENT_REJECTED, CHILD_REJECTED) is traced to the rules that these
broke: to those of its order. Which ids there are, the contexts declare (`Link`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from olist_pipeline.intake.codes import FOR_OTHERS
from olist_pipeline.staging import is_staged, scan_staging
from olist_pipeline.stores import quarantine
from olist_pipeline.validation.table import Link

SCHEMA = {"link": pl.String, "value": pl.String, "rules": pl.String}


def causes(url: str, staging: Path, links: Sequence[Link]) -> pl.DataFrame:
    """Return link, value and rules for each id in quarantine: `rules` are codes joined by ' + '.

    `link` is the name of one of `links`. Every (link, value) occurs once.
    """
    cells = {link.column: link.aggregate for link in links}
    cells |= {link.through[1]: None for link in links if link.through and link.through[1] not in cells}
    traced = _with_root(quarantine.broken(url, cells), [link.column for link in links if link.aggregate])
    found = [_by(_bearing(traced, link), link, pl.col(link.column)) for link in links]
    found += [_through(traced, link, *link.through, staging) for link in links if link.through]
    return pl.concat([pl.DataFrame(schema=SCHEMA), *found]).group_by("link", "value").agg(_joined("rules")).sort("link")


def _with_root(rows: pl.DataFrame, together: Sequence[str]) -> pl.DataFrame:
    """Return `rows` with `root`: the codes that a row broke itself, else those that its fellows broke, else its own.

    Fellows have the same value in a column of `together`; the first such column counts.
    """
    rows = rows.with_columns(pl.col("rules").list.set_difference(list(FOR_OTHERS)).alias("own"))
    roots = [pl.col("own")]
    for column in together:
        theirs = f"own by {column}"
        fellows = rows.filter(pl.col(column).is_not_null()).group_by(column)
        shared = fellows.agg(pl.col("own").explode().unique().drop_nulls().alias(theirs))
        rows = rows.join(shared, on=column, how="left", maintain_order="left")
        roots.append(pl.col(theirs))
    known = [pl.when(root.list.len() > 0).then(root) for root in roots]
    return rows.with_columns(pl.coalesce(*known, "rules").alias("root"))


def _bearing(rows: pl.DataFrame, link: Link) -> pl.DataFrame:
    """Return the rows whose cell is the id of a link: of its table, or of all that have such a cell."""
    return rows.filter(pl.col(quarantine.TABLE) == link.table) if link.table else rows


def _by(rows: pl.DataFrame, link: Link, value: pl.Expr) -> pl.DataFrame:
    rules = pl.col("root").list.sort().list.join(" + ").alias("rules")
    return rows.filter(value.is_not_null()).select(pl.lit(link.name).alias("link"), value.alias("value"), rules)


def _through(rows: pl.DataFrame, link: Link, asset: str, other: str, staging: Path) -> pl.DataFrame:
    """Return the causes of ids that quarantined rows bear through another id, which a staged table knows."""
    context, _, table = asset.partition("/")
    if not is_staged(staging, context, table):
        return pl.DataFrame(schema=SCHEMA)
    known = scan_staging(staging, context, table).select(other, pl.col(link.name).alias("through")).collect()
    return _by(rows.join(known, on=other), link, pl.col("through"))


def _joined(column: str) -> pl.Expr:
    """Return the codes of several rows of one id, each once, joined."""
    return pl.col(column).str.split(" + ").explode().unique().sort().str.join(" + ")
