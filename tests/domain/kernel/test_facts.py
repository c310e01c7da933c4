"""Facts on one object: SQL's three-valued logic."""

import itertools

import pytest

from olist_domain.kernel.facts import Scalar, choose

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
    assert chosen.value == "true"


def test_choose_falls_back_to_its_default():
    assert choose((Scalar(None), 1), default=Scalar(2)).value == 2


def test_a_fact_has_no_truth_value_so_that_if_and_and_cannot_be_written():
    with pytest.raises(TypeError, match="no truth value"):
        bool(Scalar(True))
    with pytest.raises(TypeError, match="no truth value"):
        _ = Scalar(1) == 1 and Scalar(2) == 2


def test_repr_shows_the_value():
    assert repr(Scalar(3)) == "Scalar(3)"
