"""A first migration file, from an old dbt project.

What belongs here: what can be read of the project and its rows, keys among it, which people look at; and writing it
down with what is left to do. What does not: what lands (`landing`), and the audit.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from itertools import combinations
from pathlib import Path
from typing import Any

import duckdb
import yaml

from olist_pipeline.audit.model_settings import is_layer
from olist_pipeline.drafts.columns import MOST_COLUMNS, WIDEST, identifier
from olist_pipeline.migration.clock import asking
from olist_pipeline.migration.model import Migration, bare_name
from olist_pipeline.migration.project import (
    RELATIONS,
    ancestors,
    context_of_old,
    folders_of,
    landing_file,
    loaded_seeds,
    old_part,
    old_relations,
    relation_of,
)
from olist_pipeline.tablediff.contract import fold
from olist_pipeline.tablediff.names import joined_names
from olist_pipeline.tablediff.sql import literal, quote

HEAD = """# A first migration file, written by `olist migration init`. docs/migration_file.md has the form.
# What is left to do stands at its end, and `olist migration check` says what does not fit.
"""
CONTEXTS = "contexts"
NO_CONTEXTS = '''"""The contexts of this warehouse that have moved, in the order of their migration."""

CONTEXTS = ()
'''
"""The module that a first migration file names: nothing has moved yet."""


def first_text(old: Path, landing: Mapping[str, Any], new: str, variables: Mapping[str, Any], profile: str = "") -> str:
    """Return a file that is enough to parse and to run the old project, with its own profile, if it has one."""
    said: dict[str, Any] = {"version": 1, "contexts": CONTEXTS, "old": {"project": str(old)}}
    if profile:
        said["old"]["profile"] = {"file": profile}
    if variables:
        said["old"]["vars"] = dict(variables)
    return _yaml({**said, "landing": dict(landing), "new": {"project": new}})


def contexts_of(manifest: Mapping[str, Any], migration: Migration) -> dict[str, list[str]]:
    """Return the models of each context, ephemeral ones too: what the project says, else folders that are no layers.

    Contexts are names in Python, for each becomes a package of it.
    """
    found: dict[str, list[str]] = {}
    part, loaded = old_part(migration), loaded_seeds(manifest, migration)
    for node in manifest["nodes"].values():
        if node["resource_type"] in RELATIONS and part.holds(node) and node["unique_id"] not in loaded:
            folders = [name for name in folders_of(node) if not is_layer(name)]
            is_said = (node["config"].get("meta") or {}).get("context") or node["config"].get("group")
            context = context_of_old(node, migration) if is_said else (folders or ["unsorted"])[-1]
            found.setdefault(identifier(context), []).append(node["name"])
    return {context: sorted(set(names)) for context, names in sorted(found.items())}


def whole_text(
    migration: Migration,
    manifest: Mapping[str, Any],
    landing: Mapping[str, Any],
    contexts: Mapping[str, list[str]],
    new_models: Iterable[str],
    database: Path | None,
    todo: Iterable[str],
    landed: Collection[str] = (),
) -> str:
    """Return the file: with contexts, with pairs by name, and with candidates for pairs that have no new table yet.

    `database` is what old made, for keys that no test names; None where it was not run. `landed` are files of landing
    that are called like a seed: whether such a seed is data is for a person to say.
    """
    relations = {name: manifest["nodes"][uid] for name, uid in old_relations(manifest, migration).items()}
    keys = _keys(manifest, relations, database)
    read = _read_by_models(manifest)
    tables = {name: node for name, node in relations.items() if _is_table(node, read)}
    new = {joined_names(name) for name in new_models}
    there = {name: node for name, node in tables.items() if name in new and keys.get(name)}
    served, several = _served(tables.keys() - there.keys())
    besides = sorted(
        node["name"]
        for node in relations.values()
        if node["resource_type"] == "seed" and not landing_file(node, migration)
    )
    both = [name for name in besides if f"{name}.csv" in landed]
    said: dict[str, Any] = {
        "version": 1,
        "contexts": migration.contexts,
        "old": migration.old.model_dump(exclude_defaults=True, mode="json"),
        "landing": dict(landing),
        "new": migration.new.model_dump(exclude_defaults=True, mode="json"),
        "models": dict(contexts),
        "besides": [
            {"seed": name, "reason": "Rows of the project itself, no data of landing"}
            for name in besides
            if name not in both
        ],
        "pairs": [{"old": name, "key": keys[name]} for name in there],
        "served": served,
    }
    if several:
        todo = [*todo, f"several schemas have a table of one name; serve one of each: {', '.join(several)}"]
    if unsaid := [name for name in both if f"{name}.csv" not in landing.get("files", {})]:
        todo = [
            *todo,
            f"landing has files of the names of seeds: {', '.join(unsaid)}. Seeds that are data are landing (`folder` "
            "is then theirs); a list of the project's own stands in `besides`, with a reason",
        ]
    candidates = [name for name in tables if name not in there]
    return HEAD + _yaml(said) + _candidates(candidates, keys) + _todo(manifest, relations, todo)


def _read_by_models(manifest: Mapping[str, Any]) -> set[str]:
    readers = (node for node in manifest["nodes"].values() if node["resource_type"] in ("model", "snapshot"))
    return {parent for node in readers for parent in node["depends_on"]["nodes"]}


def _is_table(node: Mapping[str, Any], read: Collection[str]) -> bool:
    """Return whether people read a relation: a table, or a view that no model reads."""
    if node["resource_type"] == "seed":
        return False
    return node["config"]["materialized"] != "view" or node["unique_id"] not in read


def _served(names: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return the tables that dashboards may read, and those of which they could not tell which one they read."""
    names = sorted(names)
    bare = Counter(fold(bare_name(name)) for name in names)
    several = [name for name in names if bare[fold(bare_name(name))] > 1]
    return [name for name in names if name not in several], several


