"""Two cells: what is equal and what is not, by type. Every row of these tables is one planted defect or equal pair."""

import pytest

from olist_pipeline.tablediff import fingerprint
from olist_pipeline.tablediff.compare import compare
from olist_pipeline.tablediff.contract import Tolerance
from olist_pipeline.tablediff.relation import describe
from olist_pipeline.tablediff.sql import quote
from tests.pipeline.tablediff.tables import batches, compare_cells, compare_columns, compare_keys, contract

DIFFERENT = [
    ("NULL is not the empty text", "VARCHAR", "NULL", "''"),
    ("NULL is not the text NULL", "VARCHAR", "NULL", "'NULL'"),
    ("the empty text is not the text NULL", "VARCHAR", "''", "'NULL'"),
    ("NULL is not zero", "INTEGER", "NULL", "0"),
    ("NULL is not false", "BOOLEAN", "NULL", "false"),
    ("NULL is not NaN", "DOUBLE", "NULL", "'nan'"),
    ("NaN is not zero", "DOUBLE", "'nan'", "0"),
    ("NaN is not infinity", "DOUBLE", "'nan'", "'inf'"),
    ("infinities have a sign", "DOUBLE", "'inf'", "'-inf'"),
    ("infinity is not the largest number", "DOUBLE", "'inf'", "1.7976931348623157e308"),
    ("an ulp of a double", "DOUBLE", "1.0", "1.0000000000000002"),
    ("an ulp of a float", "FLOAT", "1.0", "1.0000001"),
    ("true is not false", "BOOLEAN", "true", "false"),
    ("one more", "INTEGER", "41", "42"),
    ("a cent", "DECIMAL(10,2)", "10.00", "10.01"),
    (
        "the last digit of a wide decimal",
        "DECIMAL(38,10)",
        "1234567890123456789012345678.0000000001",
        "1234567890123456789012345678",
    ),
    ("extremes of BIGINT", "BIGINT", "9223372036854775807", "-9223372036854775808"),
    (
        "extremes of HUGEINT",
        "HUGEINT",
        "'170141183460469231731687303715884105727'",
        "'-170141183460469231731687303715884105728'",
    ),
    ("extremes of UHUGEINT", "UHUGEINT", "'340282366920938463463374607431768211455'", "0"),
    (
        "extremes of DECIMAL",
        "DECIMAL(38,0)",
        "'99999999999999999999999999999999999999'",
        "'-99999999999999999999999999999999999999'",
    ),
    ("extremes of DOUBLE", "DOUBLE", "1.7e308", "-1.7e308"),
    ("128-bit numbers with equal halves", "HUGEINT", "18446744073709551617::HUGEINT", "36893488147419103234::HUGEINT"),
    (
        "128-bit numbers with swapped halves",
        "HUGEINT",
        "18446744073709551618::HUGEINT",
        "36893488147419103233::HUGEINT",
    ),
    (
        "a large BIGNUM",
        "BIGNUM",
        "'123456789012345678901234567890123456789012'",
        "'123456789012345678901234567890123456789013'",
    ),
    ("a trailing blank", "VARCHAR", "'São Paulo'", "'São Paulo '"),
    ("a leading blank", "VARCHAR", "'x'", "' x'"),
    ("a tabulator for a blank", "VARCHAR", "'a b'", "'a\tb'"),
    ("letter case", "VARCHAR", "'sp'", "'SP'"),
    ("an accent", "VARCHAR", "'são paulo'", "'sao paulo'"),
    ("a composed and a decomposed accent", "VARCHAR", "chr(227)", "'a' || chr(771)"),
    ("a leading zero", "VARCHAR", "'01037'", "'1037'"),
    ("two characters that cancel out in DuckDB's hash", "VARCHAR", "'x3k5c3ta meek806ygnz'", "'x3k5c3tk meek80pygnz'"),
    ("JSON that is written otherwise", "JSON", "'{\"a\": 1}'", "'{\"a\":1}'"),
    ("a byte", "BLOB", "'\\x00'::BLOB", "'\\x01'::BLOB"),
    ("no bytes", "BLOB", "NULL", "''::BLOB"),
    ("a bit", "BIT", "'0101'", "'00101'"),
    ("an enum label", "ENUM('a','b')", "'a'", "'b'"),
    ("a UUID", "UUID", "'00000000-0000-0000-0000-000000000000'", "'00000000-0000-0001-0000-000000000001'"),
    ("a day", "DATE", "'2017-12-31'", "'2018-01-01'"),
    ("an infinite day", "DATE", "'infinity'", "'-infinity'"),
    ("a day out of the range of microseconds", "DATE", "'5000000-01-01'", "'5000000-01-02'"),
    ("a month", "TIMESTAMP", "'2018-01-31 10:00:00'", "'2018-02-28 10:00:00'"),
    ("a microsecond", "TIMESTAMP", "'2018-01-01 10:00:00.000001'", "'2018-01-01 10:00:00'"),
    ("a nanosecond", "TIMESTAMP_NS", "'2018-01-01 10:00:00.000000001'", "'2018-01-01 10:00:00'"),
    ("a millisecond", "TIMESTAMP_MS", "'2018-01-01 10:00:00.001'", "'2018-01-01 10:00:00'"),
    ("a second", "TIMESTAMP_S", "'2018-01-01 10:00:01'", "'2018-01-01 10:00:00'"),
    ("an infinite timestamp", "TIMESTAMP", "'infinity'", "'9999-12-31 23:59:59.999999'"),
    ("an instant", "TIMESTAMPTZ", "'2018-01-01 10:00:00+00'", "'2018-01-01 10:00:00+01'"),
    ("a microsecond of a day", "TIME", "'10:00:00'", "'10:00:00.000001'"),
    ("a nanosecond of a day", "TIME_NS", "'10:00:00'", "'10:00:00.000000001'"),
    ("the same moment in another zone", "TIMETZ", "'12:00:00+01'", "'11:00:00+00'"),
    ("1 month is not 30 days", "INTERVAL", "'1 month'", "'30 days'"),
    ("intervals whose parts cancel out", "INTERVAL", "'1 month 1 day'", "'2 months 2 days'"),
    ("the empty list is not NULL", "INTEGER[]", "[]", "NULL"),
    ("a list of NULL is not the empty list", "INTEGER[]", "[NULL]", "[]"),
    ("a list of NULL is not NULL", "INTEGER[]", "[NULL]", "NULL"),
    ("a list has an order", "INTEGER[]", "[1, 2]", "[2, 1]"),
    ("where an element ends", "VARCHAR[]", "['a, b']", "['a', 'b']"),
    ("the text NULL in a list", "VARCHAR[]", "['NULL']", "[NULL]"),
    ("a field", "STRUCT(a INTEGER, b VARCHAR)", "{'a': 1, 'b': 'x'}", "{'a': 1, 'b': 'y'}"),
    ("NULL in another field", "STRUCT(a INTEGER, b INTEGER)", "{'a': 1, 'b': NULL}", "{'a': NULL, 'b': 1}"),
    ("a struct of NULL is not NULL", "STRUCT(a INTEGER)", "{'a': NULL}", "NULL"),
    ("an interval in a list", "INTERVAL[]", "[INTERVAL '1 month']", "[INTERVAL '30 days']"),
    ("a float in a list is exact", "DOUBLE[]", "[1.0]", "[1.0000000000000002]"),
    ("a value of a map", "MAP(VARCHAR, INTEGER)", "MAP {'a': 1}", "MAP {'a': 2}"),
    ("a fixed-size array", "INTEGER[2]", "[1, 2]", "[1, 3]"),
    (
        "the member of a union",
        "UNION(a INTEGER, b INTEGER)",
        "union_value(a := 1)::UNION(a INTEGER, b INTEGER)",
        "union_value(b := 1)::UNION(a INTEGER, b INTEGER)",
    ),
    ("a variant", "VARIANT", "1::VARIANT", "'1'::VARIANT"),
]

