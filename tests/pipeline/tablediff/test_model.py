"""Random tables and random edits: every count of the comparison is that of a reference in plain Python."""

from __future__ import annotations

import math
from unittest.mock import patch

import duckdb
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from olist_pipeline.tablediff import compare as compare_module
from olist_pipeline.tablediff import plan as plan_module
from olist_pipeline.tablediff.compare import compare
from olist_pipeline.tablediff.contract import Tolerance
from olist_pipeline.tablediff.fingerprint import fingerprint
from tests.pipeline.tablediff.reference import Row, expected, multiset
from tests.pipeline.tablediff.tables import contract

STEP = 0.0625
NUMBERS = st.sampled_from([None, math.nan, math.inf, -math.inf, 0.0, -0.0, STEP, 2 * STEP, 3 * STEP, -STEP, 1.0])
TEXTS = st.sampled_from([None, "", " ", "a", "a ", "A", "NULL", "ab", "b"])
KEYS = (st.sampled_from([None, 0, 1, 2, 3]), st.sampled_from([None, "", "a", "b"]))
SINGULAR_KEYS = (st.integers(0, 40), st.sampled_from(["a", "b", "c"]))
WIDTH, TYPES = 2, ("INTEGER", "VARCHAR", "DOUBLE", "VARCHAR", "DOUBLE")


def rows(keys: tuple[st.SearchStrategy, st.SearchStrategy]) -> st.SearchStrategy[list[Row]]:
    return st.lists(st.tuples(*keys, NUMBERS, TEXTS, NUMBERS), max_size=12)


@st.composite
def edited(draw: st.DrawFn, old: list[Row]) -> list[Row]:
    """A table made from another by a few edits: rows lost, doubled, swapped, and cells changed."""
    new = list(old)
    for _ in range(draw(st.integers(0, 4))):
        if not new:
            break
        at, other = draw(st.integers(0, len(new) - 1)), draw(st.integers(0, len(new) - 1))
        match draw(st.sampled_from(["lose", "double", "swap", "key", "cell"])):
            case "lose":
                del new[at]
            case "double":
                new.append(new[at])
            case "swap":
                a, b = new[at], new[other]
                new[at], new[other] = (*a[:2], b[2], *a[3:]), (*b[:2], a[2], *b[3:])
            case "key":
                new[at] = (*draw(st.tuples(*KEYS)), *new[at][2:])
            case _:
                new[at] = (*new[at][:2], draw(NUMBERS), draw(TEXTS), new[at][4])
    return draw(st.permutations(new))


@st.composite
def pairs_of_tables(draw: st.DrawFn) -> tuple[list[Row], list[Row]]:
    keys = draw(st.sampled_from([KEYS, SINGULAR_KEYS]))
    old = draw(rows(keys))
    return old, draw(st.one_of(edited(old), rows(keys)))


def cell(value: object, kind: str) -> str:
    return f"CAST({'NULL' if value is None else repr(str(value))} AS {kind})"


def fill(con: duckdb.DuckDBPyConnection, name: str, content: list[Row]) -> None:
    con.execute(f"CREATE OR REPLACE TABLE {name} (k INTEGER, l VARCHAR, x DOUBLE, t VARCHAR, y DOUBLE)")
    if content:
        values = (f"({', '.join(cell(v, kind) for v, kind in zip(row, TYPES, strict=True))})" for row in content)
        con.execute(f"INSERT INTO {name} VALUES {', '.join(values)}")


@pytest.mark.slow
@pytest.mark.parametrize("tolerance", [0.0, STEP])
@pytest.mark.parametrize("block", [plan_module.BLOCK_COLUMNS, 1], ids=["narrow", "as if wide"])
def test_every_count_is_that_of_the_reference(con, tolerance, block, monkeypatch):
    monkeypatch.setattr(plan_module, "BLOCK_COLUMNS", block)
    rules = contract("k", "l", exact_floats=True, tolerances={"x": Tolerance(tolerance)} if tolerance else {})

    @settings(max_examples=20)
    @given(tables=pairs_of_tables(), fast=st.booleans())
    def check(tables: tuple[list[Row], list[Row]], fast: bool) -> None:
        old, new = tables
        fill(con, "model_old", old)
        fill(con, "model_new", new)
        wanted = expected(old, new, WIDTH, (tolerance, 0.0, 0.0))
        same_rows = compare_module.same_rows if fast else (lambda work, plan: False)
        with patch.object(compare_module, "same_rows", same_rows):
            found = compare(con, "model_old", "model_new", rules)

        event("identical" if wanted.identical else "differing")
        assert found.identical == wanted.identical
        assert (found.equal, found.unequal) == (wanted.equal, wanted.unequal)
        assert (found.only_in_old, found.only_in_new) == (wanted.only_in_old, wanted.only_in_new)
        for groups, counts in ((found.duplicates, wanted.duplicates), (found.null_keys, wanted.null_keys)):
            assert (groups.rows_old, groups.rows_new, groups.identical, groups.differing) == counts
        assert tuple(column.unequal for column in found.columns) == wanted.columns
        assert (fingerprint(con, "model_old") == fingerprint(con, "model_new")) == (multiset(old) == multiset(new))

    check()
