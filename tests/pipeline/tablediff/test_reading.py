"""Text beside types is read once: as a type where every cell is a value, as canonical texts otherwise."""

import pytest

from olist_pipeline.tablediff import findings, reading
from olist_pipeline.tablediff.compare import compare_plan
from olist_pipeline.tablediff.plan import resolve
from olist_pipeline.tablediff.reading import with_values
from olist_pipeline.tablediff.relation import describe
from olist_pipeline.tablediff.workspace import workspace
from tests.pipeline.tablediff.tables import contract

TEXT = "(SELECT '1' AS id, '1.10' AS a, 'n/a' AS b, '007' AS c, '2018-01-02' AS d, 'x' AS e)"
TYPED = "(SELECT 1 AS id, 1.1 AS a, 2 AS b, 7 AS c, DATE '2018-01-02' AS d, 'x' AS e)"


@pytest.mark.parametrize("columns", [1, 2, 8])
@pytest.mark.parametrize("which", [0, 1])
def test_either_side_is_read_whatever_is_read_at_once(con, monkeypatch, columns, which):
    monkeypatch.setattr(reading, "GROUP_COLUMNS", columns)
    relations = [describe(con, TEXT, untyped=True), describe(con, TYPED)]
    old, new = (relations, relations[::-1])[which]
    with workspace(con, wide=False) as work:
        plan = with_values(work, resolve(old, new, contract(), None))
        side = (plan.old, plan.new)[which]
        row = work.row(f"SELECT * FROM {side.source}")
    types = [(column.type, column.declared) for column in side.columns]
    assert types == [
        ("INTEGER", "VARCHAR"),
        ("DECIMAL(2,1)", "VARCHAR"),
        ("VARCHAR", None),
        ("VARCHAR", None),
        ("DATE", "VARCHAR"),
        ("VARCHAR", None),
    ]
    assert [str(cell) for cell in row] == ["1", "1.1", "n/a", "007", "2018-01-02", "x"]
    pairs = (*plan.keys, *plan.columns)
    assert [(pair.old, pair.new)[which].type for pair in pairs] == [kind for kind, _ in types]
    assert (plan.new, plan.old)[which] == relations[1]


@pytest.mark.parametrize("columns", [1, 2, 48])
def test_every_text_that_is_no_value_is_said(con, monkeypatch, columns):
    monkeypatch.setattr(findings, "BLOCK_COLUMNS", columns)
    plan = resolve(describe(con, TEXT, untyped=True), describe(con, TYPED), contract(), None)

    assert compare_plan(con, plan).notes == (
        "Column b: 1 cell of old cannot be a INTEGER, e.g. 'n/a', and compare as text.",
        "Column c: 1 cell of old cannot be a INTEGER, e.g. '007', and compare as text.",
    )


def test_cells_that_are_no_values_are_counted(con):
    old, new = "(SELECT i AS id, 'n/a' AS v FROM range(3) AS r(i))", "(SELECT i AS id, 1 AS v FROM range(3) AS r(i))"
    plan = resolve(describe(con, old), describe(con, new), contract(), None)
    assert compare_plan(con, plan).notes == (
        "Column v: 3 cells of old cannot be a INTEGER, e.g. 'n/a', and compare as text.",
    )