EQUAL = [
    ("NULL and NULL", "INTEGER", "NULL", "NULL"),
    ("NULL and NULL of text", "VARCHAR", "NULL", "NULL"),
    ("empty texts", "VARCHAR", "''", "''"),
    ("NaN and NaN", "DOUBLE", "'nan'", "'nan'"),
    ("NaN of either sign", "DOUBLE", "'nan'", "'-nan'"),
    ("NaN of either sign, single precision", "FLOAT", "'nan'", "'-nan'"),
    ("zero of either sign", "DOUBLE", "0.0", "-0.0::DOUBLE"),
    ("zero of either sign, single precision", "FLOAT", "0.0", "-0.0::FLOAT"),
    ("infinity", "DOUBLE", "'inf'", "'inf'"),
    ("negative infinity", "DOUBLE", "'-inf'", "'-inf'"),
    ("a decimal written with another scale", "DECIMAL(10,2)", "1.5", "1.50"),
    ("the least BIGINT", "BIGINT", "-9223372036854775808", "-9223372036854775808"),
    (
        "the largest UHUGEINT",
        "UHUGEINT",
        "'340282366920938463463374607431768211455'",
        "'340282366920938463463374607431768211455'",
    ),
    (
        "the largest DECIMAL",
        "DECIMAL(38,0)",
        "'99999999999999999999999999999999999999'",
        "'99999999999999999999999999999999999999'",
    ),
    ("a long text", "VARCHAR", "repeat('á', 1000)", "repeat('á', 1000)"),
    ("infinite timestamps", "TIMESTAMP", "'infinity'", "'infinity'"),
    ("one instant in two zones", "TIMESTAMPTZ", "'2018-01-01 12:00:00+01'", "'2018-01-01 11:00:00+00'"),
    ("an interval written otherwise", "INTERVAL", "'14 months'", "'1 year 2 months'"),
    ("lists with NULL", "INTEGER[]", "[1, NULL]", "[1, NULL]"),
    ("empty lists", "INTEGER[]", "[]", "[]"),
    ("zero of either sign in a list", "DOUBLE[]", "[0.0]", "[-0.0::DOUBLE]"),
    ("NaN in a struct", "STRUCT(a DOUBLE)", "{'a': 'nan'::DOUBLE}", "{'a': '-nan'::DOUBLE}"),
    ("structs with NULL", "STRUCT(a INTEGER, b INTEGER)", "{'a': NULL, 'b': 1}", "{'a': NULL, 'b': 1}"),
    ("maps", "MAP(VARCHAR, INTEGER)", "MAP {'a': NULL}", "MAP {'a': NULL}"),
    ("variants", "VARIANT", "{'a': [1, NULL]}::VARIANT", "{'a': [1, NULL]}::VARIANT"),
    ("blobs", "BLOB", "'\\x00\\xFF'::BLOB", "'\\x00\\xFF'::BLOB"),
    ("an untyped NULL", '"NULL"', "NULL", "NULL"),
]

