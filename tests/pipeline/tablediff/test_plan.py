"""A plan: its blocks, its sides, and the rows that are read again."""

import pytest

from olist_pipeline.tablediff import plan as plan_module
from olist_pipeline.tablediff.contract import Tolerance
from olist_pipeline.tablediff.findings import Counts, few_rows
from olist_pipeline.tablediff.plan import resolve
from olist_pipeline.tablediff.relation import describe
from olist_pipeline.tablediff.workspace import workspace
from tests.pipeline.tablediff.tables import contract


def planned(con, old, new, *key, **options):
    return resolve(describe(con, old), describe(con, new), contract(*key, **options), None)


@pytest.fixture
def rows(con):
    con.execute("CREATE OR REPLACE TABLE rows AS SELECT i AS id, i AS v FROM range(40) AS r(i)")
    return con


@pytest.mark.parametrize(
    ("columns", "sizes"), [(0, [0]), (1, [1]), (2, [2]), (3, [2, 1]), (4, [2, 2]), (5, [2, 2, 1]), (7, [2, 2, 2, 1])]
)
def test_a_plan_is_cut_into_blocks_of_columns(con, monkeypatch, columns, sizes):
    monkeypatch.setattr(plan_module, "BLOCK_COLUMNS", 2)
    names = [f"c{i}" for i in range(columns)]
    select = ", ".join(["1 AS id", *(f"{i} AS {name}" for i, name in enumerate(names))])
    plan = planned(con, f"(SELECT {select})", f"(SELECT {select})", "id")

    assert [len(block.columns) for block in plan.blocks] == sizes
    assert [pair.name for block in plan.blocks for pair in block.columns] == names
    assert plan.is_wide == (len(sizes) > 1)
    assert {block.keys for block in plan.blocks} == {plan.keys}


def test_rows_have_the_names_of_the_columns_and_no_fewer_values(rows):
    plan = planned(rows, "rows", "rows", "id")
    assert plan.row(["1", None]) == {"id": "1", "v": None}
    assert plan.key_row(["1"]) == {"id": "1"}
    for wrong in ([], ["1", "2", "3"]):
        with pytest.raises(ValueError, match="zip"):
            plan.row(wrong)
        with pytest.raises(ValueError, match="zip"):
            plan.key_row(wrong)


@pytest.mark.parametrize(("number", "are_copied"), [(0, True), (4, True), (5, False), (40, False)])
def test_few_rows_are_copied_to_be_read_again_and_many_are_not(rows, number, are_copied):
    plan, counts = planned(rows, "rows", "rows", "id"), Counts(30, 10)
    with workspace(rows, wide=False) as work:
        found = few_rows(work, plan, counts, "(SELECT 7 AS k0 UNION ALL SELECT 9)", number)
        assert (found is plan) is not are_copied
        if are_copied:
            for side in (found.old, found.new):
                assert work.rows(f"FROM {side.source} ORDER BY id") == [(7, 7), (9, 9)]


def test_a_copy_can_carry_what_the_keys_bring(rows):
    plan = planned(rows, "rows", "rows", "id")
    with workspace(rows, wide=False) as work:
        keys = "(SELECT 7 AS k0, 'seven' AS name)"
        assert work.rows(plan.rows_of(work, "old", keys, "u.name,")) == [("seven", 7, 7)]


def test_what_one_side_has_alone_may_have_a_tolerance_or_be_excluded(con):
    plan = planned(
        con,
        "(SELECT 1 AS id, 2 AS a, 3 AS b)",
        "(SELECT 1 AS id, 4 AS c, 5 AS d)",
        "id",
        tolerances={"a": Tolerance(1), "c": Tolerance(1)},
        excluded={"b": "gone", "d": "new"},
    )
    assert plan.columns == ()
    assert [(difference.kind, difference.column) for difference in plan.schema] == [("missing", "a"), ("extra", "c")]
