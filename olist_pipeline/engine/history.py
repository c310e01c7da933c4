"""Events on frames: the domain's milestones as rows for the event store.

What belongs here: turning milestones into event rows. What does not: any particular event, numbering and
storing (the event store does that).
"""

from __future__ import annotations

from typing import Any, TypeVar

import narwhals as nw
import polars as pl

from olist_domain.kernel.events import DomainEvent, Milestone
from olist_pipeline.engine.columns import columns, expression

F = TypeVar("F")


def event_rows(frame: pl.DataFrame, facts: type[F], milestone: Milestone[F]) -> pl.DataFrame:
    """Return the events that a milestone finds in `frame`, which has the columns of `facts`."""
    read = columns(facts)
    said = {name: _said(fact, read).alias(f"said_{name}") for name, fact in milestone.says.items()}
    happened = (
        nw.from_native(frame)
        .filter(expression(milestone.when(read)))
        .select(*said.values(), expression(milestone.occurred_at(read)).alias("occurred_at"))
    )
    return as_events(happened.to_native().rename(lambda name: name.removeprefix("said_")), milestone.event)


def as_events(said: pl.DataFrame, event: type[DomainEvent]) -> pl.DataFrame:
    """Return event rows of `said`: a column for each field of `event`, money written as text in the payload."""
    fields = [
        pl.col(name).cast(pl.String) if isinstance(kind, pl.Decimal) else pl.col(name)
        for name, kind in said.schema.items()
        if name != "occurred_at"
    ]
    return said.select(
        pl.lit(event.__name__).alias("event_type"),
        pl.lit(event.context).alias("context"),
        pl.lit(event.aggregate_type).alias("aggregate_type"),
        pl.col(event.identity).alias("aggregate_id"),
        pl.struct(fields).struct.json_encode().alias("payload"),
        pl.col("occurred_at"),
    )


def _said(fact: Any, read: object) -> nw.Expr:
    return nw.lit(fact) if isinstance(fact, str) else expression(fact(read))
