"""Pairing rows by key: the estimate that decides how it begins, and what it leaves."""

import duckdb
import pytest

from olist_pipeline.tablediff import pairing
from olist_pipeline.tablediff import plan as plan_module
from olist_pipeline.tablediff.findings import EQUAL, ONLY_NEW, ONLY_OLD, UNEQUAL, Counts
from olist_pipeline.tablediff.plan import resolve
from olist_pipeline.tablediff.relation import describe
from olist_pipeline.tablediff.workspace import workspace
from tests.pipeline.tablediff.tables import contract


def planned(con, old, new, *key):
    return resolve(describe(con, old), describe(con, new), contract(*key), None)


@pytest.fixture
def own():
    with duckdb.connect(config={"threads": 1}) as connection:
        yield connection


@pytest.mark.parametrize(
    ("rows", "key", "estimate"),
    [
        (0, "i", 0.0),
        (1, "i", 1.0),
        (4_000, "i", 1.0),
        (50_000, "i", 1.0),
        (4_000, "i // 2", 2.0),
        (9_000, "i // 3", 3.0),
        (3_000, "0", 3_000.0),
        (4_000, "CASE WHEN i % 4 = 0 THEN i END", 1.0),
        (4_000, "CASE WHEN i < 3000 THEN i ELSE -1 END", 250.75),
    ],
)
def test_rows_of_a_key_are_estimated(own, rows, key, estimate):
    own.execute(f"CREATE TABLE t AS SELECT {key} AS id, i AS v FROM range({rows}) AS r(i)")
    with workspace(own, wide=False) as work:
        found = pairing._rows_per_key(work, planned(own, "t", "t", "id"))
    assert found == pytest.approx(estimate, rel=0.1)


@pytest.mark.parametrize("block", [48, 1])
def test_every_row_has_a_state_and_what_is_not_equal_its_key(own, monkeypatch, block):
    monkeypatch.setattr(plan_module, "BLOCK_COLUMNS", block)
    own.execute("CREATE TABLE a AS SELECT i AS id, i AS v, 'x' AS w FROM range(10) AS r(i)")
    own.execute("CREATE TABLE b AS SELECT id, v + (id = 4)::INT AS v, if(id = 5, 'y', w) AS w FROM a WHERE id <> 2")
    own.execute("INSERT INTO b VALUES (77, 1, 'x'), (78, 1, 'x')")
    plan, counts = planned(own, "a", "b", "id"), Counts(10, 11)
    with workspace(own, wide=False) as work:
        outcome, duplicates = pairing.pair_rows(work, plan, counts)
        states = work.rows(f"SELECT state, k0, n FROM {outcome.table} ORDER BY ALL")
        keys = {block: work.rows(f"SELECT k0 FROM {unequal} ORDER BY 1") for block, unequal in outcome.unequal.items()}
    assert states == [
        (EQUAL, None, 7),
        (UNEQUAL, 4, 1),
        (UNEQUAL, 5, 1),
        (ONLY_OLD, 2, 1),
        (ONLY_NEW, 77, 1),
        (ONLY_NEW, 78, 1),
    ]
    assert duplicates is None
    assert (counts.equal, counts.unequal, counts.only_old, counts.only_new) == (7, 2, 1, 2)
    assert keys == ({0: [(4,), (5,)]} if block == 48 else {0: [(4,)], 1: [(5,)]})


@pytest.mark.parametrize("limit", [0, 1e9])
def test_keys_that_occur_more_than_once_are_left_out(own, monkeypatch, limit):
    monkeypatch.setattr(pairing, "ROWS_PER_KEY", limit)
    own.execute("CREATE TABLE a AS SELECT * FROM (VALUES (1, 'x'), (1, 'y'), (2, 'x'), (3, 'x'), (4, 'x')) AS t(id, v)")
    own.execute("CREATE TABLE b AS SELECT * FROM (VALUES (1, 'x'), (2, 'x'), (3, 'y'), (3, 'x'), (3, 'z')) AS t(id, v)")
    plan, counts = planned(own, "a", "b", "id"), Counts(5, 5)
    with workspace(own, wide=False) as work:
        outcome, duplicates = pairing.pair_rows(work, plan, counts)
        assert duplicates is not None
        assert work.rows(f"SELECT k0 FROM {duplicates} ORDER BY 1") == [(1,), (3,)]
        states = work.rows(f"SELECT state, k0, n FROM {outcome.table} ORDER BY ALL")
    assert states == [(EQUAL, None, 1), (ONLY_OLD, 4, 1)]
    assert (counts.duplicate_old, counts.duplicate_new) == (3, 4)
    assert outcome.unequal == {}