CENT, SECOND, PERCENT = Tolerance("0.01"), Tolerance(1), Tolerance(relative="0.01")
LARGE = Tolerance(absolute="1e300", relative="1e10")
TOLERATED = [
    ("DECIMAL(10,2)", CENT, "10.00", "10.01", True),
    ("DECIMAL(10,2)", CENT, "10.00", "10.02", False),
    ("DECIMAL(10,3)", CENT, "10.000", "10.011", False),
    ("DECIMAL(10,1)", CENT, "10.0", "10.1", False),
    ("DECIMAL(10,2)", CENT, "-0.01", "0.00", True),
    ("DECIMAL(10,2)", CENT, "NULL", "0.00", False),
    ("DECIMAL(38,38)", CENT, "0.5", "0.51", True),
    (
        "DECIMAL(38,0)",
        Tolerance(1),
        "'99999999999999999999999999999999999999'",
        "'99999999999999999999999999999999999998'",
        True,
    ),
    (
        "DECIMAL(38,0)",
        Tolerance(1),
        "'99999999999999999999999999999999999999'",
        "'-99999999999999999999999999999999999999'",
        False,
    ),
    (
        "DECIMAL(38,0)",
        LARGE,
        "'99999999999999999999999999999999999999'",
        "'-99999999999999999999999999999999999999'",
        True,
    ),
    ("DECIMAL(38,0)", Tolerance("1e300"), "'99999999999999999999999999999999999999'", "0", True),
    ("INTEGER", Tolerance("1e300"), "1", "2", True),
    ("HUGEINT", Tolerance(2**127 - 1), "'170141183460469231731687303715884105727'", "0", True),
    ("DOUBLE", Tolerance("0.1"), "1.0", "1.1", True),
    ("DOUBLE", Tolerance(0.1), "1.0", "1.1001", False),
    ("DOUBLE", CENT, "10.01", "10.00", True),
    ("DOUBLE", CENT, "0.125", "0.135000001", False),
    ("FLOAT", CENT, "10.01", "10.00", True),
    ("FLOAT", CENT, "10.02", "10.00", False),
    ("DOUBLE", LARGE, "'inf'", "1.0", False),
    ("DOUBLE", LARGE, "'inf'", "'-inf'", False),
    ("DOUBLE", LARGE, "'nan'", "1.0", False),
    ("DOUBLE", LARGE, "NULL", "1.0", False),
    ("DOUBLE", LARGE, "NULL", "'nan'", False),
    ("DOUBLE", LARGE, "'nan'", "'nan'", True),
    ("DOUBLE", PERCENT, "100", "99", True),
    ("DOUBLE", PERCENT, "100", "98.99", False),
    ("DOUBLE", PERCENT, "100", "-100", False),
    ("INTEGER", PERCENT, "100", "101", True),
    ("INTEGER", PERCENT, "100", "102", False),
    ("INTEGER", Tolerance("1.9"), "100", "101", True),
    ("INTEGER", Tolerance("1.9"), "100", "102", False),
    ("BIGINT", Tolerance(1), "9223372036854775807", "-9223372036854775808", False),
    ("BIGINT", Tolerance(2**64 - 1), "9223372036854775807", "-9223372036854775808", True),
    ("BIGINT", Tolerance(2**64 - 2), "9223372036854775807", "-9223372036854775808", False),
    ("BIGINT", Tolerance(1), "9007199254740993", "9007199254740995", False),
    (
        "HUGEINT",
        Tolerance(1),
        "'170141183460469231731687303715884105727'",
        "'-170141183460469231731687303715884105728'",
        False,
    ),
    ("UHUGEINT", Tolerance(1), "0", "1", True),
    ("UHUGEINT", Tolerance(1), "'340282366920938463463374607431768211455'", "0", False),
    ("UTINYINT", Tolerance(255), "0", "255", True),
    ("BIGNUM", Tolerance(1), "'1'", "'2'", True),
    ("DATE", Tolerance(86400), "'2018-01-01'", "'2018-01-02'", True),
    ("DATE", Tolerance(86399), "'2018-01-01'", "'2018-01-02'", False),
    ("DATE", Tolerance("1e300"), "'infinity'", "'2018-01-02'", False),
    ("DATE", Tolerance(86400), "'5000000-01-01'", "'5000000-01-02'", True),
    ("TIMESTAMP", SECOND, "'2018-01-01 10:00:00'", "'2018-01-01 10:00:01'", True),
    ("TIMESTAMP", SECOND, "'2018-01-01 10:00:00'", "'2018-01-01 10:00:01.000001'", False),
    ("TIMESTAMP", SECOND, "'infinity'", "'-infinity'", False),
    ("TIMESTAMP_NS", Tolerance("1e-9"), "'2018-01-01 10:00:00'", "'2018-01-01 10:00:00.000000001'", True),
    ("TIMESTAMP_NS", Tolerance("1e-9"), "'2018-01-01 10:00:00'", "'2018-01-01 10:00:00.000000002'", False),
    ("TIMESTAMPTZ", SECOND, "'2018-01-01 10:00:00+00'", "'2018-01-01 12:00:01+02'", True),
    ("TIME", SECOND, "'10:00:00'", "'10:00:01'", True),
    ("TIME", SECOND, "'10:00:00'", "NULL", False),
]

