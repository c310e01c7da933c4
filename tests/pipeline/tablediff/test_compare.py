"""The steps of a comparison: which are taken, and what is given without being asked for."""

import pytest

from olist_pipeline.tablediff import compare as compare_module
from olist_pipeline.tablediff import pairing
from olist_pipeline.tablediff import plan as plan_module
from olist_pipeline.tablediff.compare import compare, compare_plan
from olist_pipeline.tablediff.plan import resolve
from olist_pipeline.tablediff.relation import describe
from olist_pipeline.tablediff.report import Groups
from olist_pipeline.tablediff.sources import compare_sources
from olist_pipeline.tablediff.workspace import workspace
from tests.pipeline.tablediff.tables import contract


def many(con, name, select, rows=9):
    con.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT {select} FROM range({rows}) AS r(i)")


def test_five_samples_are_shown_unless_another_number_is_asked_for(con, tmp_path):
    many(con, "a", "i AS id, i AS v")
    many(con, "b", "i AS id, i + 1 AS v")
    for name in ("a", "b"):
        con.execute(f"COPY {name} TO '{tmp_path / name}.parquet'")
    plan = resolve(describe(con, "a"), describe(con, "b"), contract(), None)

    for found in (
        compare(con, "a", "b", contract()),
        compare_plan(con, plan),
        compare_sources(f"{tmp_path / 'a'}.parquet", f"{tmp_path / 'b'}.parquet", contract()),
    ):
        assert len(found.unequal_samples) == len(found.columns[0].changes) == 5
        assert found.keys_examined
        assert not found.fast_path


def test_tables_of_any_size_are_decided_by_fingerprint(con):
    many(con, "a", "i AS id", rows=1000)
    found = compare(con, "a", "a", contract())
    assert (found.identical, found.fast_path, found.keys_examined, found.equal) == (True, True, True, 1000)


@pytest.mark.parametrize(("limit", "examined"), [(9, True), (8, False)])
def test_keys_are_examined_up_to_a_number_of_rows(con, monkeypatch, limit, examined):
    monkeypatch.setattr(compare_module, "KEY_EXAMINATION_ROWS", limit)
    many(con, "a", "i // 2 AS id")
    found = compare(con, "a", "a", contract())
    assert (found.keys_examined, found.duplicates.identical) == (examined, 4 if examined else 0)
    assert all(group.identical for group in found.duplicates.samples)


@pytest.mark.parametrize(("old", "new"), [(2, 1), (1, 2)])
def test_tables_of_other_numbers_of_rows_are_never_the_same(con, old, new):
    many(con, "a", "i AS id", rows=old)
    many(con, "b", "i AS id", rows=new)
    assert not compare(con, "a", "b", contract(), same=True).identical


def test_groups_are_counted_by_what_makes_them(con):
    many(con, "a", "i // 3 AS id, i AS v")
    many(con, "b", "i // 3 AS id, i + 1 AS v")
    found = compare(con, "a", "b", contract())
    assert (found.duplicates.differing, found.null_keys) == (3, Groups())
    many(con, "a", "CASE WHEN i > 0 THEN i END AS id, i AS v")
    many(con, "b", "CASE WHEN i > 0 THEN i END AS id, i + (i = 0)::INT AS v")
    found = compare(con, "a", "b", contract())
    assert (found.null_keys.differing, found.duplicates, found.equal) == (1, Groups(), 8)


def test_rows_that_a_group_has_too_many_of_are_shown_up_to_the_number_of_samples(con):
    con.execute(
        "CREATE OR REPLACE TABLE a AS SELECT 1 AS id, v FROM (VALUES ('a'), ('a'), ('b'), ('b'), ('c')) AS t(v)"
    )
    con.execute("CREATE OR REPLACE TABLE b AS SELECT 1 AS id, 'c' AS v UNION ALL SELECT 1, 'c'")
    [group] = compare(con, "a", "b", contract(), samples=3).duplicates.samples
    assert [row["v"] for row in group.old] == ["a", "a", "b"]
    assert [row["v"] for row in group.new] == ["c"]


@pytest.mark.parametrize(("block", "columns", "is_wide"), [(2, 1, False), (2, 2, False), (2, 3, True)])
def test_an_optimiser_is_off_for_wide_tables_alone(con, monkeypatch, block, columns, is_wide):
    asked = []

    def recorded(con, *, wide):
        asked.append(wide)
        return workspace(con, wide=wide)

    monkeypatch.setattr(plan_module, "BLOCK_COLUMNS", block)
    monkeypatch.setattr(compare_module, "workspace", recorded)
    many(con, "a", ", ".join(["i AS id", *(f"i AS c{n}" for n in range(columns))]))
    assert compare(con, "a", "a", contract()).identical
    assert asked == [is_wide]


@pytest.mark.parametrize(
    ("key", "steps"),
    [
        ("i", ["join"]),
        ("i // 2", ["duplicates", "join"]),
        ("CASE WHEN i < 8 THEN i ELSE 0 END", ["join", "duplicates", "join"]),
    ],
)
def test_no_join_is_tried_where_keys_repeat_much(con, monkeypatch, key, steps):
    taken = []

    def noting(step, function):
        def noted(*arguments):
            taken.append(step)
            return function(*arguments)

        return noted

    for name, step in (("_join", "join"), ("duplicate_keys", "duplicates")):
        monkeypatch.setattr(pairing, name, noting(step, getattr(pairing, name)))
    many(con, "a", f"{key} AS id, i AS v", rows=40 if key == "i // 2" else 9)
    con.execute("CREATE OR REPLACE TABLE b AS SELECT id, v + (v = 3)::INT AS v FROM a")
    assert not compare(con, "a", "b", contract()).identical
    assert taken == steps


def test_options_go_by_name(con):
    many(con, "a", "i AS id")
    for ask in (
        lambda: compare(con, "a", "a", contract(), 5),  # type: ignore[misc]
        lambda: compare_plan(con, resolve(describe(con, "a"), describe(con, "a"), contract(), None), 5),  # type: ignore[misc]
        lambda: describe(con, "a", None, "it"),  # type: ignore[misc]
        lambda: compare_sources("a.csv", "a.csv", contract(), "id > 1"),  # type: ignore[misc]
        lambda: workspace(con, True),  # type: ignore[misc]
    ):
        with pytest.raises(TypeError, match="positional"):
            ask()
