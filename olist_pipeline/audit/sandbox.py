"""The sandbox that templates of strangers run in: a list of what they may touch, and nothing beside it.

What belongs here: which attributes, items and calls a template may make on which type, and bounds on arithmetic. What
does not: the names that templates are given (`dbt_names`, `python_names`), and the process around it (`confinement`).

Jinja's own sandbox refuses what is known to be dangerous. This one gives what is known to be harmless: an attribute
that is in no list is refused, whatever object it is found on, so a value that slips in by mistake gives nothing away.
Lists and dicts of a template may be changed, for macros of dbt are full of `do list.append(...)`; what templates
share is handed to them as copies or in forms that cannot be changed.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Mapping
from types import BuiltinMethodType, FunctionType, MappingProxyType, MethodType
from typing import Any, ClassVar

from jinja2.exceptions import SecurityError
from jinja2.runtime import LoopContext, Macro, Undefined
from jinja2.sandbox import SandboxedEnvironment
from jinja2.utils import Cycler, Joiner, Namespace

MOST_BITS = 100_000
"""A product or power with more bits than that is refused: it would take longer than any alarm."""

MOST_ITEMS = 20_000_000
"""A text or list that is repeated to more items than that is refused."""


class Named:
    """A value of ours that templates may ask for names: those in `public`, unless `look_up` says otherwise."""

    public: ClassVar[frozenset[str]] = frozenset()

    def look_up(self, name: str) -> Any:
        """Return what a name stands for; raises KeyError where it stands for nothing."""
        if name not in self.public:
            raise KeyError(name)
        return getattr(self, name)


class Names(Named):
    """Chosen functions and values by name, in place of the module, class or object that they were taken from.

    call: what calling it does, where it may be called.
    """

    def __init__(self, values: Mapping[str, Any], call: Callable[..., Any] | None = None) -> None:
        self._values = values
        self._call = call

    def look_up(self, name: str) -> Any:
        """Return one of the values."""
        return self._values[name]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it, where it may be called; raises TypeError elsewhere."""
        if self._call is None:
            raise TypeError("it is a group of names and cannot be called")
        return self._call(*args, **kwargs)


def _public_names_of(kind: type) -> frozenset[str]:
    return frozenset(name for name in dir(kind) if not name.startswith("_"))


PLAIN = (str, bytes, int, float, complex, list, tuple, dict, set, frozenset, range)
TIMES = (datetime.date, datetime.datetime, datetime.time, datetime.timedelta)

ATTRIBUTES: Mapping[type, frozenset[str]] = {
    **{kind: _public_names_of(kind) for kind in (*PLAIN, *TIMES)},
    MappingProxyType: frozenset({"get", "items", "keys", "values"}),
    datetime.tzinfo: frozenset({"utcoffset", "tzname", "dst", "localize", "normalize", "zone"}),
    re.Pattern: frozenset(
        {"match", "search", "fullmatch", "findall", "finditer", "split", "sub", "subn", "pattern", "groups", "flags"}
    ),
    re.Match: frozenset(
        {"group", "groups", "groupdict", "start", "end", "span", "expand", "string", "pos", "endpos", "lastindex"}
    ),
    LoopContext: frozenset(
        {"index", "index0", "revindex", "revindex0", "first", "last", "length", "depth", "depth0", "previtem"}
        | {"nextitem", "cycle", "changed"}
    ),
    Macro: frozenset({"name", "arguments"}),
    Cycler: frozenset({"current", "next", "reset"}),
}
"""What may be asked of a value of each type, and of no other type."""

WITH_ITEMS = (str, bytes, list, tuple, dict, range, re.Match, MappingProxyType)
CALLABLE = (FunctionType, BuiltinMethodType, MethodType, Named, Macro, LoopContext, Joiner, Undefined)
"""What may be called: functions, each given on purpose, and no type, whose calls make objects of it."""


