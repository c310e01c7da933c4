"""Appending events: what is there already, the versions of what is new, and the partitions that it goes into.

What belongs here: bringing the events of units of work to the store, each once. What does not: which events there are
and their ids (the engine), and reading them (`events`).

A unit that is new gets a partition of its own: a table is made, filled by COPY, indexed and attached in one
transaction. One that is there is compared by the ids in it. An aggregate's events are in one unit as a rule; where an
order was moved to another month, or a review is of several, the other units are looked up too: for each batch the store
keeps the keys of the aggregates that it began, so nothing else needs to be read. What an earlier program appended is in
a partition of no unit, and is looked up for as long as there is any.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt
import polars as pl
import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812 - psycopg2's class is in lower case

from olist_pipeline.errors import OlistError
from olist_pipeline.stores.postgres import copied, copy_frame, query_rows, transaction

WRITER_SECONDS = 600
"""A writer of a context's events waits so long for another one."""

WRITERS = 2
"""So many batches are stored at a time: the server works on each with one core."""

MOST_EVENTS = 2_000_000
"""So many events of several batches are held in memory at the most, about a gigabyte; a larger batch is alone."""

NO_UNIT = 0
"""The partition of what no unit of work appended."""

ID, KEY, VERSION, AGGREGATE = "event_id", "aggregate_key", "version", ["aggregate_type", "aggregate_id"]
CONTENT = [ID, "event_type", "context", *AGGREGATE, VERSION, "payload", "occurred_at"]
_FOUND = {ID: pl.String, **dict.fromkeys(AGGREGATE, pl.String), VERSION: pl.Int32}
_FOUND_COLUMNS = "replace(event_id::text, '-', ''), aggregate_type, aggregate_id, version"

Keys = npt.NDArray[np.uint64]


@dataclass(frozen=True, eq=False)
class Batch:
    """The events of a unit, as `engine.history.numbered` gives them.

    `digest` is of what they were made of: batches with one digest have the same events.
    """

    unit: str
    digest: bytes
    events: pl.LazyFrame


def known_digests(url: str) -> set[bytes]:
    """Return the digests of all batches that were ever appended: their events are there."""
    return {bytes(digest) for (digest,) in query_rows(url, "SELECT digest FROM event_store.batches")}


def append(url: str, context: str, batches: Iterable[Batch], run_id: str, *, are_apart: bool = False) -> int:
    """Append those events of a context that are not there yet, and return their number.

    Each unit has one batch. Each is a transaction: after a crash, the rest is appended by appending all again.
    `are_apart` says that no two batches have events of one aggregate: then the first are stored while others are made.
    """
    found = iter(batches)
    first = next(found, None)
    if first is None:
        return 0
    with _sole_writer(url, context), ThreadPoolExecutor(WRITERS) as writers:
        known = known_digests(url)
        new = (batch for batch in chain([first], found) if batch.digest not in known)
        store = _Store(url, context, run_id)
        if are_apart:
            waiting = _Waiting(new)
            shared = store.place_shared([])
        else:
            all_of_them = list(new)
            waiting = _Waiting(iter(all_of_them))
            shared = store.place_shared(all_of_them)
        writing = [writers.submit(store.append_all, waiting, shared) for _ in range(WRITERS)]
        try:
            return sum(one.result() for one in as_completed(writing))
        except BaseException:
            waiting.end()
            raise


class _Waiting:
    """Batches that several writers take, each of them once, as far as there is room in memory."""

    def __init__(self, batches: Iterator[Batch]) -> None:
        self._batches = batches
        self._taking = threading.Lock()
        self._room = threading.Condition()
        self._held = 0

    @contextmanager
    def taken(self) -> Iterator[Batch | None]:
        """Yield the next batch, None where there is no other, and keep its room until the block ends."""
        with self._taking:
            batch = next(self._batches, None)
            events = batch.events.select(pl.len()).collect().item() if batch else 0
            with self._room:
                self._room.wait_for(lambda: not self._held or self._held + events <= MOST_EVENTS)
                self._held += events
        try:
            yield batch
        finally:
            with self._room:
                self._held -= events
                self._room.notify_all()

    def end(self) -> None:
        """Let nobody take another."""
        self._batches = iter(())


