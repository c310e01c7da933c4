"""A fingerprint is of a multiset of rows, their columns and types."""

import pytest

from olist_pipeline.tablediff.contract import RelationError
from olist_pipeline.tablediff.fingerprint import fingerprint, fingerprints_by

DIFFERENT = [
    ("a row twice more", "VALUES (1), (2)", "VALUES (1), (2), (2), (2)"),
    ("pairs of rows that an XOR cancels", "VALUES (1), (1)", "VALUES (2), (2)"),
    ("nothing and a row of NULL", "SELECT 1 WHERE false", "SELECT NULL::INTEGER"),
    ("where a cell ends", "SELECT 'a', 'bc'", "SELECT 'ab', 'c'"),
    ("cells of a row swapped", "SELECT 1, 2", "SELECT 2, 1"),
    ("cells swapped between rows", "VALUES (1, true), (2, false)", "VALUES (1, false), (2, true)"),
    ("NULL in another column", "SELECT NULL::INTEGER, 1", "SELECT 1, NULL::INTEGER"),
    ("NULL and the empty text", "SELECT NULL::VARCHAR", "SELECT ''"),
    ("NULL and the text NULL", "SELECT NULL::VARCHAR", "SELECT 'NULL'"),
    ("another type", "SELECT 1::INTEGER", "SELECT 1::BIGINT"),
    ("another scale", "SELECT 1::DECIMAL(10,2)", "SELECT 1::DECIMAL(10,3)"),
]

EQUAL = [
    ("order", "VALUES (1), (2), (NULL)", "VALUES (NULL), (2), (1)"),
    ("zeros", "SELECT 0.0::DOUBLE", "SELECT -0.0::DOUBLE"),
    ("NaN", "SELECT 'nan'::DOUBLE", "SELECT '-nan'::DOUBLE"),
    ("nothing", "SELECT 1 WHERE false", "SELECT 2 WHERE false"),
]


def of(con, query):
    width = len(con.execute(query).description)
    return fingerprint(con, f"({query}) AS q({', '.join(f'c{i}' for i in range(width))})")


@pytest.mark.parametrize(("name", "one", "other"), DIFFERENT, ids=[row[0] for row in DIFFERENT])
def test_different_relations_have_different_fingerprints(con, name, one, other):
    assert of(con, one) != of(con, other)


@pytest.mark.parametrize(("name", "one", "other"), EQUAL, ids=[row[0] for row in EQUAL])
def test_equal_relations_have_equal_fingerprints(con, name, one, other):
    assert of(con, one) == of(con, other)


def test_names_and_order_of_columns_count(con):
    assert fingerprint(con, "(SELECT 1 AS a, 1 AS b)") != fingerprint(con, "(SELECT 1 AS b, 1 AS a)")


def test_a_fingerprint_has_the_number_of_rows_and_a_digest_of_its_own_length(con):
    taken = fingerprint(con, "(VALUES (1), (2))")

    assert (taken.rows, len(taken.digest)) == (2, 64)


def test_no_change_of_two_characters_goes_unseen(con):
    """DuckDB's own hash takes about one pair in 256 of these texts for the same, whatever its seed."""
    con.execute(
        """
        CREATE OR REPLACE TABLE texts AS
        SELECT 'abcdefg' || chr((40 + i)::INTEGER) || 'hijklmn' || chr((40 + j)::INTEGER) || 'op' AS t
        FROM range(80) AS r(i), range(80) AS s(j)
        """
    )
    [plain] = con.execute("SELECT count(DISTINCT hash(1, t)) FROM texts").fetchall()
    assert plain[0] < 6400  # if this fails, DuckDB has another hash and `Column.hash_arguments` can be simplified

    prints = {
        fingerprint(con, f"(FROM texts WHERE t = '{text}')").digest
        for (text,) in con.execute(
            "SELECT t FROM texts WHERE hash(1, t) IN (SELECT hash(1, t) FROM texts GROUP BY ALL HAVING count(*) > 1)"
            " ORDER BY t LIMIT 100"
        ).fetchall()
    }
    assert len(prints) == 100


def test_a_relation_that_cannot_be_read_is_said_in_one_sentence(con):
    with pytest.raises(RelationError, match=r"^Cannot read nowhere: "):
        fingerprint(con, "nowhere")


def test_the_rows_of_each_value_have_the_fingerprint_that_they_have_alone(con):
    con.execute(
        "CREATE TABLE t AS SELECT n, CASE WHEN n % 4 > 0 THEN DATE '2018-01-01' + (n % 4)::INT END AS day "
        "FROM range(30) AS r(n)"
    )
    whole, parts = fingerprints_by(con, "t", "day")
    assert whole == fingerprint(con, "t")
    assert list(parts) == ["2018-01-02", "2018-01-03", "2018-01-04", None]
    for value, found in parts.items():
        condition = "day IS NULL" if value is None else f"day = DATE '{value}'"
        assert found == fingerprint(con, f"(FROM t WHERE {condition})")
    con.execute("DELETE FROM t")
    assert fingerprints_by(con, "t", "day") == (fingerprint(con, "t"), {})
