"""The account of rows while a comparison runs."""

from dataclasses import fields, replace

import pytest

from olist_pipeline.tablediff.findings import Counts

PAIRED = Counts(
    rows_old=13,
    rows_new=12,
    equal=3,
    unequal=3,
    only_old=5,
    only_new=3,
    null_old=2,
    null_new=3,
)


def test_what_is_not_equal_is_counted():
    assert PAIRED.differing == 11
    assert Counts(9, 9, unequal=3, only_old=3, only_new=2).differing == 8
    assert Counts(0, 0).differing == 0


def test_every_row_is_paired_once_where_the_pairs_account_for_both_sides():
    assert PAIRED.every_row_paired_once
    assert Counts(0, 0).every_row_paired_once
    assert Counts(5000, 4000, equal=3000, unequal=500, only_old=1500, only_new=500).every_row_paired_once


@pytest.mark.parametrize("name", [field.name for field in fields(Counts) if not field.name.startswith("duplicate")])
@pytest.mark.parametrize("more", [1, -1])
def test_a_row_more_or_less_is_noticed(name, more):
    assert not replace(PAIRED, **{name: getattr(PAIRED, name) + more}).every_row_paired_once
