"""The names that dbt gives to a template, as far as they can be known without a database.

What belongs here: ref, source, var, config and their like. What does not: the sandbox (`sandbox`), Python's modules
(`python_names`), and anything that asks a database: a query has no rows here.

All of it is functions, plain values and what `dbt_values` holds.

The environment of this process is not shown to a template: env_var gives its default, or its own name.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from olist_pipeline import yaml_text
from olist_pipeline.audit.dbt_values import Adapter, Config, Globals, Host, Relation, Result
from olist_pipeline.audit.dbt_variables import Unset, Variables
from olist_pipeline.audit.dialects import DIALECTS
from olist_pipeline.audit.profiles import Target
from olist_pipeline.audit.python_names import MODULES
from olist_pipeline.audit.sandbox import Names

ADAPTERS = {"tsql": "sqlserver"}
"""dbt's names of adapters whose dialects are called otherwise, where nothing says which adapter it is."""

ANALYTICS = "analytics"
"""The schema that a template is told it writes to."""


FLAGS = (
    "DEBUG",
    "DEFER",
    "EMPTY",
    "FAIL_FAST",
    "FULL_REFRESH",
    "QUIET",
    "STORE_FAILURES",
    "VERSION_CHECK",
    "WARN_ERROR",
)
"""Options of dbt's command line that templates ask for; none of them is given."""


class ReturnedError(Exception):  # it ends a macro, as dbt's return() does
    """Carries the value that a macro returns."""

    def __init__(self, value: Any) -> None:
        self.value = value
        super().__init__("return")


class CompilerError(Exception):
    """A template that ends itself with exceptions.raise_compiler_error, or a macro that cannot be loaded."""


def names_of(variables: Mapping[str, Any], adapter: str, project: str, host: Host, target: Target) -> dict[str, Any]:
    """Return the global names of all templates of a project; `adapter` is the dialect that it is read in."""

    def env_var(name: str, default: Any = None) -> Any:
        return name if default is None else default

    def ref(*args: Any, **said: Any) -> Relation:
        version = said.get("v", said.get("version"))
        return Relation(f"{args[-1] if args else ''}{'' if version is None else f'_v{version}'}")

    def function(*args: Any) -> Relation:
        return Relation(str(args[-1] if args else ""))

    def source(schema: Any, name: Any) -> Relation:
        return Relation(str(name), str(schema))

    def give_back(value: Any = None) -> None:
        raise ReturnedError(value)

    def refuse(message: Any = "", *_: Any) -> None:
        raise CompilerError(str(message))

    nothing_to_run = dict.fromkeys(("log", "print", "doc", "store_result"), _nothing)
    return {
        **nothing_to_run,
        "adapter": Adapter(host, _kind(target, adapter)),
        "api": Names({"Relation": Names({"create": _relation}), "Column": Names({"translate_type": _text}, _column)}),
        "as_several": _as_several,
        "builtins": Names({"ref": ref, "source": source}),
        "config": Config(host),
        "context": Globals(host),
        "database": ANALYTICS,
        "dbt_metadata_envs": MappingProxyType({}),
        "dbt_version": "1.0.0",
        "env_var": env_var,
        "exceptions": Names({"raise_compiler_error": refuse, "warn": _nothing, "raise_not_implemented": refuse}),
        "execute": False,
        "flags": MappingProxyType({**dict.fromkeys(FLAGS, False), "WHICH": "compile"}),
        "fromjson": _from_json,
        "function": function,
        "fromyaml": _from_yaml,
        "graph": MappingProxyType({"nodes": MappingProxyType({}), "sources": MappingProxyType({})}),
        "invocation_args_dict": MappingProxyType(
            {**dict.fromkeys(map(str.lower, FLAGS), False), "which": "compile", "target": target.name}
        ),
        "invocation_id": "audit",
        "is_incremental": lambda: host.is_incremental,
        "load_result": lambda *_: Result(host),
        "local_md5": _text,
        "modules": MODULES,
        "null": None,
        "project_name": project,
        "ref": ref,
        "return": give_back,
        "run_query": lambda *_, **__: Result(host),
        "run_started_at": datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC),
        "schema": ANALYTICS,
        "selected_resources": (),
        "set": _set,
        "set_strict": _set,
        "should_full_refresh": lambda: False,
        "source": source,
        "statement": _statement,
        "thread_id": "Thread-1",
        "target": _target(target, adapter, project),
        "tojson": _to_json,
        "toyaml": yaml_text.write,
        "var": Variables(variables, host),
        "zip": _zip,
        "zip_strict": _zip,
    }


def _kind(target: Target, dialect: str) -> str:
    """Return the name that dbt has for the adapter whose dialect is audited."""
    return next((name for name in target.adapters if DIALECTS.get(name) == dialect), ADAPTERS.get(dialect, dialect))


def _target(target: Target, dialect: str, project: str) -> Mapping[str, Any]:
    """Return the target in the dialect that is audited, under the name that dbt has for its adapter."""
    kind = _kind(target, dialect)
    places = dict.fromkeys(("schema", "database", "dbname", "project", "dataset"), ANALYTICS)
    unknown = dict.fromkeys(("user", "role", "warehouse", "account"), "")
    said = {"name": target.name, "target_name": target.name, "type": kind, "profile_name": project, "threads": 1}
    return MappingProxyType({**said, **places, **unknown})


def _as_several(value: Any, count: int) -> Any:
    """Return what is given to so many names: its parts, or the value itself for each where it has others."""
    parts = list(value) if isinstance(value, list | tuple) else []
    return parts if len(parts) == count else [value] * count


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
        return text if isinstance(text, Unset) else json.loads(text)
    except ValueError:
        return default


def _from_yaml(text: str, default: Any = None) -> Any:
    try:
        return text if isinstance(text, Unset) else yaml_text.parse(text)
    except yaml_text.YamlError:
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
