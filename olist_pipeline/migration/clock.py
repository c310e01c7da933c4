"""Columns made by the clock or by chance: what two runs of old on the same landing do not agree on.

What belongs here: comparing two databases of the same project, and the models whose SQL asks for the time or for
randomness. What does not: running old (`orchestration`), and leaving a column out, which a person does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from olist_pipeline.migration.model import Migration
from olist_pipeline.migration.project import find_old
from olist_pipeline.tablediff.contract import fold
from olist_pipeline.tablediff.sql import literal, quote, relation_name

ASKS = re.compile(
    r"\b(current_timestamp|current_date|current_time|localtimestamp|now|today|getdate|sysdate|get_current_timestamp"
    r"|random|rand|uuid|gen_random_uuid|uuidv4|uuidv7|run_started_at|invocation_id)\b",
    re.IGNORECASE,
)
OTHERS = "its rows"
"""What differs where two runs do not have the same rows, whatever their columns are."""


@dataclass(frozen=True)
class Changing:
    """A column of an old table that two runs do not agree on; `reason` is why it is left out, if it is."""

    table: str
    column: str
    reason: str = ""


def changing_columns(migration: Migration, manifest: Mapping[str, Any], first: Path, second: Path) -> list[Changing]:
    """Return the columns of the pairs' old tables that differ between two databases of the same project.

    Rows are told apart by the key of the pair. A key that changes itself shows as `OTHERS`.
    """
    found = []
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH {literal(str(first))} AS one (READ_ONLY)")
        connection.execute(f"ATTACH {literal(str(second))} AS two (READ_ONLY)")
        for pair in migration.pairs:
            node = find_old(manifest, migration, pair.old)
            if node["config"]["materialized"] == "view":
                continue
            made = relation_name(node["schema"], node["alias"])
            columns = _unequal(connection, made, list(pair.key))
            left_out = {fold(name): reason for name, reason in pair.left_out.items()}
            found += [Changing(pair.name, column, left_out.get(fold(column), "")) for column in columns]
    return found


def asking(manifest: Mapping[str, Any], unique_ids: set[str]) -> dict[str, list[str]]:
    """Return by model what its SQL asks the clock or chance for: two runs on one day do not tell of all of it."""
    found = {}
    for uid in sorted(unique_ids):
        node = manifest["nodes"].get(uid, {})
        text = re.sub(r"--[^\n]*|/\*.*?\*/|\{#.*?#\}", "", str(node.get("raw_code") or ""), flags=re.DOTALL)
        if asked := sorted({name.lower() for name in ASKS.findall(text)}):
            found[node["name"]] = asked
    return found


def _unequal(connection: duckdb.DuckDBPyConnection, made: str, key: list[str]) -> list[str]:
    names = [row[0] for row in connection.execute(f"DESCRIBE FROM one.{made}").fetchall()]
    keys = {fold(name) for name in key}
    others = [name for name in names if fold(name) not in keys]
    same = " AND ".join(f"a.{quote(name)} IS NOT DISTINCT FROM b.{quote(name)}" for name in key)
    counts = ", ".join(f"count(*) FILTER (WHERE a.{quote(name)} IS DISTINCT FROM b.{quote(name)})" for name in others)
    [(alone,)] = connection.execute(
        f"SELECT count(*) FROM (FROM one.{made}) AS a FULL JOIN (FROM two.{made}) AS b ON {same} "
        f"WHERE a.{quote(key[0])} IS NULL OR b.{quote(key[0])} IS NULL"
    ).fetchall()
    if alone:
        return [OTHERS]
    if not others:
        return []
    [unequal] = connection.execute(
        f"SELECT {counts} FROM (FROM one.{made}) AS a JOIN (FROM two.{made}) AS b ON {same}"
    ).fetchall()
    return [name for name, count in zip(others, unequal, strict=True) if count]
