"""The names that dbt gives to a template, as far as they can be known without a database.

What belongs here: ref, source, var, config and their like. What does not: the sandbox (`sandbox`), Python's modules
(`python_names`), and anything that asks a database: a query has no rows here.

All of it is functions, plain values and `Named`, which gives templates the names that it lists and no others.

The environment of this process is not shown to a template: env_var gives its default, or its own name.
"""

from __future__ import annotations

import copy
import datetime
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Protocol

from olist_pipeline.audit import yaml_file
from olist_pipeline.audit.python_names import MODULES
from olist_pipeline.audit.sandbox import Named, Names
from olist_pipeline.audit.sql_macros import SQL_MACROS

ANALYTICS = "analytics"
"""The schema that a template is told it writes to."""

PROVIDED = ("dbt", "dbt_utils")
"""The packages whose common macros are known here, should they not be installed."""


class ReturnedError(Exception):  # it ends a macro, as dbt's return() does
    """Carries the value that a macro returns."""

    def __init__(self, value: Any) -> None:
        self.value = value
        super().__init__("return")


class CompilerError(Exception):
    """A template that ends itself with exceptions.raise_compiler_error, or a macro that cannot be loaded."""


class Host(Protocol):
    """What the names need of the renderer."""

    adapter: str

    @property
    def is_incremental(self) -> bool:
        """Whether the model adds to a table that is there."""
        ...

    def missing(self, name: str) -> str:
        """Note a macro that nobody knows."""
        ...

    def find(self, name: str) -> Any:
        """Return what has a name in every template."""
        ...

    def macro(self, package: str, name: str) -> Any:
        """Return a macro of a package, None where it has none of this name."""
        ...


class Relation(Named):
    """A table in a template: it writes itself as its name."""

    public = frozenset(
        {"identifier", "name", "table", "schema", "database", "type", "is_view", "is_table", "include", "quote"}
        | {"render"}
    )

    def __init__(self, name: str, schema: str = "") -> None:
        self.identifier = self.name = self.table = name
        self.schema = schema
        self.database = ""
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
        found = self._host.macro(self._name, name) or (SQL_MACROS.get(name) if self._name in PROVIDED else None)
        return found or Unknown(f"{self._name}.{name}", self._host)


class Unknown(Named):
    """A macro that nobody knows: it writes itself as a call, and is reported."""

    def __init__(self, name: str, host: Host) -> None:
        self._name = name
        self._host = host

    def __call__(self, *args: Any, **kwargs: Any) -> str:
        """Return the call as it would be written in SQL."""
        self._host.missing(self._name)
        texts = [str(value) for value in (*args, *kwargs.values()) if isinstance(value, str | int | float | Relation)]
        return f"{self._name.rpartition('.')[2]}({', '.join(text for text in texts if text)})"

    def __str__(self) -> str:
        self._host.missing(self._name)
        return self._name.rpartition(".")[2]


class Result(Named):
    """The answer of a query: no column and no row."""

    public = frozenset({"columns", "rows", "table", "print_table"})
    columns: tuple[Any, ...] = ()
    rows: tuple[Any, ...] = ()
    table: Any = None

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def print_table(self) -> str:
        """Print nothing."""
        return ""


class Config(Named):
    """`config(...)` writes nothing; `config.get` gives the default."""

    public = frozenset({"get", "require", "set"})

    def __call__(self, *_: Any, **__: Any) -> str:
        """Write nothing."""
        return ""

    def get(self, _: str, default: Any = None, **__: Any) -> Any:
        """Return the default of a setting."""
        return default

    require = get

    def set(self, *_: Any) -> str:
        """Set nothing."""
        return ""


class Adapter(Named):
    """The adapter: it finds macros by dialect, and knows no table."""

    public = frozenset({"dispatch", "quote", "get_relation", "get_columns_in_relation"})

    def __init__(self, host: Host) -> None:
        self._host = host

    def look_up(self, name: str) -> Any:
        """Return a method; one that is not known here does nothing."""
        return super().look_up(name) if name in self.public else _nothing

    def dispatch(self, name: str, macro_namespace: Any = None, packages: Any = None) -> Any:
        """Return the macro of the dialect, else the default one; of the package first, then of any."""
        spaces = [macro_namespace] if isinstance(macro_namespace, str) else list(macro_namespace or packages or [])
        for candidate in (f"{self._host.adapter}__{name}", f"default__{name}"):
            found = self._host.find(candidate)
            for space in spaces:
                found = self._host.macro(space, candidate) or found
            if found is not None:
                return found
        return SQL_MACROS.get(name) or Unknown(".".join([*spaces[:1], name]), self._host)

    def quote(self, name: str) -> str:
        """Return a name in quotes."""
        return f'"{name}"'

    def get_relation(self, *_: Any, **__: Any) -> None:
        """Return no relation."""

    def get_columns_in_relation(self, *_: Any, **__: Any) -> list[Any]:
        """Return no column."""
        return []


