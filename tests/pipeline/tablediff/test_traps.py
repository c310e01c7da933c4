"""Whole tables: planted defects that must be found with the right counts, and equal tables that must not be reported.

The base is a table of order items with every quirk that a defect can hide behind: NULL, NaN, repeated values.
"""

import pytest

from olist_pipeline.tablediff.compare import compare
from olist_pipeline.tablediff.contract import Tolerance
from tests.pipeline.tablediff.tables import both_ways, contract

BASE = """
    SELECT * REPLACE (price::DECIMAL(10,2) AS price, freight::DECIMAL(10,2) AS freight, weight::DOUBLE AS weight)
    FROM (VALUES
        ('o1', 1, 'SP', 'MG', 10.00, 2.00, 0.5, TIMESTAMP '2018-01-31 10:00:00', false),
        ('o1', 2, 'SP', 'MG', 10.00, 2.00, 0.5, TIMESTAMP '2018-01-31 10:00:00', false),
        ('o2', 1, 'RJ', 'SP', 99.90, 9.90, 'nan', TIMESTAMP '2018-02-28 23:59:59.999999', true),
        ('o3', 1, NULL, 'SP', 20.00, NULL, 1e-9, NULL, NULL),
        ('o4', 1, 'SP', NULL, 5.00, 10.00, 0.0, TIMESTAMP '2018-03-01 00:00:00', true),
        ('o5', 1, 'BA', 'BA', 0.01, 0.00, -1.5, TIMESTAMP '2018-03-31 12:00:00', false),
        ('o5', 3, 'BA', 'BA', 0.00, 0.01, 1.5, TIMESTAMP '2018-03-31 12:00:00', true),
        ('o6', 1, '', 'AC', 30.00, 3.00, 'inf', TIMESTAMP '2018-04-01 00:00:00', false)
    ) AS items(order_id, item, seller_state, customer_state, price, freight, weight, bought_at, late)
"""
KEY = ("order_id", "item")
BASE_COLUMNS = "order_id, item, seller_state, customer_state, price, freight, weight, bought_at, late"


def replaced(**columns: str) -> str:
    changes = ", ".join(f"{sql} AS {name}" for name, sql in columns.items())
    return f"SELECT * REPLACE ({changes}) FROM base"


def at(order: str, then: str, otherwise: str) -> str:
    return f"CASE WHEN order_id = '{order}' AND item = 1 THEN {then} ELSE {otherwise} END"


def swapped(column: str, a: str, b: str) -> dict[str, str]:
    """Swap the values of a column between two orders: no count and no sum of the column changes."""
    other = "(SELECT any_value({column}) FROM base AS x WHERE x.order_id = '{order}' AND x.item = 1)"
    return {
        column: f"CASE WHEN item = 1 AND order_id = '{a}' THEN {other.format(column=column, order=b)}"
        f" WHEN item = 1 AND order_id = '{b}' THEN {other.format(column=column, order=a)} ELSE {column} END"
    }


O2 = "FROM base WHERE order_id = 'o2'"
NEW_ORDER = "SELECT * REPLACE ('o9' AS order_id) FROM base WHERE order_id = 'o2'"
NEW_ORDER_OF_TWO = "SELECT * REPLACE ('o9' AS order_id) FROM base WHERE order_id = 'o1'"
CANCELLING = f"(price + {at('o2', '1', at('o4', '-1', '0'))})::DECIMAL(10,2)"

