"""The variables of a project in a template, and what stands for one without a value.

What belongs here: `var(...)`. What does not: which variables there are (`project`), and other values (`dbt_values`).
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from olist_pipeline.audit.dbt_values import Host
from olist_pipeline.audit.sandbox import Named


class Unset(Named):
    """A variable without a value: it writes itself as its name, is one thing in a loop, and 1 in a computation.

    dbt refuses a project without it; here the rest of the template is read all the same.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def look_up(self, name: str) -> Any:
        """Return what a text with its name has."""
        if name.startswith("_"):
            raise KeyError(name)
        return getattr(self._name, name)

    def __str__(self) -> str:
        return self._name

    def __iter__(self) -> Iterator[str]:
        return iter((self._name,))

    def __len__(self) -> int:
        return 1

    def __index__(self) -> int:
        return 1

    def __add__(self, other: Any) -> Any:
        return f"{self}{other}" if isinstance(other, str) else 1 + other

    def __radd__(self, other: Any) -> Any:
        return f"{other}{self}" if isinstance(other, str) else other + 1

    def __sub__(self, other: Any) -> Any:
        return 1 - other

    def __mul__(self, other: Any) -> Any:
        return other

    __rmul__ = __mul__

    def __lt__(self, other: Any) -> bool:
        return False

    __gt__ = __le__ = __ge__ = __lt__


class Variables(Named):
    """`var(...)`: the project's value, else the default, else a mark, and the variable is reported."""

    public = frozenset({"has_var"})

    def __init__(self, values: Mapping[str, Any], host: Host) -> None:
        self._values = values
        self._host = host

    def __call__(self, name: str, *default: Any, **named: Any) -> Any:
        """Return the value of a variable, a copy: no model may change what another one reads.

        A text that is a template is rendered, as dbt does.
        """
        if name in self._values:
            value = copy.deepcopy(self._values[name])
            return self._host.written(value) if isinstance(value, str) and "{" in value else value
        if default or "default" in named:
            return default[0] if default else named["default"]
        self._host.unset(str(name))
        return Unset(str(name))

    def has_var(self, name: str) -> bool:
        """Return whether the project gives the variable a value."""
        return name in self._values