class Sandbox(SandboxedEnvironment):
    """An environment whose templates reach nothing but what they were given."""

    intercepted_binops = frozenset({"*", "**"})

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Jinja gives classes and functions of its own here, whose globals hold modules.
        self.globals = {"range": self.globals["range"], **_CONSTRUCTORS}

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Return whether an attribute is in the list of the object's type."""
        if attr.startswith("_") or isinstance(obj, type):
            return False
        if isinstance(obj, Undefined | Namespace):
            return True
        if isinstance(obj, tuple) and attr in getattr(type(obj), "_fields", ()):
            return True
        return any(attr in ATTRIBUTES.get(kind, ()) for kind in type(obj).__mro__)

    def is_safe_callable(self, obj: Any) -> bool:
        """Return whether an object is a function, one of our names or one of Jinja's own helpers."""
        return isinstance(obj, CALLABLE)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return `obj.attribute`, else `obj["attribute"]`; raises SecurityError for what is there and not given."""
        if isinstance(obj, Named):
            return self._looked_up(obj, attribute)
        if self.is_safe_attribute(obj, attribute, None):
            return self._attribute(obj, attribute)
        if isinstance(obj, WITH_ITEMS) and not attribute.startswith("_"):
            try:
                return obj[attribute]  # type: ignore[call-overload, index]
            except (TypeError, LookupError):
                pass
        return self._nothing(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Return `obj[argument]`, else `obj.argument`; raises SecurityError for what is there and not given."""
        if isinstance(obj, Named):
            return self._looked_up(obj, argument)
        if isinstance(obj, (*WITH_ITEMS, Undefined)):
            try:
                return obj[argument]
            except (TypeError, LookupError):
                pass
        if not isinstance(argument, str):
            return self.undefined(obj=obj, name=argument)
        name = str(argument)
        return self._attribute(obj, name) if self.is_safe_attribute(obj, name, None) else self._nothing(obj, name)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Return a product or a power, unless it would be so large that nothing could stop it."""
        if isinstance(left, int) and isinstance(right, int):
            _refuse_large_number(left.bit_length(), right if operator == "**" else right.bit_length(), operator)
        else:
            _refuse_long_repetition(left, right)
        return super().call_binop(context, operator, left, right)

    def _looked_up(self, obj: Named, name: Any) -> Any:
        try:
            return obj.look_up(name)
        except (KeyError, TypeError):  # a name that cannot be one is none
            return self._nothing(obj, name) if isinstance(name, str) else self.undefined(obj=obj, name=name)

    def _attribute(self, obj: Any, name: str) -> Any:
        try:
            value = getattr(obj, name)
        except AttributeError:
            return self.undefined(obj=obj, name=name)
        return self.wrap_str_format(value) or value

    def _nothing(self, obj: Any, name: str) -> Any:
        if name.startswith("_") or isinstance(obj, type) or hasattr(type(obj), name):
            raise SecurityError(f"{name!r} of a value of type {type(obj).__name__} is not given to templates")
        return self.undefined(obj=obj, name=name)


def _refuse_large_number(bits: int, other: int, operator: str) -> None:
    size = bits * max(other, 0) if operator == "**" else bits + other
    if bits > 1 and size > MOST_BITS:
        raise OverflowError(f"a number of more than {MOST_BITS:,} bits is not computed")


def _refuse_long_repetition(left: Any, right: Any) -> None:
    for items, times in ((left, right), (right, left)):
        if isinstance(items, str | bytes | list | tuple) and isinstance(times, int) and len(items) * times > MOST_ITEMS:
            raise OverflowError(f"a repetition to more than {MOST_ITEMS:,} items is not made")


def _dict(*args: Any, **kwargs: Any) -> dict[Any, Any]:
    return dict(*args, **kwargs)


def _cycler(*items: Any) -> Cycler:
    return Cycler(*items)


def _joiner(separator: str = ", ") -> Joiner:
    return Joiner(separator)


def _namespace(*args: Any, **kwargs: Any) -> Namespace:
    return Namespace(*args, **kwargs)


_CONSTRUCTORS: Mapping[str, Callable[..., Any]] = {
    "dict": _dict,
    "cycler": _cycler,
    "joiner": _joiner,
    "namespace": _namespace,
}
"""Jinja's own globals as functions: the classes themselves would hand out their kin."""
