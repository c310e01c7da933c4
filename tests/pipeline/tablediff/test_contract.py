"""A contract that cannot hold is refused in one sentence that names the table and the column."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest

from olist_pipeline.tablediff.compare import compare
from olist_pipeline.tablediff.contract import EXACT, Contract, ContractError, RelationError, Tolerance
from tests.pipeline.tablediff.tables import contract

REFUSED = [
    ({"key": ()}, "at least one column"),
    ({"key": "id"}, "must be a tuple"),
    ({"key": ("id", "ID")}, "names a column twice: id, ID"),
    ({"key": ("id",), "excluded": {"id": "why not"}}, "'id' is part of the key and cannot be excluded"),
    ({"key": ("id",), "excluded": {"v": " "}}, "'v' is excluded without a reason"),
    ({"key": ("id",), "tolerances": {"Id": Tolerance(1)}}, "'Id' is part of the key"),
    ({"key": ("id",), "tolerances": {"v": EXACT}, "excluded": {"V": "x"}}, "has a tolerance and is excluded"),
]

MISFITS = [
    (("nope",), {}, "key column 'nope' is missing in old (a)"),
    (("w",), {}, "key column 'w' is missing in new (b)"),
    (("id",), {"tolerances": {"nope": Tolerance(1)}}, "the tolerance of column 'nope'"),
    (("id",), {"excluded": {"nope": "gone"}}, "the exclusion of column 'nope'"),
    (("id",), {"tolerances": {"v": Tolerance(1)}}, "'v' cannot have a tolerance: VARCHAR has no differences"),
    (("id",), {"tolerances": {"d": Tolerance(relative=1)}}, "'d' cannot have a relative tolerance: DATE"),
    (("id",), {"type_tolerances": {"VARCHAR": Tolerance(1)}}, "'v' cannot have a tolerance"),
]


@pytest.fixture
def two_tables(con):
    con.execute("CREATE OR REPLACE TABLE a AS SELECT 1 AS id, 'x' AS v, DATE '2018-01-01' AS d, 1 AS w")
    con.execute("CREATE OR REPLACE TABLE b AS SELECT 1 AS id, 'x' AS v, DATE '2018-01-01' AS d")
    return con


@pytest.mark.parametrize(("options", "why"), REFUSED)
def test_a_contract_that_contradicts_itself_is_refused(options, why):
    with pytest.raises(ContractError, match=f"^Contract of orders: .*{re.escape(why)}"):
        Contract("orders", **options)


@pytest.mark.parametrize(("key", "options", "why"), MISFITS)
def test_a_contract_that_does_not_fit_is_refused(two_tables, key, options, why):
    with pytest.raises(ContractError, match=re.escape(why)) as refusal:
        compare(two_tables, "a", "b", contract(*key, **options))

    assert "\n" not in str(refusal.value)


def test_a_query_is_not_spelled_out_where_a_name_would_stand(two_tables):
    with pytest.raises(ContractError, match=r"no such column in old \(a\) or new; there are: id, v, d, w"):
        compare(two_tables, "a", "(SELECT id, v, d, 1 AS w FROM b)", contract("id", excluded={"nope": "gone"}))


@pytest.mark.parametrize("bound", ["-1", "nan", "inf", "a cent", -0.5, "1e999999", "1e-999999"])
@pytest.mark.parametrize("kind", ["absolute", "relative"])
def test_a_tolerance_is_a_finite_number_of_zero_or_more(kind, bound):
    with pytest.raises(ContractError, match=f"The {kind} tolerance '{bound}'"):
        Tolerance(**{kind: bound})


def test_a_tolerance_is_read_as_it_prints():
    assert Tolerance(0.1).absolute == Decimal("0.1")
    assert Tolerance(timedelta(milliseconds=1)).absolute == Decimal("0.001")
    assert [str(t) for t in (EXACT, Tolerance(0.01), Tolerance("1", "1e-9"))] == [
        "exact",
        "0.01",
        "1 or 1E-9 relative",
    ]


@pytest.mark.parametrize("digits", [400, -400])
def test_a_tolerance_has_up_to_400_digits(digits):
    assert Tolerance(f"1e{digits}").absolute == Decimal(f"1e{digits}")
    with pytest.raises(ContractError, match="up to 400 digits"):
        Tolerance(f"1e{digits + (1 if digits > 0 else -1)}")
    assert Tolerance(f"0e{2 * digits}").exact


def test_a_long_time_is_exact():
    assert Tolerance(timedelta(days=999_999, microseconds=1)).absolute == Decimal("86399913600.000001")


def test_a_bound_of_many_digits_is_not_rounded_up(con):
    con.execute("CREATE OR REPLACE TABLE a AS SELECT 1 AS id, CAST(0 AS DECIMAL(38,2)) AS v")
    con.execute(f"CREATE OR REPLACE TABLE b AS SELECT 1 AS id, CAST('1{'0' * 29}' AS DECIMAL(38,2)) AS v")
    for bound, is_within in (("9" * 29 + ".9", False), ("1" + "0" * 29, True), ("1e300", True)):
        assert compare(con, "a", "b", contract(tolerances={"v": Tolerance(bound)})).identical is is_within


def test_columns_are_matched_without_regard_to_case(two_tables):
    rules = contract("ID", excluded={"W": "only in old"}, type_tolerances={})

    assert compare(two_tables, "a", "b", rules).identical


@pytest.mark.parametrize(("relation", "where"), [("nowhere", None), ("a", "no_such_column > 1"), ("a WHERE", None)])
def test_what_cannot_be_read_is_said_in_one_sentence(two_tables, relation, where):
    with pytest.raises(RelationError, match=f"^Cannot read {relation}") as refusal:
        compare(two_tables, relation, "b", contract(), where=where)

    assert "\n" not in str(refusal.value)


def test_a_relation_that_fails_while_it_is_read_is_said_in_one_sentence(two_tables):
    two_tables.execute("CREATE OR REPLACE VIEW broken AS SELECT id, CAST(v AS INTEGER) AS v FROM b")

    with pytest.raises(RelationError, match=r"^Comparing t, DuckDB could not finish reading a and broken: .*'x'"):
        compare(two_tables, "a", "broken", contract())
