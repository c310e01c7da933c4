"""What is compared: a contract resolved against two relations, and the SQL that both sides are read with.

Belongs here: matching columns by name, and the expressions over the sides `o` (old) and `n` (new) that queries are
made of. Does not belong here: running queries (`compare.py`, `groups.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from olist_pipeline.tablediff.contract import Contract, ContractError, fold
from olist_pipeline.tablediff.names import nearest
from olist_pipeline.tablediff.pairs import Pair, tolerance_for
from olist_pipeline.tablediff.relation import Relation, schema_differences
from olist_pipeline.tablediff.report import Row, SchemaDifference
from olist_pipeline.tablediff.workspace import Workspace

BLOCK_COLUMNS = 48
SIDES = ("old", "new")


@dataclass(frozen=True)
class Plan:
    """What is compared, resolved against both relations."""

    contract: Contract
    where: str | None
    old: Relation
    new: Relation
    keys: tuple[Pair, ...]
    columns: tuple[Pair, ...]
    schema: tuple[SchemaDifference, ...]

    @cached_property
    def blocks(self) -> tuple[Plan, ...]:
        """The plan cut by columns; at least one block, without columns when there are none.

        DuckDB plans a statement in the square of its columns, so a wide table is read a block at a time.
        """
        starts = range(0, max(len(self.columns), 1), BLOCK_COLUMNS)
        return tuple(replace(self, columns=self.columns[start : start + BLOCK_COLUMNS]) for start in starts)

    @property
    def is_wide(self) -> bool:
        """True when the plan is of more than one block."""
        return len(self.columns) > BLOCK_COLUMNS

    @property
    def by_key(self) -> Plan:
        """The plan without its columns: for whatever concerns keys alone."""
        return replace(self, columns=())

    def reading(self, old: str, new: str) -> Plan:
        """Return the plan over other relations with the columns of these, such as copies of some of their rows."""
        return replace(self, old=replace(self.old, source=old), new=replace(self.new, source=new))

    def side(self, name: str) -> str:
        """Return a relation of a side with columns k<i>, c<i> (forms), m<i> (measures), kt<i>, ct<i> (text)."""
        relation, which = self._relation(name)
        parts = []
        for i, pair in enumerate(self.keys):
            parts += [f"{pair.key_forms()[which]} AS k{i}", f"{(pair.old, pair.new)[which].text} AS kt{i}"]
        for i, pair in enumerate(self.columns):
            parts += [f"{pair.forms()[which]} AS c{i}", f"{(pair.old, pair.new)[which].text} AS ct{i}"]
            parts.append(f"{pair.measures()[which]} AS m{i}")
        return f"(SELECT {', '.join(parts)} FROM {relation.source})"

    def hashes(self, side: str) -> str:
        """Return a relation of a side with columns k<i>, and h<b>: the hash of each row over a block of columns."""
        relation, which = self._relation(side)
        parts = [f"{pair.key_forms()[which]} AS k{i}" for i, pair in enumerate(self.keys)]
        for number, block in enumerate(self.blocks):
            arguments = (argument for pair in block.columns for argument in pair.hash_arguments()[which])
            parts.append(f"hash({', '.join(arguments)}) AS h{number}")
        return f"(SELECT {', '.join(parts)} FROM {relation.source})"

    def keyed(self, work: Workspace, side: str) -> tuple[str, list[str]]:
        """Return the rows of a side as a relation `s` with columns of the key's forms besides, and their names."""
        relation, which = self._relation(side)
        hidden = [work.hidden(f"k{i}") for i in range(len(self.keys))]
        forms = ", ".join(f"{pair.key_forms()[which]} AS {name}" for pair, name in zip(self.keys, hidden, strict=True))
        return f"(SELECT *, {forms} FROM {relation.source}) AS s", hidden

    def rows_of(self, work: Workspace, side: str, keys: str, added: str = "") -> str:
        """Return the query of the rows of a side, as they are, whose key is in `keys` (k0, ...).

        added: what of `keys`, as `u`, goes before the columns.
        """
        rows, hidden = self.keyed(work, side)
        same = " AND ".join(f"s.{name} = u.k{i}" for i, name in enumerate(hidden))
        kind = "" if added else "SEMI"
        return f"SELECT {added} s.* EXCLUDE ({', '.join(hidden)}) FROM {rows} {kind} JOIN {keys} AS u ON {same}"

    def _relation(self, side: str) -> tuple[Relation, int]:
        """Return the relation of a side, and the place of its columns in a pair."""
        which = SIDES.index(side)
        return (self.old, self.new)[which], which

    def copied(self, work: Workspace, keys: str, name: str, added: str = "") -> Plan:
        """Return the plan over copies of what `rows_of` selects, which are read repeatedly."""
        return self.reading(*(work.create(f"{side}_{name}", self.rows_of(work, side, keys, added)) for side in SIDES))

    def key_list(self, alias: str = "") -> str:
        """Return `k0, k1, ...`, each with the alias in front."""
        dot = f"{alias}." if alias else ""
        return ", ".join(f"{dot}k{i}" for i in range(len(self.keys)))

    @property
    def null_key(self) -> str:
        """The condition under which a part of the key is NULL."""
        return "(" + " OR ".join(f"k{i} IS NULL" for i in range(len(self.keys))) + ")"

    def same_key(self, a: str, b: str, *, nulls: bool = False) -> str:
        """Return the condition under which two keys are the same."""
        operator = "IS NOT DISTINCT FROM" if nulls else "="
        return " AND ".join(f"{a}.k{i} {operator} {b}.k{i}" for i in range(len(self.keys)))

    def equal(self, i: int) -> str:
        """Return the condition under which the cells of column `i` of `o` and `n` are equal."""
        return self.columns[i].equal((f"o.c{i}", f"o.m{i}"), (f"n.c{i}", f"n.m{i}"))

    @property
    def all_equal(self) -> str:
        """The condition under which all compared cells of `o` and `n` are equal."""
        return " AND ".join(self.equal(i) for i in range(len(self.columns))) or "TRUE"

    @property
    def both_sides(self) -> str:
        """The joins that bring both sides, `o` and `n`, to a relation `u` of keys that both have.

        They are outer joins, for above an inner join DuckDB tries all places for each of the expressions.
        """
        return (
            f" LEFT JOIN {self.side('old')} AS o ON {self.same_key('u', 'o')}"
            f" LEFT JOIN {self.side('new')} AS n ON {self.same_key('u', 'n')}"
        )

    def key_texts(self, alias: str) -> str:
        """Return the text of the key."""
        return ", ".join(f"{alias}.kt{i}" for i in range(len(self.keys)))

    def source_texts(self, which: int) -> str:
        """Return the text of the whole row, key first, out of the relation of a side (0 old, 1 new)."""
        return ", ".join((pair.old, pair.new)[which].text for pair in (*self.keys, *self.columns))

    def key_row(self, values: Sequence[str | None]) -> Row:
        """Return what `key_texts` selected under the names of the columns."""
        return dict(zip((pair.name for pair in self.keys), values, strict=True))

    def row(self, values: Sequence[str | None]) -> dict[str, str | None]:
        """Return what `source_texts` selected under the names of the columns."""
        return dict(zip((pair.name for pair in (*self.keys, *self.columns)), values, strict=True))


