"""Operators of facts on columns: Polars and DuckDB say what an object says, row by row, nulls included."""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import duckdb
import narwhals as nw
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from olist_domain.kernel.facts import Fact, Scalar, choose, value_of
from olist_pipeline.engine.columns import columns, expression
from olist_pipeline.settings import PROJECT_DIR

WHOLE, TEXT, DOUBLE, MONEY, MOMENT, DAY = (
    pl.Int64,
    pl.String,
    pl.Float64,
    pl.Decimal(18, 2),
    pl.Datetime("us"),
    pl.Date,
)

MOMENTS = [
    None,
    datetime(2018, 1, 1),
    datetime(2018, 1, 1, 23, 59, 59, 999_999),
    datetime(2018, 1, 2, 0, 0, 0, 1),
    datetime(2016, 2, 29, 12, 30),
    datetime(2000, 12, 31, 23),
    datetime(1900, 3, 1, 1, 30),
]
WHOLES = [None, -11, -5, -1, 0, 1, 4, 5, 6, 96_096]
AMOUNTS = [None, *(Decimal(text) for text in ("0.00", "0.01", "13.29", "13591643.70"))]
TEXTS = [None, "", " ", "\r\n", "\t\x0b\x0c", "\u00a0", " a ", "01037", "1037", "010370", "0103x", "01037\n", "٠١٢٣٤"]
ENDS = [None, 0, 1, -1, 7, 10**18, 3_037_000_500, 2**53 + 1, 2**63 - 1, -(2**63)]
LONG, LONGER = pl.Decimal(38, 2), pl.Decimal(20, 4)
LONG_AMOUNTS = [None, *(Decimal(text) for text in ("0.00", "-1.10", "9" * 36 + ".99", "-" + "9" * 33 + ".12"))]
LONGER_AMOUNTS = [None, *(Decimal(text) for text in ("0.0001", "-3.3333", "9999999999999999.9999"))]
ODD = [None, 0.0, -0.0, 2.675, float("nan"), float("inf"), float("-inf"), 1e300, 2.0**53, 9.3e18]
ENDS_OF_TIME = [None, datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59, 999_999), datetime(2018, 2, 28)]
DOUBLES = [None, 0.0, 0.0005, -0.0005, 1.2345, -1.2345, -23.5470005, 2.5, -2.5, 1e-9, -46.63929204800168, 4325.00049]

