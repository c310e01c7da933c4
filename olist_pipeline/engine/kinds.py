"""Kinds: whether a rule or a derivation is of the kind that it says, on the columns of a frame.

What belongs here: refusing one before rows are read, with its place. What does not: running them (`rulebooks`), and
what operators mean (`columns`).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import fields
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache, partial
from typing import Any, cast, get_args, get_type_hints

import narwhals as nw
import polars as pl

from olist_domain.kernel.rules import Derivation, Rule
from olist_pipeline.engine.columns import columns, expression, on_comparison
from olist_pipeline.errors import OlistError

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


COMPARED: dict[str, Callable[[nw.dtypes.DType], bool]] = {
    "a number": lambda kind: kind.is_numeric() or kind == nw.Boolean,
    "a text": KINDS[str],
    "a date": lambda kind: kind in (nw.Date, nw.Datetime),
}
"""What can be compared with its like alone."""


def refuse_other_kinds(frame: object, facts: type, written: tuple[Rule[Any] | Derivation[Any], ...]) -> None:
    """Raise OlistError for what an engine cannot compute of a frame's columns, or is not what its function says.

    Polars is asked on behalf of every engine: others take a text for a number, and a number for a condition, until a
    row comes that is none.
    """
    if isinstance(frame, pl.DataFrame | pl.LazyFrame):
        _fit_polars(tuple(frame.collect_schema().items()), facts, written)
        return
    rows = nw.from_native(cast(Any, frame))
    read = {field.name for field in fields(facts)}
    kinds = {name: kind for name, kind in rows.collect_schema().items() if name in read}
    if not any(kind in (nw.Unknown, nw.Object) for kind in kinds.values()):  # else Polars has nothing to go by
        texts = {name: nw.String() if KINDS[str](kind) else kind for name, kind in kinds.items()}
        _fit_polars(tuple(nw.Schema(texts).to_polars().items()), facts, written)
    _fit(rows.head(0), facts, written)


@lru_cache(maxsize=256)
def _fit_polars(
    schema: tuple[tuple[str, pl.DataType], ...], facts: type, written: tuple[Rule[Any] | Derivation[Any], ...]
) -> None:
    """Raise OlistError as `refuse_other_kinds` does; a step of many months asks for the same again and again."""
    _fit(nw.from_native(pl.DataFrame(schema=dict(schema))), facts, written)


def _fit(
    empty: nw.DataFrame[Any] | nw.LazyFrame[Any], facts: type, written: tuple[Rule[Any] | Derivation[Any], ...]
) -> None:
    """Raise OlistError for what is none of its kind; asked with rows, a lazy frame would tell later."""
    for one in written:
        name, function = (one.code, one.holds) if isinstance(one, Rule) else (one.name, one.compute)
        token = on_comparison.set(partial(_refuse_unlike, empty))
        try:
            kind = empty.select(expression(function(columns(facts))).alias(name)).collect_schema()[name]
        except Exception as error:
            # Each engine has errors of its own.
            reason = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
            raise refused(name, function, f"cannot be computed of its columns: {reason}") from error
        finally:
            on_comparison.reset(token)
        said = bool if isinstance(one, Rule) else _said(function)
        if kind != nw.Unknown and said in KINDS and not KINDS[said](kind):
            raise refused(name, function, f"returns {kind}, and not {said.__name__}; mend what it returns or says")


def _refuse_unlike(empty: nw.DataFrame[Any] | nw.LazyFrame[Any], left: nw.Expr, right: nw.Expr) -> None:
    """Raise TypeError for a comparison that says nothing, as of an amount with a text: Polars compares both as texts.

    What an engine cannot tell the kind of, it may compare.
    """
    kinds = empty.select(left.alias("left"), right.alias("right")).collect_schema()
    found = [next((word for word, has in COMPARED.items() if has(kinds[side])), "") for side in ("left", "right")]
    if all(found) and found[0] != found[1]:
        raise TypeError(f"it compares {found[0]} with {found[1]}")


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
