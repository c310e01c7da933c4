"""Units of work: the pieces that a step is cut into, and who has them worked through.

What belongs here: what a unit is, how a step is cut, and running one piece of work over many. What does not: the work
(see `work`), and where its results are brought to (`steps`).

A unit bounds memory: it is one month or some small ones, or a part of what is too large (a month, or all rows of a step
without months), by a hash of the column that the step is cut by. It and the work can be pickled and know nothing of
Dagster and PostgreSQL, so another runner may have them worked through on other machines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol, TypeVar

import polars as pl

from olist_pipeline.months import month_text

ReportT = TypeVar("ReportT")
PieceT = TypeVar("PieceT", bound="PieceOfWork")

ROWS_A_UNIT = 2_000_000
"""About so many rows of intake are validated at once: some 2 GB of memory at the most."""

UNITS_A_CORE = 3
"""Of units that are worked on side by side, each core gets about so many, so that all end at about the same time."""

HASH_SEED = 7


class PieceOfWork(Protocol):
    """A piece of work that can be pickled; `name` is what a person calls it."""

    @property
    def name(self) -> str:
        """What a person calls it."""


@dataclass(frozen=True)
class Unit:
    """A unit of work: whole months, or part `number` of the `parts` of one, or of all there is (`months` is None)."""

    months: tuple[date, ...] | None
    cut: str | None = None
    number: int = 0
    parts: int = 1

    @property
    def name(self) -> str:
        """Its months, and the part of them."""
        return f"{name_of_months(self.months) if self.months else 'all rows'}{self.part}"

    @property
    def part(self) -> str:
        """What the names of a part's files end in; nothing for what is whole."""
        return f".{self.number + 1}of{self.parts}" if self.parts > 1 else ""

    def part_of(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        """Return those rows that belong to the part."""
        if self.parts == 1 or self.cut is None:
            return rows
        return rows.filter(pl.col(self.cut).hash(HASH_SEED) % self.parts == self.number)


class RunUnits(Protocol):
    """Has units worked through."""

    def __call__(self, units: Sequence[PieceT], work: Callable[[PieceT], ReportT]) -> Iterable[ReportT]:
        """Return the report of each unit, in their order."""


@dataclass(frozen=True)
class Runner:
    """Who has the units of a step worked through: `run` does, `at_a_time` of them side by side.

    `place` says where, for whoever looks at the run.
    """

    run: RunUnits
    at_a_time: int = 1
    place: Mapping[str, str] = field(default_factory=dict)


def units_of_all(rows: int, cut: str | None, limit: int) -> list[Unit]:
    """Return the units of a step without months, which reads so many `rows`: about `limit` of them a unit, if cut."""
    parts = max(-(-rows // limit), 1) if cut else 1
    return [Unit(None, cut, number, parts) for number in range(parts)]


def units_of(
    months: Sequence[date], rows: Mapping[date, int], cut: str | None, limit: int, at_a_time: int = 1
) -> list[Unit]:
    """Return the units of `months`, which have so many `rows` each: about `limit` rows a unit at the most.

    Where several are worked on `at_a_time`, a unit has fewer months. A month has the same parts wherever it is
    validated, for its files and the partitions of events are named after them.
    """
    whole = sum(rows.get(month, 0) for month in months)
    together = limit if at_a_time == 1 else min(limit, whole // (at_a_time * UNITS_A_CORE))
    units: list[Unit] = []
    waiting: list[date] = []
    for month in sorted(months):
        parts = -(-rows.get(month, 0) // limit) if cut else 1
        if parts > 1:
            units += [Unit((month,), cut, number, parts) for number in range(parts)]
        elif waiting and sum(rows.get(one, 0) for one in (*waiting, month)) > together:
            units.append(Unit(tuple(waiting)))
            waiting = [month]
        else:
            waiting.append(month)
    return [*units, Unit(tuple(waiting))] if waiting else units


def name_of_months(months: Sequence[date]) -> str:
    """Return what a person calls some months: the first and the last of them."""
    return " to ".join(sorted({month_text(month) for month in (months[0], months[-1])}))


def run_locally(units: Iterable[PieceT], work: Callable[[PieceT], ReportT]) -> Iterator[ReportT]:
    """Yield the report of each unit, one after the other: a unit has all cores for itself, and all memory."""
    yield from map(work, units)


def ahead(reports: Iterable[ReportT]) -> Iterator[ReportT]:
    """Yield reports, of which the next is waited for in a thread while somebody deals with the one before."""
    waiting = iter(reports)
    with ThreadPoolExecutor(1) as beside:
        following = beside.submit(next, waiting, None)
        while (report := following.result()) is not None:
            following = beside.submit(next, waiting, None)
            yield report
