"""A comparison in parts says what that of the whole says, to the last digit and sample, whichever part has a row."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from olist_pipeline.tablediff import plan as plan_module
from olist_pipeline.tablediff.compare import compare
from olist_pipeline.tablediff.contract import Tolerance
from olist_pipeline.tablediff.fingerprint import fingerprint, of_sums, row_sums
from olist_pipeline.tablediff.parts import RestFiles, can_be_cut, compare_rests, rest_of
from olist_pipeline.tablediff.relation import describe
from tests.pipeline.tablediff.tables import contract
from tests.pipeline.tablediff.test_model import STEP, edited, fill, pairs_of_tables

PARTS = {
    "by a cell": ("t < 'a'", "t >= 'a'", "t IS NULL"),
    "by the key": ("k < 2", "k >= 2", "k IS NULL"),
    "at once": ("TRUE",),
}
KEYS = st.tuples(st.integers(0, 9), st.sampled_from("ab"), st.sampled_from("Aab"))
SINGULAR = st.lists(KEYS, max_size=9, unique_by=lambda row: row[:2]).map(
    lambda keys: [(*key[:2], STEP, key[2], 1.0) for key in keys]
)
TABLES = st.one_of(pairs_of_tables(), SINGULAR.flatmap(lambda old: st.tuples(st.just(old), edited(old))))


def in_parts(con, rules, conditions, **options):
    with tempfile.TemporaryDirectory(prefix="rest [of] ") as folder:
        rests = [
            rest_of(con, "model_old", "model_new", rules, where,
                    RestFiles(*(Path(folder) / f"{number}.{name}.parquet" for name in ("old", "new", "equal"))))
            for number, where in enumerate(conditions)
        ]  # fmt: skip
        return compare_rests(con, "model_old", "model_new", rules, rests, **options), rests


@pytest.mark.slow
@pytest.mark.parametrize(("by", "block"), [("by a cell", 48), ("by a cell", 1), ("by the key", 48), ("at once", 1)])
def test_parts_add_up_to_the_whole(con, by, block, monkeypatch):
    monkeypatch.setattr(plan_module, "BLOCK_COLUMNS", block)
    rules, conditions = contract("k", "l", tolerances={"x": Tolerance(STEP)}), PARTS[by]

    @settings(max_examples=8)
    @given(tables=TABLES)
    def check(tables):
        for name, rows in zip(("model_old", "model_new"), tables, strict=True):
            fill(con, name, rows)
        whole = compare(con, "model_old", "model_new", rules, same=False)
        found, _ = in_parts(con, rules, conditions)
        event("the parts tell" if found else "a key is in several parts")
        if found is None:
            assert whole.duplicates.count, "no key was there twice"
            assert by == "by a cell", "the key says the part"
        else:
            assert found == whole
        columns = describe(con, "model_old").columns
        sums = [row_sums(con, f"model_old WHERE {where}", columns) for where in conditions]
        assert of_sums(columns, sums) == fingerprint(con, "model_old")

    check()


def test_a_row_of_another_part_is_unequal_and_not_two_rows_of_one_side_each(con):
    fill(con, "model_old", [(n, "a", STEP, "A", 1.0) for n in range(3)])
    fill(con, "model_new", [(n, "a", STEP, "a" if n == 1 else "A", 1.0) for n in range(3)])
    found, rests = in_parts(con, contract("k", "l"), PARTS["by a cell"])
    assert [(rest.rows_old, rest.rows_new, rest.equal) for rest in rests] == [(3, 2, 2), (0, 1, 0), (0, 0, 0)]
    assert (found.equal, found.unequal, found.only_in_old, found.only_in_new) == (2, 1, 0, 0)
    assert found.unequal_samples[0].unequal == ("t",)


def test_a_row_within_its_tolerance_is_equal_whichever_part_it_is_in(con):
    fill(con, "model_old", [(n, "a", STEP, "A", 1.0) for n in range(2)])
    fill(con, "model_new", [(n, "a", (1 + n) * STEP, "A", 1.0) for n in range(2)])
    rules = contract("k", "l", tolerances={"x": Tolerance(STEP)})
    found, _ = in_parts(con, rules, [f"x <= {STEP}", f"x > {STEP}"])
    assert found == compare(con, "model_old", "model_new", rules, same=False)
    assert found.equal == 2


def test_a_key_of_a_pair_that_is_in_another_part_too_is_noticed(con):
    rows = [(1, "a", STEP, "A", 1.0), (1, "a", STEP, "a", 1.0)]
    fill(con, "model_old", [*rows, (2, "a", STEP, "A", 1.0)])
    for new in (rows, rows[:1]):
        fill(con, "model_new", new)
        assert in_parts(con, contract("k", "l"), PARTS["by a cell"])[0] is None


def test_what_restricts_both_and_how_much_is_shown_is_as_in_the_whole(con):
    fill(con, "model_old", [(n, "a", STEP, "A", 1.0) for n in range(9)])
    fill(con, "model_new", [(n, "b" if n == 3 else "a", n * STEP, "A", 1.0) for n in range(8)])
    found, _ = in_parts(con, contract("k", "l"), ["k > 1 AND k < 5", "k >= 5"], where="k > 1", samples=2)
    assert found == compare(con, "model_old", "model_new", contract("k", "l"), where="k > 1", samples=2)
    assert found.where == "k > 1"
    assert len(found.unequal_samples) == 2


def test_a_column_of_another_type_is_not_cut(con):
    con.execute(
        "CREATE OR REPLACE TABLE a AS SELECT 1 AS id, '007' AS v; CREATE OR REPLACE TABLE b AS SELECT 1 AS id, 7 AS v"
    )
    assert not can_be_cut(con, "a", "b", contract("id"))
    assert can_be_cut(con, "a", "a", contract("id"))


def test_what_files_would_change_is_not_added_up(con):
    con.execute("CREATE OR REPLACE TABLE model_old AS SELECT n AS id, n::HUGEINT AS v FROM range(3) AS r(n)")
    con.execute("CREATE OR REPLACE TABLE model_new AS SELECT id, v + 1 AS v FROM model_old")
    assert in_parts(con, contract("id"), ["TRUE"])[0] is None