RETYPED = [
    ("INTEGER", "7", "BIGINT", "7", True),
    ("INTEGER", "7", "BIGINT", "8", False),
    ("INTEGER", "7", "BIGINT", "4294967303", False),
    ("UBIGINT", "18446744073709551615", "BIGINT", "-1", False),
    ("HUGEINT", "-1", "UHUGEINT", "'340282366920938463463374607431768211455'", False),
    ("HUGEINT", "5", "UHUGEINT", "5", True),
    ("BOOLEAN", "true", "INTEGER", "1", True),
    ("BOOLEAN", "true", "INTEGER", "2", False),
    ("DECIMAL(10,2)", "1.50", "DECIMAL(12,4)", "1.5", True),
    ("DECIMAL(10,2)", "1.50", "DECIMAL(12,4)", "1.5001", False),
    ("DECIMAL(38,0)", "'99999999999999999999999999999999999999'", "DECIMAL(38,38)", "0.5", False),
    ("DECIMAL(38,0)", "0", "DECIMAL(38,38)", "0", True),
    ("DECIMAL(38,10)", "1.5", "DECIMAL(38,30)", "1.5", True),
    ("INTEGER", "2", "DECIMAL(10,2)", "2.00", True),
    ("INTEGER", "2", "DECIMAL(10,2)", "2.01", False),
    ("HUGEINT", "2", "DECIMAL(10,2)", "2", True),
    ("BIGINT", "9007199254740993", "DOUBLE", "9007199254740992", False),
    ("BIGINT", "9007199254740992", "DOUBLE", "9007199254740992", True),
    ("BIGINT", "12345678901", "DOUBLE", "12345678902", False),
    ("INTEGER", "0", "DOUBLE", "-0.0::DOUBLE", True),
    ("INTEGER", "NULL", "DOUBLE", "'nan'", False),
    ("DECIMAL(10,2)", "0.30", "DOUBLE", "0.301", False),
    ("FLOAT", "0.5", "DOUBLE", "0.5", True),
    ("FLOAT", "0.1", "DOUBLE", "0.1", False),
    ("BIGNUM", "'7'", "INTEGER", "7", True),
    ("VARCHAR", "'7'", "INTEGER", "7", True),
    ("VARCHAR", "'007'", "INTEGER", "7", False),
    ("VARCHAR", "'x'", "INTEGER", "7", False),
    ("VARCHAR", "NULL", "INTEGER", "7", False),
    ("VARCHAR", "'2018-01-01'", "DATE", "'2018-01-01'", True),
    ("DATE", "'2018-01-01'", "TIMESTAMP", "'2018-01-01 00:00:00'", True),
    ("DATE", "'2018-01-01'", "TIMESTAMP", "'2018-01-01 00:00:01'", False),
    ("DATE", "'infinity'", "TIMESTAMP", "'infinity'", True),
    ("TIMESTAMP", "'2018-01-01 00:00:00.5'", "TIMESTAMP_NS", "'2018-01-01 00:00:00.5'", True),
    ("TIMESTAMP", "'2018-01-01 00:00:00'", "TIMESTAMP_NS", "'2018-01-01 00:00:00.000000001'", False),
    ("TIMESTAMP", "'9999-01-01 00:00:00'", "TIMESTAMP_NS", "'2018-01-01 00:00:00'", False),
    ("TIMESTAMP", "'2018-01-01 10:00:00'", "TIMESTAMPTZ", "'2018-01-01 11:00:00+01'", True),
    ("TIMESTAMP_S", "'2018-01-01 10:00:00'", "TIMESTAMP_MS", "'2018-01-01 10:00:00'", True),
    ("TIME", "'10:00:00.5'", "TIME_NS", "'10:00:00.5'", True),
    ("TIMESTAMP", "'2018-01-01 10:00:00'", "TIME", "'10:00:00'", False),
    ("ENUM('a')", "'a'", "VARCHAR", "'a'", True),
    ("ENUM('a', 'b')", "'b'", "ENUM('b', 'a')", "'b'", True),
    ("ENUM('a', 'b')", "'a'", "ENUM('b', 'a')", "'b'", False),
    ("INTEGER[]", "[1, NULL]", "BIGINT[]", "[1, NULL]", True),
    ("INTEGER[]", "[1]", "BIGINT[]", "[2]", False),
    ("VARCHAR", "'{\"a\":1}'", "JSON", "'{\"a\":1}'", True),
]


