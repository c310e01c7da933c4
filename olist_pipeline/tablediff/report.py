"""The result of a comparison: counts, differences, samples, the ledger, and the sentences that tell them.

Belongs here: immutable values, their JSON form and their wording. Does not belong here: SQL, or anything that
counts (`compare.py`).

Values in samples and changes are the database's own text of them (`None` is NULL), so that nothing is rounded
or cut on its way through Python.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

from olist_pipeline.tablediff.contract import LedgerError

Row = Mapping[str, str | None]
"""Column name -> the text of its value."""
MOST_SHOWN = 400
"""So many characters of a value stand in a sentence or a cell: more would hide what else differs."""


@dataclass(frozen=True)
class SchemaDifference:
    """A column that is not the same on both sides.

    kind: `missing` (only old has it), `extra` (only new has it), `retyped` (old and new are the types),
        `recased` (the names differ in case only; old and new are the names), `reordered` (old and new are the
        positions among the shared columns, from 1).
    """

    kind: str
    column: str
    old: str | None
    new: str | None

    def __str__(self) -> str:
        if self.kind == "missing":
            return f"column {self.column} ({self.old}) is missing in new"
        if self.kind == "extra":
            return f"column {self.column} ({self.new}) is only in new"
        return f"column {self.column} is {self.kind}: {self.old} -> {self.new}"


@dataclass(frozen=True)
class CellChange:
    """One old value that became one new value, how often, and the key of one such row."""

    old: str | None
    new: str | None
    count: int
    key: Row


@dataclass(frozen=True)
class ColumnDifference:
    """A compared column over the rows that were paired by key.

    equal, unequal: pairs of cells. largest: the largest absolute difference in `unit` ('' for numbers,
    'seconds' for dates and times, None where differences have no size); None where no pair has one (a change
    to or from NULL, NaN or an infinity has none). changes: the most frequent ones, most frequent first.
    """

    column: str
    old_type: str
    new_type: str
    tolerance: str
    equal: int
    unequal: int
    largest: float | None
    unit: str | None
    changes: tuple[CellChange, ...]


@dataclass(frozen=True)
class RowSample:
    """One row with its key: the old and the new row side by side; None where that side has no such row.

    unequal: the columns whose cells differ, where there are both. Equal cells may have other texts: 1.10 and 1.1.
    """

    key: Row
    old: Row | None
    new: Row | None
    unequal: tuple[str, ...] = ()


@dataclass(frozen=True)
class GroupSample:
    """The rows of one key that does not identify a row.

    old_rows, new_rows: how many rows the key has. old, new: rows that one side has more often than the other;
    empty for an identical group, and cut to the number of samples asked for.
    """

    key: Row
    identical: bool
    old_rows: int
    new_rows: int
    old: tuple[Row, ...]
    new: tuple[Row, ...]


@dataclass(frozen=True)
class Groups:
    """Rows whose key does not identify them, compared as multisets, a key at a time."""

    rows_old: int = 0
    rows_new: int = 0
    identical: int = 0
    differing: int = 0
    samples: tuple[GroupSample, ...] = ()

    @property
    def count(self) -> int:
        """Number of keys."""
        return self.identical + self.differing


@dataclass(frozen=True)
class SideCounts:
    """Where every row of one relation went."""

    rows: int
    equal: int
    unequal: int
    only: int
    duplicate_keyed: int
    null_keyed: int

    @property
    def unpaired(self) -> int:
        """Rows that were not paired by key."""
        return self.only + self.duplicate_keyed + self.null_keyed

    def equation(self, name: str) -> str:
        """Return the account as one line."""
        return (
            f"{name} {self.rows} = equal {self.equal} + unequal {self.unequal} + only in {name} {self.only}"
            f" + duplicate-keyed {self.duplicate_keyed} + null-keyed {self.null_keyed}"
        )


@dataclass(frozen=True)
class ColumnSide:
    """Where the cells of one column went, over the paired rows."""

    column: str
    equal: int
    unequal: int


@dataclass(frozen=True)
class Ledger:
    """The account of every row and of every cell. Constructing one that does not add up raises LedgerError.

    `rows` of a side is counted on its own; every other figure comes from the comparison.
    """

    table: str
    old: SideCounts
    new: SideCounts
    columns: tuple[ColumnSide, ...]

    def __post_init__(self) -> None:
        wrong = list(self._wrong())
        if wrong:
            raise LedgerError(
                f"The comparison of {self.table} does not add up and must not be used"
                f" (did a relation change meanwhile?): {'; '.join(wrong)}."
            )

    def _wrong(self) -> Iterator[str]:
        for name, side in (("old", self.old), ("new", self.new)):
            if side.rows != side.equal + side.unequal + side.unpaired:
                yield side.equation(name)
            for column in self.columns:
                if side.rows != column.equal + column.unequal + side.unpaired:
                    yield (
                        f"column {column.column}: {name} {side.rows} = equal {column.equal}"
                        f" + unequal {column.unequal} + unpaired {side.unpaired}"
                    )
        if (self.old.equal, self.old.unequal) != (self.new.equal, self.new.unequal):
            yield "old and new pair different numbers of rows"


@dataclass(frozen=True)
class Comparison:
    """What a comparison found. `identical` is the verdict: same schema, and the same rows within tolerance.

    equal, unequal: rows paired by key. only_in_old, only_in_new: rows without a partner. duplicates: rows
    whose key occurs more than once on either side. null_keys: rows with NULL in a part of the key. columns:
    every compared column, in the order of the old relation. unequal_samples and the like: lowest keys first.
    fast_path: the fingerprints decided and no rows were paired; then `keys_examined` tells whether duplicate
    and null keys were counted all the same (they are up to a million rows), and where it is False those rows
    are among `equal`. notes: sentences on how cells were read, such as text that is no value of the other side's type.
    """

    table: str
    where: str | None
    identical: bool
    fast_path: bool
    keys_examined: bool
    rows_old: int
    rows_new: int
    equal: int
    unequal: int
    only_in_old: int
    only_in_new: int
    duplicates: Groups
    null_keys: Groups
    schema: tuple[SchemaDifference, ...]
    columns: tuple[ColumnDifference, ...]
    excluded: Mapping[str, str]
    notes: tuple[str, ...]
    unequal_samples: tuple[RowSample, ...]
    only_in_old_samples: tuple[RowSample, ...]
    only_in_new_samples: tuple[RowSample, ...]
    ledger: Ledger

    @property
    def differing_columns(self) -> tuple[ColumnDifference, ...]:
        """The columns with at least one unequal cell, most differences first."""
        return tuple(sorted((c for c in self.columns if c.unequal), key=lambda c: (-c.unequal, c.column)))

    def spellings(self) -> list[str]:
        """Return how new would be spelled as old, where both have the same rows and only types or cases differ."""
        differing = self.unequal or self.only_in_old or self.only_in_new or self.duplicates.differing
        if differing or self.null_keys.differing or {one.kind for one in self.schema} - {"retyped", "recased"}:
            return []
        return [
            f"cast({one.column} as {one.old})" if one.kind == "retyped" else f"{one.new} as {one.old}"
            for one in self.schema
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return the whole result as values that JSON has; an infinite difference becomes the text 'inf'."""
        return asdict(self, dict_factory=_plain)

    def sentences(self) -> list[str]:
        """Return the result in words, the verdict first, one finding a line."""
        return [self._verdict(), *self._findings(), *self._notes()]

    def summary(self, findings: int = 4) -> str:
        """Return the verdict and its first findings in one line without a full stop."""
        lines = [self._verdict(), *islice(self._findings(), findings)]
        return "; ".join(line.strip().rstrip(".") for line in lines)

    def _verdict(self) -> str:
        scope = f" where {self.where}" if self.where else ""
        if self.identical and not self.rows_old:
            return f"{self.table}{scope}: identical, but neither side has a row: only columns were compared."
        if self.identical:
            return f"{self.table}{scope}: identical, {_rows(self.rows_old)} on both sides."
        return f"{self.table}{scope}: differs; old has {_rows(self.rows_old)}, new has {_rows(self.rows_new)}."

    def _findings(self) -> Iterator[str]:
        for difference in self.schema:
            yield f"Schema: {difference}."
        for name, count, samples in (
            ("old", self.only_in_old, self.only_in_old_samples),
            ("new", self.only_in_new, self.only_in_new_samples),
        ):
            if count:
                yield f"{_rows(count)} only in {name}, for example {_key(samples[0].key if samples else {})}."
        if self.unequal:
            example = _key(self.unequal_samples[0].key if self.unequal_samples else {})
            yield f"{_rows(self.unequal)} unequal, for example {example}."
        for column in self.differing_columns:
            yield from _column_sentences(column)
        yield from _group_sentences("Duplicate keys", self.duplicates)
        yield from _group_sentences("Keys with NULL", self.null_keys)

    def _notes(self) -> Iterator[str]:
        tolerant = [f"{column.column} ({column.tolerance})" for column in self.columns if column.tolerance != "exact"]
        if tolerant and not self.fast_path:
            yield f"Compared with a tolerance: {', '.join(tolerant)}."
        yield from self.notes
        for name, reason in self.excluded.items():
            yield f"Column {name} is not compared: {reason}."
        if self.fast_path:
            keys = "" if self.keys_examined else "; keys were not examined"
            yield f"Decided by fingerprint: the compared columns hold the same rows on both sides{keys}."
        yield f"Ledger: {self.ledger.old.equation('old')}; {self.ledger.new.equation('new')}."