# name, new table, unequal rows, columns that differ, orders that are named
UNEQUAL_ROWS = [
    ("a cent more", replaced(price=at("o2", "(price + 0.01)::DECIMAL(10,2)", "price")), 1, {"price"}, {"o2"}),
    ("a sign", replaced(weight=at("o5", "-weight", "weight")), 1, {"weight"}, {"o5"}),
    ("NULL for a value", replaced(freight=at("o1", "NULL", "freight")), 1, {"freight"}, {"o1"}),
    ("zero for NULL", replaced(freight="coalesce(freight, 0::DECIMAL(10,2))"), 1, {"freight"}, {"o3"}),
    ("NULL for NaN", replaced(weight="CASE WHEN NOT isnan(weight) THEN weight END"), 1, {"weight"}, {"o2"}),
    ("zero for NaN", replaced(weight="CASE WHEN isnan(weight) THEN 0 ELSE weight END"), 1, {"weight"}, {"o2"}),
    ("a large number for infinity", replaced(weight="least(weight, 1e308)"), 2, {"weight"}, {"o2", "o6"}),
    ("the empty text for NULL", replaced(seller_state="coalesce(seller_state, '')"), 1, {"seller_state"}, {"o3"}),
    ("NULL for the empty text", replaced(seller_state="nullif(seller_state, '')"), 1, {"seller_state"}, {"o6"}),
    ("the text NULL for NULL", replaced(seller_state="coalesce(seller_state, 'NULL')"), 1, {"seller_state"}, {"o3"}),
    ("a trailing blank", replaced(seller_state=at("o4", "'SP '", "seller_state")), 1, {"seller_state"}, {"o4"}),
    ("lower case", replaced(seller_state=at("o2", "'rj'", "seller_state")), 1, {"seller_state"}, {"o2"}),
    ("prices swapped between rows", replaced(**swapped("price", "o2", "o4")), 2, {"price"}, {"o2", "o4"}),
    (
        "states swapped between rows",
        replaced(**swapped("customer_state", "o4", "o5")),
        2,
        {"customer_state"},
        {"o4", "o5"},
    ),
    ("two errors that cancel out in the sum", replaced(price=CANCELLING), 2, {"price"}, {"o2", "o4"}),
    (
        "two columns of a type swapped",
        replaced(seller_state="customer_state", customer_state="seller_state"),
        6,
        {"seller_state", "customer_state"},
        {"o1", "o2", "o3", "o4", "o6"},
    ),
    (
        "two numbers swapped",
        replaced(price="freight", freight="price"),
        8,
        {"price", "freight"},
        {"o1", "o2", "o3", "o4", "o5", "o6"},
    ),
    (
        "a month later",
        replaced(bought_at="bought_at + INTERVAL 1 MONTH"),
        7,
        {"bought_at"},
        {"o1", "o2", "o4", "o5", "o6"},
    ),
    (
        "a day later at one row",
        replaced(bought_at=at("o1", "bought_at + INTERVAL 1 DAY", "bought_at")),
        1,
        {"bought_at"},
        {"o1"},
    ),
    ("fractions of seconds cut off", replaced(bought_at="date_trunc('second', bought_at)"), 1, {"bought_at"}, {"o2"}),
    ("a flag turned", replaced(late=at("o4", "NOT late", "late")), 1, {"late"}, {"o4"}),
    ("an unknown flag set", replaced(late="coalesce(late, false)"), 1, {"late"}, {"o3"}),
    ("a constant column", replaced(late="false"), 4, {"late"}, {"o2", "o3", "o4", "o5"}),
    (
        "every text trimmed of its first letter",
        replaced(seller_state="substr(seller_state, 2)"),
        6,
        {"seller_state"},
        {"o1", "o2", "o4", "o5"},
    ),
    (
        "a value of the row below",
        replaced(price="(lead(price, 1, price) OVER (ORDER BY order_id, item))"),
        6,
        {"price"},
        {"o1", "o2", "o3", "o4", "o5"},
    ),
]

# name, new table, rows only in (old, new), duplicate-keyed rows in (old, new), null-keyed rows in (old, new)
MOVED_ROWS = [
    ("a lost row", "FROM base WHERE order_id <> 'o2'", (1, 0), (0, 0), (0, 0)),
    ("an extra row", f"FROM base UNION ALL {NEW_ORDER}", (0, 1), (0, 0), (0, 0)),
    ("an order by another name", replaced(order_id=at("o2", "'o2 '", "order_id")), (1, 1), (0, 0), (0, 0)),
    ("a shifted item number", replaced(item="item + 1"), (7, 7), (0, 0), (0, 0)),
    ("nothing left", "FROM base WHERE false", (8, 0), (0, 0), (0, 0)),
    ("a row twice", f"FROM base UNION ALL {O2}", (0, 0), (1, 2), (0, 0)),
    ("a row three times", f"FROM base UNION ALL {O2} UNION ALL {O2}", (0, 0), (1, 3), (0, 0)),
    ("every row twice", "FROM base UNION ALL FROM base", (0, 0), (8, 16), (0, 0)),
    (
        "a row lost and another twice: the count agrees",
        "FROM base WHERE order_id <> 'o2' UNION ALL FROM base WHERE order_id = 'o4'",
        (1, 0),
        (1, 2),
        (0, 0),
    ),
    (
        "rows lost and doubled: count and sum of prices agree",
        "FROM base WHERE order_id <> 'o1' UNION ALL FROM base WHERE order_id = 'o3'",
        (2, 0),
        (1, 2),
        (0, 0),
    ),
    ("a key given to another row", replaced(order_id=at("o2", "'o4'", "order_id")), (1, 0), (1, 2), (0, 0)),
    ("a new order of two items", f"FROM base UNION ALL {NEW_ORDER_OF_TWO}", (0, 2), (0, 0), (0, 0)),
    ("a new row twice", f"FROM base UNION ALL {NEW_ORDER} UNION ALL {NEW_ORDER}", (0, 0), (0, 2), (0, 0)),
    ("a key lost its value", replaced(order_id=at("o2", "NULL", "order_id")), (1, 0), (0, 0), (0, 1)),
    ("all keys lost", replaced(order_id="NULL::VARCHAR"), (8, 0), (0, 0), (0, 8)),
    ("all keys the same", replaced(order_id="'o1'", item="1"), (7, 0), (1, 8), (0, 0)),
]

