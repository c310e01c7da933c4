"""The variables of a project in a template, and what stands for one without a value.

What belongs here: `var(...)`. What does not: which variables there are (`project`), and other values (`dbt_values`).
"""

from __future__ import annotations

import copy
import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from olist_pipeline.audit.dbt_values import Host
from olist_pipeline.audit.sandbox import Named


def _with_one(compute: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Return a computation of an Unset, which is 1 there, with something else."""
    return lambda _, other: compute(1, 1 if isinstance(other, Unset) else other)


class Unset(Named, str):
    """A variable without a value: a text that is its name, one thing in a loop, and 1 in a computation.

    Whatever it is asked for that a text has not, as a list, a mapping or a date has, is itself again. dbt refuses a
    project without the variable; here the rest of the template is read all the same.
    """

    def look_up(self, name: Any) -> Any:
        """Return what a text with its name has, else itself."""
        if not isinstance(name, str):
            return self
        if name.startswith("_"):
            raise KeyError(name)
        if name in ("items", "keys", "values"):
            return lambda: [(self, self) if name == "items" else self]
        return getattr(str(self), name, self)

    def __call__(self, *_: Any, **__: Any) -> Unset:
        """Return itself, as the answer of a method that a text has not."""
        return self

    def __getitem__(self, _: Any) -> Unset:
        return self

    def __iter__(self) -> Iterator[Unset]:
        return iter((self,))

    __reversed__ = __iter__

    def __len__(self) -> int:
        return 1

    def __index__(self) -> int:
        return 1

    def __float__(self) -> float:
        return 1.0

    def __add__(self, other: Any) -> Any:
        if isinstance(other, list | tuple):
            return type(other)((self, *other))
        return f"{self}{other}" if isinstance(other, str) and not isinstance(other, Unset) else self._plus(other)

    def __radd__(self, other: Any) -> Any:
        if isinstance(other, list | tuple):
            return type(other)((*other, self))
        return f"{other}{self}" if isinstance(other, str) else self._plus(other)

    _plus = _with_one(operator.add)
    __sub__ = _with_one(operator.sub)
    __rsub__ = _with_one(lambda one, other: other - one)
    __mul__ = __rmul__ = _with_one(operator.mul)
    __truediv__ = _with_one(operator.truediv)
    __rtruediv__ = _with_one(lambda one, other: other / one)
    __floordiv__ = _with_one(operator.floordiv)
    __rfloordiv__ = _with_one(lambda one, other: other // one)
    __mod__ = _with_one(operator.mod)
    __pow__ = _with_one(lambda *_: 1)
    __rpow__ = _with_one(lambda _, other: other)

    def __neg__(self) -> int:
        return -1

    def __abs__(self) -> int:
        return 1

    def __round__(self, _: int = 0) -> int:
        return 1

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
