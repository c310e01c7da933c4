"""Baskets: the items of orders.

What belongs here: which products an order has, from whom, at what price and freight, and the rows of the items'
file. What does not: the products themselves (`catalogue`). Money is in cents.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from olist_pipeline.synthetic import geography, shapes
from olist_pipeline.synthetic.catalogue import Catalogue
from olist_pipeline.synthetic.draw import (
    Ints,
    Stream,
    alike,
    below,
    chance,
    choose,
    cumulated,
    parts_of,
)
from olist_pipeline.synthetic.orders import Placed, Shipped, by_distance, order_ids
from olist_pipeline.synthetic.timeline import timestamps

_ITEM_TOTALS = cumulated(shapes.ITEMS_OF_ORDER)
_CHOICES = 3
"""An order has at most this many products, some of them several times."""


@dataclass(frozen=True)
class Baskets:
    """The items of some orders, one entry an item; `row` points to the order among those orders."""

    row: Ints
    item: Ints
    """Numbered from 1 in each order."""
    product: Ints
    seller: Ints
    price: Ints
    freight: Ints
    total: Ints
    """One entry an order: what its items cost with freight, 0 where it has none."""
    distance: Ints
    """One entry an order: from the first item's seller to the customer."""


def fill(placed: Placed, catalogue: Catalogue, stream: Stream) -> Baskets:
    """Draws the items of placed orders."""
    count = len(placed.order)
    size = np.where(placed.has_items, 1 + choose(stream.words(count), _ITEM_TOTALS), 0)
    choices = _choices(placed.order, catalogue, stream)
    sellers = np.stack([catalogue.seller_of(product, stream.words(count)) for product in choices])
    prices = np.stack([catalogue.price_of(product, stream.words(count)) for product in choices])
    distances = [geography.distance(catalogue.seller_place[s], placed.buyers.place) for s in sellers]
    freights = np.stack(
        [_freights(catalogue, product, distance, stream) for product, distance in zip(choices, distances, strict=True)]
    )
    row, place = parts_of(size)
    item = place + 1
    mixed = chance(stream.words(count), *shapes.MIXED_BASKETS)[row] & (item > 1)
    later = np.where(item == 2, 1, below(stream.words(len(row)), _CHOICES))
    choice = np.where(mixed, later, 0)
    price = prices[choice, row]
    freight = freights[choice, row]
    total = np.zeros(count, dtype=np.int64)
    np.add.at(total, row, price + freight)
    return Baskets(
        row=row,
        item=item,
        product=choices[choice, row],
        seller=sellers[choice, row],
        price=price,
        freight=freight,
        total=total,
        distance=np.where(placed.has_items, distances[0], shapes.NEAR),
    )


def _choices(order: Ints, catalogue: Catalogue, stream: Stream) -> Ints:
    """The products an order may have: its first, then some of the same seller or any other."""
    count = len(order)
    first = catalogue.bought_by(order, stream.words(count))
    near = chance(stream.words(count), *shapes.SECOND_PRODUCT_OF_SAME_SELLER)
    other = np.where(near, catalogue.sibling(first), catalogue.popular(stream.words(count)))
    return np.stack([first, other, catalogue.popular(stream.words(count))])


def _freights(catalogue: Catalogue, product: Ints, distance: Ints, stream: Stream) -> Ints:
    count = len(product)
    heavy = catalogue.weight_words[product]
    words = alike(stream.words(count), heavy, stream.words(count), *shapes.FREIGHT_KNOWS_WEIGHT)
    return by_distance(words, distance, shapes.FREIGHT)


def item_frame(seed: int, placed: Placed, shipped: Shipped, baskets: Baskets, catalogue: Catalogue) -> pl.DataFrame:
    """The rows of the items' file."""
    row = baskets.row
    return pl.DataFrame(
        {
            "order_id": order_ids(seed, placed.order).gather(row),
            "order_item_id": baskets.item,
            "product_id": catalogue.product_ids(baskets.product),
            "seller_id": catalogue.seller_ids(baskets.seller),
            "shipping_limit_date": timestamps(shipped.limit[row]),
            "price": baskets.price / 100,
            "freight_value": baskets.freight / 100,
        }
    )
