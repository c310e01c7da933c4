"""Effects: what is said of measures whatever their types and values are in old."""

import json
from decimal import Decimal
from math import inf, nan

import duckdb
import pytest

from olist_pipeline.errors import OlistError
from olist_pipeline.parity.effects import Effect, Effects, Number, is_same, signed, totals_of
from olist_pipeline.tablediff.relation import describe

MOVED: dict[str, tuple[Number, Number]] = {
    "price": (10.5, Decimal("10.25")),
    "rate": (inf, 1.0),
    "share": (nan, Decimal(2)),
    "rows": (3, 4),
}


def test_old_may_sum_up_doubles_and_new_decimals():
    *_, said = Effects(None, (), MOVED).sentences()
    assert "price 10.5 -> 10.25 (-0.25)" in said
    assert "rows 3 -> 4 (+1)" in said
    assert "rate inf -> 1 (-inf)" in said


def test_what_a_division_by_zero_left_of_a_sum_can_be_stored():
    """PostgreSQL's JSON knows neither infinity nor NaN."""
    written = Effects("order_id", (Effect("RULE", 0, 0, 1, {"rate": nan}),), MOVED).to_dict()
    stored = json.loads(json.dumps(written, allow_nan=False))
    assert stored["totals"]["rate"] == ["inf", 1.0]
    assert stored["totals"]["price"] == [10.5, "10.25"]
    assert stored["by_rule"][0]["moved"] == {"rate": "nan"}


def test_the_same_sum_in_another_order_is_the_same():
    several: dict[str, tuple[Number, Number]] = {
        "rate": (0.1 + 0.2 + 0.3, 0.3 + 0.2 + 0.1),
        "share": (nan, nan),
        "price": (0.3, Decimal("0.30")),
    }
    assert several["rate"][0] != several["rate"][1]
    assert Effects(None, (), several).sentences() == ["Dashboards will see: the same sums of every measure."]
    assert not is_same(Decimal("1000000000.00"), Decimal("1000000000.01")), "what is exact has to be exactly the same"
    assert not is_same(1e9, 1e9 + 2)


def test_exact_sums_of_any_size_differ_exactly():
    large = Decimal("9" * 35 + ".99")
    assert f"({signed(large)})" in Effects(None, (), {"v": (Decimal(0), large)}).sentences()[-1]


def test_a_table_without_measures_has_no_totals_even_where_it_is_empty():
    with duckdb.connect() as con:
        con.execute("CREATE TABLE t (id INT, price INT, called TEXT)")
        empty = describe(con, "t")
        assert totals_of(con, empty, empty, []) == totals_of(con, empty, empty, ["weight"]) == {}
        assert totals_of(con, empty, empty, ["price"]) == {"price": (0, 0)}
        with pytest.raises(OlistError, match="The measure called of t is VARCHAR in t, which has no sum; take it out"):
            totals_of(con, empty, empty, ["price", "called"])