class _Store:
    """What is there of a context's events while nobody else appends to them."""

    def __init__(self, url: str, context: str, run_id: str) -> None:
        self.url, self.context, self.run_id = url, context, run_id
        self.units = dict(query_rows(url, "SELECT name, unit FROM event_store.units WHERE context = %s", [context]))
        found = query_rows(
            url, "SELECT unit, aggregate_keys FROM event_store.batches WHERE unit = ANY(%s)", [[*self.units.values()]]
        )
        keys = [np.frombuffer(stored, dtype="<u8") for _, stored in found]
        units = [np.full(len(part), unit, np.int32) for part, (unit, _) in zip(keys, found, strict=True)]
        self.keys: Keys = np.concatenate([np.empty(0, np.uint64), *keys])
        self.units_of_keys = np.concatenate([np.empty(0, np.int32), *units])
        self.has_others = bool(query_rows(url, f"SELECT FROM event_store.domain_events WHERE unit = {NO_UNIT} LIMIT 1"))
        self._attaching = threading.Lock()

    def place_shared(self, batches: Sequence[Batch]) -> pl.DataFrame:
        """Return `event_id`, `unit` and `version` of what is to be appended of aggregates that several batches share.

        Their events are numbered in the order of all batches together. `aggregate_key` has all of these aggregates.
        """
        firsts = [batch.events.filter(pl.col(VERSION) == 1).select(KEY) for batch in batches]
        keys = pl.concat([pl.Series(KEY, [], pl.UInt64).to_frame(), *pl.collect_all(firsts)])[KEY]
        shared = keys.filter(keys.is_duplicated()).unique()
        rows = [
            batch.events.filter(pl.col(KEY).is_in(shared.implode())).with_columns(pl.lit(batch.unit).alias("unit"))
            for batch in batches
            if shared.len()
        ]
        if not rows:
            return pl.DataFrame(schema={ID: pl.String, "unit": pl.String, VERSION: pl.Int32, KEY: pl.UInt64})
        events = pl.concat(row.select(ID, "unit", *AGGREGATE, KEY, "ordinal") for row in rows).collect()
        events = events.sort(*AGGREGATE, "ordinal", maintain_order=True).unique(ID, keep="first", maintain_order=True)
        events = _numbered(events)
        with transaction(self.url) as connection:
            found = self._look_up(connection, events, [*self.units.values()])
        return _fresh(events, found).select(ID, "unit", VERSION, KEY)

    def append_all(self, waiting: _Waiting, shared: pl.DataFrame) -> int:
        """Append batch after batch until none is waiting; return the number of events. Others may do so beside it."""
        appended = 0
        with transaction(self.url) as connection:
            connection.cursor().execute("SET max_parallel_maintenance_workers = 0")  # each writer has a core
            while True:
                with waiting.taken() as batch:
                    if batch is None:
                        return appended
                    appended += self._append(connection, batch, shared)

    def _append(self, connection: Connection, batch: Batch, shared: pl.DataFrame) -> int:
        """Append what is new of a batch in one transaction; return the number of events."""
        unit = self.units.get(batch.unit)
        events = batch.events.collect()
        fresh = self._unshared(connection, events, unit, shared)
        if shared.height:
            placed = shared.filter(pl.col("unit") == batch.unit).select(ID, VERSION)
            ours = events.drop(VERSION).join(placed, on=ID).select(fresh.columns)
            fresh = pl.concat([fresh, ours]).sort(*AGGREGATE, VERSION)
        filled = self._write(connection, fresh, unit) if fresh.height else unit
        begun = self._begun(fresh, unit)
        # Who attaches a partition keeps the others from it until the end of the transaction.
        with self._attaching, connection.cursor() as cursor:
            if filled != unit:
                cursor.execute("SELECT event_store.attach_unit(%s, %s, %s)", [filled, self.context, batch.unit])
            cursor.execute(
                "INSERT INTO event_store.batches (digest, unit, aggregate_keys) VALUES (%s, %s, %s)",
                [batch.digest, filled, begun.astype("<u8").tobytes()],
            )
            connection.commit()
        return fresh.height

    def _unshared(
        self, connection: Connection, events: pl.DataFrame, unit: int | None, shared: pl.DataFrame
    ) -> pl.DataFrame:
        """Return what is new of those aggregates of a batch that no other batch has."""
        if shared.height:
            events = events.filter(~pl.col(KEY).is_in(shared[KEY].unique().implode()))
        others = [other for other in self.units.values() if other != unit]
        found = [self._look_up(connection, events, others)]
        if unit is not None:
            statement = f"SELECT {_FOUND_COLUMNS} FROM event_store.domain_events WHERE unit = {unit}"
            found.append(copied(connection, statement, _FOUND))
        return _fresh(events, pl.concat(found))

    def _look_up(self, connection: Connection, events: pl.DataFrame, units: Sequence[int]) -> pl.DataFrame:
        """Return the events in `units`, and in none, of those aggregates that may have any there."""
        found = [pl.DataFrame(schema=_FOUND)]
        candidates = self.keys[np.isin(self.units_of_keys, units)]
        if candidates.size:
            candidates = candidates[np.isin(candidates, events[KEY].to_numpy())]
        known = pl.Series(KEY, candidates, pl.UInt64).unique()
        if known.len():
            wanted = events.filter(pl.col(KEY).is_in(known.implode()))
            having = np.unique(self.units_of_keys[np.isin(self.keys, candidates)])
            found.append(_events_of(connection, wanted, sorted(set(having.tolist()) & set(units))))
        if self.has_others and events.height:
            found.append(_events_of(connection, events, [NO_UNIT]))
        return pl.concat(found)

    def _write(self, connection: Connection, fresh: pl.DataFrame, unit: int | None) -> int:
        """Write events to the unit's partition, or to a table that is made to become it; return its number."""
        rows = fresh.select(*CONTENT, pl.lit(self.run_id).alias("run_id"))
        if unit is not None:
            copy_frame(connection, rows.with_columns(pl.lit(unit).alias("unit")), "event_store.domain_events")
            return unit
        with connection.cursor() as cursor:
            cursor.execute("SELECT event_store.create_unit()")
            [made] = cursor.fetchone() or (None,)
        copy_frame(connection, rows, f"event_store.events_{made}", freeze=True)
        return int(made)

    def _begun(self, fresh: pl.DataFrame, unit: int | None) -> Keys:
        """Return the keys of aggregates that had no event in the unit before."""
        keys: Keys = np.unique(fresh[KEY].to_numpy())
        if unit is None:
            return keys
        return np.setdiff1d(keys, self.keys[self.units_of_keys == unit], assume_unique=True)


