"""The laws of drawing, and the tables that are drawn from."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from olist_pipeline.synthetic import shapes
from olist_pipeline.synthetic.categories import CATEGORIES, UNTRANSLATED
from olist_pipeline.synthetic.cities import BLOCKS
from olist_pipeline.synthetic.draw import (
    LEVELS,
    Scatter,
    Stream,
    below,
    choose,
    cumulated,
    identifiers,
    quantile,
)
from olist_pipeline.synthetic.geography import PREFIXES, STATE_NAMES
from olist_pipeline.synthetic.people import People

ALL_WORDS = np.linspace(0, 2**64 - 2**12, 5000).astype(np.uint64)


@given(size=st.integers(1, 3000), key=st.integers(0, 2**64 - 1))
def test_scatter_is_a_permutation(size: int, key: int) -> None:
    there = Scatter(size, key)(np.arange(size))
    assert sorted(there.tolist()) == list(range(size))


@given(bound=st.integers(1, 2**31))
def test_below_stays_below(bound: int) -> None:
    drawn = below(ALL_WORDS, bound)
    assert drawn.min() == 0
    assert drawn.max() < bound


@given(weights=st.lists(st.integers(0, 50), min_size=1, max_size=20).filter(any))
def test_choose_never_takes_what_has_no_weight(weights: list[int]) -> None:
    chosen = set(choose(ALL_WORDS, cumulated(weights)).tolist())
    assert chosen == {position for position, weight in enumerate(weights) if weight}


def test_choose_takes_each_as_often_as_its_weight_says() -> None:
    counts = np.bincount(choose(Stream(1, 0).words(100_000), cumulated([1, 2, 7])))
    assert np.allclose(counts / 100_000, [0.1, 0.2, 0.7], atol=0.01)


def test_quantile_gives_the_table_back() -> None:
    values = tuple(range(0, 230, 10))
    drawn = np.sort(quantile(Stream(1, 0).words(200_000), values))
    for level, value in zip(LEVELS[3:-3], values[3:-3], strict=True):
        assert abs(int(drawn[200_000 * level // 10_000]) - value) <= 2


def test_identifiers_are_hexadecimal_and_unique() -> None:
    names = identifiers(7, "thing", np.arange(50_000))
    assert names.str.contains("^[0-9a-f]{32}$").all()
    assert names.n_unique() == len(names)
    assert not set(names[:10]) & set(identifiers(7, "other", np.arange(10)))
    assert not set(names[:10]) & set(identifiers(8, "thing", np.arange(10)))


def test_streams_of_different_paths_differ() -> None:
    words = [tuple(Stream(3, *path).words(4)) for path in ((0,), (1,), (1, 0), (1, 1))]
    assert len(set(words)) == len(words)


@given(orders=st.integers(1, 5000), seed=st.integers(0, 100))
def test_no_person_has_more_orders_than_the_largest(orders: int, seed: int) -> None:
    buyers = People(orders, seed).behind(np.arange(orders))
    assert np.unique(buyers.person * 64 + buyers.visit).size == orders
    assert np.bincount(buyers.person).max() <= 17


def test_split_orders_are_neighbours_of_one_person_on_one_day() -> None:
    buyers = People(20_000, 2).behind(np.arange(20_000))
    split = np.flatnonzero(buyers.split)
    assert split.size > 50
    assert (split % 2 == 1).all()
    assert (buyers.person[split] == buyers.person[split - 1]).all()
    assert (buyers.day[split] == buyers.day[split - 1]).all()


def test_other_repeat_orders_lie_anywhere() -> None:
    buyers = People(20_000, 2).behind(np.arange(20_000))
    heavy = np.flatnonzero(buyers.person == buyers.person[np.argmax(buyers.visit)])
    assert heavy.size == 17
    assert heavy.max() - heavy.min() > 10_000


def quantile_tables() -> dict[str, tuple[int, ...]]:
    tuples = {name: value for name, value in vars(shapes).items() if type(value) is tuple}
    nested = {
        f"{name}[{row}]": part
        for name, value in tuples.items()
        for row, part in enumerate(value)
        if type(part) is tuple
    }
    return {name: table for name, table in (tuples | nested).items() if len(table) == len(LEVELS)}


QUANTILE_TABLES = quantile_tables()


def test_all_quantile_tables_are_found() -> None:
    assert {"PRICE", "HANDLING", "TRANSIT[0]", "FREIGHT[2]", "ANSWER"} <= set(QUANTILE_TABLES)


@pytest.mark.parametrize("name", QUANTILE_TABLES)
def test_quantiles_do_not_fall(name: str) -> None:
    table = QUANTILE_TABLES[name]
    assert list(table) == sorted(table)


def test_no_order_has_two_rarities() -> None:
    rarities = [value for value in vars(shapes).values() if isinstance(value, shapes.Rarity)]
    of_orders = [r for r in rarities if r not in (shapes.OUTSIDE_BRAZIL, *PRODUCT_RARITIES)]
    assert all(r.period % 50 == 0 for r in of_orders)
    assert len({r.first % 50 for r in of_orders}) == len(of_orders)
    assert all(r.first % 50 > 1 or r.first > 1 for r in of_orders)


PRODUCT_RARITIES = (shapes.UNTRANSLATED_PRODUCT, shapes.WEIGHTLESS_PRODUCT, shapes.UNMEASURED_PRODUCT)


def test_a_prefix_belongs_to_one_city() -> None:
    runs = sorted((block.first, block.last) for block in BLOCKS)
    assert all(earlier[1] < later[0] for earlier, later in pairwise(runs))
    assert np.unique(PREFIXES.number).size == PREFIXES.number.size


def test_every_state_has_a_city() -> None:
    assert {block.state for block in BLOCKS} == set(STATE_NAMES) == set(shapes.CUSTOMERS_BY_STATE)


def test_there_are_71_translated_categories() -> None:
    names = [category.name for category in CATEGORIES]
    assert len(set(names)) == len(names) == 71
    assert not set(names) & set(UNTRANSLATED)
