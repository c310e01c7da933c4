"""Column lineage: which columns of its parents each column of a dbt model is made of.

What belongs here: reading it from dbt's compiled query, with the columns that the project declares. What does not: the
database, which dagster-dbt's own way keeps open, so that nobody else could write it; and when it is asked for
(`dbt_build`).

A query is qualified once for all of its columns: some milliseconds a model.
"""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DbtProject
from sqlglot import exp
from sqlglot.lineage import Node, lineage
from sqlglot.schema import MappingSchema

# It would print what it does not follow, in the middle of a run; such columns are left out here.
logging.getLogger("sqlglot").setLevel(logging.ERROR)

_PATH = re.compile(r"'(/(?:[^']|'')*)'")

ParentColumn = tuple[str, str]
"""A parent's unique id, and a column of it."""


@dataclass(frozen=True)
class Written:
    """How the queries of an invocation are written: in the dialect of its engine, with its names of relations."""

    dialect: str = "duckdb"
    relation_of: Callable[[Mapping[str, Any]], str] = itemgetter("relation_name")
    """The name of a node or a source, as a query has it: the manifest's, which was parsed for DuckDB."""


BY_DUCKDB = Written()


class _UnknownError(Exception):
    """A part of a column comes from something that cannot be followed, a PIVOT for one."""


def lineage_metadata(
    manifest: Mapping[str, Any],
    translator: DagsterDbtTranslator,
    project: DbtProject,
    unique_id: str,
    target_path: Path,
    written: Written = BY_DUCKDB,
) -> dict[str, Any]:
    """Return the metadata entry of a model's column lineage; nothing where its query cannot be read.

    The query is the one compiled below `target_path`.
    """
    node = manifest["nodes"][unique_id]
    query = target_path / "compiled" / node["package_name"] / node["original_file_path"]
    try:
        origins = column_origins(manifest, unique_id, query.read_text("utf-8"), written)
    except Exception:  # sqlglot fails on what it does not know in many ways, and nothing of a run depends on it
        return {}
    parents = {uid for found in origins.values() for uid, _ in found}
    with warnings.catch_warnings():
        # The translator adds code references.
        warnings.simplefilter("ignore", dg.BetaWarning)
        keys = {uid: translator.get_asset_spec(manifest, uid, project).key for uid in parents}
    deps = {
        column: [dg.TableColumnDep(keys[uid], name) for uid, name in sorted(found)] for column, found in origins.items()
    }
    return {"dagster/column_lineage": dg.TableColumnLineage(deps)}


def column_origins(
    manifest: Mapping[str, Any], unique_id: str, query: str, written: Written = BY_DUCKDB
) -> dict[str, set[ParentColumn]]:
    """Return the columns of its parents that each column of a model is computed from, by the compiled `query`.

    A column that counts rows, or is the same in all of them, has none. One that cannot be followed is left out. Names
    are as the project declares them, else in lower case. Raises sqlglot's errors for a query that cannot be read.
    """
    node = manifest["nodes"][unique_id]
    parents = {f"parent_{number}": parent for number, parent in enumerate(_parents(manifest, node))}
    columns = {name: dict.fromkeys(parent["columns"], "varchar") for name, parent in parents.items()}
    dialect = written.dialect
    declared = MappingSchema({name: found for name, found in columns.items() if found}, dialect=dialect)
    short = _with_short_names(query, {word: written.relation_of(parent) for word, parent in parents.items()})
    # Of a PIVOT not all can be qualified: that does not keep the rest from being read.
    found = lineage(None, short, declared, dialect=dialect, trim_selects=False, allow_partial_qualification=True)
    origins = {}
    for column, root in found.items():
        with suppress(_UnknownError):
            leaves = {leaf for leaf in _leaves(root, column) if leaf[0] in parents}
            origins[_declared(node, column)] = {
                (parents[name]["unique_id"], _declared(parents[name], source)) for name, source in leaves
            }
    return origins


def _parents(manifest: Mapping[str, Any], node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the nodes and sources that a query reads; an ephemeral model is a part of it, and has parents itself."""
    for uid in node["depends_on"]["nodes"]:
        parent = manifest["nodes"].get(uid) or manifest["sources"].get(uid)
        if parent and parent["relation_name"]:
            yield parent
        elif parent:
            yield from _parents(manifest, parent)


def _with_short_names(query: str, relations: Mapping[str, str]) -> str:
    """Return a query with a word for each relation, in the place of its name, or of a reader of its files."""
    longest_first = sorted(relations, key=lambda word: -len(relations[word]))
    patterns = "|".join(f"(?P<{word}>{_pattern(relations[word])})" for word in longest_first)
    # A name without quotes may begin another.
    return re.sub(rf"(?<![\w.])(?:{patterns})(?!\w)", lambda found: str(found.lastgroup), query) if patterns else query


def _pattern(relation: str) -> str:
    """Return the pattern of a relation's name, whatever folder its files are in.

    The manifest has the folder of when it was parsed, and replay reads another one. The files of a table have its name,
    or are all those of a folder that has it.
    """
    texts = _PATH.split(relation)
    for number in range(1, len(texts), 2):
        parts = texts[number].split("/")
        texts[number] = "/".join(parts[-3:] if "*" in parts[-1] else parts[-1:])
    return "".join(
        rf"'(?:[^']|'')*/{re.escape(text)}'" if number % 2 else re.escape(text) for number, text in enumerate(texts)
    )


def _leaves(root: Node, column: str) -> Iterator[tuple[str, str]]:
    """Yield the tables that a column comes from, with their columns; raises _UnknownError at what hides them."""
    seen, waiting = set[tuple[int, str]](), [(root, column)]
    while waiting:
        node, asked = waiting.pop()
        if (id(node), asked) in seen:
            continue
        seen.add((id(node), asked))
        if isinstance(node.expression, exp.Table):
            # A star stands for the column that is asked of it.
            yield node.expression.name, asked if node.name == "*" else exp.to_column(node.name).name
        elif isinstance(node.expression, exp.Star):
            asked = exp.to_column(node.name).name
        elif isinstance(node.expression, exp.Select) or (not node.downstream and node.expression.find(exp.Column)):
            raise _UnknownError
        waiting.extend((below, asked) for below in node.downstream)


def _declared(node: Mapping[str, Any], column: str) -> str:
    """Return a column as a node declares it, whatever its case in the query."""
    return next((name for name in node["columns"] if name.lower() == column.lower()), column.lower())
