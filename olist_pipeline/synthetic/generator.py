"""The generator: draws a whole set, chunk by chunk, and writes it.

What belongs here: the order of the steps, the streams of random words that each has, and what a caller may ask
for. What does not: how anything is drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from olist_pipeline.errors import OlistError
from olist_pipeline.synthetic import baskets, geography, orders, payments, reviews, writer
from olist_pipeline.synthetic.catalogue import Catalogue, translation_frame
from olist_pipeline.synthetic.draw import Ints, Stream
from olist_pipeline.synthetic.people import People

_CHUNK_ORDERS = 50_000
_CHUNK_GEOLOCATIONS = 250_000

# What the first number of a stream's path stands for; the second is the chunk.
_CATALOGUE, _GEOLOCATION, _ORDERS = range(3)


def generate(out: Path, *, orders: int, seed: int, progress: Callable[[int], None] | None = None) -> dict[str, int]:
    """Writes a synthetic set of the nine Olist files into `out` and returns the rows of each file by name.

    The same `orders` and `seed` give the same bytes, with the same versions of numpy and polars, on any machine.
    `out` is created if missing; files of an earlier set are replaced, all at the end. `progress` is called with
    the number of orders done since its last call.

    Raises `OlistError` when `orders` is below 1, `seed` below 0, `out` cannot be a folder or cannot take the files, or
    another process generates there; what stood in `out` before then still stands there.
    """
    if orders < 1:
        raise OlistError(f"A set needs at least 1 order, but {orders} were asked for; give a number from 1 on.")
    if seed < 0:
        raise OlistError(f"The seed {seed} is negative; give a whole number from 0 on.")
    with writer.FileSet(out) as files:
        _write_set(files, orders, seed, _CHUNK_ORDERS, progress or (lambda _: None))
    return files.rows


def _write_set(
    files: writer.FileSet, count: int, seed: int, chunk_orders: int, progress: Callable[[int], None]
) -> None:
    """Appends all rows; `chunk_orders` is even, so that split orders stay together."""
    catalogue = Catalogue(count, seed, Stream(seed, _CATALOGUE))
    people = People(count, seed)
    files.append(writer.TRANSLATION, translation_frame())
    files.append(writer.SELLERS, catalogue.seller_frame())
    files.append(writer.PRODUCTS, catalogue.product_frame())
    _write_geolocations(files, geography.geolocation_count(count), seed)
    for number, order in enumerate(_chunks(count, chunk_orders)):
        _write_orders(files, order, seed, Stream(seed, _ORDERS, number), catalogue, people)
        progress(len(order))


def _chunks(count: int, size: int) -> Iterator[Ints]:
    for start in range(0, count, size):
        yield np.arange(start, min(start + size, count), dtype=np.int64)


def _write_geolocations(files: writer.FileSet, count: int, seed: int) -> None:
    for number, row in enumerate(_chunks(count, _CHUNK_GEOLOCATIONS)):
        stream = Stream(seed, _GEOLOCATION, number)
        files.append(writer.GEOLOCATION, geography.geolocation_frame(row, count, stream))


def _write_orders(
    files: writer.FileSet, order: Ints, seed: int, stream: Stream, catalogue: Catalogue, people: People
) -> None:
    placed = orders.place(order, people.behind(order), stream)
    basket = baskets.fill(placed, catalogue, stream)
    shipped = orders.ship(placed, basket.distance, stream)
    files.append(writer.ORDERS, orders.order_frame(seed, placed, shipped))
    files.append(writer.CUSTOMERS, orders.customer_frame(seed, placed, stream))
    files.append(writer.ITEMS, baskets.item_frame(seed, placed, shipped, basket, catalogue))
    files.append(writer.PAYMENTS, payments.payment_frame(seed, placed, basket, stream))
    files.append(writer.REVIEWS, reviews.review_frame(seed, placed, shipped, stream))
