"""One column: its family, its digits, its text, and what is hashed of it."""

import pytest

from olist_pipeline.tablediff.columns import Column, Family

BITS = {"TINYINT": 8, "SMALLINT": 16, "INTEGER": 32, "BIGINT": 64, "HUGEINT": 128}
FAMILIES = {
    Family.EXACT_NUMBER: ["BOOLEAN", *BITS, *(f"U{name}" for name in BITS), "DECIMAL(9,2)"],
    Family.BIG_NUMBER: ["BIGNUM"],
    Family.FLOAT: ["FLOAT", "DOUBLE"],
    Family.DATE: [
        "DATE",
        "TIMESTAMP",
        "TIMESTAMP_S",
        "TIMESTAMP_MS",
        "TIMESTAMP_NS",
        "TIMESTAMP WITH TIME ZONE",
        "TIMESTAMPTZ_NS",
    ],
    Family.TIME: ["TIME", "TIME_NS"],
    Family.TEXT: ["VARCHAR"],
    Family.AS_TEXT: ["INTERVAL", "TIME WITH TIME ZONE", "JSON"],
    Family.UUID: ["UUID"],
    Family.ENUM: ["ENUM('a', 'b')", '"NULL"'],
    Family.OTHER: ["BLOB", "BIT", "INTEGER[]", "DECIMAL(9,2)[]", "ENUM('a')[]", "STRUCT(a INTEGER)", "MAP(DATE, DATE)"],
}


@pytest.mark.parametrize(("family", "kind"), [(family, kind) for family, kinds in FAMILIES.items() for kind in kinds])
def test_types_that_compare_by_value_are_of_one_family(family, kind):
    assert Column("v", kind).family is family


@pytest.mark.parametrize("kind", BITS)
def test_an_integer_has_the_digits_of_its_largest_value(kind):
    assert Column("v", kind).digits == (len(str(2 ** (BITS[kind] - 1))), 0)
    assert Column("v", f"U{kind}").digits == (len(str(2 ** BITS[kind] - 1)), 0)


@pytest.mark.parametrize(
    ("kind", "digits"), [("DECIMAL(10,2)", (8, 2)), ("DECIMAL(38,38)", (0, 38)), ("BOOLEAN", (1, 0))]
)
def test_a_number_has_digits_before_and_after_the_point(kind, digits):
    assert Column("v", kind).digits == digits


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("BOOLEAN", "true", "1"),
        ("INTEGER", "-100", "-100"),
        ("DECIMAL(5,0)", "100", "100"),
        ("DECIMAL(5,2)", "100", "100"),
        ("DECIMAL(5,2)", "1.50", "1.5"),
        ("DECIMAL(2,2)", "0.50", "0.5"),
        ("DECIMAL(2,2)", "-0.05", "-0.05"),
        ("DOUBLE", "1e3", "1000"),
        ("DOUBLE", "-0.0::DOUBLE", "0"),
        ("DOUBLE", "0.1", "0.1"),
        ("DOUBLE", "1e-5", "0.00001"),
        ("DOUBLE", "1e-30", "1e-30"),
        ("DOUBLE", "1e300", "1e+300"),
        ("DOUBLE", "'nan'", "nan"),
        ("FLOAT", "0.5", "0.5"),
        ("DATE", "'2018-01-10'", "2018-01-10 00:00:00"),
        ("DATE", "'infinity'", "infinity"),
        ("TIMESTAMP", "'2018-01-10 10:00:00'", "2018-01-10 10:00:00"),
        ("TIMESTAMP", "'2018-01-10 10:00:00.500'", "2018-01-10 10:00:00.5"),
        ("TIMESTAMP_NS", "'2018-01-10 10:00:00.000000010'", "2018-01-10 10:00:00.00000001"),
        ("TIMESTAMP WITH TIME ZONE", "'2018-01-10 10:00:00.50+01'", "2018-01-10 09:00:00.5"),
        ("TIME", "'10:00:00'", "10:00:00"),
        ("TIME_NS", "'10:00:00.500'", "10:00:00.5"),
        ("VARCHAR", "'1.50'", "1.50"),
    ],
)
def test_equal_values_of_a_family_have_one_text(con, kind, value, text):
    [(said,)] = con.execute(
        f"SELECT {Column('v', kind).canonical} FROM (SELECT CAST({value} AS {kind}) AS v)"
    ).fetchall()
    assert said == text


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        # A number of 128 bits hashes to the XOR of its halves.
        ("DECIMAL(19,0)", "5", "-6"),
        ("DECIMAL(38,0)", "5", "-6"),
        ("HUGEINT", "5", "-6"),
        ("VARCHAR", "'x3k5c3ta meek806ygnz'", "'x3k5c3tk meek80pygnz'"),
        ("JSON", "'\"x3k5c3ta meek806ygnz\"'", "'\"x3k5c3tk meek80pygnz\"'"),
        ("INTERVAL", "'1 month 1 day'", "'2 months 2 days'"),
        ("INTEGER[]", "[NULL]", "[]"),
        ("INTEGER[]", "[]", "NULL"),
        ("INTERVAL[]", "[INTERVAL '1 month']", "[INTERVAL '30 days']"),
        ("DECIMAL(18,2)", "1.00", "1.01"),
        ("BIGINT", "5", "-6"),
        ("UBIGINT", "5", "6"),
        ("UUID", "'00000000-0000-0000-0000-000000000000'", "'00000000-0000-0001-0000-000000000001'"),
    ],
)
def test_different_values_are_hashed_to_different_numbers(con, kind, one, other):
    arguments = ", ".join(Column("v", kind).hash_arguments())
    rows = f"(SELECT CAST({one} AS {kind}) AS v UNION ALL SELECT CAST({other} AS {kind}))"
    assert con.execute(f"SELECT count(DISTINCT hash(1, {arguments})) FROM {rows}").fetchall() == [(2,)]


@pytest.mark.parametrize(
    "kind", ["BIGINT", "UBIGINT", "INTEGER", "DECIMAL(18,2)", "DOUBLE", "DATE", "TIME", "ENUM('a')"]
)
def test_what_has_a_hash_of_its_own_is_hashed_once(kind):
    assert Column("v", kind).hash_arguments() == ['"v"']