def resolve(old: Relation, new: Relation, contract: Contract, where: str | None) -> Plan:
    """Return the plan of a comparison. Raises ContractError when the contract does not fit the relations."""
    _check_names(old, new, contract)
    excluded = {fold(name) for name in contract.excluded}
    keys = {fold(name) for name in contract.key}
    old_columns = tuple(column for column in old.columns if fold(column.name) not in excluded)
    new_columns = tuple(column for column in new.columns if fold(column.name) not in excluded)
    shared = tuple((column, partner) for column in old_columns if (partner := new.find(column.name)) is not None)
    try:
        columns = tuple(
            Pair(before, after, tolerance_for(contract, before, after))
            for before, after in shared
            if fold(before.name) not in keys
        )
    except ContractError as error:
        raise ContractError(f"Contract of {contract.table}: {error}") from None
    by_name = {fold(before.name): Pair(before, after) for before, after in shared}
    return Plan(
        contract=contract,
        where=where,
        old=old,
        new=new,
        keys=tuple(by_name[fold(name)] for name in contract.key),
        columns=columns,
        schema=schema_differences(old_columns, new_columns, shared),
    )


def _called(side: str, relation: Relation) -> str:
    """Return how a sentence calls a relation: by its name, unless that is a whole query."""
    return side if relation.name.startswith("(") else f"{side} ({relation.name})"


def _check_names(old: Relation, new: Relation, contract: Contract) -> None:
    for name in contract.key:
        for side, relation in (("old", old), ("new", new)):
            if relation.find(name) is None:
                meant = nearest(name, (column.name for column in relation.columns))
                where = _called(side, relation)
                raise ContractError(f"Contract of {contract.table}: key column '{name}' is missing in {where}; {meant}")
    for purpose, names in (("tolerance", contract.tolerances), ("exclusion", contract.excluded)):
        for name in names:
            if old.find(name) is None and new.find(name) is None:
                meant = nearest(name, dict.fromkeys(column.name for column in (*old.columns, *new.columns)))
                raise ContractError(
                    f"Contract of {contract.table}: the {purpose} of column '{name}' has no such column"
                    f" in {_called('old', old)} or {_called('new', new)}; {meant}"
                )
