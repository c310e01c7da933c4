"""The work on one unit of a validation step: reads Parquet, writes Parquet, and returns counts.

What belongs here: what becomes of the rows of a unit: staging, and what is to be brought to PostgreSQL, the order of
events over the units of a step among it. What does not: how they are validated (the contexts), an event's form and id
(`engine.history`), bringing it there (`steps`, `stores.appending`), and which units there are (`units`).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import polars as pl

from olist_pipeline.engine.history import EVENTS, ORDINAL, EventSource, numbered
from olist_pipeline.engine.names import FLAGS
from olist_pipeline.intake.cast import RULES
from olist_pipeline.landing.csv_file import SOURCE_ROW
from olist_pipeline.months import MONTH, month_text
from olist_pipeline.staging import staging_path, take_place, write_frame, write_months, write_rows, write_snapshot
from olist_pipeline.validation.context import ValidationStep
from olist_pipeline.validation.inputs import Inputs, Read
from olist_pipeline.validation.table import StagedTable
from olist_pipeline.validation.units import Unit
from olist_pipeline.validation.validated import Validated

MonthOrAll = date | None
"""None for a step that has no months."""

ROWS = 2**40
"""More than any frame has: an ordinal is the number of a source times this, and the place of a row in it."""


@dataclass(frozen=True)
class TableReport:
    """What a validation did to one table, by rule."""

    accepted: int
    quarantined: int
    rules: dict[str, int]
    flags: dict[str, int]

    @classmethod
    def sum_of(cls, reports: Iterable[TableReport]) -> TableReport:
        """Return the report of all units of a table together."""
        total = cls(0, 0, {}, {})
        for one in reports:
            total = cls(
                total.accepted + one.accepted,
                total.quarantined + one.quarantined,
                dict(Counter(total.rules) + Counter(one.rules)),
                dict(Counter(total.flags) + Counter(one.flags)),
            )
        return total


@dataclass(frozen=True)
class EventFile:
    """The events of a month of a unit, in a file of the outbox, and the digest of what they were made of."""

    name: str
    digest: bytes
    path: Path


@dataclass(frozen=True)
class UnitReport:
    """What the work on a unit left: counts by table, quarantined rows in a file, and the events that are not known.

    `reads` is what it read, `digests` of what its events were made of, if there are any, the known ones included.
    """

    tables: dict[str, TableReport]
    quarantine: Path
    events: tuple[EventFile, ...]
    reads: tuple[Read, ...] = ()
    digests: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class ValidationWork:
    """The validation of one unit of `step`. Events whose digest is among `known` are not made again.

    `code` is the hash of the code that makes them, on whatever machine this is done. Before the parts of a step without
    months there is its `overview`, and after them they `take_place`.
    """

    step: ValidationStep
    intake: Path
    staging: Path
    outbox: Path
    as_of: date
    known: frozenset[bytes]
    code: str

    def __call__(self, unit: Unit) -> UnitReport:
        """Validate the unit: accepted rows to staging, others and events to the outbox."""
        inputs = self._inputs(unit)
        validated = self.step.validate(inputs)
        with ThreadPoolExecutor(len(self.step.tables) + 1) as beside:
            staged = {table.name: beside.submit(self._stage, unit, validated, table) for table in self.step.tables}
            quarantined = beside.submit(validated.quarantined)
            digests = _digests_of(
                validated.sources, f"{self.step.name}{unit.part}", self.code, is_monthly=unit.months is not None
            )
            events = tuple(self._write_events(unit, validated, digests))
            rejected = quarantined.result()
            accepted = {name: one.result() for name, one in staged.items()}
        made = {file.digest for file in events}
        path = self.outbox / f"{_label(unit)}.quarantine.parquet"
        write_frame(rejected, path)
        return UnitReport(
            {table.name: _report(table, *accepted[table.name], rejected) for table in self.step.tables},
            path,
            events,
            tuple(inputs.reads),
            tuple(digest for digest in digests.values() if digest in self.known or digest in made),
        )

    def overview(self, units: Sequence[Unit]) -> tuple[Read, ...]:
        """Write what the step's `units`, if they are parts, need to know of all rows; return what was read for it."""
        if self.step.overview is None or len(units) == 1:
            return ()
        inputs = [self._inputs(unit) for unit in units]
        write_rows(self.step.overview(inputs), self._overview_file)
        return tuple(read for one in inputs for read in one.reads)

    def take_place(self, units: Sequence[Unit]) -> None:
        """Bring the parts of tables without months from the outbox to staging, once all of them are there."""
        parts = [unit.part for unit in units if unit.months is None and unit.part]
        for table in self.step.tables if parts else ():
            written = [staging_path(self._aside, table.context, table.name, None, part) for part in parts]
            take_place(written, self.staging, table.context, table.name)

    @property
    def _aside(self) -> Path:
        return self.outbox / "staging"

    @property
    def _overview_file(self) -> Path:
        return self.outbox / "overview.parquet"

    def _inputs(self, unit: Unit) -> Inputs:
        declared = frozenset((*self.step.intake, *self.step.published))
        overview = self._overview_file if self.step.overview and unit.part else None
        return Inputs(self.intake, self.staging, declared, unit, self.as_of, overview_file=overview)

    def _stage(self, unit: Unit, validated: Validated, table: StagedTable) -> tuple[int, dict[str, int]]:
        """Write the accepted rows of a table; return their number, and how often each flag is among them."""
        accepted = validated.accepted(table.name)
        if unit.months is None and unit.part:
            write_frame(accepted, staging_path(self._aside, table.context, table.name, None, unit.part))
        elif unit.months is None:
            write_snapshot(accepted, self.staging, table.context, table.name)
        else:
            write_months(accepted, self.staging, table.context, table.name, unit.months, unit.part)
        return accepted.height, dict(Counter(accepted[FLAGS].explode().drop_nulls().to_list()))

    def _write_events(
        self, unit: Unit, validated: Validated, digests: Mapping[MonthOrAll, bytes]
    ) -> Iterable[EventFile]:
        new = {month: digest for month, digest in digests.items() if digest not in self.known}
        for month, events in _events_of(validated.sources, new, is_monthly=unit.months is not None):
            name = f"{self.step.name}/{month_text(month) if month else 'all'}{unit.part}"
            path = self.outbox / f"{name.replace('/', '.')}.events.parquet"
            write_frame(events, path)
            yield EventFile(name, new[month], path)


def count_codes(codes: pl.Series) -> dict[str, int]:
    """Return how often each code is named in texts of codes by commas."""
    return dict(Counter(codes.str.split(",").explode().drop_nulls().to_list()))


def _report(table: StagedTable, accepted: int, flags: dict[str, int], quarantined: pl.DataFrame) -> TableReport:
    rejected = quarantined.filter(pl.col("source_table") == table.name)
    return TableReport(accepted, rejected.height, count_codes(rejected[RULES]), flags)


def _label(unit: Unit) -> str:
    months = [month_text(month) for month in unit.months or ()]
    return f"{f'{months[0]}-{months[-1]}' if months else 'all'}{unit.part}"


def _digests_of(sources: Sequence[EventSource], name: str, code: str, *, is_monthly: bool) -> dict[MonthOrAll, bytes]:
    """Return a digest for each month that any of the sources has rows of, whatever the order of the rows.

    `name` is part of it, and `code`, the hash of the code that makes events of rows. Where it is known, the events were
    appended, and nobody need make them again.
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


def _events_of(
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
    return replace(source, frame=placed).rows((MONTH, ORDINAL))


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
