"""The caller's database and connection are left as they were, whatever their state."""

import duckdb
import pytest

from olist_pipeline.tablediff.compare import compare
from olist_pipeline.tablediff.contract import LedgerError, RelationError
from olist_pipeline.tablediff.sql import relation_name
from tests.pipeline.tablediff.tables import both_ways, contract


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(path)) as con:
        con.execute("CREATE SCHEMA old; CREATE SCHEMA new")
        con.execute("CREATE TABLE old.t AS SELECT i AS id, i % 7 AS v FROM range(100) AS r(i)")
        con.execute("INSERT INTO old.t VALUES (1, 1), (NULL, 1)")
        con.execute("CREATE TABLE new.t AS SELECT id, v + (id = 5)::INTEGER AS v FROM old.t WHERE id <> 9")
    return path


def temporary_tables(con):
    return con.execute("SELECT table_name FROM duckdb_tables() WHERE temporary").fetchall()


def test_a_read_only_file_is_compared_and_not_changed(file):
    before = file.read_bytes()

    with duckdb.connect(str(file), read_only=True) as con:
        found = compare(con, "old.t", "new.t", contract())
        assert temporary_tables(con) == []

    assert (found.unequal, found.only_in_old, found.duplicates.count, found.null_keys.count) == (1, 1, 1, 1)
    assert file.read_bytes() == before


def test_a_transaction_of_the_caller_goes_on(file):
    with duckdb.connect(str(file)) as con:
        con.begin()
        con.execute("UPDATE new.t SET v = -1 WHERE id = 20")
        found = compare(con, "old.t", "new.t", contract())
        assert temporary_tables(con) == []
        con.commit()

        assert found.unequal == 2
        assert con.execute("SELECT v FROM new.t WHERE id = 20").fetchall() == [(-1,)]


def test_an_error_leaves_no_transaction_and_no_table_behind(file):
    with duckdb.connect(str(file)) as con:
        con.execute("CREATE VIEW broken AS SELECT id, CAST('x' || v AS INTEGER) AS v FROM old.t")
        with pytest.raises(RelationError):
            compare(con, "old.t", "broken", contract())

        assert temporary_tables(con) == []
        con.begin()
        con.rollback()


def test_a_relation_that_changes_between_scans_breaks_the_ledger(con):
    con.execute("CREATE OR REPLACE TABLE a AS SELECT i AS id FROM range(1000) AS r(i)")
    con.execute("CREATE SEQUENCE seen")

    with pytest.raises(LedgerError, match="does not add up"):
        compare(con, "a", "(FROM a WHERE nextval('seen') % 1777 < 500)", contract())


@pytest.mark.parametrize("collation", ["nocase", "noaccent"])
def test_collations_do_not_hide_differences(collation):
    with duckdb.connect() as con:
        con.execute(f"CREATE TABLE a (id VARCHAR COLLATE {collation}, v VARCHAR COLLATE {collation})")
        con.execute("INSERT INTO a VALUES ('k', 'são'), ('x', 'x'), ('d', '1'), ('d', '2'), ('D', 'ã'), ('D', 'a')")
        con.execute("CREATE TABLE b AS FROM a")
        con.execute("UPDATE b SET v = 'Sao' WHERE id = 'k'")
        con.execute("UPDATE b SET id = 'X' WHERE id = 'x'")
        con.execute(f"SET default_collation = '{collation}'")

        found = both_ways(con, "a", "b", contract())

    assert (found.unequal, found.only_in_old, found.only_in_new) == (1, 1, 1)
    assert (found.duplicates.identical, found.duplicates.differing) == (2, 0)


def test_descending_default_order_changes_no_sample(con):
    con.execute("CREATE OR REPLACE TABLE a AS SELECT i AS id, i AS v FROM range(20) AS r(i)")
    con.execute("CREATE OR REPLACE TABLE b AS SELECT id, -v AS v FROM a")
    usual = compare(con, "a", "b", contract(), samples=3)
    con.execute("SET default_order = 'DESC'; SET default_null_order = 'NULLS FIRST'")
    try:
        assert compare(con, "a", "b", contract(), samples=3) == usual
    finally:
        con.execute("RESET default_order; RESET default_null_order")
    assert [sample.key["id"] for sample in usual.unequal_samples] == ["1", "2", "3"]


def test_names_are_quoted(con):
    con.execute(
        'CREATE OR REPLACE TABLE "select ""from" ("order" INTEGER, "a ""b"" c" VARCHAR, "k0" INTEGER, "c0" DATE)'
    )
    con.execute("""INSERT INTO "select ""from" VALUES (1, 'x', 1, '2018-01-01'), (2, 'y', 2, NULL)""")
    name = relation_name("main", 'select "from')
    con.execute(f'CREATE OR REPLACE TABLE b AS SELECT * REPLACE (upper("a ""b"" c") AS "a ""b"" c") FROM {name}')
    rules = contract("order", "k0", excluded={"c0": "'quoted' reason"})

    found = both_ways(con, name, "b", rules)

    assert found.unequal == 2
    [column] = found.differing_columns
    assert column.column == 'a "b" c'
    assert found.unequal_samples[0].key == {"order": "1", "k0": "1"}


def test_two_columns_that_differ_in_case_only_keep_their_values_apart(con):
    con.execute("CREATE OR REPLACE VIEW twins AS SELECT * FROM (SELECT 1 AS id, 2 AS v, 3 AS V)")

    assert compare(con, "twins", "twins", contract()).identical
    assert not compare(con, "twins", "(SELECT 1 AS id, 3 AS v, 2 AS V)", contract()).identical


@pytest.mark.parametrize("samples", [0, 1, 3])
def test_the_number_of_samples_is_kept(con, samples):
    con.execute("CREATE OR REPLACE TABLE a AS SELECT i % 40 AS id, i AS v FROM range(50) AS r(i)")
    con.execute("CREATE OR REPLACE TABLE b AS SELECT id + (id > 30)::INTEGER * 100 AS id, v + 1 AS v FROM a")

    found = compare(con, "a", "b", contract(), samples=samples)

    shown = (found.unequal_samples, found.only_in_old_samples, found.only_in_new_samples, found.duplicates.samples)
    assert {len(part) for part in shown} == {samples}
    assert len(found.columns[0].changes) == samples
    assert found.sentences()
