"""What a comparison says: samples side by side, changes, largest differences, sentences, JSON, and a strict ledger."""

import json
import math

import pytest

from olist_pipeline.tablediff.compare import compare
from olist_pipeline.tablediff.contract import LedgerError, Tolerance
from olist_pipeline.tablediff.report import ColumnSide, Groups, Ledger, SchemaDifference, SideCounts, counted
from tests.pipeline.tablediff.tables import compare_cells, compare_columns, contract

LARGEST = [
    ("DECIMAL(10,2)", "10.00", "9.87", 0.13, ""),
    ("BIGINT", "-9223372036854775808", "9223372036854775807", 18446744073709551615.0, ""),
    (
        "DECIMAL(38,0)",
        "'99999999999999999999999999999999999999'",
        "'-99999999999999999999999999999999999999'",
        2e38,
        "",
    ),
    ("DOUBLE", "1.5", "-1.5", 3.0, ""),
    ("DOUBLE", "1.7e308", "-1.7e308", math.inf, ""),
    ("DOUBLE", "NULL", "1", None, ""),
    ("DOUBLE", "'nan'", "1", None, ""),
    ("DOUBLE", "'inf'", "1", None, ""),
    ("DATE", "'2018-01-01'", "'2018-01-03'", 172800.0, "seconds"),
    ("TIMESTAMP", "'2018-01-01 00:00:00'", "'2018-01-01 00:00:00.25'", 0.25, "seconds"),
    ("TIMESTAMP", "'infinity'", "'2018-01-01 00:00:00'", None, "seconds"),
    ("TIME", "'01:00:00'", "'00:59:59'", 1.0, "seconds"),
    ("VARCHAR", "'a'", "'b'", None, None),
    ("BOOLEAN", "true", "false", None, None),
]


def test_the_largest_difference_is_measured(con):
    cells = {f"{kind} {old} {new}": ((kind, old), (kind, new)) for kind, old, new, *_ in LARGEST}
    columns = compare_columns(con, cells, contract()).columns

    assert {column.column: (column.largest, column.unit) for column in columns} == dict(
        zip(cells, (case[3:] for case in LARGEST), strict=True)
    )


@pytest.fixture
def changed(con):
    con.execute("CREATE OR REPLACE TABLE a AS SELECT i AS id, i // 4 AS v, 'SP' AS state FROM range(10) AS r(i)")
    con.execute(
        "CREATE OR REPLACE TABLE b AS SELECT id + (id = 9)::INTEGER AS id, "
        " CASE v WHEN 0 THEN 7 WHEN 1 THEN NULL ELSE v END AS v,"
        " CASE id WHEN 3 THEN 'sp' ELSE state END AS state FROM a WHERE id <> 7"
    )
    return compare(con, "a", "b", contract())


def test_changes_are_counted_most_frequent_first(changed):
    v, state = changed.columns

    assert [(c.old, c.new, c.count, c.key) for c in v.changes] == [
        ("0", "7", 4, {"id": "0"}),
        ("1", None, 3, {"id": "4"}),
    ]
    assert [(c.old, c.new, c.count, c.key) for c in state.changes] == [("SP", "sp", 1, {"id": "3"})]
    assert (v.unequal, v.equal, v.largest) == (7, 1, 7.0)


def test_samples_show_both_rows_side_by_side(changed):
    first = changed.unequal_samples[0]

    assert (first.old, first.new) == ({"id": "0", "v": "0", "state": "SP"}, {"id": "0", "v": "7", "state": "SP"})
    [lost, moved] = changed.only_in_old_samples
    assert (lost.key, lost.old, lost.new) == ({"id": "7"}, {"id": "7", "v": "1", "state": "SP"}, None)
    assert moved.key == {"id": "9"}
    [added] = changed.only_in_new_samples
    assert (added.key, added.old) == ({"id": "10"}, None)


