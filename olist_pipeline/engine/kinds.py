"""Kinds: rules and derivations as expressions of a frame's columns, each of the kind that it says.

What belongs here: evaluating them, and refusing one before rows are read, with its place. What does not: running them
(`rulebooks`), and what operators mean (`columns`).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, cast, get_args, get_type_hints

import narwhals as nw
import polars as pl

from olist_domain.kernel.facts import Fact
from olist_domain.kernel.kinds import KindError
from olist_domain.kernel.rules import Derivation, Rule
from olist_pipeline.engine.columns import ColumnFact, columns, expression
from olist_pipeline.errors import OlistError
from olist_pipeline.near import nearest

KINDS: dict[type, Callable[[nw.dtypes.DType], bool]] = {
    bool: lambda kind: kind == nw.Boolean,
    str: lambda kind: kind in (nw.String, nw.Categorical, nw.Enum),
    int: lambda kind: kind.is_integer(),
    float: lambda kind: kind.is_numeric(),
    Decimal: lambda kind: kind.is_numeric(),
    date: lambda kind: kind == nw.Date,
    datetime: lambda kind: kind == nw.Datetime,
}
"""Which columns fit what a function says that it returns: `Fact[bool]`; any numbers are compared as they are."""

RuleOrDerivation = Rule[Any] | Derivation[Any]


def expressions(frame: object, facts: type, written: tuple[RuleOrDerivation, ...]) -> tuple[nw.Expr, ...]:
    """Return for each rule where it is broken, and for each derivation what it gives, on the columns of `frame`.

    Raises OlistError for what cannot be computed of them, or is not what its function says.
    """
    if isinstance(frame, pl.DataFrame | pl.LazyFrame):
        return _on_polars(tuple(frame.collect_schema().items()), facts, written)
    return _expressions(nw.from_native(cast(Any, frame)).head(0), facts, written)


@lru_cache(maxsize=256)
def _on_polars(
    schema: tuple[tuple[str, pl.DataType], ...], facts: type, written: tuple[RuleOrDerivation, ...]
) -> tuple[nw.Expr, ...]:
    """Return what `expressions` does; a step of many months asks for the same again and again."""
    return _expressions(nw.from_native(pl.DataFrame(schema=dict(schema))), facts, written)


def _expressions(
    empty: nw.DataFrame[Any] | nw.LazyFrame[Any], facts: type, written: tuple[RuleOrDerivation, ...]
) -> tuple[nw.Expr, ...]:
    """Return what `expressions` does; asked with rows, a lazy frame would tell later."""
    schema = empty.collect_schema()
    read: object = columns(facts, schema)
    return tuple(_expression(empty, one, read) for one in written)


def _expression(empty: nw.DataFrame[Any] | nw.LazyFrame[Any], one: RuleOrDerivation, read: object) -> nw.Expr:
    name, function = (one.code, one.holds) if isinstance(one, Rule) else (one.name, one.compute)
    said = bool if isinstance(one, Rule) else _said(function)
    answer = evaluated(name, function, function, read)
    try:
        kind = empty.select(answer.alias(name)).collect_schema()[name]
    except Exception as error:
        # Each engine has errors of its own.
        reason = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
        raise refused(name, function, f"cannot be computed of its columns: {reason}") from error
    if kind != nw.Unknown and said in KINDS and not KINDS[said](kind):
        raise refused(name, function, f"returns {kind}, and not {said.__name__}; mend what it returns or says")
    return evaluated(name, function, one.broken if isinstance(one, Rule) else one, read)


def evaluated(name: str, written: Callable[..., Any], evaluate: Callable[..., Fact[Any]], read: object) -> nw.Expr:
    """Return what somebody's function is on a frame; raises OlistError, with its place, where it raises."""
    try:
        answer = evaluate(read)
        if not isinstance(answer, Fact):
            raise TypeError(f"it returns {answer!r}, and not a fact: return what a comparison or choose() gives")
        return expression(answer)
    except KindError as error:
        raise refused(name, written, f"cannot be computed of its columns: {error}") from error
    except Exception as error:
        # Whatever it raises.
        why = f"cannot be evaluated: {type(error).__name__}: {error}{_help(error, read)}"
        raise refused(name, written, why) from error


def _help(error: Exception, read: object) -> str:
    """Return what to do about an error, where it is of what is read: a fact that is not there, or what none can do."""
    if isinstance(error, AttributeError) and error.obj is read:
        return f"; there is {nearest(error.name or '', vars(read)) or ', '.join(vars(read))}"
    if isinstance(error, AttributeError | TypeError) and ColumnFact.__name__ in str(error):
        return f"; a fact stands first, and can do what {Fact.__name__} says ({Fact.__module__})"
    return ""


def _said(function: Callable[..., Any]) -> type | None:
    """Return the type of the values of the fact that a function says it returns; None where it says none."""
    with suppress(Exception):  # a name may be imported for types alone
        [said] = get_args(get_type_hints(function)["return"])
        return cast("type | None", said)
    return None


def refused(name: str, written: Callable[..., Any], why: str) -> OlistError:
    """Return the error of a rule or a derivation, with the place of its function."""
    code = getattr(written, "__code__", None)  # what is no plain function, such as `attrgetter`, has none
    place = f" ({code.co_filename}:{code.co_firstlineno})" if code else ""
    return OlistError(f"{name}{place} {why}.")
