"""What is for sale: products, their sellers, and the translation of their categories.

What belongs here: the catalogue of a whole set, drawn once and kept in memory (some forty bytes a product). What
does not: which order buys what (`baskets`).

Products of one seller stand next to each other, so a seller's other products are found without a search.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from olist_pipeline.synthetic import shapes
from olist_pipeline.synthetic.categories import CATEGORIES, UNTRANSLATED
from olist_pipeline.synthetic.draw import (
    Ints,
    Scatter,
    Stream,
    Words,
    alike,
    below,
    chance,
    choose,
    cumulated,
    identifiers,
    key_of,
    quantile,
    rare,
    second,
)
from olist_pipeline.synthetic.geography import prefix_text, sales_level, seller_city_text, seller_places, state_text

_NAMES = pl.Series([category.name for category in CATEGORIES] + list(UNTRANSLATED))
_CATEGORY_TOTALS = cumulated([category.products for category in CATEGORIES])
_PRICE_LEVELS = np.array([category.price for category in CATEGORIES] + [100] * len(UNTRANSLATED), dtype=np.int64)
_ENDINGS = np.array([ending for ending, _ in shapes.PRICE_ENDINGS], dtype=np.int64)
_ENDING_TOTALS = cumulated([items for _, items in shapes.PRICE_ENDINGS])
_LOWEST_PRICE, _HIGHEST_PRICE = 85, 673_500


class Catalogue:
    """The products and sellers of a set of a given size; both are numbered from 0."""

    def __init__(self, orders: int, seed: int, stream: Stream) -> None:
        self._seed = seed
        self.products = max(1, orders * shapes.PRODUCTS_PER_ORDERS[0] // shapes.PRODUCTS_PER_ORDERS[1])
        self.sellers = max(1, orders * shapes.SELLERS_PER_ORDERS[0] // shapes.SELLERS_PER_ORDERS[1])
        self.seller_place = seller_places(stream.words(self.sellers))
        self._seller_spelling = stream.words(self.sellers)
        self._seller = self._draw_sellers(stream)
        self._two_sellers = chance(stream.words(self.products), *shapes.PRODUCTS_WITH_TWO_SELLERS)
        self._other_seller = below(stream.words(self.products), self.sellers)
        self._category = choose(stream.words(self.products), _CATEGORY_TOTALS)
        forgotten = rare(np.arange(self.products), *shapes.UNTRANSLATED_PRODUCT)
        self._category[forgotten] = len(CATEGORIES) + np.arange(int(forgotten.sum())) % len(UNTRANSLATED)
        self.weight_words = stream.words(self.products)
        self.price = self._draw_prices(stream)
        self._extra_sales = cumulated(1 + quantile(stream.words(self.products), shapes.EXTRA_SALES))
        self._details = Stream(seed, 3)
        self._first_sale = Scatter(orders, key_of(seed, "first sales"))

    def bought_by(self, order: Ints, words: Words) -> Ints:
        """The first product of each order: every product is one order's, and the popular ones many orders'."""
        turn = self._first_sale(order)
        return np.where(turn < self.products, turn, self.popular(words))

    def popular(self, words: Words) -> Ints:
        """A product for each word, as often as its sales say."""
        return choose(words, self._extra_sales)

    def sibling(self, product: Ints) -> Ints:
        """Another product of the same seller, or the same product where the seller has no other beside it."""
        after = np.minimum(product + 1, self.products - 1)
        before = np.maximum(product - 1, 0)
        seller = self._seller[product]
        return np.where(self._seller[after] == seller, after, np.where(self._seller[before] == seller, before, product))

    def seller_of(self, product: Ints, words: Words) -> Ints:
        """Who sells the product this time: a few products have two sellers."""
        elsewhere = self._two_sellers[product] & chance(words, 1, 3)
        return np.where(elsewhere, self._other_seller[product], self._seller[product])

    def price_of(self, product: Ints, words: Words) -> Ints:
        """The price in cents this time: a few sales are at another price than usual."""
        usual = self.price[product]
        changed = usual * (80 + below(second(words), 41)) // 100
        return np.where(
            chance(words, *shapes.REPRICED), np.clip(changed // 100 * 100 + 90, _LOWEST_PRICE, _HIGHEST_PRICE), usual
        )

    def seller_frame(self) -> pl.DataFrame:
        """The rows of the sellers' file."""
        return pl.DataFrame(
            {
                "seller_id": self.seller_ids(np.arange(self.sellers)),
                "seller_zip_code_prefix": prefix_text(self.seller_place),
                "seller_city": seller_city_text(self.seller_place, self._seller_spelling),
                "seller_state": state_text(self.seller_place),
            }
        )

    def product_frame(self) -> pl.DataFrame:
        """The rows of the products' file."""
        words = self._details.words
        count = self.products
        described = pl.Series(~chance(words(count), *shapes.UNCATEGORISED_PRODUCTS))
        measured = pl.Series(~rare(np.arange(self.products), *shapes.UNMEASURED_PRODUCT))
        weight = quantile(self.weight_words, shapes.WEIGHT_G)
        weight[rare(np.arange(self.products), *shapes.WEIGHTLESS_PRODUCT)] = 0
        frame = pl.DataFrame(
            {
                "product_id": self.product_ids(np.arange(count)),
                "product_category_name": _NAMES.gather(self._category),
                "product_name_lenght": quantile(words(count), shapes.NAME_LENGTH),
                "product_description_lenght": quantile(words(count), shapes.DESCRIPTION_LENGTH),
                "product_photos_qty": quantile(words(count), shapes.PHOTOS),
                "product_weight_g": weight,
                "product_length_cm": quantile(self._size_words(), shapes.LENGTH_CM),
                "product_height_cm": quantile(self._size_words(), shapes.HEIGHT_CM),
                "product_width_cm": quantile(self._size_words(), shapes.WIDTH_CM),
            }
        )
        texts = frame.columns[1:5]
        sizes = frame.columns[5:]
        return frame.with_columns(
            *(pl.when(described).then(pl.col(name)).alias(name) for name in texts),
            *(pl.when(measured).then(pl.col(name)).alias(name) for name in sizes),
        )

    def product_ids(self, product: Ints) -> pl.Series:
        """The identifiers of products."""
        return identifiers(self._seed, "product", product)

    def seller_ids(self, seller: Ints) -> pl.Series:
        """The identifiers of sellers."""
        return identifiers(self._seed, "seller", seller)

    def _draw_sellers(self, stream: Stream) -> Ints:
        """Each product's seller, sorted: every seller has a product, and some have hundreds."""
        sizes = quantile(stream.words(self.sellers), shapes.PRODUCTS_OF_SELLER)
        totals = cumulated(sizes * sales_level(self.seller_place))
        others = choose(stream.words(max(0, self.products - self.sellers)), totals)
        return np.sort(np.concatenate([np.arange(self.sellers), others]))[: self.products]

    def _draw_prices(self, stream: Stream) -> Ints:
        count = self.products
        words = alike(stream.words(count), self.weight_words, stream.words(count), *shapes.PRICE_KNOWS_WEIGHT)
        raw = quantile(words, shapes.PRICE) * _PRICE_LEVELS[self._category] // 100
        ending = _ENDINGS[choose(stream.words(count), _ENDING_TOTALS)]
        price: Ints = np.clip(raw // 100 * 100 + ending, _LOWEST_PRICE, _HIGHEST_PRICE)
        return price

    def _size_words(self) -> Words:
        count = self.products
        words = self._details.words
        return alike(words(count), self.weight_words, words(count), *shapes.SIZE_KNOWS_WEIGHT)


def translation_frame() -> pl.DataFrame:
    """The rows of the translation file."""
    return pl.DataFrame(
        {
            "product_category_name": [category.name for category in CATEGORIES],
            "product_category_name_english": [category.english for category in CATEGORIES],
        }
    )
