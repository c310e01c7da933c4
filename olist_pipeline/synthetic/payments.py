"""Payments of orders: by card in instalments, by boleto, with vouchers.

What belongs here: how an order's total is paid, and the rows of the payments' file. What does not: the total
(`baskets`) and the choice of method, on which the approval depends (`orders`). Money is in cents.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from olist_pipeline.synthetic import shapes
from olist_pipeline.synthetic.baskets import Baskets
from olist_pipeline.synthetic.draw import (
    Flags,
    Ints,
    Stream,
    below,
    chance,
    choose,
    choose_by_row,
    cumulated,
    parts_of,
    quantile,
)
from olist_pipeline.synthetic.orders import Placed, order_ids

_TYPES = pl.Series(["credit_card", "boleto", "voucher", "debit_card", "not_defined"])
_CREDIT_CARD, _BOLETO, _VOUCHER, _DEBIT_CARD, _NOT_DEFINED = range(5)
_FIRST_TYPE = np.array([_CREDIT_CARD, _CREDIT_CARD, _CREDIT_CARD, _BOLETO, _VOUCHER, _DEBIT_CARD, _NOT_DEFINED])
"""The type of the first payment by method; the others are a card with two cards, else vouchers."""

_VOUCHERS_WITH_CARD = cumulated(shapes.VOUCHERS_WITH_CARD)
_VOUCHERS_ALONE = cumulated(shapes.VOUCHERS_ALONE)
_INSTALLMENT_TOTALS = np.cumsum(shapes.INSTALLMENTS, axis=1, dtype=np.int64)
_VOUCHERS_WITH_A_ZERO = 3


def payment_frame(seed: int, placed: Placed, baskets: Baskets, stream: Stream) -> pl.DataFrame:
    """The rows of the payments' file for placed orders, in an order of their own."""
    parts = _parts(placed, stream)
    order_row, position = parts_of(parts)
    method = placed.method[order_row]
    kind = np.where(
        position == 0,
        _FIRST_TYPE[method],
        np.where(method == shapes.TWO_CARDS, _CREDIT_CARD, _VOUCHER),
    )
    last = position == parts[order_row] - 1
    empty = last & placed.rare(shapes.ZERO_VOUCHER)[order_row]
    value = _divide(_paid(placed, baskets, stream), parts, order_row, position, empty, stream)
    installments = _installments(kind, value, stream)
    installments[last & placed.rare(shapes.ZERO_INSTALLMENTS)[order_row]] = 0
    frame = pl.DataFrame(
        {
            "order_id": order_ids(seed, placed.order).gather(order_row),
            "payment_sequential": position + 1 + _first_missing(placed, stream)[order_row],
            "payment_type": _TYPES.gather(kind),
            "payment_installments": installments,
            "payment_value": value / 100,
        }
    )
    return frame[stream.shuffled(len(order_row))]


def _parts(placed: Placed, stream: Stream) -> Ints:
    count = len(placed.order)
    method = placed.method
    with_card = 2 + choose(stream.words(count), _VOUCHERS_WITH_CARD)
    alone = 1 + choose(stream.words(count), _VOUCHERS_ALONE)
    alone = np.where(placed.rare(shapes.ZERO_VOUCHER), _VOUCHERS_WITH_A_ZERO, alone)
    return np.select(
        [
            method == shapes.TWO_CARDS,
            method == shapes.CARD_AND_VOUCHERS,
            method == shapes.VOUCHERS,
            method == shapes.UNPAID,
        ],
        [2, with_card, alone, 0],
        default=1,
    ).astype(np.int64)


def _paid(placed: Placed, baskets: Baskets, stream: Stream) -> Ints:
    """What is paid for each order: its total, but for interest, rebates, a cent, and orders without items."""
    count = len(placed.order)
    without_items = quantile(stream.words(count), shapes.TOTAL_WITHOUT_ITEMS)
    total = np.where(placed.has_items, baskets.total, without_items)
    total[placed.method == shapes.NOT_DEFINED] = 0
    can_differ = (
        placed.has_items
        & (placed.method == shapes.CARD)
        & np.isin(placed.status, [shapes.DELIVERED, shapes.SHIPPED, shapes.CANCELED])
    )
    over = chance(stream.words(count), *shapes.OVERPAID)
    under = chance(stream.words(count), *shapes.UNDERPAID)
    cent = chance(stream.words(count), *shapes.A_CENT_OFF)
    words = stream.words(count)
    difference = np.select(
        [over, under, cent],
        [quantile(words, shapes.OVERPAYMENT), -quantile(words, shapes.UNDERPAYMENT), 1 - 2 * below(words, 2)],
        default=0,
    )
    return np.where(can_differ, np.maximum(total + difference, 1), total)


def _divide(total: Ints, parts: Ints, row: Ints, position: Ints, empty: Flags, stream: Stream) -> Ints:
    """The value of each payment: random shares of the total that add up to it exactly."""
    share = np.where(empty, 0, 1 + below(stream.words(len(row)), 1000))
    shares = np.zeros(len(parts), dtype=np.int64)
    np.add.at(shares, row, share)
    value = total[row] * share // shares[row]
    rest = total.copy()
    np.subtract.at(rest, row, value)
    return np.asarray(value + np.where(position == 0, rest[row], 0))


def _installments(kind: Ints, value: Ints, stream: Stream) -> Ints:
    step = np.searchsorted(np.array(shapes.INSTALLMENT_STEPS), value, side="right").astype(np.int64)
    drawn = 1 + choose_by_row(stream.words(len(value)), _INSTALLMENT_TOTALS, step)
    return np.where(kind == _CREDIT_CARD, drawn, 1)


def _first_missing(placed: Placed, stream: Stream) -> Ints:
    """1 for orders whose payments are numbered from 2, else 0."""
    words = stream.words(len(placed.order))
    by_card, by_debit = shapes.FIRST_PAYMENT_MISSING
    missing = ((placed.method == shapes.CARD) & chance(words, *by_card)) | (
        (placed.method == shapes.DEBIT) & chance(words, *by_debit)
    )
    return np.where(missing, 1, 0)
