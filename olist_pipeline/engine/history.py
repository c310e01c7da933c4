"""Events on frames: the domain's milestones as rows for the event store.

What belongs here: which events a frame tells of, their ids, and their order within an aggregate. What does not: any
particular event, and what the store has already (see `stores.appending`).
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeVar, cast

import narwhals as nw
import polars as pl

from olist_domain.kernel.events import DomainEvent, Milestone
from olist_pipeline.engine.canonical import json_objects, quoted
from olist_pipeline.engine.columns import columns, expression

F = TypeVar("F")
TEXTS_AT_ONCE = 100_000
Columns = dict[str, pl.DataType | type[pl.DataType]]

AGGREGATE = ("aggregate_type", "aggregate_id")
OCCURRED_AT = "occurred_at"
ORDINAL = "ordinal"
EVENTS: Columns = {
    **dict.fromkeys(("event_type", "context", *AGGREGATE, "payload"), pl.String),
    OCCURRED_AT: pl.Datetime("us"),
}
"""Event rows: `payload` is canonical JSON, `occurred_at` the business's time, without a zone."""

NUMBERED: Columns = {
    **EVENTS,
    ORDINAL: pl.Int64,
    "event_id": pl.String,
    "version": pl.Int32,
    "aggregate_key": pl.UInt64,
}
"""Event rows of which each is there once, sorted by aggregate: `version` counts those of an aggregate from 1.

`event_id` has 32 hexadecimal digits; `aggregate_key` is 64 bits of a hash of the aggregate's type and id, by which
aggregates that cannot be the same are found apart.
"""


@dataclass(frozen=True, eq=False)
class EventSource:
    """The events of one type that a frame tells of, made when somebody asks for their rows.

    They depend on the columns `read` of `frame`, and on nothing else of it. `said` has an expression for each field.
    """

    event: type[DomainEvent]
    frame: pl.DataFrame
    read: tuple[str, ...]
    when: nw.Expr
    said: Mapping[str, nw.Expr]
    occurred_at: nw.Expr

    def rows(self, kept: Sequence[str] = ()) -> pl.DataFrame:
        """Return the event rows, in the order of the frame, with the columns `kept` of it."""
        said = nw.from_native(self.frame).filter(self.when)
        # A field may have the name of a column that is kept.
        found = said.select(
            *(value.alias(f"said_{name}") for name, value in self.said.items()),
            self.occurred_at.alias(OCCURRED_AT),
            *(nw.col(name).alias(f"kept_{name}") for name in kept),
        ).to_native()
        members = found.select(
            (pl.col(f"said_{name}").cast(pl.String) if found.schema[f"said_{name}"].is_decimal() else f"said_{name}")
            for name in self.said
        ).rename(lambda name: name.removeprefix("said_"))
        return found.select(
            pl.lit(self.event.__name__).alias("event_type"),
            pl.lit(self.event.context).alias("context"),
            pl.lit(self.event.aggregate_type).alias("aggregate_type"),
            pl.col(f"said_{self.event.identity}").alias("aggregate_id"),
            json_objects(members).alias("payload"),
            OCCURRED_AT,
            *(pl.col(f"kept_{name}").alias(name) for name in kept),
        )


def event_rows(frame: pl.DataFrame, facts: type[F], milestone: Milestone[F]) -> EventSource:
    """Return the events that a milestone finds in `frame`, which has the columns of `facts`."""
    read = columns(facts, nw.from_native(frame).schema)
    return EventSource(
        milestone.event,
        frame,
        tuple(field.name for field in fields(cast(Any, facts)) if field.name in frame.columns),
        expression(milestone.when(read)),
        {name: _said(fact, read) for name, fact in milestone.says.items()},
        expression(milestone.occurred_at(read)),
    )


def numbered(rows: pl.DataFrame) -> pl.DataFrame:
    """Return event rows with `ordinal`, in its order, as `NUMBERED` says; of equal ones the first stays."""
    # Sorting by one column, stably, is faster than by three.
    by = [name for name in AGGREGATE if name == "aggregate_id" or rows[name].n_unique() > 1]
    identified = rows.with_columns(_event_ids(rows)).sort(by, maintain_order=True)
    if identified["event_id"].n_unique() < identified.height:
        identified = identified.unique("event_id", keep="first", maintain_order=True)
    number = pl.int_range(pl.len(), dtype=pl.Int64)
    begins = pl.any_horizontal(pl.col(name).ne_missing(pl.col(name).shift(1)) for name in AGGREGATE)
    marked = identified.with_columns(begins.alias("begins"))
    keys = aggregate_keys(marked.filter("begins"))
    return marked.with_columns(
        (number - pl.when("begins").then(number).forward_fill() + 1).cast(pl.Int32).alias("version"),
        keys.gather(marked["begins"].cum_sum() - 1).alias("aggregate_key"),
    ).drop("begins")


def aggregate_keys(rows: pl.DataFrame) -> pl.Series:
    """Return the key of the aggregate of each row; it is the same on every machine, for the store keeps it."""
    names = rows.select(pl.concat_str(*AGGREGATE, separator="/")).to_series()
    return md5(names).str.head(16).str.to_integer(base=16, dtype=pl.UInt64)


def md5(texts: pl.Series) -> pl.Series:
    """Return the MD5 of each text, as 32 hexadecimal digits."""
    hashed = functools.partial(hashlib.md5, usedforsecurity=False)
    found = [pl.Series("md5", [], dtype=pl.Binary)]
    # Python's own texts take several times the memory of Polars': there are never many of them.
    for start in range(0, len(texts), TEXTS_AT_ONCE):
        some = texts.slice(start, TEXTS_AT_ONCE).cast(pl.Binary).to_list()
        found.append(pl.Series("md5", [hashed(text).digest() for text in some], dtype=pl.Binary))
    return pl.concat(found, rechunk=True).bin.encode("hex")


def _event_ids(rows: pl.DataFrame) -> pl.Series:
    """Return the MD5 of each event's content, as the text of a `jsonb` array."""
    moment = pl.col(OCCURRED_AT)
    text = moment.dt.strftime("%Y-%m-%dT%H:%M:%S")
    if rows.select((moment.dt.microsecond() != 0).any()).item():
        text += moment.dt.strftime(".%6f").str.strip_chars_end("0").str.strip_chars_end(".")
    pieces: list[pl.Expr] = [pl.lit("[")]
    for name in ("context", "event_type", "aggregate_id"):
        pieces += [*quoted(rows[name]), pl.lit(", ")]
    content = pl.concat_str(*pieces, pl.lit('"'), text, pl.lit('", '), "payload", pl.lit("]"))
    return md5(rows.select(content).to_series()).alias("event_id")


def _said(fact: Any, read: object) -> nw.Expr:
    return nw.lit(fact) if isinstance(fact, str) else expression(fact(read))