def names_of(variables: Mapping[str, Any], adapter: str, project: str, host: Host) -> dict[str, Any]:
    """Return the global names of all templates of a project."""

    def env_var(name: str, default: Any = None) -> Any:
        return name if default is None else default

    def ref(*args: Any, **_: Any) -> Relation:
        return Relation(str(args[-1]) if args else "")

    def source(schema: Any, name: Any) -> Relation:
        return Relation(str(name), str(schema))

    def give_back(value: Any = None) -> None:
        raise ReturnedError(value)

    def refuse(message: Any = "", *_: Any) -> None:
        raise CompilerError(str(message))

    nothing_to_run = dict.fromkeys(("log", "print", "doc", "store_result"), _nothing)
    return {
        **nothing_to_run,
        "adapter": Adapter(host),
        "api": Names({"Relation": Names({"create": _relation}), "Column": _column}),
        "builtins": Names({"ref": ref, "source": source}),
        "config": Config(),
        "database": ANALYTICS,
        "dbt_version": "1.0.0",
        "env_var": env_var,
        "exceptions": Names({"raise_compiler_error": refuse, "warn": _nothing, "raise_not_implemented": refuse}),
        "execute": False,
        "flags": Names({"FULL_REFRESH": False, "WHICH": "compile"}),
        "fromjson": _from_json,
        "fromyaml": yaml_file.parse,
        "graph": MappingProxyType({"nodes": MappingProxyType({}), "sources": MappingProxyType({})}),
        "invocation_id": "audit",
        "is_incremental": lambda: host.is_incremental,
        "load_result": lambda *_: Result(),
        "local_md5": _text,
        "modules": MODULES,
        "project_name": project,
        "ref": ref,
        "return": give_back,
        "run_query": lambda *_, **__: Result(),
        "run_started_at": datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC),
        "schema": ANALYTICS,
        "selected_resources": (),
        "set": _set,
        "should_full_refresh": lambda: False,
        "source": source,
        "statement": _statement,
        "target": _target(adapter, project),
        "tojson": _to_json,
        "toyaml": yaml_file.write,
        "var": Variables(variables),
        "zip": _zip,
    }


def _target(adapter: str, project: str) -> Names:
    """Return the target: production, in the dialect that is audited."""
    places = dict.fromkeys(("schema", "database", "dbname", "project", "dataset"), ANALYTICS)
    unknown = dict.fromkeys(("user", "role", "warehouse", "account"), "")
    return Names({"name": "prod", "type": adapter, "profile_name": project, "threads": 1, **places, **unknown})


class Variables(Named):
    """`var(...)`: the project's value, else the default, else the variable's own name as a mark."""

    public = frozenset({"has_var"})

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def __call__(self, name: str, *default: Any) -> Any:
        """Return the value of a variable, a copy: no model may change what another one reads."""
        return copy.deepcopy(self._values[name]) if name in self._values else (default[0] if default else name)

    def has_var(self, name: str) -> bool:
        """Return whether the project gives the variable a value."""
        return name in self._values


def _nothing(*_: Any, **__: Any) -> str:
    return ""


def _text(value: Any) -> str:
    return str(value)


def _set(values: Iterable[Any] = ()) -> set[Any]:
    return set(values)


def _zip(*values: Iterable[Any]) -> Iterator[tuple[Any, ...]]:
    return zip(*values, strict=False)


def _from_json(text: str, default: Any = None) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return default


def _statement(*_: Any, caller: Callable[[], str] | None = None, **__: Any) -> str:
    return ""


def _relation(identifier: str = "", schema: str = "", **_: Any) -> Relation:
    return Relation(identifier, schema or "")


def _column(name: str = "", *_: Any, **__: Any) -> Names:
    return Names({"name": name, "column": name, "quoted": f'"{name}"'})


def _to_json(value: Any, default: Any = None, **_: Any) -> str:
    try:
        return json.dumps(value, default=str)
    except TypeError:
        return str(default)