def _column_sentences(column: ColumnDifference) -> Iterator[str]:
    unit = " s" if column.unit == "seconds" else ""
    largest = "" if column.largest is None else f", largest difference {column.largest:.12g}{unit}"
    yield f"Column {column.column}: {column.unequal} of {column.equal + column.unequal} cells differ{largest}."
    for change in column.changes:
        old, new = around_difference(change.old, change.new)
        yield f"  {quoted(old)} -> {quoted(new)}: {counted(change.count, 'time')}, for example {_key(change.key)}"


def _group_sentences(name: str, groups: Groups) -> Iterator[str]:
    if groups.count:
        yield (
            f"{name}: {groups.count} ({_rows(groups.rows_old)} in old, {_rows(groups.rows_new)} in new);"
            f" as multisets {groups.identical} identical, {groups.differing} differing,"
            f" for example {_key(groups.samples[0].key if groups.samples else {})}."
        )


def counted(count: int, noun: str) -> str:
    """Return a number with the noun that it counts: `1 row`, `2 rows`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _rows(count: int) -> str:
    return counted(count, "row")


def _key(key: Row) -> str:
    return ", ".join(f"{name} = {quoted(value)}" for name, value in key.items()) or "(no sample asked for)"


def quoted(value: str | None) -> str:
    """Return the text of a value as a sentence shows it."""
    return "NULL" if value is None else f"'{shortened(value)}'"


def around_difference(old: str | None, new: str | None) -> tuple[str | None, str | None]:
    """Return two values for people, of long ones what begins a little before the place at which they part."""
    left, right = old or "", new or ""
    differing = (place for place, (one, other) in enumerate(zip(left, right, strict=False)) if one != other)
    start = next(differing, min(len(left), len(right))) - MOST_SHOWN // 4
    if max(len(left), len(right)) <= MOST_SHOWN or start <= 0:
        return old, new
    return old and f"...{old[start:]}", new and f"...{new[start:]}"


def shortened(value: str) -> str:
    """Return the beginning of a value that is longer than people read."""
    return value if len(value) <= MOST_SHOWN else f"{value[:MOST_SHOWN]}..."


def _plain(fields: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the fields of a dataclass as JSON has them."""
    plain = {}
    for name, value in fields:
        is_infinite = isinstance(value, float) and not math.isfinite(value)
        plain[name] = str(value) if is_infinite else list(value) if isinstance(value, tuple) else value
    return plain