def pairs(cases):
    """Return cases of one type as pairs of cells, by name."""
    return {name: ((kind, old), (kind, new)) for name, kind, old, new in cases}


def named(cases):
    """Return what tells of a case, which has no name, what it is."""
    return {" ".join(map(str, case)): case for case in cases}


def hashes(con, relation):
    """Return what a fingerprint takes of each cell of row 2, by column."""
    columns = describe(con, relation).columns
    taken = ", ".join(fingerprint.row_hash([column]) for column in columns)
    [row] = con.execute(f"SELECT {taken} FROM {relation} WHERE id = 2").fetchall()
    return dict(zip((column.name for column in columns), row, strict=True))


@pytest.mark.parametrize("cases", batches(DIFFERENT))
def test_different_cells_are_found(con, cases):
    names = [name for name, *_ in cases]
    found = compare_columns(con, pairs(cases), contract(exact_floats=True))

    assert not found.identical
    assert (found.equal, found.unequal) == (2, 1)
    shown = {
        column.column: (column.unequal, column.equal, [change.key for change in column.changes])
        for column in found.differing_columns
    }
    assert shown == dict.fromkeys(names, (1, 2, [{"id": "2"}]))
    assert [(sample.key, list(sample.unequal)) for sample in found.unequal_samples] == [({"id": "2"}, names)]
    old, new = hashes(con, "old_cells"), hashes(con, "new_cells")
    assert [name for name in old if old[name] == new[name]] == ["id"]


