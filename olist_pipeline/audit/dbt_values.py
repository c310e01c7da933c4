"""The values that dbt gives to a template: relations, packages, the adapter, answers of queries.

What belongs here: what may be asked of each. What does not: variables (`dbt_variables`), their names in a
template (`dbt_names`), and the sandbox.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from sqlglot.parser import Parser

from olist_pipeline.audit.package_macros import PACKAGES
from olist_pipeline.audit.sandbox import Named
from olist_pipeline.audit.sql_macros import SQL_MACROS

MADE_UP = "made.up.row_of_a_query"
"""What a query gives where a loop must turn once; it can be the name of a table, and its parts those of one."""

OF_DATABASE = frozenset(
    {
        "get_column_values",
        "get_filtered_columns_in_relation",
        "get_relations_by_pattern",
        "get_relations_by_prefix",
        "get_tables_by_pattern_sql",
    }
)
"""Macros of packages that give what a database holds: columns, values, tables."""

KIN = {
    "databricks": ("spark",),
    "redshift": ("postgres",),
    "materialize": ("postgres",),
    "risingwave": ("postgres",),
    "tsql": ("sqlserver", "fabric", "synapse"),
    "presto": ("trino",),
    "athena": ("trino",),
}
"""Whose macros an adapter takes where it has none of its own."""


class Host(Protocol):
    """What the names need of the renderer."""

    adapter: str

    @property
    def is_incremental(self) -> bool:
        """Whether the model adds to a table that is there."""

    @property
    def has_rows(self) -> bool:
        """Whether a query has one made-up row, so that loops over its rows turn once."""

    @property
    def hides_unknown(self) -> bool:
        """Whether a macro that nobody knows, and that is given no text, writes nothing in place of a call."""

    def missing(self, what: str) -> None:
        """Note a macro or another name that nobody knows."""

    def unset(self, name: str) -> None:
        """Note a variable that has no value."""

    def written(self, text: str) -> str:
        """Return what a template within a value writes."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """What a template has said of its model so far."""

    def configured(self, settings: Mapping[str, Any]) -> None:
        """Note what a template says of its model."""

    def remembering(self) -> Callable[[], None]:
        """Return what forgets the macros and variables that are noted as missing from now on."""

    def find(self, name: str) -> Any:
        """Return what has a name in every template."""

    def macro(self, package: str, name: str) -> Any:
        """Return a macro of a package, None where it has none of this name."""


class Relation(Named):
    """A table in a template: it writes itself as its name."""

    public = frozenset(
        {"identifier", "name", "table", "schema", "dataset", "database", "project", "type", "is_view", "is_table"}
        | {"include", "quote", "render"}
    )

    def __init__(self, name: str, schema: str = "") -> None:
        self.identifier = self.name = self.table = name
        self.schema = self.dataset = schema
        self.database = self.project = ""
        self.type = "table"
        self.is_view = False
        self.is_table = True

    def __str__(self) -> str:
        parts = [part for part in (self.schema, self.identifier) if part]
        return ".".join(re.sub(r"\W", "_", part) for part in parts)

    def include(self, **_: Any) -> Relation:
        """Return it with other parts of its name; the name alone matters here."""
        return self

    quote = render = include


class Package(Named):
    """The macros of a package, each under its name."""

    def __init__(self, name: str, host: Host) -> None:
        self._name = name
        self._host = host

    def look_up(self, name: str) -> Any:
        """Return a macro, one that writes itself as a call where nobody knows it."""
        if name in OF_DATABASE and self._host.has_rows:
            return lambda *_, **__: [MADE_UP]
        known = PACKAGES.get(self._name, {})
        # Some call what a package has for one adapter: `dbt_utils.snowflake__deduplicate`.
        found = self._host.macro(self._name, name) or known.get(name) or known.get(name.rpartition("__")[2])
        return found or Unknown(f"{self._name}.{name}", self._host)


class Unknown(Named):
    """A macro that nobody knows: it writes itself as a call, and is reported.

    One that is called like what SQL writes in a form of its own, `cast(a as int)`, is written with its package.
    """

    def __init__(self, name: str, host: Host) -> None:
        self._name = name
        self._host = host

    def __call__(self, *args: Any, **kwargs: Any) -> str:
        """Return the call as it would be written in SQL."""
        self._host.missing(f"Macro {self._name}")
        texts = [str(value) for value in (*args, *kwargs.values()) if isinstance(value, str | int | float | Relation)]
        if self._host.hides_unknown and not any(isinstance(value, str | Relation) for value in args):
            return ""
        package, _, name = self._name.rpartition(".")
        written = f"{package}__{name}" if name.upper() in Parser.FUNCTION_PARSERS else name
        return f"{written}({', '.join(text for text in texts if text)})"

    def __str__(self) -> str:
        self._host.missing(f"Name {self._name}")
        return self._name.rpartition(".")[2]


class MadeUpRow(Named):
    """A made-up row of a query, or a column of it: one value, whatever it is asked for."""

    def look_up(self, name: str) -> Any:
        """Return the value, as a list where a list is asked for."""
        return (lambda: [MADE_UP]) if name == "values" else MADE_UP

    def __iter__(self) -> Iterator[str]:
        return iter((MADE_UP,))

    def __len__(self) -> int:
        return 1


class MadeUpRows(Named):
    """Made-up rows, or columns: one where they are gone through, and another wherever one is asked for."""

    def look_up(self, name: str) -> Any:
        """Return a row, by its number or name."""
        return MadeUpRow()

    def __iter__(self) -> Iterator[MadeUpRow]:
        return iter((MadeUpRow(),))

    def __len__(self) -> int:
        return 1


class Result(Named):
    """The answer of a query: no column and no row, or one of each that is made up."""

    public = frozenset({"columns", "rows", "table", "print_table"})

    def __init__(self, host: Host) -> None:
        self.columns = self.rows = MadeUpRows() if host.has_rows else ()

    @property
    def table(self) -> Result | None:
        """The same as a table; none where there is no row."""
        return self if self.rows else None

    def __iter__(self) -> Iterator[Any]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def print_table(self) -> str:
        """Print nothing."""
        return ""


class Config(Named):
    """`config(...)` writes nothing and is noted; `config.get` gives what was noted, else the default.

    `config.of_model(...)`, as templates are made plain, is the same: the name is looked up before what is given is
    computed, so that a macro that nobody knows is not missed there.
    """

    public = frozenset({"get", "require", "set"})

    def __init__(self, host: Host) -> None:
        self._host = host

    def __call__(self, *given: Any, **settings: Any) -> str:
        """Write nothing."""
        for part in (*given, settings):
            if isinstance(part, Mapping):
                self._host.configured(part)
        return ""

    def look_up(self, name: str) -> Any:
        """Return a method."""
        if name == "of_model":
            forget = self._host.remembering()
            return lambda *given, **settings: (forget(), self(*given, **settings))[1]
        return super().look_up(name)

    def get(self, name: str, default: Any = None, **__: Any) -> Any:
        """Return a setting that the template gave before, else the default."""
        return self._host.settings.get(name, default)

    require = get

    def set(self, *_: Any) -> str:
        """Set nothing."""
        return ""


class Globals(Named):
    """All names of templates by their names: `context['money'](...)`, `context.get('money')`."""

    public = frozenset({"get"})

    def __init__(self, host: Host) -> None:
        self._host = host

    def look_up(self, name: str) -> Any:
        """Return what has a name in every template; raises KeyError where nothing has."""
        if name in self.public:
            return super().look_up(name)
        if (found := self._host.find(name)) is None:
            raise KeyError(name)
        return found

    def get(self, name: str, default: Any = None) -> Any:
        """Return what has a name in every template, else the default."""
        found = self._host.find(name)
        return default if found is None else found


class Adapter(Named):
    """The adapter: it finds macros by dialect, and knows no table."""

    public = frozenset({"dispatch", "quote", "get_relation", "get_columns_in_relation", "type"})

    def __init__(self, host: Host, kind: str) -> None:
        self._host = host
        self._kind = kind

    def type(self) -> str:
        """Return what dbt calls the adapter."""
        return self._kind

    def look_up(self, name: str) -> Any:
        """Return a method; one that is not known here does nothing."""
        return super().look_up(name) if name in self.public else _nothing

    def dispatch(self, name: str, macro_namespace: Any = None, packages: Any = None) -> Any:
        """Return the macro of the dialect, else the default one; of the package first, then of any."""
        spaces = [macro_namespace] if isinstance(macro_namespace, str) else list(macro_namespace or packages or [])
        prefixes = (self._host.adapter, *KIN.get(self._host.adapter, ()), "default")
        candidates = [f"{prefix}__{name}" for prefix in prefixes]
        found = next((macro for one in candidates for space in spaces if (macro := self._host.macro(space, one))), None)
        # A package hands its macros on to dbt's of the same name: these are not the package's own again.
        if found is None and "dbt" in spaces:
            found = SQL_MACROS.get(name)
        if found is None:
            found = next((macro for one in candidates if (macro := self._host.find(one)) is not None), None)
        return found or SQL_MACROS.get(name) or Unknown(".".join([*spaces[:1], name]), self._host)

    def quote(self, name: str) -> str:
        """Return a name in quotes."""
        return f'"{name}"'

    def get_relation(self, *_: Any, **__: Any) -> None:
        """Return no relation."""

    def get_columns_in_relation(self, *_: Any, **__: Any) -> list[Any]:
        """Return no column, or a made-up one."""
        return [MadeUpRow()] if self._host.has_rows else []


def _nothing(*_: Any, **__: Any) -> str:
    return ""
