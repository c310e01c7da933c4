"""Orders: when they were placed, what became of them, and when.

What belongs here: the rows of the orders' file and of the customers' file (one customer an order). What does not:
what was bought (`baskets`), paid (`payments`) and said about it (`reviews`).

An order is drawn in two steps: `place` decides status, method of payment and approval; `ship` needs to know from
where the basket comes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from olist_pipeline.synthetic import shapes
from olist_pipeline.synthetic.draw import (
    Flags,
    Ints,
    Stream,
    Words,
    alike,
    below,
    chance,
    choose,
    choose_by_row,
    cumulated,
    identifiers,
    quantile,
    rare,
)
from olist_pipeline.synthetic.geography import city_text, prefix_text, state_text
from olist_pipeline.synthetic.people import Buyers
from olist_pipeline.synthetic.timeline import (
    DAY,
    FIRST_DAY,
    HOUR,
    LAST_DAY,
    day_number,
    fold,
    month_rows,
    times_of_day,
    timestamps,
)

_STATUS_NAMES = pl.Series(shapes.STATUSES)
_STATUS_TOTALS = np.cumsum([month.statuses for month in shapes.MONTHS], axis=1, dtype=np.int64)
_METHOD_TOTALS = cumulated(shapes.ORDERS_BY_METHOD)
_PURCHASE_HOURS = cumulated(shapes.PURCHASE_HOURS)
_DELIVERY_HOURS = cumulated(shapes.DELIVERY_HOURS)
_TRANSIT_PERCENT = np.array([month.transit for month in shapes.MONTHS], dtype=np.int64)
_PROMISE_PERCENT = np.array([month.promise for month in shapes.MONTHS], dtype=np.int64)
_LAST_DELIVERY = day_number(*shapes.LAST_DELIVERY) * DAY + 13 * HOUR
_FAR_LIMIT = day_number(2020, 2, 3) * DAY
_SHORTEST_PROMISE = 2


@dataclass(frozen=True)
class Placed:
    """Orders as placed; times are seconds, `approved` also where it is not `is_approved` (then it is unwritten)."""

    order: Ints
    buyers: Buyers
    status: Ints
    method: Ints
    purchased: Ints
    approved: Ints
    ready: Ints
    """When the seller may begin: the approval, or sooner where that came late."""
    is_approved: Flags
    has_carrier: Flags
    has_delivery: Flags
    has_items: Flags

    def rare(self, rarity: shapes.Rarity) -> Flags:
        """Which of the orders have this rarity."""
        return rare(self.order, *rarity)


@dataclass(frozen=True)
class Shipped:
    """What happened to placed orders afterwards; times are seconds."""

    limit: Ints
    """Until when the seller had to hand the items to the carrier."""
    carried: Ints
    delivered: Ints
    promised: Ints
    """Midnight of the estimated delivery."""


def place(order: Ints, buyers: Buyers, stream: Stream) -> Placed:
    """Draws when the orders were placed, their status, method of payment and approval."""
    count = len(order)
    buyers = _with_both_ends(order, buyers)
    purchased = _purchases(buyers, stream)
    drawn = choose_by_row(stream.words(count), _STATUS_TOTALS, month_rows(buyers.day))
    status = _with_rare(drawn, order, _RARE_STATUSES)
    canceled = status == shapes.CANCELED
    unpaid = rare(order, *shapes.NOT_DEFINED_PAYMENT)
    returned = rare(order, *shapes.CANCELED_AFTER_DELIVERY)
    stopped = canceled & (chance(stream.words(count), *shapes.CANCELED_UNAPPROVED) | unpaid) & ~returned
    created = status == shapes.CREATED
    delivered = status == shapes.DELIVERED
    handed_over = canceled & ~stopped & (chance(stream.words(count), *shapes.CANCELED_WITH_CARRIER) | returned)
    has_carrier = handed_over | (delivered & ~rare(order, *shapes.DELIVERED_WITHOUT_CARRIER))
    method = _with_rare(choose(stream.words(count), _METHOD_TOTALS), order, _RARE_METHODS)
    approved, ready = _approvals(order, purchased, method, stream)
    return Placed(
        order=order,
        buyers=buyers,
        status=status,
        method=method,
        purchased=purchased,
        approved=approved,
        ready=ready,
        is_approved=~(stopped | created | rare(order, *shapes.DELIVERED_UNAPPROVED)),
        has_carrier=has_carrier | (status == shapes.SHIPPED),
        has_delivery=(delivered & ~rare(order, *shapes.DELIVERED_WITHOUT_DATE)) | returned,
        has_items=~(stopped | created | _emptied(order, status, handed_over, stream)),
    )


def _with_both_ends(order: Ints, buyers: Buyers) -> Buyers:
    """The first two orders stand on the first and last day, so that every set covers the same time."""
    day = np.where(order == 0, FIRST_DAY, np.where(order == 1, LAST_DAY, buyers.day))
    return replace(buyers, day=day, split=buyers.split & (order > 1))


def _purchases(buyers: Buyers, stream: Stream) -> Ints:
    count = len(buyers.day)
    time = times_of_day(stream.words(count), stream.words(count), _PURCHASE_HOURS)
    soon = np.minimum(np.roll(time, 1) + below(stream.words(count), 60), DAY - 1)
    return buyers.day * DAY + np.where(buyers.split, soon, time)


_RARE_STATUSES = (
    (shapes.NO_PAYMENT, shapes.DELIVERED),
    (shapes.DELIVERED_UNAPPROVED, shapes.DELIVERED),
    (shapes.LATE_APPROVAL, shapes.DELIVERED),
    (shapes.DELIVERED_WITHOUT_DATE, shapes.DELIVERED),
    (shapes.DELIVERED_WITHOUT_CARRIER, shapes.DELIVERED),
    (shapes.SHIPPED_WITHOUT_ITEMS, shapes.SHIPPED),
    (shapes.NOT_DEFINED_PAYMENT, shapes.CANCELED),
    (shapes.CANCELED_AFTER_DELIVERY, shapes.CANCELED),
    (shapes.CREATED_ORDER, shapes.CREATED),
    (shapes.APPROVED_ORDER, shapes.APPROVED),
)
_RARE_METHODS = (
    (shapes.ZERO_VOUCHER, shapes.VOUCHERS),
    (shapes.ZERO_INSTALLMENTS, shapes.TWO_CARDS),
    (shapes.NOT_DEFINED_PAYMENT, shapes.NOT_DEFINED),
    (shapes.NO_PAYMENT, shapes.UNPAID),
)


def _with_rare(drawn: Ints, order: Ints, forced: tuple[tuple[shapes.Rarity, int], ...]) -> Ints:
    """What was drawn for each order, but for what its rarity asks for."""
    for rarity, value in forced:
        drawn[rare(order, *rarity)] = value
    return drawn


def _approvals(order: Ints, purchased: Ints, method: Ints, stream: Stream) -> tuple[Ints, Ints]:
    """When each payment is approved, and when the seller may begin."""
    count = len(order)
    waiting = np.where(
        method == shapes.BOLETO,
        quantile(stream.words(count), shapes.APPROVAL_BOLETO),
        quantile(stream.words(count), shapes.APPROVAL_CARD),
    )
    soonest, latest = shapes.LATE_APPROVAL_DAYS
    delay = (soonest + below(stream.words(count), latest - soonest)) * DAY
    end = (LAST_DAY + 1) * DAY
    ready = fold(purchased, waiting, end)
    late = fold(purchased, waiting + delay, end)
    return np.where(rare(order, *shapes.LATE_APPROVAL), late, ready), ready


def _emptied(order: Ints, status: Ints, handed_over: Flags, stream: Stream) -> Flags:
    """Approved orders whose items are gone."""
    words = stream.words(len(order))
    canceled = (status == shapes.CANCELED) & ~handed_over & chance(words, *shapes.CANCELED_WITHOUT_ITEMS)
    unavailable = (status == shapes.UNAVAILABLE) & chance(words, *shapes.UNAVAILABLE_WITHOUT_ITEMS)
    invoiced = (status == shapes.INVOICED) & chance(words, *shapes.INVOICED_WITHOUT_ITEMS)
    emptied: Flags = canceled | unavailable | invoiced | rare(order, *shapes.SHIPPED_WITHOUT_ITEMS)
    return emptied


def ship(placed: Placed, distance: Ints, stream: Stream) -> Shipped:
    """Draws carrier, delivery and estimate by the distance from seller to customer."""
    count = len(distance)
    month = month_rows(placed.buyers.day)
    handling_words = stream.words(count)
    carried = _handovers(placed, quantile(handling_words, shapes.HANDLING), stream)
    limit_words = alike(stream.words(count), handling_words, stream.words(count), *shapes.LIMIT_KNOWS_HANDLING)
    limit = placed.ready + quantile(limit_words, shapes.SHIPPING_LIMIT)
    far_limit = _FAR_LIMIT + placed.ready % (60 * DAY)
    words = stream.words(count)
    transit = by_distance(words, distance, shapes.TRANSIT) * _TRANSIT_PERCENT[month] // 100
    promise_words = alike(stream.words(count), words, stream.words(count), *shapes.PROMISE_KNOWS_TRANSIT)
    promise = by_distance(promise_words, distance, shapes.PROMISE_DAYS) * _PROMISE_PERCENT[month] // 100
    return Shipped(
        limit=np.where(placed.rare(shapes.SHIPPING_LIMIT_2020), far_limit, limit),
        carried=carried,
        delivered=_deliveries(placed.purchased, carried, transit, stream),
        promised=(placed.buyers.day + np.maximum(promise, _SHORTEST_PROMISE)) * DAY,
    )


def _handovers(placed: Placed, handling: Ints, stream: Stream) -> Ints:
    """When the carrier gets the parcels: some before the approval, very few before the purchase."""
    count = len(handling)
    carried = fold(placed.ready, handling, _LAST_DELIVERY - DAY)
    between = placed.purchased + below(stream.words(count), placed.ready - placed.purchased + 1)
    too_early = (carried < placed.purchased) & ~chance(stream.words(count), *shapes.CARRIER_BEFORE_PURCHASE)
    return np.where(too_early, between, carried)


def by_distance(words: Words, distance: Ints, tables: tuple[tuple[int, ...], ...]) -> Ints:
    """Values of the distribution, out of three, that goes with each distance."""
    return np.asarray(np.choose(distance, [quantile(words, table) for table in tables]), dtype=np.int64)


def _deliveries(purchased: Ints, carried: Ints, transit: Ints, stream: Stream) -> Ints:
    """When parcels arrive: at an hour of deliveries, and never before the purchase."""
    count = len(purchased)
    arrival = fold(carried, transit, _LAST_DELIVERY)
    at_an_hour = arrival // DAY * DAY + times_of_day(stream.words(count), stream.words(count), _DELIVERY_HOURS)
    sensible = (at_an_hour > np.maximum(carried, purchased)) & (at_an_hour <= _LAST_DELIVERY) & (transit > 0)
    delivered = np.where(sensible, at_an_hour, arrival)
    return np.where(delivered < purchased, purchased + HOUR + np.abs(transit) % DAY, delivered)


def order_frame(seed: int, placed: Placed, shipped: Shipped) -> pl.DataFrame:
    """The rows of the orders' file."""
    return pl.DataFrame(
        {
            "order_id": order_ids(seed, placed.order),
            "customer_id": identifiers(seed, "customer", placed.order),
            "order_status": _STATUS_NAMES.gather(placed.status),
            "order_purchase_timestamp": timestamps(placed.purchased),
            "order_approved_at": timestamps(placed.approved, placed.is_approved),
            "order_delivered_carrier_date": timestamps(shipped.carried, placed.has_carrier),
            "order_delivered_customer_date": timestamps(shipped.delivered, placed.has_delivery),
            "order_estimated_delivery_date": timestamps(shipped.promised),
        }
    )


def customer_frame(seed: int, placed: Placed, stream: Stream) -> pl.DataFrame:
    """The rows of the customers' file, in an order of their own."""
    row = stream.shuffled(len(placed.order))
    place = placed.buyers.place[row]
    return pl.DataFrame(
        {
            "customer_id": identifiers(seed, "customer", placed.order[row]),
            "customer_unique_id": identifiers(seed, "person", placed.buyers.person[row]),
            "customer_zip_code_prefix": prefix_text(place),
            "customer_city": city_text(place),
            "customer_state": state_text(place),
        }
    )


def order_ids(seed: int, order: Ints) -> pl.Series:
    """The identifiers of orders."""
    return identifiers(seed, "order", order)
