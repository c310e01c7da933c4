"""The events of validated rows, month by month: whether they are known, and the rows that are appended.

What belongs here: digests of what events are made of, and the order of events over the units of a step. What does not:
an event's form and id (`engine.history`), and appending (`stores.appending`).

A digest is of the rows that events are made of, whatever their order, and of the code: where it is known, the events
were appended, and nobody need make them again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from datetime import date

import polars as pl

from olist_pipeline.engine.history import EVENTS, ORDINAL, EventSource, numbered
from olist_pipeline.landing.csv_file import SOURCE_ROW
from olist_pipeline.months import MONTH

MonthOrAll = date | None
"""None for a step that has no months."""

ROWS = 2**40
"""More than any frame has: an ordinal is the number of a source times this, and the place of a row in it."""


def digests_of(sources: Sequence[EventSource], name: str, code: str, *, is_monthly: bool) -> dict[MonthOrAll, bytes]:
    """Return a digest for each month that any of the sources has rows of.

    `name` is part of it, and `code`, the hash of the code that makes events of rows.
    """
    sums: dict[tuple[int, tuple[str, ...]], dict[MonthOrAll, tuple[int, int]]] = {}
    for source in sources:
        same = (id(source.frame), source.read)
        if same not in sums:
            sums[same] = _sums(source, is_monthly=is_monthly)
    found: dict[MonthOrAll, bytes] = {}
    for month in sorted({month for by_month in sums.values() for month in by_month}, key=str):
        digest = hashlib.blake2b(f"{code}:{name}:{month}".encode(), digest_size=16)
        for source in sources:
            counted = sums[id(source.frame), source.read].get(month, (0, 0))
            digest.update(f"{source.event.__name__}:{counted}".encode())
        found[month] = digest.digest()
    return found


def events_of(
    sources: Sequence[EventSource], months: Collection[MonthOrAll], *, is_monthly: bool
) -> Iterator[tuple[MonthOrAll, pl.DataFrame]]:
    """Yield the numbered events of each of `months` that has any (see `engine.history.NUMBERED`)."""
    if not months:
        return
    wanted = [month for month in months if month is not None]
    found = [_rows(source, number, wanted, is_monthly=is_monthly) for number, source in enumerate(sources)]
    rows = pl.concat([pl.DataFrame(schema={**EVENTS, MONTH: pl.Date, ORDINAL: pl.Int64}), *found])
    for (month,), part in sorted(rows.partition_by(MONTH, as_dict=True).items(), key=str):
        yield month, numbered(part.drop(MONTH))


def _rows(source: EventSource, number: int, months: list[date], *, is_monthly: bool) -> pl.DataFrame:
    """Return a source's events of `months`, with their month and their ordinal."""
    frame = source.frame
    # Of an aggregate that is in several units, the order of landing is that of its events in all of them together.
    is_of_landing = SOURCE_ROW in frame.columns and frame[SOURCE_ROW].is_sorted()
    place = pl.col(SOURCE_ROW) if is_of_landing else pl.int_range(pl.len(), dtype=pl.Int64)
    month = pl.col(MONTH) if is_monthly else pl.lit(None, pl.Date)
    placed = frame.with_columns((place + number * ROWS).alias(ORDINAL), month.alias(MONTH))
    if is_monthly:
        placed = placed.filter(pl.col(MONTH).is_in(months))
    rows = EventSource(source.event, placed, source.read, source.when, source.said, source.occurred_at)
    return rows.rows((MONTH, ORDINAL))


def _sums(source: EventSource, *, is_monthly: bool) -> dict[MonthOrAll, tuple[int, int]]:
    """Return the number of rows of each month, and the sum of their hashes."""
    hashes = source.frame.select(source.read).hash_rows(1).alias("hash")
    month = source.frame[MONTH] if is_monthly else pl.repeat(None, len(hashes), dtype=pl.Date, eager=True)
    hashed = pl.DataFrame([month.alias("month"), hashes])
    # A sum of 64 bits goes round, which is as good a hash as any.
    return {
        month: (rows, total)
        for month, rows, total in hashed.group_by("month").agg(pl.len(), pl.col("hash").sum()).iter_rows()
    }
