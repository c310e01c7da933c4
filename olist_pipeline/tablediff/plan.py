"""What is compared: a contract resolved against two relations, and the SQL that both sides are read with.

Belongs here: matching columns by name, and the expressions over the sides `o` (old) and `n` (new) that queries are
made of. Does not belong here: running queries (`compare.py`, `groups.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from olist_pipeline.tablediff.columns import Pair, tolerance_for
from olist_pipeline.tablediff.contract import Contract, ContractError, fold
from olist_pipeline.tablediff.relation import Relation, schema_differences
from olist_pipeline.tablediff.report import Row, SchemaDifference


@dataclass(frozen=True)
class Plan:
    """What is compared, resolved against both relations; `copies` replaces a side by a table with its rows."""

    contract: Contract
    where: str | None
    old: Relation
    new: Relation
    keys: tuple[Pair, ...]
    columns: tuple[Pair, ...]
    schema: tuple[SchemaDifference, ...]
    copies: Mapping[str, str] = field(default_factory=dict)

    def side(self, name: str) -> str:
        """Return a relation of a side with columns k<i>, c<i> (forms), m<i> (measures), kt<i>, ct<i> (text)."""
        if name in self.copies:
            return self.copies[name]
        relation, which = (self.old, 0) if name == "old" else (self.new, 1)
        parts = []
        for prefix, pairs in (("k", self.keys), ("c", self.columns)):
            for i, pair in enumerate(pairs):
                column = (pair.old, pair.new)[which]
                parts.append(f"{pair.forms()[which]} AS {prefix}{i}")
                parts.append(f"{column.text} AS {prefix}t{i}")
                if prefix == "c":
                    parts.append(f"{pair.measures()[which]} AS m{i}")
        return f"(SELECT {', '.join(parts)} FROM {relation.source})"

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

    def key_texts(self, alias: str) -> str:
        """Return the text of the key."""
        return ", ".join(f"{alias}.kt{i}" for i in range(len(self.keys)))

    def texts(self, alias: str) -> str:
        """Return the text of the whole row, key first."""
        cells = [f"{alias}.ct{i}" for i in range(len(self.columns))]
        return ", ".join([self.key_texts(alias), *cells])

    def key_row(self, values: Sequence[str | None]) -> Row:
        """Return what `key_texts` selected under the names of the columns."""
        return dict(zip((pair.name for pair in self.keys), values, strict=True))

    def row(self, values: Sequence[str | None]) -> Row:
        """Return what `texts` selected under the names of the columns."""
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


def _check_names(old: Relation, new: Relation, contract: Contract) -> None:
    for name in contract.key:
        for side, relation in (("old", old), ("new", new)):
            if relation.find(name) is None:
                raise ContractError(
                    f"Contract of {contract.table}: key column '{name}' is missing in {side} ({relation.name})."
                )
    for purpose, names in (("tolerance", contract.tolerances), ("exclusion", contract.excluded)):
        for name in names:
            if old.find(name) is None and new.find(name) is None:
                raise ContractError(
                    f"Contract of {contract.table}: the {purpose} of column '{name}' has no such column"
                    f" in old ({old.name}) or new ({new.name})."
                )