def _fresh(events: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """Return those of `events`, numbered, that are not among the `found` ones, with versions that follow on theirs."""
    if not found.height:
        return events
    fresh = events.join(found.select(ID), on=ID, how="anti", maintain_order="left")
    last = found.group_by(AGGREGATE).agg(pl.col(VERSION).max().alias("last"))
    fresh = _numbered(fresh.join(last, on=AGGREGATE, how="left", maintain_order="left"))
    return fresh.with_columns(pl.col(VERSION) + pl.col("last").fill_null(0)).drop("last")


def _numbered(events: pl.DataFrame) -> pl.DataFrame:
    """Return events, sorted by aggregate, with versions from 1."""
    begins = events.select(pl.struct(AGGREGATE).rle_id()).to_series()
    counted = pl.DataFrame({"run": begins}).select(pl.int_range(1, pl.len() + 1, dtype=pl.Int32).over("run"))
    return events.with_columns(counted.to_series().alias(VERSION))


def _events_of(connection: Connection, wanted: pl.DataFrame, units: Sequence[int]) -> pl.DataFrame:
    """Return the events of aggregates in some units."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS wanted")
        cursor.execute("CREATE TEMPORARY TABLE wanted (aggregate_type text, aggregate_id text) ON COMMIT DROP")
        copy_frame(connection, wanted.select(AGGREGATE).unique(), "wanted")
        cursor.execute("ANALYZE wanted")
    statement = (
        f"SELECT {_FOUND_COLUMNS} FROM wanted JOIN event_store.domain_events USING (aggregate_type, aggregate_id)"
        f" WHERE unit IN ({', '.join(map(str, units))})"
    )
    return copied(connection, statement, _FOUND)


@contextmanager
def _sole_writer(url: str, context: str) -> Iterator[None]:
    """Hold the lock of those who append to a context's events: versions of an aggregate are given in one place."""
    with transaction(url) as connection, connection.cursor() as cursor:
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        cursor.execute("SET LOCAL lock_timeout = %s", [f"{WRITER_SECONDS}s"])
        try:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('event_store ' || %s, 0))", [context])
        except psycopg2.errors.LockNotAvailable as error:
            raise OlistError(
                f"Another process has been appending events of {context} for {WRITER_SECONDS} s; run again later."
            ) from error
        yield