# name, the operator, type and values of its left side, type and values of its right side
CASES = [
    ("a // b", lambda a, b: a // b, WHOLE, WHOLES, WHOLE, WHOLES),
    ("a // 5", lambda a, b: a // 5, WHOLE, WHOLES, WHOLE, [None]),
    ("whole / whole", lambda a, b: a / b, WHOLE, WHOLES, WHOLE, WHOLES),
    ("whole / 49", lambda a, b: a / 49, WHOLE, [*WHOLES, 49], WHOLE, [None]),
    ("whole / 0", lambda a, b: b / a, WHOLE, [0, 1], WHOLE, WHOLES),
    ("money / whole", lambda a, b: a / b, MONEY, AMOUNTS, WHOLE, WHOLES),
    ("double / whole", lambda a, b: a / b, DOUBLE, DOUBLES, WHOLE, WHOLES),
    ("round(a, 3)", lambda a, b: round(a, 3), DOUBLE, DOUBLES, WHOLE, [None]),
    ("round(a, 6)", lambda a, b: round(a, 6), DOUBLE, DOUBLES, WHOLE, [None]),
    ("a is blank", lambda a, b: a.is_blank(), TEXT, TEXTS, WHOLE, [None]),
    ("a is 5 digits", lambda a, b: a.is_digits(5), TEXT, TEXTS, WHOLE, [None]),
    ("days between moments", lambda a, b: a.days_until(b), MOMENT, MOMENTS, MOMENT, MOMENTS),
    (
        "days from a moment to a date",
        lambda a, b: a.days_until(b),
        MOMENT,
        MOMENTS,
        DAY,
        [None, date(2018, 9, 1), date(1999, 12, 31)],
    ),
    ("days to a plain date", lambda a, b: a.days_until(date(2018, 10, 17)), MOMENT, MOMENTS, WHOLE, [None]),
    ("hours between moments", lambda a, b: a.hours_until(b), MOMENT, MOMENTS, MOMENT, MOMENTS),
    ("hours to a plain moment", lambda a, b: a.hours_until(datetime(2018, 1, 1)), MOMENT, MOMENTS, WHOLE, [None]),
    ("first of a moment's month", lambda a, b: a.month_start(), MOMENT, MOMENTS, WHOLE, [None]),
    ("whole + whole", lambda a, b: a + b, WHOLE, ENDS, WHOLE, ENDS),
    ("whole - whole", lambda a, b: a - b, WHOLE, ENDS, WHOLE, ENDS),
    ("whole * whole", lambda a, b: a * b, WHOLE, ENDS, WHOLE, ENDS),
    ("whole // whole at the ends", lambda a, b: a // b, WHOLE, ENDS, WHOLE, ENDS),
    ("wholes in steps", lambda a, b: (a * 3 - b) // 2 * b + 1, WHOLE, ENDS, WHOLE, ENDS),
    ("wholes, then a double", lambda a, b: a * b - 0.5, WHOLE, ENDS, WHOLE, ENDS),
    ("amounts, then a double", lambda a, b: round(a * b + 0.5, 2), LONG, LONG_AMOUNTS, LONG, LONG_AMOUNTS),
    ("abs(whole)", lambda a, b: abs(a), WHOLE, ENDS, WHOLE, [None]),
    ("floor(whole)", lambda a, b: a.floor(), WHOLE, ENDS, WHOLE, [None]),
    ("whole < double", lambda a, b: a < b, WHOLE, ENDS, DOUBLE, ODD),
    ("double == double", lambda a, b: a == b, DOUBLE, ODD, DOUBLE, ODD),
    ("double >= double", lambda a, b: a >= b, DOUBLE, ODD, DOUBLE, ODD),
    ("double in doubles", lambda a, b: a.is_in([1, float("nan"), 2.675]), DOUBLE, ODD, DOUBLE, [None]),
    ("floor(double)", lambda a, b: a.floor(), DOUBLE, ODD, DOUBLE, [None]),
    ("round(double)", lambda a, b: round(a, 2), DOUBLE, ODD, DOUBLE, [None]),
    ("amount * amount", lambda a, b: a * b, MONEY, AMOUNTS, LONGER, LONGER_AMOUNTS),
    ("amount * amount of 38 digits", lambda a, b: a * b, LONG, LONG_AMOUNTS, LONG, LONG_AMOUNTS),
    ("amount + amount of 38 digits", lambda a, b: a + b, LONG, LONG_AMOUNTS, LONGER, LONGER_AMOUNTS),
    ("amount < amount of 38 digits", lambda a, b: a < b, LONG, LONG_AMOUNTS, LONGER, LONGER_AMOUNTS),
    ("amount * whole", lambda a, b: a * b, LONG, LONG_AMOUNTS, WHOLE, ENDS),
    ("amount * double", lambda a, b: a * b, MONEY, AMOUNTS, DOUBLE, ODD),
    ("amount == double", lambda a, b: a == b, MONEY, AMOUNTS, DOUBLE, [None, 13.29]),
    ("round(amount)", lambda a, b: round(a, 1), MONEY, AMOUNTS, WHOLE, [None]),
    ("abs(amount)", lambda a, b: abs(a), LONG, LONG_AMOUNTS, WHOLE, [None]),
    ("amount or whole", lambda a, b: choose((b > 0, b), default=a), MONEY, AMOUNTS, WHOLE, WHOLES),
    ("date < time", lambda a, b: a < b, DAY, [None, date(2018, 1, 2)], MOMENT, MOMENTS),
    ("a week later", lambda a, b: a + timedelta(weeks=1) > b, MOMENT, ENDS_OF_TIME, MOMENT, ENDS_OF_TIME),
    ("a week before", lambda a, b: a - timedelta(weeks=1) > b, MOMENT, ENDS_OF_TIME, MOMENT, ENDS_OF_TIME),
    ("first of a date's month", lambda a, b: a.month_start(), DAY, [None, date(2018, 2, 28)], WHOLE, [None]),
]


@dataclass(frozen=True, eq=False)
class Pair:
    a: Fact[Any]
    b: Fact[Any]


def on_polars(frame, operate):
    return [without_nan(value) for value in computed(frame, operate)["result"].to_list()]


def on_duckdb(frame, operate):
    return [without_nan(value) for value in computed(duckdb.from_arrow(frame.to_arrow()), operate).pl()["result"]]


def computed(frame, operate):
    rows = nw.from_native(frame)
    pair = columns(Pair, rows.collect_schema())
    return rows.select(expression(operate(pair.a, pair.b)).alias("result")).to_native()


def on_objects(frame, operate):
    return [without_nan(operate(Scalar(a), Scalar(b)).value) for a, b in frame.rows()]


def without_nan(value):
    """Return a value that equals itself."""
    return "NaN" if value != value else value


ENGINES = pytest.mark.parametrize("engine", [on_polars, on_duckdb])


@ENGINES
@pytest.mark.parametrize(
    ("operate", "kind", "left", "other_kind", "right"), [pytest.param(*c[1:], id=c[0]) for c in CASES]
)
def test_an_engine_says_what_an_object_says(engine, operate, kind, left, other_kind, right):
    pairs = [(a, b) for a in left for b in right]
    frame = pl.DataFrame(pairs, schema={"a": kind, "b": other_kind}, orient="row")
    expected = on_objects(frame, operate)
    assert engine(frame, operate) == expected
    assert None in expected, "the case has no unknown"
    assert any(value is not None for value in expected), "the case has nothing known"


@ENGINES
def test_a_calculation_of_many_steps_does_not_grow_with_each_by_all_before_it(engine):
    def in_steps(a, b):
        for _ in range(30):
            a = a * 3 + b
        return a

    frame = pl.DataFrame({"a": [1, -7, 0, 10**6, None], "b": [2, 3, -1, 10**6, 1]})
    assert engine(frame, in_steps) == on_objects(frame, in_steps)


moments = st.none() | st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31))
pairs_of_moments = st.lists(st.tuples(moments, moments), min_size=1, max_size=30)


@ENGINES
@settings(max_examples=10)
@given(pairs=pairs_of_moments)
def test_lengths_of_time_agree_on_any_moments(engine, pairs):
    frame = pl.DataFrame(pairs, schema={"a": MOMENT, "b": MOMENT}, orient="row")
    for operate in (lambda a, b: a.days_until(b), lambda a, b: a.hours_until(b)):
        assert engine(frame, operate) == on_objects(frame, operate)


@settings(max_examples=10)
@given(pairs=pairs_of_moments)
def test_lengths_of_time_are_those_of_sql(pairs):
    frame = pl.DataFrame(pairs, schema={"a": MOMENT, "b": MOMENT}, orient="row")
    relation = duckdb.from_arrow(frame.to_arrow())
    days, hours = relation.select("date_diff('day', a::date, b::date) AS d, date_sub('hour', a, b) AS h").pl()
    assert days.to_list() == on_objects(frame, lambda a, b: a.days_until(b))
    assert hours.to_list() == on_objects(frame, lambda a, b: a.hours_until(b))


@given(st.lists(st.floats(-5000, 5000), min_size=1, max_size=30), st.sampled_from([3, 6]))
def test_rounding_is_that_of_sql(numbers, digits):
    frame = pl.DataFrame({"a": numbers})
    [in_sql] = duckdb.from_arrow(frame.to_arrow()).select(f"round(a, {digits}) AS r").pl()
    assert in_sql.to_list() == [round(Scalar(number), digits).value for number in numbers]


def test_white_space_trimmed_by_sql_is_a_blank_text():
    frame = pl.DataFrame({"a": TEXTS})
    relation = duckdb.from_arrow(frame.to_arrow())
    macros = (PROJECT_DIR / "dbt" / "macros" / "cells.sql").read_text()
    old = re.findall(r"__is_blank\(column\).*?(trim\({{ column }}, e'.*?'\) = '')", macros, re.DOTALL)
    [trimmed] = relation.select(f"{old[0].replace('{{ column }}', 'a')} AS is_blank").pl()
    assert trimmed.to_list() == [Scalar(text).is_blank().value for text in TEXTS]


@given(numbers=st.lists(st.integers(-90_000_000, 90_000_000), min_size=1, max_size=40))
@settings(max_examples=60)
def test_a_constant_divisor_gives_the_same_bits_on_polars_and_objects(numbers):
    """Polars multiplies by the inverse of a single divisor: 1 / 1e6 is not a whole number of bits."""
    frame = pl.DataFrame({"a": numbers, "b": numbers})
    assert on_polars(frame, lambda a, b: a / 1e6) == [value_of(Scalar(number) / 1e6) for number in numbers]
