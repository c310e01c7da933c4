"""Rulebooks on frames: derived columns, roll-ups and lists of broken rules.

What belongs here: how a rulebook runs on a frame, in one pass each. What does not: what is done with rows
that break a rule (the contexts' validation steps decide that).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar, cast

import narwhals as nw

from olist_domain.kernel.kinds import MOST_DIGITS
from olist_domain.kernel.rules import Aggregation, Rollup, Rule, Rulebook, Severity
from olist_pipeline.engine.columns import columns
from olist_pipeline.engine.kinds import evaluated, expressions, refused
from olist_pipeline.engine.names import FLAGS, REJECTS

F = TypeVar("F")
FrameT = TypeVar("FrameT")
"""A frame of any engine that Narwhals knows, eager or lazy; what goes in comes out."""


def derive(frame: FrameT, book: Rulebook[Any]) -> FrameT:
    """Return `frame` with a column for each derivation of `book`; raises OlistError for one that it has already."""
    there = {name.casefold() for name in (*nw.from_native(cast(Any, frame)).collect_schema(), REJECTS, FLAGS)}
    for one in book.derivations:
        if one.name.casefold() in there:
            raise refused(one.name, one.compute, f"would take the place of a column of {book.table}; call it otherwise")
    derived = zip(book.derivations, expressions(frame, book.facts, book.derivations), strict=True)
    return _with_columns(frame, [value.alias(one.name) for one, value in derived])


def validate(frame: FrameT, book: Rulebook[Any]) -> FrameT:
    """Return `frame` with `rejects` and `flags`: the codes of the rules that each row breaks.

    Codes are joined by commas, in the book's order; a row that breaks nothing has an empty text. The facts
    of the book must be columns of the frame.
    """
    broken = list(zip(book.rules, expressions(frame, book.facts, book.rules), strict=True))
    codes = [_codes(broken, Severity.REJECT).alias(REJECTS), _codes(broken, Severity.FLAG).alias(FLAGS)]
    return _with_columns(frame, codes)


def rollup(frame: FrameT, by: str, facts: type[F], rollups: Sequence[Rollup[F]]) -> FrameT:
    """Return one row for each value of `by`, with a column for each roll-up over the rows of `frame`.

    A sum of whole numbers beyond 64 bits fails on every engine, when the rows are computed.
    """
    rows = nw.from_native(cast(Any, frame))
    read = columns(facts, rows.collect_schema())
    inputs = [evaluated(one.name, one.of, one.of, read).alias(f"of_{one.name}") for one in rollups]
    read_rows = rows.select(nw.col(by), *inputs)
    kinds = read_rows.collect_schema()
    aggregated = [_aggregate(f"of_{one.name}", kinds, one.aggregation).alias(one.name) for one in rollups]
    grouped = read_rows.group_by(by).agg(*aggregated)
    return cast(FrameT, grouped.to_native())


def fill_empty(frame: FrameT, rollups: Iterable[Rollup[Any]]) -> FrameT:
    """Return `frame` with each roll-up's value for an aggregate without parts where it has none."""
    return _with_columns(frame, [nw.col(rollup.name).fill_null(cast(Any, rollup.empty)) for rollup in rollups])


def _with_columns(frame: FrameT, added: Sequence[nw.Expr]) -> FrameT:
    if not added:
        return frame
    return cast(FrameT, nw.from_native(cast(Any, frame)).with_columns(*added).to_native())


def _codes(broken: Sequence[tuple[Rule[Any], nw.Expr]], severity: Severity) -> nw.Expr:
    codes = [nw.when(is_broken).then(nw.lit(rule.code)) for rule, is_broken in broken if rule.severity is severity]
    return nw.concat_str(codes, separator=",", ignore_nulls=True) if codes else nw.lit("")


def _aggregate(name: str, kinds: nw.Schema, aggregation: Aggregation) -> nw.Expr:
    values = nw.col(name)
    match aggregation:
        case Aggregation.COUNT:
            return values.count()
        case Aggregation.DISTINCT:
            # DuckDB cannot drop nulls within a group, and all engines count null as one of the values.
            return values.n_unique() - values.is_null().any().cast(nw.Int64)
        case Aggregation.SUM if kinds[name].is_integer():
            # Polars would begin anew below zero, at 32 bits where the column has no more; DuckDB would go on to 128.
            return values.cast(nw.Decimal(MOST_DIGITS, 0)).sum().cast(nw.Int64)
        case Aggregation.SUM:
            return values.sum()