def test_sentences_tell_the_findings(changed):
    assert changed.sentences() == [
        "t: differs; old has 10 rows, new has 9 rows.",
        "2 rows only in old, for example id = '7'.",
        "1 row only in new, for example id = '10'.",
        "7 rows unequal, for example id = '0'.",
        "Column v: 7 of 8 cells differ, largest difference 7.",
        "  '0' -> '7': 4 times, for example id = '0'",
        "  '1' -> NULL: 3 times, for example id = '4'",
        "Column state: 1 of 8 cells differ.",
        "  'SP' -> 'sp': 1 time, for example id = '3'",
        "Ledger: old 10 = equal 1 + unequal 7 + only in old 2 + duplicate-keyed 0 + null-keyed 0;"
        " new 9 = equal 1 + unequal 7 + only in new 1 + duplicate-keyed 0 + null-keyed 0.",
    ]


def test_an_identical_table_is_summed_up_in_two_sentences_and_a_ledger(con):
    con.execute("CREATE OR REPLACE TABLE a AS SELECT 1 AS id, 1.0::DOUBLE AS v")

    assert compare(con, "a", "a", contract(), where="id > 0").sentences() == [
        "t where id > 0: identical, 1 row on both sides.",
        "Decided by fingerprint: the compared columns hold the same rows on both sides.",
        "Ledger: old 1 = equal 1 + unequal 0 + only in old 0 + duplicate-keyed 0 + null-keyed 0;"
        " new 1 = equal 1 + unequal 0 + only in new 0 + duplicate-keyed 0 + null-keyed 0.",
    ]


def test_the_result_is_json(con, changed):
    infinite = compare_cells(con, ("DOUBLE", "1.7e308"), ("DOUBLE", "-1.7e308"), contract())

    assert json.loads(json.dumps(changed.to_dict(), allow_nan=False))["columns"][0]["changes"][1]["new"] is None
    assert json.loads(json.dumps(infinite.to_dict(), allow_nan=False))["columns"][0]["largest"] == "inf"


BALANCED = SideCounts(rows=10, equal=4, unequal=3, only=1, duplicate_keyed=1, null_keyed=1)


def test_a_ledger_that_adds_up_is_accepted():
    assert Ledger("t", BALANCED, BALANCED, (ColumnSide("v", 5, 2),)).old.unpaired == 3


@pytest.mark.parametrize("part", ["rows", "equal", "unequal", "only", "duplicate_keyed", "null_keyed"])
@pytest.mark.parametrize("side", ["old", "new"])
def test_a_ledger_that_does_not_add_up_is_refused(side, part):
    wrong = SideCounts(**{**vars(BALANCED), part: getattr(BALANCED, part) + 1})
    sides = {"old": BALANCED, "new": BALANCED, side: wrong}

    with pytest.raises(LedgerError, match=f"The comparison of t does not add up.*{side} "):
        Ledger("t", sides["old"], sides["new"], ())


@pytest.mark.parametrize("cells", [(5, 1), (5, 3), (0, 0)])
def test_a_column_that_does_not_add_up_is_refused(cells):
    with pytest.raises(LedgerError, match="column v: "):
        Ledger("t", BALANCED, BALANCED, (ColumnSide("w", 7, 0), ColumnSide("v", *cells)))


def test_every_row_that_is_not_paired_is_counted():
    side = SideCounts(rows=21, equal=5, unequal=3, only=6, duplicate_keyed=5, null_keyed=2)
    assert side.unpaired == 13
    assert Ledger("t", side, side, (ColumnSide("v", 3, 5),)).new.unpaired == 13
    assert Groups(identical=3, differing=5).count == 8


def test_a_ledger_of_many_rows_adds_up():
    side = SideCounts(rows=5000, equal=3000, unequal=1000, only=1000, duplicate_keyed=0, null_keyed=0)
    assert Ledger("t", side, side, (ColumnSide("v", 3500, 500),)).old == side


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("missing", "column a (x) is missing in new"),
        ("extra", "column a (y) is only in new"),
        ("retyped", "column a is retyped: x -> y"),
        ("recased", "column a is recased: x -> y"),
        ("reordered", "column a is reordered: x -> y"),
    ],
)
def test_a_schema_difference_is_said(kind, text):
    assert str(SchemaDifference(str(kind.encode(), "ascii"), "a", "x", "y")) == text