def parts_in(samples, names):
    """Return the names of the parts by which rows with a key differ, of the rows that are on one side alone."""
    return [names[int(sample.key["n"])] for sample in samples]


@pytest.mark.parametrize("cases", batches(DIFFERENT))
def test_different_cells_are_different_keys(con, cases):
    """In each row, the key of old and that of new differ in one part."""
    found = compare_keys(con, pairs(cases), {name: new if old == "NULL" else old for name, _, old, new in cases})

    names = [name for name, *_ in cases]
    only_in_old, only_in_new = ([case[0] for case in cases if case[side] != "NULL"] for side in (2, 3))
    assert parts_in(found.only_in_old_samples, names) == only_in_old
    assert parts_in(found.only_in_new_samples, names) == only_in_new
    assert found.equal == found.unequal == found.null_keys.identical == found.duplicates.count == 0
    assert found.null_keys.differing == sum("NULL" in case[2:] for case in cases)


@pytest.mark.parametrize("cases", batches(EQUAL))
def test_equal_cells_are_not_reported(con, any_path, cases):
    found = compare_columns(con, pairs(cases), contract(exact_floats=True))

    assert found.identical, found.sentences()
    assert found.equal == 3
    assert found.fast_path == (any_path == "fast path allowed")


VALUES = [case for case in EQUAL if case[2] != "NULL"]


