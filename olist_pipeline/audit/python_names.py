"""`modules` of dbt: what templates may use of Python's re, datetime, itertools and of pytz.

What belongs here: chosen functions, taken out of their modules and classes. What does not: the modules and classes
themselves, from which a template reaches the interpreter, the files and the processes of the machine.
"""

from __future__ import annotations

import datetime
import itertools
import re
from collections.abc import Callable, Iterable, Iterator
from types import MethodDescriptorType
from typing import Any

import pytz  # type: ignore[import-untyped]

from olist_pipeline.audit.dbt_variables import Unset
from olist_pipeline.audit.sandbox import Names

A_DAY = (2020, 1, 1)
OF_A_TEXT = frozenset({"strptime", "fromisoformat"})


def _from(owner: Any, *names: str) -> dict[str, Any]:
    found = {name: getattr(owner, name) for name in names}
    methods = {name for name, value in found.items() if isinstance(value, MethodDescriptorType)}
    functions = {name: _function(value) if name in methods else value for name, value in found.items()}
    for name in OF_A_TEXT & found.keys():
        functions[name] = _of_a_text(owner, found[name])
    return functions


def _of_a_text(kind: type, read: Callable[..., Any]) -> Callable[..., Any]:
    """Return what reads a day or a moment of a text: of a variable without a value, one that is made up."""

    def function(text: str, *form: str) -> Any:
        return kind(*A_DAY) if isinstance(text, Unset) and issubclass(kind, datetime.date) else read(text, *form)

    return function


def _made_by(kind: type, *names: str) -> Names:
    """Return a stand-in for a class: it makes objects, and has the class methods and constants that are named."""

    def make(*args: Any, **kwargs: Any) -> Any:
        return kind(*map(_number, args), **{name: _number(value) for name, value in kwargs.items()})

    return Names(_from(kind, *names), make)


def _number(value: Any) -> Any:
    """Return 1 for a variable without a value, which no class takes, else the value."""
    return 1 if isinstance(value, Unset) else value


def _function(kind: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that does what calling a class does."""

    def function(*args: Any, **kwargs: Any) -> Any:
        return kind(*args, **kwargs)

    return function


def _chain_of(iterables: Iterable[Iterable[Any]]) -> Iterator[Any]:
    return itertools.chain.from_iterable(iterables)


def _timezone(name: str) -> Any:
    """Return a time zone that pytz lists; raises ValueError for another, and never looks for a file of its name."""
    if name not in pytz.all_timezones_set:
        raise ValueError(f"there is no time zone {name!r}")
    return pytz.timezone(name)


ITERTOOLS = (
    "accumulate", "combinations", "combinations_with_replacement", "compress", "count", "cycle", "dropwhile",
    "filterfalse", "groupby", "islice", "pairwise", "permutations", "product", "repeat", "starmap", "takewhile",
    "tee", "zip_longest",
)  # fmt: skip
RE = ("compile", "escape", "findall", "finditer", "fullmatch", "match", "search", "split", "sub", "subn")
RE_FLAGS = ("A", "ASCII", "I", "IGNORECASE", "M", "MULTILINE", "S", "DOTALL", "U", "UNICODE", "X", "VERBOSE")

MODULES = Names(
    {
        "datetime": Names(
            {
                "date": _made_by(datetime.date, "fromisoformat", "fromordinal", "fromtimestamp", "today", "min", "max"),
                "datetime": _made_by(
                    datetime.datetime,
                    *("combine", "fromisoformat", "fromordinal", "fromtimestamp", "now", "strptime", "today"),
                    *("utcfromtimestamp", "utcnow", "min", "max", "strftime", "isoformat", "date"),
                ),
                "time": _made_by(datetime.time, "fromisoformat", "min", "max"),
                "timedelta": _made_by(datetime.timedelta, "min", "max"),
                "timezone": _made_by(datetime.timezone, "utc"),
                "UTC": datetime.UTC,
            }
        ),
        "itertools": Names(
            {
                **{name: _function(getattr(itertools, name)) for name in ITERTOOLS},
                "chain": Names({"from_iterable": _chain_of}, _function(itertools.chain)),
            }
        ),
        "pytz": Names({"timezone": _timezone, "utc": pytz.utc, "UTC": pytz.utc}),
        "re": Names({**_from(re, *RE), **{name: int(getattr(re, name)) for name in RE_FLAGS}}),
    }
)
"""`modules.re.sub(...)`, `modules.datetime.datetime.strptime(...)` and their like."""