def test_a_number_is_said_with_what_it_counts():
    assert [counted(number, "row") for number in (0, 1, 2, 1000)] == ["0 rows", "1 row", "2 rows", "1000 rows"]


def test_floats_stay_numbers_in_json_unless_they_are_none(con, changed):
    assert changed.to_dict()["columns"][0]["largest"] == 7.0


@pytest.mark.parametrize("counts", [(3, 4), (5, 2)])
def test_either_side_may_pair_more(counts):
    equal, unequal = counts
    other = SideCounts(rows=10, equal=equal, unequal=unequal, only=1, duplicate_keyed=1, null_keyed=1)
    with pytest.raises(LedgerError, match="pair different numbers"):
        Ledger("t", BALANCED, other, ())


def test_sides_that_pair_different_numbers_are_refused():
    other = SideCounts(rows=10, equal=3, unequal=4, only=1, duplicate_keyed=1, null_keyed=1)

    with pytest.raises(LedgerError, match="pair different numbers"):
        Ledger("t", BALANCED, other, ())


def test_places_of_columns_count_from_one(con):
    con.execute("CREATE OR REPLACE TABLE before AS SELECT 1 AS id, 2 AS b, 3 AS c")
    con.execute("CREATE OR REPLACE TABLE after AS SELECT 3 AS c, 1 AS id, 2 AS b")
    found = compare(con, "before", "after", contract("id"))
    [moved] = found.schema
    assert "Schema: column c is reordered: 3 -> 1." in found.sentences()
    assert (moved.kind, moved.column, moved.old, moved.new) == ("reordered", "c", "3", "1")


def test_columns_with_a_tolerance_are_named(con):
    con.execute("CREATE OR REPLACE TABLE before AS SELECT 1 AS id, 1 AS near, 'x' AS exact")
    con.execute("CREATE OR REPLACE TABLE after AS SELECT 1 AS id, 2 AS near, 'x' AS exact")
    found = compare(con, "before", "after", contract("id", tolerances={"near": Tolerance(1)}))
    assert f"Compared with a tolerance: near ({Tolerance(1)})." in found.sentences()


def test_a_summary_has_the_verdict_and_four_findings(con):
    columns = "abcdef"
    for table, value in (("before", 1), ("after", 2)):
        cells = ", ".join(f"{value} AS {name}" for name in columns)
        con.execute(f"CREATE OR REPLACE TABLE {table} AS SELECT 1 AS id, {cells}")
    found = compare(con, "before", "after", contract("id"))
    said = [line.strip().rstrip(".") for line in found.sentences()]
    assert found.summary() == "; ".join(said[:5])
    assert len(said) > 5


ROWS = "(VALUES (1, 2), (2, 3)) AS rows(id, v)"


@pytest.mark.parametrize(
    ("new", "spelled"),
    [
        ("SELECT id, v FROM {}", []),
        ("SELECT id, v::BIGINT AS v FROM {}", ["cast(v as INTEGER)"]),
        ('SELECT id, v AS "V" FROM {}', ["V as v"]),
        ('SELECT id::SMALLINT AS id, v AS "V" FROM {}', ["cast(id as INTEGER)", "V as v"]),
        ("SELECT id, v::BIGINT AS v, 1 AS more FROM {}", []),
        ("SELECT id, v::BIGINT AS v FROM {} WHERE id = 1", []),
        ("SELECT id, v::BIGINT AS v FROM {} UNION ALL SELECT 3, 4", []),
        ("SELECT id, v::BIGINT + 1 AS v FROM {}", []),
        ("SELECT id, v::BIGINT AS v FROM {} UNION ALL SELECT 2, 4", []),
        ("SELECT id, v::BIGINT AS v FROM {} UNION ALL SELECT NULL, 4", []),
    ],
)
def test_new_is_spelled_as_old_where_only_types_and_cases_differ(con, new, spelled):
    assert compare(con, f"(FROM {ROWS})", f"({new.format(ROWS)})", contract()).spellings() == spelled
