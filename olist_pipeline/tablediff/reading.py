"""Text beside columns with a type: read as the values that it is, once, before anything is compared.

Belongs here: copies of relations whose text columns have become values. Does not belong here: which text is a value
(`texts.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from olist_pipeline.tablediff import texts
from olist_pipeline.tablediff.columns import Column, Family
from olist_pipeline.tablediff.pairs import Pair
from olist_pipeline.tablediff.plan import SIDES, Plan
from olist_pipeline.tablediff.relation import Relation
from olist_pipeline.tablediff.sql import quote
from olist_pipeline.tablediff.workspace import Workspace

GROUP_COLUMNS = 8
"""So many columns are read in one statement: what tells a value from another text is a long expression."""


def with_values(work: Workspace, plan: Plan) -> Plan:
    """Return the plan over relations whose text has been read.

    A text column becomes one of the other side's type when each of its cells is exactly a value of it. Otherwise it
    stays text, with the canonical text of a value where a cell is one.
    """
    for which, side in enumerate(SIDES):
        columns = dict(_beside_types(plan, which))
        if columns:
            plan = _read(work, plan, side, columns)
    return plan


def _beside_types(plan: Plan, which: int) -> Iterator[tuple[Column, Column]]:
    """Yield the text columns of a side (0 old, 1 new), each with its counterpart, whose type has more than texts."""
    for pair in (*plan.keys, *plan.columns):
        column, other = (pair.old, pair.new)[which], (pair.new, pair.old)[which]
        if column.family is Family.TEXT and texts.value_text("''", other) is not None:
            yield column, other


def _read(work: Workspace, plan: Plan, side: str, columns: dict[Column, Column]) -> Plan:
    relation: Relation = getattr(plan, side)
    table = work.create("texts", f"SELECT * FROM {relation.source}")
    whole: dict[Column, Column] = {}
    pairs = list(columns.items())
    for start in range(0, len(pairs), GROUP_COLUMNS):
        whole |= _read_group(work, table, dict(pairs[start : start + GROUP_COLUMNS]))
    if whole:
        casts = ", ".join(
            f"CAST({quote(column.name)} AS {typed.type}) AS {quote(column.name)}" for column, typed in whole.items()
        )
        texts_table, table = table, work.create("values", f"SELECT * REPLACE ({casts}) FROM {table}")
        work.drop(texts_table)

    def read(column: Column) -> Column:
        return replace(column, type=whole[column].type, declared=column.type) if column in whole else column

    def read_pair(pair: Pair) -> Pair:
        column: dict[str, Any] = {side: read(getattr(pair, side))}
        return replace(pair, **column)

    whole_side: dict[str, Any] = {side: replace(relation, source=table, columns=tuple(map(read, relation.columns)))}
    return replace(
        plan, **whole_side, keys=tuple(map(read_pair, plan.keys)), columns=tuple(map(read_pair, plan.columns))
    )


def _read_group(work: Workspace, table: str, columns: dict[Column, Column]) -> dict[Column, Column]:
    """Return the columns of a table whose every cell casts exactly; in the others, write values as canonical texts."""
    parts, exact = [], []
    for i, (column, typed) in enumerate(columns.items()):
        text = quote(column.name)
        parts.append(
            f"{text} AS t{i}, {texts.value_text(text, typed)} AS x{i}, TRY_CAST({text} AS {typed.type}) AS v{i}"
        )
        cast = texts.typed_text(Column(f"v{i}", typed.type))
        exact.append(f"coalesce(bool_and(t{i} IS NULL OR coalesce({cast} = x{i}, FALSE)), TRUE)")
    group = work.create("group", f"SELECT {', '.join(parts)} FROM {table}")
    flags = work.row(f"SELECT {', '.join(exact)} FROM {group}")
    work.drop(group)
    whole = {column: typed for (column, typed), casts in zip(columns.items(), flags, strict=True) if casts}
    others = [
        f"{quote(column.name)} = coalesce({texts.value_text(quote(column.name), typed)}, {quote(column.name)})"
        for column, typed in columns.items()
        if column not in whole
    ]
    if others:
        work.con.execute(f"UPDATE {table} SET {', '.join(others)}")
    return whole
