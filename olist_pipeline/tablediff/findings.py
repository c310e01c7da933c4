"""What differs between the rows that a comparison has paired: by column, in the most frequent changes, and in samples.

Belongs here: reading the rows that are not equal once more. Does not belong here: finding them (`compare.py`), and how
it is shown (`report.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from olist_pipeline.tablediff.pairs import Pair
from olist_pipeline.tablediff.plan import BLOCK_COLUMNS, Plan
from olist_pipeline.tablediff.report import CellChange, ColumnDifference, RowSample, counted, quoted
from olist_pipeline.tablediff.sql import ascending
from olist_pipeline.tablediff.workspace import Workspace

EQUAL, UNEQUAL, ONLY_OLD, ONLY_NEW = range(4)
"""The states of a row, or of a pair of rows."""

COPIED_SHARE = 0.1
"""Up to this share of rows, the rows that are not equal are copied to be read again; beyond it the relations are."""


@dataclass
class Counts:
    """Where the rows went."""

    rows_old: int
    rows_new: int
    equal: int = 0
    unequal: int = 0
    only_old: int = 0
    only_new: int = 0
    null_old: int = 0
    null_new: int = 0
    duplicate_old: int = 0
    duplicate_new: int = 0

    @property
    def differing(self) -> int:
        """How many rows and pairs of rows with a key of their own are not equal."""
        return self.unequal + self.only_old + self.only_new

    @property
    def every_row_paired_once(self) -> bool:
        """True when the pairs account for every row, which they do only if no paired key is duplicate."""
        pairs = self.equal + self.unequal
        return (
            pairs + self.only_old + self.null_old == self.rows_old
            and pairs + self.only_new + self.null_new == self.rows_new
        )


@dataclass(frozen=True)
class Outcome:
    """What pairing found. `table`: (state, n, k0, ...), see `pairing.py`.

    unequal: the keys (k0, ...) of the pairs with an unequal cell in a block of the plan, for blocks that have any.
    """

    table: str
    unequal: Mapping[int, str]


@dataclass(frozen=True)
class Findings:
    """What differs: every compared column, samples of rows by state, and what has to be said of the reading."""

    columns: tuple[ColumnDifference, ...]
    samples: Mapping[int, tuple[RowSample, ...]]
    notes: tuple[str, ...]


def find_differences(work: Workspace, plan: Plan, counts: Counts, outcome: Outcome, samples: int) -> Findings:
    """Read what is not equal once more, and return what differs in it; `samples`: how many to show of each kind."""
    notes = _notes(work, plan)
    differing = f"(FROM {outcome.table} WHERE state <> {EQUAL})"
    plan = few_rows(work, plan, counts, differing, counts.differing)
    columns: list[ColumnDifference] = []
    for number, block in enumerate(plan.blocks):
        columns += _block_columns(work, block, counts, outcome.unequal.get(number), samples)
    return Findings(tuple(columns), _samples(work, plan, counts, outcome, samples), notes)


def column_difference(
    pair: Pair, equal: int, unequal: int = 0, largest: float | None = None, changes: tuple[CellChange, ...] = ()
) -> ColumnDifference:
    """Return what a comparison says of one column."""
    return ColumnDifference(
        column=pair.name,
        old_type=pair.old.declared or pair.old.type,
        new_type=pair.new.declared or pair.new.type,
        tolerance=str(pair.tolerance),
        equal=equal,
        unequal=unequal,
        largest=largest,
        unit=pair.unit,
        changes=changes,
    )


def few_rows(work: Workspace, plan: Plan, counts: Counts, keys: str, number: int) -> Plan:
    """Return the plan over copies of the rows with `keys`, if that `number` is small: they are read repeatedly."""
    if number > COPIED_SHARE * (counts.rows_old + counts.rows_new):
        return plan
    return plan.copied(work, keys, "rows")


def _block_columns(
    work: Workspace, plan: Plan, counts: Counts, keys: str | None, samples: int
) -> list[ColumnDifference]:
    """Compare the unequal pairs, whose keys are in `keys`, column by column."""
    pairs = counts.equal + counts.unequal
    if keys is None:
        return [column_difference(pair, pairs) for pair in plan.columns]
    cells = []
    for i, pair in enumerate(plan.columns):
        difference = pair.difference(f"o.m{i}", f"n.m{i}") if pair.unit is not None else "NULL::DOUBLE"
        cells.append(f"{plan.equal(i)} AS e{i}")
        cells += [f"CASE WHEN NOT {plan.equal(i)} THEN {side}.ct{i} END AS {side}{i}" for side in ("o", "n")]
        cells.append(f"CASE WHEN NOT {plan.equal(i)} THEN {difference} END AS d{i}")
    unequal = work.create(
        "unequal",
        f"SELECT {plan.key_texts('o')}, {', '.join(cells)} FROM {keys} AS u {plan.both_sides}",
    )
    sums = (f"count(*) FILTER (WHERE NOT e{i}), max(d{i})" for i in range(len(plan.columns)))
    totals = work.row(f"SELECT {', '.join(sums)} FROM {unequal}")
    counted_columns = enumerate(zip(totals[::2], totals[1::2], strict=True))
    differing = {i: (count, largest) for i, (count, largest) in counted_columns if count}
    changes = _changes(work, plan, unequal, list(differing), samples)
    work.drop(unequal)
    found = []
    for i, pair in enumerate(plan.columns):
        count, largest = differing.get(i, (0, None))
        found.append(column_difference(pair, pairs - count, count, largest, tuple(changes.get(i, ()))))
    return found


def _changes(
    work: Workspace, plan: Plan, unequal: str, columns: list[int], samples: int
) -> dict[int, list[CellChange]]:
    """Return the most frequent changes of columns. There may be none: the hashes of a block may differ alone."""
    if not columns:
        return {}
    key = ", ".join(f"k{j} := kt{j}" for j in range(len(plan.keys)))
    queries = (
        f"(SELECT {i} AS i, o{i} AS o, n{i} AS n, count(*) AS times, min(struct_pack({key})) AS sample FROM {unequal}"
        f" WHERE NOT e{i} GROUP BY o{i}, n{i} ORDER BY times DESC, {ascending(f'o{i}, n{i}')} LIMIT {samples})"
        for i in columns
    )
    found: dict[int, list[CellChange]] = {}
    rows = work.rows(" UNION ALL ".join(queries) + f" ORDER BY i, times DESC, {ascending('o, n')}")
    for i, old, new, count, sample in rows:
        found.setdefault(i, []).append(CellChange(old, new, count, plan.key_row(list(sample.values()))))
    return found


def _samples(
    work: Workspace, plan: Plan, counts: Counts, outcome: Outcome, samples: int
) -> dict[int, tuple[RowSample, ...]]:
    """Return, by state, the rows with the lowest keys, old and new side by side."""
    result = {}
    found = ((UNEQUAL, counts.unequal), (ONLY_OLD, counts.only_old), (ONLY_NEW, counts.only_new))
    for state in (state for state, count in found if count):
        order = ascending(plan.key_list())
        chosen = work.create(
            "chosen",
            f"SELECT *, row_number() OVER (ORDER BY {order}) AS place FROM (FROM {outcome.table}"
            f" WHERE state = {state} ORDER BY {order} LIMIT {samples})",
        )
        place = work.hidden("place")
        few = plan.copied(work, chosen, "samples", f"u.place AS {place},")
        old, new = _texts(work, few, 0, place), _texts(work, few, 1, place)
        unequal = _unequal_cells(work, few, outcome, chosen) if state == UNEQUAL else {}
        keys = [pair.name for pair in plan.keys]
        result[state] = tuple(
            RowSample(
                key={name: (old.get(row) or new[row])[name] for name in keys},
                old=old.get(row),
                new=new.get(row),
                unequal=tuple(unequal.get(row, ())),
            )
            for row in sorted(old.keys() | new.keys())
        )
    return result


def _texts(work: Workspace, plan: Plan, which: int, place: str) -> dict[int, dict[str, str | None]]:
    """Return the rows of a side (0 old, 1 new), as text, by their place."""
    source = (plan.old, plan.new)[which].source
    rows = work.rows(f"SELECT {place}, {plan.source_texts(which)} FROM {source}")
    return {row: plan.row(values) for row, *values in rows}


def _unequal_cells(work: Workspace, plan: Plan, outcome: Outcome, chosen: str) -> dict[int, list[str]]:
    """Return the names of the unequal columns of chosen pairs by their place."""
    found: dict[int, list[str]] = {}
    for number in outcome.unequal:
        block = plan.blocks[number]
        flags = ", ".join(block.equal(i) for i in range(len(block.columns)))
        for place, *equal in work.rows(f"SELECT u.place, {flags} FROM {chosen} AS u {block.both_sides}"):
            names = [pair.name for pair, same in zip(block.columns, equal, strict=True) if not same]
            found.setdefault(place, []).extend(names)
    return found


def _notes(work: Workspace, plan: Plan) -> tuple[str, ...]:
    """Say which texts are no values of the type that they are compared with."""
    notes = []
    for which, (side, relation) in enumerate((("old", plan.old), ("new", plan.new))):
        unread = [(pair, *text) for pair in (*plan.keys, *plan.columns) if (text := pair.unread(which)) is not None]
        for start in range(0, len(unread), BLOCK_COLUMNS):
            block = unread[start : start + BLOCK_COLUMNS]
            counts = (
                f"count(*) FILTER (WHERE {where}), min({(pair.old, pair.new)[which].text}) FILTER (WHERE {where})"
                for pair, where, _ in block
            )
            found = work.row(f"SELECT {', '.join(counts)} FROM {relation.source}")
            for (pair, _, kind), count, example in zip(block, found[::2], found[1::2], strict=True):
                if count:
                    notes.append(_note(pair.name, side, kind, count, example))
    return tuple(notes)


def _note(column: str, side: str, kind: str, count: int, example: str) -> str:
    cells = counted(count, "cell")
    return f"Column {column}: {cells} of {side} cannot be a {kind}, e.g. {quoted(example)}, and compare as text."
