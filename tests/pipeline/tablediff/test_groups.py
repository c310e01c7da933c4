"""Keys that identify no row: duplicates and NULL are reported as such and compared as multisets."""

import duckdb
import pytest

from olist_pipeline.tablediff import compare as compare_module
from olist_pipeline.tablediff import pairing
from olist_pipeline.tablediff.compare import compare
from olist_pipeline.tablediff.contract import Tolerance
from tests.pipeline.tablediff.tables import both_ways, contract


def table(con, name, *rows):
    con.execute(f"CREATE OR REPLACE TABLE {name} (id INTEGER, v VARCHAR, x DOUBLE)")
    for row in rows:
        con.execute(f"INSERT INTO {name} VALUES (?, ?, ?)", row)


def counts(groups):
    return groups.rows_old, groups.rows_new, groups.identical, groups.differing


def test_a_duplicate_key_with_the_same_rows_is_reported_and_identical(con, any_path):
    table(con, "a", (1, "x", 1.0), (1, "y", 2.0), (2, "z", 3.0))
    table(con, "b", (1, "y", 2.0), (2, "z", 3.0), (1, "x", 1.0))

    found = both_ways(con, "a", "b", contract())

    assert found.identical
    assert counts(found.duplicates) == (2, 2, 1, 0)
    assert found.duplicates.samples[0].key == {"id": "1"}
    assert found.equal == 1
    assert found.ledger.old.duplicate_keyed == 2
    assert any(line.startswith("Duplicate keys: 1 (2 rows in old") for line in found.sentences())


def test_rows_are_neither_paired_by_position_nor_multiplied(con):
    table(con, "a", (1, "x", 1.0), (1, "y", 2.0), (1, "y", 2.0))
    table(con, "b", (1, "x", 1.0), (1, "x", 1.0), (1, "y", 2.0))

    found = both_ways(con, "a", "b", contract())

    assert counts(found.duplicates) == (3, 3, 0, 1)
    assert (found.equal, found.unequal) == (0, 0)
    [group] = found.duplicates.samples
    assert group.old == ({"id": "1", "v": "y", "x": "2.0"},)
    assert group.new == ({"id": "1", "v": "x", "x": "1.0"},)


def test_a_key_that_is_duplicate_on_one_side_only_is_no_pair(con):
    table(con, "a", (1, "x", 1.0), (2, "y", 1.0))
    table(con, "b", (1, "x", 1.0), (1, "x", 1.0), (2, "y", 1.0))

    found = both_ways(con, "a", "b", contract())

    assert counts(found.duplicates) == (1, 2, 0, 1)
    assert (found.equal, found.only_in_old, found.only_in_new) == (1, 0, 0)


def test_keys_with_null_are_compared_as_multisets_null_being_equal_to_null(con, any_path):
    for name in ("a", "b"):
        con.execute(f"CREATE OR REPLACE TABLE {name} (j INTEGER, k VARCHAR, v INTEGER)")
        con.execute(f"INSERT INTO {name} VALUES (1, NULL, 1), (NULL, 'x', 1), (NULL, NULL, 1), (1, 'x', 1)")

    found = both_ways(con, "a", "b", contract("j", "k"))
    con.execute("UPDATE b SET v = 2 WHERE j IS NULL AND k IS NULL")
    changed = both_ways(con, "a", "b", contract("j", "k"))

    assert found.identical
    assert counts(found.null_keys) == (3, 3, 3, 0)
    assert not changed.identical
    assert counts(changed.null_keys) == (3, 3, 2, 1)
    first = changed.null_keys.samples[0]
    assert (first.key, first.identical) == ({"j": None, "k": None}, False)
    assert (first.old[0]["v"], first.new[0]["v"]) == ("1", "2")


def test_a_tolerance_holds_inside_a_group(con):
    table(con, "a", (None, "x", 1.0), (None, "x", 1.05), (None, "y", 9.0))
    table(con, "b", (None, "y", 9.0), (None, "x", 1.1), (None, "x", 1.05))
    near = {"x": Tolerance("0.05")}

    assert both_ways(con, "a", "b", contract(tolerances=near)).identical
    assert not both_ways(con, "a", "b", contract(tolerances={"x": Tolerance("0.04")})).identical
    assert not both_ways(con, "a", "b", contract()).identical


