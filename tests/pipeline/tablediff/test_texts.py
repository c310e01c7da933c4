"""A text and a type: the value that the text exactly is, as SQL gives it."""

from decimal import Decimal

import pytest

from olist_pipeline.tablediff import texts
from olist_pipeline.tablediff.columns import Column
from olist_pipeline.tablediff.sql import literal
from tests.pipeline.tablediff.tables import batches

# type, text, the canonical text of the value that it is, None where it is none
VALUES = [
    ("BOOLEAN", "true", "1"),
    ("BOOLEAN", "T", "1"),
    ("BOOLEAN", "1", "1"),
    ("BOOLEAN", "False", "0"),
    ("BOOLEAN", "f", "0"),
    ("BOOLEAN", "0", "0"),
    ("BOOLEAN", "yes", None),
    ("INTEGER", "7", "7"),
    ("INTEGER", "-7", "-7"),
    ("INTEGER", "007", None),
    ("INTEGER", " 7", None),
    ("INTEGER", "+7", None),
    ("INTEGER", "", None),
    ("INTEGER", "-", None),
    ("INTEGER", ".", None),
    ("INTEGER", "-0", "0"),
    ("INTEGER", "0", "0"),
    ("INTEGER", "1500", "1500"),
    ("INTEGER", "1.5e3", "1500"),
    ("INTEGER", "1.5E+3", "1500"),
    ("INTEGER", "15e-1", None),
    ("DECIMAL(9,2)", "1.10", "1.1"),
    ("DECIMAL(9,2)", "10", "10"),
    ("DECIMAL(9,2)", "10.", "10"),
    ("DECIMAL(9,2)", "10.00", "10"),
    ("DECIMAL(9,2)", ".50", "0.5"),
    ("DECIMAL(9,2)", "-.50", "-0.5"),
    ("DECIMAL(9,2)", "-0.00", "0"),
    ("DECIMAL(9,2)", "1.5e-1", "0.15"),
    ("DECIMAL(9,2)", "1.123456789012345e1", None),
    ("DECIMAL(9,2)", "1,5", None),
    ("BIGNUM", "123456789012345678901234567890123456789012", "123456789012345678901234567890123456789012"),
    ("DOUBLE", "0.1", "0.1"),
    ("DOUBLE", "0.10", "0.1"),
    ("DOUBLE", "0.10000000000000001", "0.1"),
    ("DOUBLE", "1e3", "1000"),
    ("DOUBLE", "1E300", "1e+300"),
    ("DOUBLE", "1e400", None),
    ("DOUBLE", "1e-400", None),
    ("DOUBLE", "0e-400", "0"),
    ("DOUBLE", "-0.0", "0"),
    ("DOUBLE", "NaN", "nan"),
    ("DOUBLE", "-Infinity", "-inf"),
    ("DOUBLE", "INF", "inf"),
    ("DOUBLE", "9007199254740992", "9007199254740992"),
    ("DOUBLE", "9007199254740993", None),
    ("DOUBLE", "2251799813685248.5", "2251799813685248.5"),
    ("DOUBLE", "1e23", "99999999999999991611392"),
    ("DOUBLE", "", None),
    ("DOUBLE", "e5", None),
    ("DOUBLE", "x", None),
    ("FLOAT", "100.1", "100.0999984741211"),
    ("FLOAT", "8388607.5", "8388607.5"),
    ("FLOAT", "16777216", "16777216"),
    ("FLOAT", "16777217", None),
    ("DATE", "2018-01-02", "2018-01-02 00:00:00"),
    ("DATE", "2018-01-02T03:04:05.600", "2018-01-02 03:04:05.6"),
    ("DATE", "2018-1-2", None),
    ("DATE", "0044-03-15 (BC)", "0044-03-15 (BC) 00:00:00"),
    ("DATE", "Infinity", "infinity"),
    ("DATE", "-infinity", "-infinity"),
    ("TIMESTAMP", "2018-01-02 03:04:05", "2018-01-02 03:04:05"),
    ("TIMESTAMP", "2018-01-02 03:04:05.", "2018-01-02 03:04:05"),
    ("TIMESTAMP", "2018-01-02 03:04", None),
    ("TIMESTAMP", "2018-01-02 03:04:05+00", None),
    ("TIMESTAMP WITH TIME ZONE", "2018-01-02T03:04:05Z", "2018-01-02 03:04:05+00"),
    ("TIMESTAMP WITH TIME ZONE", "2018-01-02 03:04:05+01", "2018-01-02 02:04:05+00"),
    ("TIMESTAMP WITH TIME ZONE", "2018-01-02 03:04:05.123456789-01:30", "2018-01-02 04:34:05.123456789+00"),
    ("TIMESTAMP WITH TIME ZONE", "2018-01-02 03:04:05.1234567891Z", None),
    ("TIMESTAMP WITH TIME ZONE", "1000-01-02 03:04:05.1234560000Z", "1000-01-02 03:04:05.123456+00"),
    ("TIMESTAMP WITH TIME ZONE", "2018-01-02 03:04:05", None),
    ("TIMESTAMP WITH TIME ZONE", "INFINITY", "infinity+00"),
    ("TIME", "01:02", "01:02:00"),
    ("TIME", "01:02:03", "01:02:03"),
    ("TIME", "01:02:03.450", "01:02:03.45"),
    ("TIME", "1:02", None),
    ("TIME_NS", "01:02:03.000000001", "01:02:03.000000001"),
    ("UUID", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
    ("UUID", "A0EEBC99", None),
]


def all_given(con, expressions):
    """Return the value of each expression."""
    rows = (con.execute(f"SELECT {', '.join(batch)}").fetchall()[0] for batch in batches(list(expressions)))
    return [value for row in rows for value in row]


def test_a_text_is_the_value_that_it_says_exactly(con):
    given = all_given(con, (texts.value_text(literal(text), Column("v", kind)) or "" for kind, text, _ in VALUES))
    assert list(zip(VALUES, given, strict=True)) == [(case, case[2]) for case in VALUES]


@pytest.mark.parametrize(
    "kind", ["VARCHAR", "JSON", "INTERVAL", "INTEGER[]", "BLOB", "ENUM('a')", "TIME WITH TIME ZONE"]
)
def test_some_types_have_no_form_but_their_text(kind):
    assert texts.value_text("'x'", Column("v", kind)) is None


def test_a_value_is_what_its_own_text_says(con):
    cells = [
        ("BOOLEAN", "true"),
        ("INTEGER", "-7"),
        ("DECIMAL(9,2)", "0.50"),
        ("DOUBLE", "1e23"),
        ("DATE", "'infinity'"),
        ("TIMESTAMP", "'2018-01-02 03:04:05.600'"),
        ("TIMESTAMP WITH TIME ZONE", "'2018-01-02 03:04:05.6+01'"),
        ("TIME", "'01:02:03.40'"),
        ("UUID", "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'"),
    ]
    row = ", ".join(f"CAST({value} AS {kind}) AS v{number}" for number, (kind, value) in enumerate(cells))
    con.execute(f"CREATE OR REPLACE TABLE own_texts AS SELECT {row}")
    columns = [Column(f"v{number}", kind) for number, (kind, _) in enumerate(cells)]
    said, typed = (
        con.execute(f"SELECT {', '.join(map(text, columns))} FROM own_texts").fetchall()
        for text in (lambda column: texts.value_text(column.text, column) or "", texts.typed_text)
    )
    assert said == typed
    assert None not in said[0]


def test_a_text_is_measured_as_a_decimal_where_it_is_one_exactly(con):
    numbers = {
        "1.10": "1.1",
        "-7": "-7",
        "1.5e3": "1500",
        "1234567890123456789.1234567890123456789": "1234567890123456789.1234567890123456789",
        "12345678901234567890": None,
        "0.12345678901234567891": None,
        "n/a": None,
    }
    given = all_given(con, (texts.decimal(literal(text)) for text in numbers))
    assert given == [None if number is None else Decimal(number) for number in numbers.values()]


def test_a_text_is_measured_as_the_moment_that_it_says(con):
    cases = [
        ("TIME", "01:00:00.5", 3_600_500_000_000),
        ("TIME", "00:00:00.000000001", 1),
        ("DATE", "1970-01-02", 86_400_000_000_000),
        ("TIMESTAMP", "1970-01-01 00:00:01.000000001", 1_000_000_001),
        ("TIMESTAMP", "0001-01-01 00:00:00.000001", -62_135_596_799_999_999_000),
        ("TIMESTAMP WITH TIME ZONE", "1970-01-01 01:00:01+01", 1_000_000_000),
        ("TIMESTAMP WITH TIME ZONE", "1970-01-01 01:00:00.000000001+01", 1),
        ("TIMESTAMP WITH TIME ZONE", "0001-01-01 00:00:00.000001Z", -62_135_596_799_999_999_000),
        ("TIMESTAMP", "1970-01-01 00:00:00.0000000001", None),
        ("TIMESTAMP", "infinity", None),
        ("TIMESTAMP WITH TIME ZONE", "-infinity", None),
        ("TIMESTAMP", "yesterday", None),
        ("TIME", "noon", None),
    ]
    given = all_given(con, (texts.nanoseconds(literal(text), Column("v", kind)) for kind, text, _ in cases))
    assert list(zip(cases, given, strict=True)) == [(case, case[2]) for case in cases]