@pytest.mark.parametrize("cases", [*batches(VALUES), *([case] for case in EQUAL if case not in VALUES)])
def test_equal_cells_are_equal_keys(con, any_path, cases):
    for table, side in (("a", 2), ("b", 3)):
        parts = (f"CAST({case[side]} AS {case[1]}) AS {quote(case[0])}" for case in cases)
        con.execute(f"CREATE OR REPLACE TABLE {table} AS SELECT {', '.join(parts)}")
    found = compare(con, "a", "b", contract(*(name for name, *_ in cases)))

    assert found.identical, found.sentences()
    assert (found.equal, found.null_keys.identical) == ((0, 1) if cases[0][2] == "NULL" else (1, 0))


@pytest.mark.parametrize("cases", batches(TOLERATED))
def test_a_tolerance_is_a_bound_on_the_true_difference(con, cases):
    there = {name: ((kind, old), (kind, new)) for name, (kind, _, old, new, _) in named(cases).items()}
    back = {name: (new, old) for name, (old, new) in there.items()}
    rules = contract(tolerances={name: tolerance for name, (_, tolerance, *_) in named(cases).items()})

    wanted = {name: within for name, (*_, within) in named(cases).items()}
    for cells in (there, back):
        found = compare_columns(con, cells, rules)
        assert {column.column: not column.unequal for column in found.columns} == wanted
        assert found.identical == all(wanted.values())


@pytest.mark.parametrize("cases", batches(RETYPED))
def test_a_change_of_type_is_reported_and_values_still_compare(con, cases):
    there = {name: (case[:2], case[2:4]) for name, case in named(cases).items()}
    back = {name: (new, old) for name, (old, new) in there.items()}

    wanted = {name: equal for name, (*_, equal) in named(cases).items()}
    for cells in (there, back):
        found = compare_columns(con, cells, contract())
        assert not found.identical
        assert {difference.column: difference.kind for difference in found.schema} == dict.fromkeys(cells, "retyped")
        assert {column.column: not column.unequal for column in found.columns} == wanted
        assert found.equal + found.unequal == 3


NEUTRAL = {"DATE": "'2000-01-01'", "TIMESTAMP": "'2000-01-01'", "TIME": "'00:00:00'", "ENUM": "'a'", "[]": "[0]"}


def neutral(case):
    """Return a value that both types of a case have alike."""
    return next((value for part, value in NEUTRAL.items() if part in case[0] or part in case[2]), "'0'")


@pytest.mark.parametrize("cases", batches([case for case in RETYPED if case[2] != "TIME"]))
def test_keys_of_two_types_meet_when_their_values_are_equal(con, cases):
    """In each row, the key of old and that of new may differ in one part."""
    cells = {name: (case[:2], case[2:4]) for name, case in named(cases).items()}
    found = compare_keys(con, cells, {name: neutral(case) for name, case in named(cases).items()})

    assert not found.identical
    unequal = [name for name, case in named(cases).items() if not case[4]]
    assert parts_in(found.only_in_new_samples, list(cells)) == unequal
    assert found.equal == len(cases) - len(unequal)


def test_floats_have_a_relative_tolerance_unless_the_contract_says_otherwise(con):
    pair = ("DOUBLE", "0.1::DOUBLE + 0.2::DOUBLE"), ("DOUBLE", "0.3")

    assert compare_cells(con, *pair, contract()).identical
    assert not compare_cells(con, *pair, contract(exact_floats=True)).identical
    assert not compare_cells(con, ("DOUBLE", "1.0"), ("DOUBLE", "1.00000001"), contract()).identical
    retyped = compare_cells(con, ("DECIMAL(10,2)", "0.30"), ("DOUBLE", "0.1::DOUBLE + 0.2::DOUBLE"), contract())
    assert (retyped.equal, retyped.identical) == (3, False)


def test_fingerprints_decide_nothing_of_two_types(con):
    assert not compare_cells(con, ("INTEGER", "7"), ("BIGINT", "7"), contract()).fast_path
