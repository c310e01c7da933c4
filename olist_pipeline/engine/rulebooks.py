"""Rulebooks on frames: derived columns, roll-ups and lists of broken rules.

What belongs here: how a rulebook runs on a frame, in one pass each. What does not: what is done with rows
that break a rule (the contexts' validation steps decide that).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar, cast, get_args, get_type_hints

import narwhals as nw
import polars as pl

from olist_domain.kernel.facts import Fact
from olist_domain.kernel.rules import Aggregation, Derivation, Rollup, Rule, Rulebook, Severity
from olist_pipeline.engine.columns import columns, expression
from olist_pipeline.engine.names import FLAGS, REJECTS
from olist_pipeline.errors import OlistError

F = TypeVar("F")
FrameT = TypeVar("FrameT")
"""A frame of any engine that Narwhals knows, eager or lazy; what goes in comes out."""

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


def derive(frame: FrameT, book: Rulebook[Any]) -> FrameT:
    """Return `frame` with a column for each derivation of `book`."""
    facts = columns(book.facts)
    derived = [_evaluated(one.name, one.compute, one, facts).alias(one.name) for one in book.derivations]
    _refuse_other_kinds(frame, facts, book.derivations)
    return _with_columns(frame, derived)


def validate(frame: FrameT, book: Rulebook[Any]) -> FrameT:
    """Return `frame` with `rejects` and `flags`: the codes of the rules that each row breaks.

    Codes are joined by commas, in the book's order; a row that breaks nothing has an empty text. The facts
    of the book must be columns of the frame.
    """
    facts = columns(book.facts)
    codes = [
        _codes(book.rules, Severity.REJECT, facts).alias(REJECTS),
        _codes(book.rules, Severity.FLAG, facts).alias(FLAGS),
    ]
    _refuse_other_kinds(frame, facts, book.rules)
    return _with_columns(frame, codes)


def rollup(frame: FrameT, by: str, facts: type[F], rollups: Sequence[Rollup[F]]) -> FrameT:
    """Return one row for each value of `by`, with a column for each roll-up over the rows of `frame`."""
    read = columns(facts)
    inputs = [_evaluated(one.name, one.of, one.of, read).alias(f"of_{one.name}") for one in rollups]
    aggregated = [_aggregate(nw.col(f"of_{rollup.name}"), rollup.aggregation).alias(rollup.name) for rollup in rollups]
    grouped = nw.from_native(cast(Any, frame)).select(nw.col(by), *inputs).group_by(by).agg(*aggregated)
    return cast(FrameT, grouped.to_native())


def fill_empty(frame: FrameT, rollups: Iterable[Rollup[Any]]) -> FrameT:
    """Return `frame` with each roll-up's value for an aggregate without parts where it has none."""
    return _with_columns(frame, [nw.col(rollup.name).fill_null(cast(Any, rollup.empty)) for rollup in rollups])


def _with_columns(frame: FrameT, added: Sequence[nw.Expr]) -> FrameT:
    if not added:
        return frame
    return cast(FrameT, nw.from_native(cast(Any, frame)).with_columns(*added).to_native())


def _codes(rules: Sequence[Rule[Any]], severity: Severity, facts: object) -> nw.Expr:
    broken = [
        nw.when(_evaluated(rule.code, rule.holds, rule.broken, facts)).then(nw.lit(rule.code))
        for rule in rules
        if rule.severity is severity
    ]
    return nw.concat_str(broken, separator=",", ignore_nulls=True) if broken else nw.lit("")


def _evaluated(name: str, written: Callable[..., Any], evaluate: Callable[..., Fact[Any]], facts: object) -> nw.Expr:
    """Return what a rule or a derivation is on a frame; raises OlistError, with its place, where it raises."""
    try:
        return expression(evaluate(facts))
    except Exception as error:
        # Whatever somebody's function raises.
        why = f"cannot be evaluated: {type(error).__name__}: {error}"
        raise _refused(name, written, why) from error


def _refuse_other_kinds(frame: object, facts: object, written: Sequence[Rule[Any] | Derivation[Any]]) -> None:
    """Raise OlistError for what an engine cannot compute of a frame's columns, or is not what its function says.

    The engines are asked with no rows: a lazy frame would tell when it is collected, and not who was wrong.
    """
    for empty in _without_rows(frame, facts):
        for one in written:
            name, function = (one.code, one.holds) if isinstance(one, Rule) else (one.name, one.compute)
            try:
                kind = empty.select(expression(function(facts)).alias(name)).collect_schema()[name]
            except Exception as error:
                # Each engine has errors of its own.
                reason = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
                why = f"cannot be computed of its columns: {reason}"
                raise _refused(name, function, why) from error
            said = bool if isinstance(one, Rule) else _said(function)
            if kind != nw.Unknown and said in KINDS and not KINDS[said](kind):
                raise _refused(name, function, f"returns {kind}, and not {said.__name__}; mend what it returns or says")


def _without_rows(frame: object, facts: object) -> Iterator[nw.DataFrame[Any] | nw.LazyFrame[Any]]:
    """Yield the columns of a frame as Polars has them, and as its own engine does where that is another one.

    The others take a text for a number and a number for a condition until a row comes that is none.
    """
    if isinstance(frame, pl.DataFrame | pl.LazyFrame):
        yield nw.from_native(pl.DataFrame(schema=frame.collect_schema()))
        return
    rows = nw.from_native(cast(Any, frame))
    read = {field.name for field in fields(cast(Any, facts))}
    kinds = {name: kind for name, kind in rows.collect_schema().items() if name in read}
    if not any(kind in (nw.Unknown, nw.Object) for kind in kinds.values()):  # else Polars has nothing to go by
        texts = {name: nw.String() if KINDS[str](kind) else kind for name, kind in kinds.items()}
        yield nw.from_native(pl.DataFrame(schema=nw.Schema(texts).to_polars()))
    yield rows.head(0)


def _said(function: Callable[..., Any]) -> type | None:
    """Return the type of the values of the fact that a function says it returns; None where it says none."""
    with suppress(Exception):  # a name may be imported for types alone
        [said] = get_args(get_type_hints(function)["return"])
        return cast("type | None", said)
    return None


def _refused(name: str, written: Callable[..., Any], why: str) -> OlistError:
    code = getattr(written, "__code__", None)  # what is no plain function, such as `attrgetter`, has none
    place = f" ({code.co_filename}:{code.co_firstlineno})" if code else ""
    return OlistError(f"{name}{place} {why}.")


def _aggregate(values: nw.Expr, aggregation: Aggregation) -> nw.Expr:
    match aggregation:
        case Aggregation.COUNT:
            return values.count()
        case Aggregation.DISTINCT:
            # DuckDB cannot drop nulls within a group, and all engines count null as one of the values.
            return values.n_unique() - values.is_null().any().cast(nw.Int64)
        case Aggregation.SUM:
            return values.sum()
