"""The columns of models before anything is run, as far as their SQL tells: those that they may have, by name.

What belongs here: the columns of a node of a manifest, through the models, seeds and files that it is made of. What
does not: what a migration file says of columns (`migration_check`), and SQL that is audited.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

from sqlglot import exp
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.scope import Scope, build_scope

from olist_pipeline.audit.columns import Query, projection
from olist_pipeline.audit.jinja import Rendered, Renderer, RenderError
from olist_pipeline.audit.project import open_project
from olist_pipeline.audit.reading import ASKS_DATABASE, renderer_of
from olist_pipeline.audit.statements import BROKEN, Statement, statements
from olist_pipeline.errors import OlistError
from olist_pipeline.landing.folder import files_of, has_landed
from olist_pipeline.landing.table import OtherFile
from olist_pipeline.migration.clock import macros_of
from olist_pipeline.migration.model import Migration
from olist_pipeline.tablediff.contract import fold

OF_SNAPSHOTS = frozenset({"dbt_scd_id", "dbt_updated_at", "dbt_valid_from", "dbt_valid_to", "dbt_is_deleted"})
MATERIALIZED = ("table", "view", "incremental", "ephemeral")
"""Ways of making a table of a query that give it no columns of their own."""
MaybeNames = frozenset[str] | None
"""Columns, folded; more than there are where a star leaves some out, and None where they are not known."""


class KnownColumns:
    """The columns of the nodes of one manifest; `landing` need not be there, and what is packed in it tells none."""

    def __init__(self, manifest: Mapping[str, Any], project: Path, migration: Migration, landing: Path) -> None:
        self._manifest = manifest
        self._project = project
        self._migration = migration
        self._landing = landing
        self._known: dict[str, MaybeNames] = {}
        self._scopes: dict[str, Scope | None] = {}

    def of(self, uid: str) -> MaybeNames:
        """Return the columns of a node or a source."""
        if uid not in self._known:
            self._known[uid] = None  # until it is known
            with suppress(RecursionError, OSError, ValueError, OlistError):
                self._known[uid] = self._found(uid)
        return self._known[uid]

    def is_declared(self, uid: str) -> bool:
        """Return whether a node has exactly the columns of its YAML: dbt's contract holds it to them."""
        return ((self._manifest["nodes"][uid]["config"].get("contract") or {}).get("enforced")) is True

    def is_text(self, uid: str, column: str) -> bool:
        """Return whether a column is surely a text: its YAML says so, or what computes it can be nothing else."""
        said = self._manifest["nodes"][uid].get("columns") or {}
        declared = {fold(name): str(one.get("data_type") or "") for name, one in said.items()}.get(fold(column))
        if declared:
            with suppress(*BROKEN):
                return exp.DataType.build(declared, dialect="duckdb").this in exp.DataType.TEXT_TYPES
            return False
        scope = self._scope(uid)
        node, inner = projection(scope, column) if scope else (None, None)
        if isinstance(node, exp.Column) and inner and isinstance(inner.expression, exp.Select):
            node = Query(inner.expression, inner).origin(node).expression
        typed = annotate_types(node.copy(), dialect="duckdb").type if node is not None else None
        return typed is not None and typed.this in exp.DataType.TEXT_TYPES

    def _found(self, uid: str) -> MaybeNames:
        if source := self._manifest["sources"].get(uid):
            return self._of_file(f"{source['source_name']}.{source['name']}")
        node = self._manifest["nodes"][uid]
        if node["resource_type"] == "seed":
            return self._of_seed(node)
        if self.is_declared(uid):
            return frozenset(map(fold, node["columns"]))
        scope = self._scope(uid)
        names = self._given(scope, uid) if scope else None
        return names | OF_SNAPSHOTS if names and node["resource_type"] == "snapshot" else names

    def _of_file(self, source: str) -> MaybeNames:
        for file, said in self._migration.landing.files.items():
            one = OtherFile(file)
            if said.source == source and has_landed(self._landing, one) and (plain := files_of(self._landing, one)):
                return _header(plain[0])
        return None

    def _of_seed(self, node: Mapping[str, Any]) -> MaybeNames:
        path = Path(node.get("root_path") or self._project) / node["original_file_path"]
        return _header(path, node["config"].get("delimiter") or ",")

    @cached_property
    def _renderer(self) -> Renderer:
        return renderer_of(open_project(self._project), "duckdb", self._migration.old_variables)

    def _scope(self, uid: str) -> Scope | None:
        if uid not in self._scopes:
            self._scopes[uid] = None
            with suppress(RenderError, RecursionError, *BROKEN):
                self._scopes[uid] = self._read(self._manifest["nodes"][uid])
        return self._scopes[uid]

    def _read(self, node: Mapping[str, Any]) -> Scope | None:
        """Return the query of a model; None where a database has a say in it, or another language than SQL."""
        raw = str(node.get("raw_code") or "")
        texts = [raw, *macros_of(self._manifest, node)]
        is_plain = node["resource_type"] == "snapshot" or node["config"].get("materialized") in MATERIALIZED
        is_altered = "alter" in str(node["config"].get("post-hook") or "").lower()
        is_sql = is_plain and node.get("language", "sql") == "sql" and not is_altered
        if not is_sql or any(map(ASKS_DATABASE.search, texts)):
            return None
        rendered: Rendered = self._renderer.render(raw, node["name"])
        parts = list(statements(rendered.sql, "duckdb"))
        if rendered.unknown or len(parts) != 1 or not isinstance(parts[0], Statement):
            return None
        tree = parts[0].tree
        return build_scope(tree) if isinstance(tree, exp.Query) else None

    def _given(self, scope: Scope, uid: str) -> MaybeNames:
        """Return the columns that a query gives, those of its relations where it has a star."""
        query = scope.expression
        if isinstance(query, exp.SetOperation):
            sides = [self._given(side, uid) for side in scope.set_operation_scopes]
            return None if None in sides else frozenset().union(*filter(None, sides))
        if not isinstance(query, exp.Select) or query.find(exp.Pivot, exp.Lateral):
            return None
        found = set[str]()
        for item in query.selects:
            if item.find(exp.Columns) or (not item.alias_or_name and item.find(exp.Unnest, exp.Explode, exp.Anonymous)):
                return None
            if not item.is_star:
                found.add(fold(item.alias_or_name))
                continue
            names = self._through_star(scope, item, uid)
            if names is None:
                return None
            found |= names | {fold(part.alias_or_name) for part in item.find_all(exp.Alias)}
        return frozenset(found)

    def _through_star(self, scope: Scope, star: exp.Expr, uid: str) -> MaybeNames:
        if not isinstance(star, (exp.Star, exp.Column)):
            return None  # COLUMNS(*) and its like
        table = star.table if isinstance(star, exp.Column) else ""
        sources = {name: source for name, (_, source) in scope.selected_sources.items() if name == table or not table}
        sides = [
            self._of_table(source, uid) if isinstance(source, exp.Table) else self._given(source, uid)
            for source in sources.values()
        ]
        return frozenset().union(*filter(None, sides)) if sides and None not in sides else None

    def _of_table(self, table: exp.Table, uid: str) -> MaybeNames:
        """Return the columns of a relation that a model names: of those that it is made of."""
        parents = (self._manifest["nodes"][uid].get("depends_on") or {}).get("nodes") or []
        for parent in parents:
            source = self._manifest["sources"].get(parent)
            name, schema = parent.split(".")[-1], ""
            if source:
                name, schema = source["name"], source["source_name"]
            elif node := self._manifest["nodes"].get(parent):
                name = node["name"]
            if (fold(name), fold(schema)) == (fold(table.name), fold(table.db)):
                return self.of(parent)
        return None


def _header(path: Path, delimiter: str = ",") -> frozenset[str]:
    with path.open(encoding="utf-8-sig", newline="") as lines:
        return frozenset(map(fold, next(csv.reader(lines, delimiter=delimiter), [])))
