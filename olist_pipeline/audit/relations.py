"""What the models of a project give each other: whether a column of one is a sum, and where it comes from.

What belongs here: reading the query of another model when a finding hangs on it. What does not: the origin of columns
within one statement (`columns`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import lru_cache
from typing import TypeVar

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, build_scope

from olist_pipeline.audit.columns import gives_sum
from olist_pipeline.audit.origins import origins_of_output
from olist_pipeline.audit.statements import BROKEN, Statement, statements

TREES_KEPT = 8
MAX_MODELS = 4
"""Through so many models a column is followed."""
MOST_CHARACTERS = 150_000
"""A model of more SQL than that, which loops of its template wrote, is not read for what stands in another one."""

VERSION = re.compile(r"[._]v(\d+)$")
"""How the file of a version of a model ends, and the relation that dbt makes of it."""
Answer = TypeVar("Answer")
SqlOf = Callable[[str], str | None]
"""The SQL of a model, by the name of its relation; None where the project has none or it cannot be rendered."""


def unversioned(model: str) -> str:
    """Return the name under which properties speak of a model, and `ref` of its latest version."""
    return VERSION.sub("", model)


def with_latest(models: Mapping[str, Answer]) -> dict[str, Answer]:
    """Return models by their names in small letters, the latest version of one by its name alone, too."""
    versions = sorted((int(found[1]), name) for name in models if (found := VERSION.search(name)))
    latest = {unversioned(name).lower(): models[name] for _, name in versions}
    return {**latest, **{name.lower(): model for name, model in models.items()}}


class Relations:
    """The models of a project by the names of their relations."""

    def __init__(self, sql_of: SqlOf, dialect: str) -> None:
        self._sql_of = sql_of
        self._dialect = dialect
        self._known: dict[tuple[str, str], bool | None] = {}
        self._origins: dict[tuple[str, str], tuple[str, ...] | None] = {}
        self._depth = 0
        self._scope = lru_cache(TREES_KEPT)(self._read)

    def is_sum(self, relation: str, column: str) -> bool | None:
        """Return whether a column of a model is a sum; None where the model or the column is not known."""
        if self._depth >= MAX_MODELS:
            return self._known.get((relation.lower(), column.lower()))
        self._depth += 1
        try:
            return self._once(self._known, relation, column, lambda scope: gives_sum(scope, column, self.is_sum))
        finally:
            self._depth -= 1

    def origins(self, relation: str, column: str) -> tuple[str, ...] | None:
        """Return the origins of a column of a model; None where the model or the column is not known."""
        return self._once(self._origins, relation, column, lambda scope: origins_of_output(scope, column, self.origins))

    def _once(
        self,
        known: dict[tuple[str, str], Answer | None],
        relation: str,
        column: str,
        asked: Callable[[Scope], Answer | None],
    ) -> Answer | None:
        key = relation.lower(), column.lower()
        if key not in known:
            known[key] = None  # until it is known: models that read each other have no end
            with suppress(RecursionError, *BROKEN):
                scope = self._scope(relation)
                known[key] = None if scope is None else asked(scope)
        return known[key]

    def _read(self, relation: str) -> Scope | None:
        sql = self._sql_of(relation)
        if sql is None or len(sql) > MOST_CHARACTERS:
            return None
        trees = [part.tree for part in statements(sql, self._dialect) if isinstance(part, Statement)]
        queries = [tree for tree in trees if isinstance(tree, exp.Query)]
        return build_scope(queries[-1]) if queries else None
