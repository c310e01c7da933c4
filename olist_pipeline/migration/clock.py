"""Columns made by the clock or by chance: what two runs of old on the same landing do not agree on.

What belongs here: comparing two databases of the same project, and the models whose SQL asks for the time or for
randomness. What does not: running old (`orchestration`), and leaving a column out, which a person does.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb

from olist_pipeline.machine import bound_memory
from olist_pipeline.migration.model import Migration
from olist_pipeline.migration.profiles import attach
from olist_pipeline.migration.project import DbtNode, database_name, find_old, relation_of
from olist_pipeline.tablediff.compare import compare
from olist_pipeline.tablediff.contract import Contract, fold
from olist_pipeline.tablediff.sql import literal, parquet

ASKS = re.compile(
    r"\b(current_timestamp|current_date|current_time|localtimestamp|now|today|getdate|sysdate|get_current_timestamp"
    r"|current_localtime(?:stamp)?|transaction_timestamp|txid_current|random|rand|uuid|gen_random_uuid|uuidv4|uuidv7"
    r"|tablesample|using\s+sample|run_started_at|invocation_id)\b",
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
    with tempfile.TemporaryDirectory(prefix="olist-twice-") as folder, duckdb.connect() as connection:
        bound_memory(connection)
        connection.execute(f"SET temp_directory = {literal(folder)}")
        connection.execute(f"ATTACH {literal(str(first))} AS one (READ_ONLY)")
        connection.execute(f"ATTACH {literal(str(second))} AS two (READ_ONLY)")
        for pair in migration.pairs:
            node = find_old(manifest, migration, pair.old)
            sides = (relation_of(node, "one"), relation_of(node, "two"))
            if node["config"]["materialized"] == "view":
                one, two = (Path(folder) / f"{pair.name}-{number}.parquet" for number in (1, 2))
                sides = (_kept(migration, first, node, one), _kept(migration, second, node, two))
            columns = _unequal(connection, *sides, pair.contract)
            left_out = {fold(name): reason for name, reason in pair.left_out.items()}
            found += [Changing(pair.name, column, left_out.get(fold(column), "")) for column in columns]
    return found


def _kept(migration: Migration, database: Path, node: DbtNode, path: Path) -> str:
    """Write what a view gives now to a file; return that as a relation.

    A view asks the clock when it is read: two that are read in one statement would get one answer.
    """
    with duckdb.connect(str(database), read_only=True) as connection:
        bound_memory(connection)
        view = relation_of(node, database_name(connection))
        connection.execute(f"SET file_search_path = {literal(str(migration.old_folder))}")
        attach(connection, migration)
        connection.execute(f"COPY (FROM {view}) TO {literal(str(path))} (FORMAT parquet)")
    return parquet(path)


def asking(manifest: Mapping[str, Any], unique_ids: set[str]) -> dict[str, list[str]]:
    """Return by model what its SQL, or a macro that it calls, asks the clock or chance for.

    Two runs on one day do not tell of all of it.
    """
    found = {}
    for uid in sorted(unique_ids):
        node = manifest["nodes"].get(uid, {})
        texts = [str(node.get("raw_code") or ""), *macros_of(manifest, node)]
        if asked := sorted({" ".join(name.lower().split()) for text in texts for name in ASKS.findall(_said(text))}):
            found[node["name"]] = asked
    return found


def _said(text: str) -> str:
    """Return a text of SQL without its comments."""
    return re.sub(r"--[^\n]*|/\*.*?\*/|\{#.*?#\}", "", text, flags=re.DOTALL)


def macros_of(manifest: Mapping[str, Any], node: Mapping[str, Any]) -> list[str]:
    """Return the SQL of the macros that a node calls, and of those that these call, but for dbt's own machinery."""
    waiting, seen = list(node.get("depends_on", {}).get("macros") or []), set[str]()
    texts = []
    while waiting:
        uid = waiting.pop()
        macro = manifest.get("macros", {}).get(uid, {})
        # Of dbt's own macros those that a model calls by name say what they ask for; theirs in turn only quote it.
        if uid in seen or (macro.get("package_name") in ("dbt", "dbt_duckdb") and not ASKS.search(str(macro["name"]))):
            continue
        seen.add(uid)
        texts.append(str(macro.get("macro_sql") or ""))
        waiting += macro.get("depends_on", {}).get("macros") or []
    return texts


def _unequal(connection: duckdb.DuckDBPyConnection, one: str, two: str, contract: Contract) -> list[str]:
    """Return the columns that differ, whether they are left out or not; `OTHERS` where it is not only columns."""
    found = compare(connection, one, two, replace(contract, excluded={}))
    if found.duplicates.differing or found.null_keys.differing:
        # Rows that their key does not identify are equal or not as a whole: they must be without what is left out.
        there = {fold(column.column) for column in found.columns}
        excluded = {name: reason for name, reason in contract.excluded.items() if fold(name) in there}
        found = compare(connection, one, two, replace(contract, excluded=excluded))
    if found.only_in_old or found.only_in_new or found.duplicates.differing or found.null_keys.differing:
        return [OTHERS]
    return [column.column for column in found.differing_columns]