def _keys(
    manifest: Mapping[str, Any], relations: Mapping[str, Mapping[str, Any]], database: Path | None
) -> dict[str, list[str]]:
    found = {name: key_of_tests(manifest, node["unique_id"]) for name, node in relations.items()}
    if database is None or not database.is_file():
        return found
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH {literal(str(database))} AS made (READ_ONLY)")
        for name, node in relations.items():
            if not found[name] and node["config"]["materialized"] != "view":
                # A table may not be what dbt says (materialised in the project's own way), or lie in a file elsewhere.
                with suppress(duckdb.Error):
                    found[name] = key_of_rows(connection, relation_of(node, "made"))
    return found


def key_of_tests(manifest: Mapping[str, Any], unique_id: str) -> list[str]:
    """Return the columns that a uniqueness test of a model names: the shortest such key; none where there is none."""
    found = []
    for node in manifest["nodes"].values():
        test = node.get("test_metadata") or {}
        if node.get("attached_node") != unique_id or "unique" not in str(test.get("name")):
            continue
        kwargs = {**(test.get("kwargs") or {}), **((test.get("kwargs") or {}).get("arguments") or {})}
        several = kwargs.get("combination_of_columns") or kwargs.get("column_list") or kwargs.get("columns")
        columns = several if isinstance(several, list) else [kwargs.get("column_name")]
        # A test may combine expressions, too.
        found.append([name for name in columns if isinstance(name, str) and re.fullmatch(r'\w+|"[^"]+"', name)])
        if len(found[-1]) < len(columns):
            found.pop()
    return min(filter(None, found), key=len, default=[])


def key_of_rows(connection: duckdb.DuckDBPyConnection, relation: str) -> list[str]:
    """Return the fewest columns that identify each row of a relation, none where few do not or it is empty."""
    [(rows,)] = connection.execute(f"SELECT count(*) FROM {relation}").fetchall()
    names = [row[0] for row in connection.execute(f"DESCRIBE FROM {relation}").fetchall()][:MOST_COLUMNS]
    if not rows:
        return []
    for width in range(1, WIDEST + 1):
        for columns in combinations(names, width):
            key = ", ".join(map(quote, columns))
            present = " AND ".join(f"{quote(column)} IS NOT NULL" for column in columns)
            [(keys,)] = connection.execute(
                f"SELECT count(DISTINCT row({key})) FILTER (WHERE {present}) FROM {relation}"
            ).fetchall()
            if keys == rows:
                return list(columns)
    return []


def _candidates(names: Iterable[str], keys: Mapping[str, list[str]]) -> str:
    lines = ["", "# Pairs for when their new table is there: move them to `pairs`, and out of `served`."]
    for name in sorted(names):
        key = ", ".join(keys.get(name) or ["?"])
        lines += [f"#  - old: {name}", f"#    key: [{key}]"]
    return "\n".join(lines) + "\n"


def _todo(manifest: Mapping[str, Any], relations: Mapping[str, Mapping[str, Any]], todo: Iterable[str]) -> str:
    uids = ancestors(manifest, [node["unique_id"] for node in relations.values()])
    lines = ["", "# To do"]
    lines += [
        f"#  - {model} asks for {', '.join(asked)}: see `olist migration check --twice`, and leave out what changes"
        for model, asked in asking(manifest, uids).items()
    ]
    lines += [f"#  - {_in_a_comment(line)}" for line in todo]
    return "\n".join(lines) + "\n"


def _in_a_comment(text: str) -> str:
    """Return a text as a comment of YAML can have it, whoever said it: on one line, of characters that can be read."""
    return "".join(one if one.isprintable() else " " for one in " ".join(text.split()))


def _yaml(value: Mapping[str, Any]) -> str:
    return yaml.safe_dump(dict(value), sort_keys=False, allow_unicode=True, width=118)
