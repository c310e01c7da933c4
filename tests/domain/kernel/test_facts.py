"""Facts on one object: SQL's three-valued logic."""

import itertools
from datetime import date, datetime
from decimal import Decimal

import pytest

from olist_domain.kernel.facts import Scalar, choose, value_of

TRUTHS = (True, False, None)
# The truth tables of SQL:2016, part 2, 6.39.
AND = {(a, b): False if False in (a, b) else None if None in (a, b) else True for a in TRUTHS for b in TRUTHS}
OR = {(a, b): True if True in (a, b) else None if None in (a, b) else False for a in TRUTHS for b in TRUTHS}


@pytest.mark.parametrize(("left", "right"), itertools.product(TRUTHS, TRUTHS))
def test_and_or_follow_the_truth_tables(left, right):
    assert (Scalar(left) & Scalar(right)).value is AND[left, right]
    assert (Scalar(left) | Scalar(right)).value is OR[left, right]


@pytest.mark.parametrize(("truth", "negated"), [(True, False), (False, True), (None, None)])
def test_not(truth, negated):
    assert (~Scalar(truth)).value is negated


@pytest.mark.parametrize(
    "compare",
    [
        lambda a, b: a == b,
        lambda a, b: a != b,
        lambda a, b: a < b,
        lambda a, b: a <= b,
        lambda a, b: a > b,
        lambda a, b: a >= b,
        lambda a, b: a + b,
        lambda a, b: a - b,
        lambda a, b: a * b,
        lambda a, b: a / b,
        lambda a, b: a // b,
    ],
)
def test_every_operator_gives_unknown_for_unknown(compare):
    assert compare(Scalar(None), 1).value is None
    assert compare(Scalar(1), Scalar(None)).value is None
    assert compare(Scalar(2), 1).value is not None


def test_is_in_is_unknown_for_a_missing_value():
    assert Scalar("a").is_in(["a", "b"]).value is True
    assert Scalar("c").is_in(["a", "b"]).value is False
    assert Scalar(None).is_in(["a", "b"]).value is None


def test_is_null_and_is_false_are_never_unknown():
    assert [Scalar(v).is_null().value for v in TRUTHS] == [False, False, True]
    assert [Scalar(v).is_false().value for v in TRUTHS] == [False, True, False]


def test_abs():
    assert abs(Scalar(-3)).value == 3
    assert abs(Scalar(None)).value is None


def test_choose_takes_the_first_branch_that_is_definitely_true():
    chosen = choose((Scalar(None), "unknown"), (Scalar(False), "false"), (Scalar(True), "true"), default="none")
    assert value_of(chosen) == "true"


def test_choose_falls_back_to_its_default():
    assert value_of(choose((Scalar(None), 1), default=Scalar(2))) == 2


def test_a_fact_has_no_truth_value_so_that_if_and_and_cannot_be_written():
    with pytest.raises(TypeError, match="no truth value"):
        bool(Scalar(True))
    with pytest.raises(TypeError, match="no truth value"):
        _ = Scalar(1) == 1 and Scalar(2) == 2


def test_repr_shows_the_value():
    assert repr(Scalar(3)) == "Scalar(3)"


@pytest.mark.parametrize(("left", "right", "whole"), [(7, 5, 1), (-7, 5, -2), (10, 5, 2), (4, 5, 0), (7, 0, None)])
def test_a_whole_quotient_is_rounded_down_and_unknown_for_zero(left, right, whole):
    assert (Scalar(left) // right).value == whole


@pytest.mark.parametrize(
    ("left", "right", "quotient"), [(7, 2, 3.5), (Decimal("72.19"), 2, 36.095), (Decimal("1.00"), 0, None)]
)
def test_a_quotient_is_a_double_and_unknown_for_zero(left, right, quotient):
    result = (Scalar(left) / right).value
    assert result == quotient
    assert result is None or isinstance(result, float)


@pytest.mark.parametrize(
    ("number", "digits", "rounded"),
    [(1.2345, 3, 1.235), (-1.2345, 3, -1.235), (0.5, 0, 1.0), (-2.5, 0, -3.0), (1.2344, 3, 1.234), (None, 3, None)],
)
def test_halves_are_rounded_away_from_zero(number, digits, rounded):
    assert round(Scalar(number), digits).value == rounded


@pytest.mark.parametrize(
    ("text", "blank"),
    [("", True), (" \t", True), ("\r\n", True), (" a ", False), ("\u00a0", False), (None, None)],
)
def test_a_text_of_white_space_is_blank(text, blank):
    assert Scalar(text).is_blank().value is blank


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("01037", True),
        ("1037", False),
        ("010370", False),
        ("0103x", False),
        ("-1037", False),
        ("01037\n", False),
        ("٠١٢٣٤", False),
        (None, None),
    ],
)
def test_digits_are_counted_and_plain(text, digits):
    assert Scalar(text).is_digits(5).value is digits
    assert Scalar("7" * 1000).is_digits(int("1000")).value is True


EVENING, NEXT_MORNING = datetime(2018, 1, 31, 23, 59, 59), datetime(2018, 2, 1, 0, 0, 1)


@pytest.mark.parametrize(
    ("start", "end", "days"),
    [
        (EVENING, NEXT_MORNING, 1),
        (NEXT_MORNING, EVENING, -1),
        (datetime(2018, 1, 31), EVENING, 0),
        (EVENING, date(2018, 3, 1), 29),
        (None, EVENING, None),
        (EVENING, None, None),
    ],
)
def test_days_are_those_of_the_calendar(start, end, days):
    assert Scalar(start).days_until(Scalar(end)).value == days


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        (datetime(2018, 1, 1, 10), datetime(2018, 1, 1, 10, 59, 59), 0),
        (datetime(2018, 1, 1, 10), datetime(2018, 1, 1, 11), 1),
        (datetime(2018, 1, 1, 10, 59, 59), datetime(2018, 1, 1, 10), 0),
        (datetime(2018, 1, 1, 11, 30), datetime(2018, 1, 1, 10), -1),
        (datetime(2018, 1, 1), datetime(2018, 1, 11, 9), 249),
        (None, EVENING, None),
        (EVENING, None, None),
    ],
)
def test_hours_count_once_they_are_over(start, end, hours):
    assert Scalar(start).hours_until(Scalar(end)).value == hours


@pytest.mark.parametrize(
    ("moment", "first"), [(EVENING, date(2018, 1, 1)), (date(2018, 2, 28), date(2018, 2, 1)), (None, None)]
)
def test_a_month_is_named_by_its_first_day(moment, first):
    assert Scalar(moment).month_start().value == first
    assert not isinstance(Scalar(moment).month_start().value, datetime)


def test_the_value_of_a_fact():
    assert value_of(Scalar(3)) == 3
    assert value_of(Scalar(None)) is None