def test_rows_of_a_group_are_told_apart_by_their_exact_columns_first(con):
    table(con, "a", (None, "x", 1.0), (None, "y", 1.05))
    table(con, "b", (None, "x", 1.05), (None, "y", 1.0))

    assert both_ways(con, "a", "b", contract(tolerances={"x": Tolerance("0.05")})).identical


def test_every_kind_of_row_at_once_is_in_the_ledger(con):
    table(con, "a", (1, "x", 1.0), (2, "x", 1.0), (3, "x", 1.0), (4, "x", 1.0), (4, "y", 1.0), (None, "x", 1.0))
    table(con, "b", (1, "x", 1.0), (2, "y", 2.0), (5, "x", 1.0), (4, "x", 1.0), (6, "x", 1.0), (6, "x", 1.0))

    found = both_ways(con, "a", "b", contract())

    assert found.ledger.old.equation("old") == (
        "old 6 = equal 1 + unequal 1 + only in old 1 + duplicate-keyed 2 + null-keyed 1"
    )
    assert found.ledger.new.equation("new") == (
        "new 6 = equal 1 + unequal 1 + only in new 1 + duplicate-keyed 3 + null-keyed 0"
    )
    assert [(c.column, c.equal, c.unequal) for c in found.ledger.columns] == [("v", 1, 1), ("x", 1, 1)]


@pytest.mark.parametrize("limit", [0, 10**9])
def test_duplicate_keys_are_found_with_and_without_a_first_try_at_joining(con, monkeypatch, limit):
    monkeypatch.setattr(pairing, "ROWS_PER_KEY", limit)
    con.execute("CREATE OR REPLACE TABLE a AS SELECT i % 90 AS id, i // 90 AS v FROM range(100) AS r(i)")
    con.execute("CREATE OR REPLACE TABLE b AS SELECT id, v + (id = 50)::INTEGER AS v FROM a WHERE id <> 60 OR v = 1")

    found = both_ways(con, "a", "b", contract())

    assert counts(found.duplicates) == (20, 20, 10, 0)
    assert (found.equal, found.unequal, found.only_in_old) == (78, 1, 1)


def test_a_key_of_one_value_in_large_tables_does_not_multiply(con):
    con.execute("CREATE OR REPLACE TABLE a AS SELECT 1 AS id, i AS v FROM range(200000) AS r(i)")
    con.execute("CREATE OR REPLACE TABLE b AS SELECT id, v + (v = 7)::INTEGER AS v FROM a")

    found = compare(con, "a", "b", contract())

    assert counts(found.duplicates) == (200000, 200000, 0, 1)
    assert [row["v"] for row in found.duplicates.samples[0].old] == ["7"]
    assert [row["v"] for row in found.duplicates.samples[0].new] == ["8"]


def test_beyond_a_million_rows_the_fast_path_says_that_keys_were_not_examined(con, monkeypatch):
    table(con, "a", (1, "x", 1.0), (1, "x", 1.0), (None, "y", 1.0))
    monkeypatch.setattr(compare_module, "KEY_EXAMINATION_ROWS", 2)

    found = compare(con, "a", "a", contract())

    assert found.identical
    assert (found.fast_path, found.keys_examined, found.equal) == (True, False, 3)
    assert any("keys were not examined" in line for line in found.sentences())


@pytest.mark.parametrize("value", ["[1]", "MAP {0: 1}", "array_value(1, 2)", "{'a': 1}", "'\\x01'::BLOB"])
def test_keys_that_hold_other_values_are_paired_whatever_stands_beside_them(tmp_path, value):
    # DuckDB 2.0 loses pairs of such a join: one column stored as a single value, the other nested, some of it NULL.
    path = tmp_path / "stored.duckdb"
    with duckdb.connect(str(path)) as con:
        for name, values in (("old", [value, "NULL"]), ("new", ["NULL", value, value])):
            [[kind]] = con.execute(f"SELECT typeof({value})").fetchall()
            rows = " UNION ALL ".join(f"SELECT 7 AS id, CAST({one} AS {kind}) AS k, 'x' AS v" for one in values)
            con.execute(f"CREATE TABLE {name} AS {rows}")
    with duckdb.connect(str(path)) as con:
        found = both_ways(con, "old", "new", contract("id", "k"))

    assert counts(found.duplicates) == (1, 2, 0, 1)
    assert counts(found.null_keys) == (1, 1, 1, 0)