SCHEMAS = [
    ("a missing column", "SELECT * EXCLUDE (late) FROM base", {("missing", "late")}),
    ("an extra column", "SELECT *, 1 AS added FROM base", {("extra", "added")}),
    (
        "a column by another name",
        "SELECT * RENAME (late AS delayed) FROM base",
        {("missing", "late"), ("extra", "delayed")},
    ),
    ("a name in another case", 'SELECT * RENAME (late AS "Late") FROM base', {("recased", "late")}),
    ("INTEGER to BIGINT", replaced(item="item::BIGINT"), {("retyped", "item")}),
    ("TIMESTAMP to DATE", replaced(bought_at="bought_at::DATE"), {("retyped", "bought_at")}),
    ("DECIMAL of another scale", replaced(price="price::DECIMAL(10,4)"), {("retyped", "price")}),
    ("numbers as text", replaced(price="price::VARCHAR"), {("retyped", "price")}),
    ("the last column first", "SELECT late, * EXCLUDE (late) FROM base", {("reordered", "late")}),
    (
        "neighbours swapped",
        f"SELECT {BASE_COLUMNS.replace('price, freight', 'freight, price')} FROM base",
        {("reordered", "price")},
    ),
]

SAME = [
    ("the table itself", "FROM base"),
    ("reversed", "FROM base ORDER BY order_id DESC, item DESC"),
    ("in no order", "FROM base ORDER BY hash(price, order_id)"),
    ("inserted in two parts", "FROM base WHERE item > 1 UNION ALL FROM base WHERE item <= 1"),
    ("columns computed anew", replaced(price="(price * 1)::DECIMAL(10,2)", seller_state="seller_state || ''")),
    ("NaN of the other sign", replaced(weight="CASE WHEN isnan(weight) THEN '-nan'::DOUBLE ELSE weight END")),
    ("zero of the other sign", replaced(weight="CASE WHEN weight = 0 THEN -0.0::DOUBLE ELSE weight END")),
    ("floats summed in another order", replaced(weight="(weight + 0.1) - 0.1")),
]


@pytest.fixture
def base(con):
    con.execute(f"CREATE OR REPLACE TABLE base AS {BASE}")
    return con


@pytest.mark.parametrize(
    ("name", "new", "unequal", "columns", "orders"), UNEQUAL_ROWS, ids=[r[0] for r in UNEQUAL_ROWS]
)
def test_changed_rows_are_named(base, name, new, unequal, columns, orders):
    base.execute(f"CREATE OR REPLACE TABLE changed AS {new}")

    found = both_ways(base, "base", "changed", contract(*KEY), samples=20)

    assert not found.identical
    assert not found.schema
    assert (found.unequal, found.equal) == (unequal, 8 - unequal)
    assert {column.column for column in found.differing_columns} == columns
    assert {sample.key["order_id"] for sample in found.unequal_samples} == orders
    for column in found.differing_columns:
        assert sum(change.count for change in column.changes) == column.unequal


@pytest.mark.parametrize(("name", "new", "only", "duplicates", "nulls"), MOVED_ROWS, ids=[row[0] for row in MOVED_ROWS])
def test_moved_rows_are_counted(base, name, new, only, duplicates, nulls):
    base.execute(f"CREATE OR REPLACE TABLE changed AS {new}")

    found = both_ways(base, "base", "changed", contract(*KEY))

    assert not found.identical
    assert (found.only_in_old, found.only_in_new) == only
    assert (found.duplicates.rows_old, found.duplicates.rows_new) == duplicates
    assert (found.null_keys.rows_old, found.null_keys.rows_new) == nulls
    assert found.unequal == 0


