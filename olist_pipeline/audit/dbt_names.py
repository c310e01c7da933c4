"""The names that dbt gives to a template, as far as they can be known without a database.

What belongs here: ref, source, var, config and their like, and dbt's and dbt_utils' small functions that only write
SQL. What does not: the sandbox (`jinja`), and anything that asks a database: a query has no rows here.

The environment of this process is not shown to a template: env_var gives its default, or its own name.
"""

from __future__ import annotations

import datetime
import itertools
import json
import re
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any, Protocol

from olist_pipeline.audit import yaml_file

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

    def namespace(self, name: str) -> Namespace | None:
        """Return the macros of one package."""
        ...


class Relation:
    """A table in a template: it writes itself as its name."""

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


class Namespace:
    """The macros of a package."""

    def __init__(self, name: str, host: Host) -> None:
        self._name = name
        self._host = host
        self._macros: dict[str, Any] = {}

    def add(self, name: str, macro: Any) -> None:
        """Add a macro."""
        self._macros[name] = macro

    def known(self, name: str) -> Any:
        """Return a macro, None where the package has none of this name."""
        return self._macros.get(name)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        found = self._macros.get(name) or (SQL_MACROS.get(name) if self._name in PROVIDED else None)
        return found or Unknown(f"{self._name}.{name}", self._host)

    __getitem__ = __getattr__


class Unknown:
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


class Result:
    """The answer of a query: no column and no row."""

    columns: tuple[Any, ...] = ()
    rows: tuple[Any, ...] = ()
    table: Any = None

    def __iter__(self) -> Any:
        return iter(())

    def __len__(self) -> int:
        return 0

    def print_table(self) -> str:
        """Print nothing."""
        return ""


class Config:
    """`config(...)` writes nothing; `config.get` gives the default."""

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


class Adapter:
    """The adapter: it finds macros by dialect, and knows no table."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def dispatch(self, name: str, macro_namespace: Any = None, packages: Any = None) -> Any:
        """Return the macro of the dialect, else the default one; of the package first, then of any."""
        spaces = [macro_namespace] if isinstance(macro_namespace, str) else list(macro_namespace or packages or [])
        for candidate in (f"{self._host.adapter}__{name}", f"default__{name}"):
            found = self._host.find(candidate)
            for space in spaces:
                package = self._host.namespace(space)
                found = (package.known(candidate) if package else None) or found
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

    def __getattr__(self, name: str) -> Callable[..., str]:
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *_, **__: ""


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

    def nothing(*_: Any, **__: Any) -> str:
        return ""

    nothing_to_run = dict.fromkeys(("log", "print", "doc", "store_result"), nothing)
    return {
        **nothing_to_run,
        "adapter": Adapter(host),
        "api": SimpleNamespace(Relation=SimpleNamespace(create=_relation), Column=_column),
        "builtins": {"ref": ref, "source": source},
        "config": Config(),
        "database": ANALYTICS,
        "dbt_version": "1.0.0",
        "env_var": env_var,
        "exceptions": SimpleNamespace(raise_compiler_error=refuse, warn=nothing, raise_not_implemented=refuse),
        "execute": False,
        "flags": SimpleNamespace(FULL_REFRESH=False, WHICH="compile"),
        "fromjson": json.loads,
        "fromyaml": yaml_file.parse,
        "graph": {"nodes": {}, "sources": {}},
        "invocation_id": "audit",
        "is_incremental": lambda: host.is_incremental,
        "load_result": lambda *_: Result(),
        "local_md5": str,
        "modules": SimpleNamespace(datetime=datetime, re=re, itertools=itertools),
        "project_name": project,
        "ref": ref,
        "return": give_back,
        "run_query": lambda *_, **__: Result(),
        "run_started_at": datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC),
        "schema": ANALYTICS,
        "selected_resources": [],
        "set": set,
        "should_full_refresh": lambda: False,
        "source": source,
        "statement": _statement,
        "target": _target(adapter, project),
        "tojson": _to_json,
        "toyaml": yaml_file.write,
        "var": Variables(variables),
        "zip": zip,
    }


def _target(adapter: str, project: str) -> SimpleNamespace:
    """Return the target: production, in the dialect that is audited."""
    places = dict.fromkeys(("schema", "database", "dbname", "project", "dataset"), ANALYTICS)
    unknown = dict.fromkeys(("user", "role", "warehouse", "account"), "")
    return SimpleNamespace(name="prod", type=adapter, profile_name=project, threads=1, **places, **unknown)


class Variables:
    """`var(...)`: the project's value, else the default, else the variable's own name as a mark."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def __call__(self, name: str, *default: Any) -> Any:
        """Return the value of a variable."""
        return self._values.get(name, default[0] if default else name)

    def has_var(self, name: str) -> bool:
        """Return whether the project gives the variable a value."""
        return name in self._values


