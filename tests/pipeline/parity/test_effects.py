"""Effects: what is said of measures whatever their types and values are in old."""

import json
from decimal import Decimal
from math import inf, nan

from olist_pipeline.parity.effects import Effect, Effects, Number

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