@pytest.mark.parametrize(("name", "new", "differences"), SCHEMAS, ids=[row[0] for row in SCHEMAS])
def test_schema_differences_are_named(base, name, new, differences):
    base.execute(f"CREATE OR REPLACE TABLE changed AS {new}")

    found = compare(base, "base", "changed", contract(*KEY))

    assert not found.identical
    assert {(difference.kind, difference.column) for difference in found.schema} == differences
    assert found.equal + found.unequal == 8
    back = compare(base, "changed", "base", contract(*KEY))
    mirrored = {"missing": "extra", "extra": "missing"}
    assert sorted(mirrored.get(one.kind, one.kind) for one in back.schema) == sorted(kind for kind, _ in differences)


@pytest.mark.parametrize(("name", "new"), SAME, ids=[row[0] for row in SAME])
def test_equal_tables_are_identical(base, any_path, name, new):
    base.execute(f"CREATE OR REPLACE TABLE changed AS {new}")

    found = both_ways(base, "base", "changed", contract(*KEY))

    assert found.identical, found.sentences()
    assert found.equal == 8


def test_equal_views_files_and_expressions_are_identical(base, any_path, tmp_path):
    base.execute("CREATE OR REPLACE VIEW seen AS FROM base")
    base.execute(f"COPY base TO '{tmp_path / 'base.parquet'}' (ROW_GROUP_SIZE 2048)")

    for relation in ("seen", "(FROM base)", f"read_parquet('{tmp_path / 'base.parquet'}')"):
        assert both_ways(base, "base", relation, contract(*KEY)).identical


def test_empty_tables_agree_when_their_schemas_do(base, any_path):
    base.execute("CREATE OR REPLACE TABLE nothing AS FROM base WHERE false")
    base.execute("CREATE OR REPLACE TABLE wide AS SELECT * REPLACE (item::BIGINT AS item) FROM nothing")

    empty = compare(base, "nothing", "nothing", contract(*KEY))

    assert (empty.identical, empty.rows_old, empty.equal) == (True, 0, 0)
    assert not compare(base, "nothing", "wide", contract(*KEY)).identical
    assert not compare(base, "base", "nothing", contract(*KEY)).identical


def test_a_tolerance_forgives_its_own_column_only(base):
    base.execute(f"CREATE OR REPLACE TABLE changed AS {replaced(price='(price + 0.01)::DECIMAL(10,2)')}")
    base.execute(
        "CREATE OR REPLACE TABLE two AS SELECT * REPLACE ((freight + 0.01)::DECIMAL(10,2) AS freight) FROM changed"
    )
    cent = {"price": Tolerance("0.01")}

    assert compare(base, "base", "changed", contract(*KEY, tolerances=cent)).identical
    assert not compare(base, "base", "changed", contract(*KEY, tolerances={"price": Tolerance("0.009")})).identical
    assert not compare(base, "base", "two", contract(*KEY, tolerances=cent)).identical


def test_an_excluded_column_counts_neither_in_values_nor_in_schema(base):
    base.execute(
        "CREATE OR REPLACE TABLE changed AS"
        " SELECT 1 AS late, * EXCLUDE (late) REPLACE (price + 1 AS price), 1 AS loaded FROM base"
    )
    reasons = {"late": "not built yet", "price": "new price list", "loaded": "bookkeeping"}

    found = compare(base, "base", "changed", contract(*KEY, excluded=reasons))

    assert found.identical
    assert found.excluded == reasons
    assert {"price", "late"}.isdisjoint(column.column for column in found.columns)
    assert any("Column price is not compared: new price list." in line for line in found.sentences())


def test_a_condition_restricts_both_sides(base):
    base.execute(f"CREATE OR REPLACE TABLE changed AS {replaced(price=at('o2', '0.00', 'price'))}")

    january = compare(base, "base", "changed", contract(*KEY), where="month(bought_at) = 1")
    february = compare(base, "base", "changed", contract(*KEY), where="month(bought_at) = 2")

    assert (january.identical, january.rows_old) == (True, 2)
    assert (february.identical, february.unequal, february.rows_old) == (False, 1, 1)
    assert february.where == "month(bought_at) = 2"