def _statement(*_: Any, caller: Callable[[], str] | None = None, **__: Any) -> str:
    return ""


def _relation(identifier: str = "", schema: str = "", **_: Any) -> Relation:
    return Relation(identifier, schema or "")


def _column(name: str = "", *_: Any, **__: Any) -> SimpleNamespace:
    return SimpleNamespace(name=name, column=name, quoted=f'"{name}"')


def _to_json(value: Any, default: Any = None, **_: Any) -> str:
    try:
        return json.dumps(value, default=str)
    except TypeError:
        return str(default)


def _key(columns: Any, *_: Any) -> str:
    names = columns if isinstance(columns, list | tuple) else [columns]
    return f"md5({' || '.join(f'cast({name} as varchar)' for name in names)})"


def _quotient(numerator: Any, denominator: Any) -> str:
    return f"(({numerator}) / nullif(({denominator}), 0))"


SQL_MACROS: dict[str, Callable[..., Any]] = {
    "generate_surrogate_key": _key,
    "surrogate_key": _key,
    "star": lambda *_, **__: "*",
    "group_by": lambda n: f"group by {', '.join(str(number + 1) for number in range(int(n)))}",
    "safe_divide": _quotient,
    "safe_add": lambda *parts: "(" + " + ".join(f"coalesce({part}, 0)" for part in _flat(parts)) + ")",
    "safe_subtract": lambda *parts: "(" + " - ".join(f"coalesce({part}, 0)" for part in _flat(parts)) + ")",
    "date_spine": lambda datepart="day", start_date="", end_date="", **_: f"select {start_date} as date_{datepart}",
    "union_relations": lambda relations=(), **_: (
        "select * from " + " union all select * from ".join(map(str, relations))
    ),
    "get_column_values": lambda *_, **__: [],
    "get_filtered_columns_in_relation": lambda *_, **__: [],
    "dateadd": lambda datepart, interval, from_date_or_timestamp: (
        f"{from_date_or_timestamp} + interval {interval} {datepart}"
    ),
    "datediff": lambda first_date, second_date, datepart: f"date_diff('{datepart}', {first_date}, {second_date})",
    "date_trunc": lambda datepart, date: f"date_trunc('{datepart}', {date})",
    "last_day": lambda date, datepart="month": f"last_day({date})",
    "current_timestamp": lambda: "current_timestamp",
    "type_string": lambda: "varchar",
    "type_timestamp": lambda: "timestamp",
    "type_int": lambda: "int",
    "type_bigint": lambda: "bigint",
    "type_float": lambda: "float",
    "type_numeric": lambda: "numeric",
    "type_boolean": lambda: "boolean",
    "hash": lambda field: f"md5(cast({field} as varchar))",
    "concat": lambda fields: " || ".join(map(str, fields)),
    "cast": lambda field, kind: f"cast({field} as {kind})",
    "safe_cast": lambda field, kind: f"try_cast({field} as {kind})",
    "split_part": lambda text, delimiter, part: f"split_part({text}, {delimiter}, {part})",
    "length": lambda expression: f"length({expression})",
    "replace": lambda field, old, new: f"replace({field}, {old}, {new})",
    "right": lambda text, length: f"right({text}, {length})",
    "listagg": lambda measure, *_, **__: f"string_agg({measure}, ',')",
    "bool_or": lambda expression: f"bool_or({expression})",
    "any_value": lambda expression: f"any_value({expression})",
    "escape_single_quotes": lambda expression: str(expression).replace("'", "''"),
    "position": lambda text, inside: f"position({text} in {inside})",
    "string_literal": lambda value: f"'{value}'",
}
"""dbt's and dbt_utils' macros that only write SQL, in their plainest form."""


def _flat(parts: tuple[Any, ...]) -> list[Any]:
    return [part for item in parts for part in (item if isinstance(item, list | tuple) else [item])]
