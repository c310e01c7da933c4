"""Reviews of orders.

What belongs here: who reviews an order, when, with how many stars, and the rows of the reviews' file. What does
not: the words (`phrases`).
"""

from __future__ import annotations

import numpy as np
import polars as pl

from olist_pipeline.synthetic import phrases, shapes
from olist_pipeline.synthetic.draw import (
    Flags,
    Ints,
    Stream,
    chance,
    choose_by_row,
    identifiers,
    quantile,
)
from olist_pipeline.synthetic.orders import Placed, Shipped, order_ids
from olist_pipeline.synthetic.timeline import DAY, day_number, fold, timestamps

_SCORE_TOTALS = np.cumsum(shapes.SCORES, axis=1, dtype=np.int64)
_MILLION = 1_000_000
_REVIEWS = np.array(shapes.REVIEWS, dtype=np.int64)
_MESSAGES = np.array(shapes.REVIEWS_WITH_MESSAGE, dtype=np.int64)
_MESSAGES_PER_MILLION = _MESSAGES * _MILLION // _REVIEWS
_TITLES_WITH_MESSAGE_PER_MILLION = np.array(shapes.REVIEWS_WITH_BOTH) * _MILLION // _MESSAGES
_TITLES_ALONE_PER_MILLION = np.array(shapes.REVIEWS_WITH_TITLE) * _MILLION // (_REVIEWS - _MESSAGES)
_LAST_REVIEW = day_number(*shapes.LAST_REVIEW)
_SPREAD = 14
"""Days over which the reviews lie that would come after the last one."""
_LAST_ANSWER = (day_number(*shapes.LAST_ANSWER) + 1) * DAY


def review_frame(seed: int, placed: Placed, shipped: Shipped, stream: Stream) -> pl.DataFrame:
    """The rows of the reviews' file for placed orders, in an order of their own.

    A split order may carry the review of the order before it; a few orders have two reviews.
    """
    count = len(placed.order)
    reviewed = _reviewed(placed, stream)
    shared = placed.buyers.split & np.roll(reviewed, 1) & chance(stream.words(count), *shapes.SHARED_REVIEW)
    twice = np.flatnonzero(reviewed & chance(stream.words(count), *shapes.TWO_REVIEWS))
    fate = _fates(placed, shipped)
    day = _days(placed, shipped, fate, stream)
    first = _write(fate, day, stream)
    later = np.minimum(
        day[twice] + quantile(stream.words(len(twice)), shapes.SECOND_REVIEW_DAYS), _last_days(placed)[twice]
    )
    again = _write(fate[twice], later, stream)
    once = np.flatnonzero(reviewed | shared)
    source = once - shared[once]
    order_id = order_ids(seed, placed.order)
    frame = pl.concat(
        [
            _with_ids(seed, 2 * placed.order[source], order_id.gather(once), first[source]),
            _with_ids(seed, 2 * placed.order[twice] + 1, order_id.gather(twice), again),
        ]
    )
    return frame[stream.shuffled(len(frame))]


def _reviewed(placed: Placed, stream: Stream) -> Flags:
    words = stream.words(len(placed.order))
    delivered, others = shapes.NO_REVIEW
    return ~np.where(placed.status == shapes.DELIVERED, chance(words, *delivered), chance(words, *others))


def _fates(placed: Placed, shipped: Shipped) -> Ints:
    """The row of `shapes.SCORES` for each order: how the customer fared."""
    delivered = placed.status == shapes.DELIVERED
    arrived = delivered & placed.has_delivery
    days_late = (shipped.delivered - shipped.promised) // DAY
    return np.select(
        [
            arrived & (shipped.delivered <= shipped.promised),
            arrived & (days_late <= 3),
            delivered,
            placed.status == shapes.SHIPPED,
        ],
        [shapes.IN_TIME, shapes.LATE, shapes.VERY_LATE, shapes.UNDERWAY],
        default=shapes.NOT_SHIPPED,
    ).astype(np.int64)


def _days(placed: Placed, shipped: Shipped, fate: Ints, stream: Stream) -> Ints:
    """The day on which each order's review is asked for."""
    words = stream.words(len(fate))
    promised = shipped.promised // DAY
    day = np.select(
        [fate == shapes.IN_TIME, fate <= shapes.VERY_LATE],
        [
            shipped.delivered // DAY + quantile(words, shapes.REVIEW_AFTER_DELIVERY_DAYS),
            promised + quantile(words, shapes.REVIEW_AFTER_LATE_ESTIMATE_DAYS),
        ],
        default=promised + quantile(words, shapes.REVIEW_AFTER_ESTIMATE_DAYS),
    )
    last = _last_days(placed)
    return np.maximum(np.where(day > last, last - day % _SPREAD, day), placed.buyers.day)


def _last_days(placed: Placed) -> Ints:
    return np.maximum(placed.buyers.day, _LAST_REVIEW)


def _write(fate: Ints, day: Ints, stream: Stream) -> pl.DataFrame:
    """What stands in each review, without its identifiers."""
    count = len(fate)
    score = choose_by_row(stream.words(count), _SCORE_TOTALS, fate)
    has_message = chance(stream.words(count), _MESSAGES_PER_MILLION[score], _MILLION)
    with_it, alone = _TITLES_WITH_MESSAGE_PER_MILLION[score], _TITLES_ALONE_PER_MILLION[score]
    has_title = chance(stream.words(count), np.where(has_message, with_it, alone), _MILLION)
    created = day * DAY
    answered = fold(created, quantile(stream.words(count), shapes.ANSWER), _LAST_ANSWER)
    return pl.DataFrame(
        {
            "review_score": score + 1,
            "review_comment_title": phrases.titles(score, has_title, stream),
            "review_comment_message": phrases.messages(score, has_message, stream),
            "review_creation_date": timestamps(created),
            "review_answer_timestamp": timestamps(answered),
        }
    )


def _with_ids(seed: int, review: Ints, order_id: pl.Series, written: pl.DataFrame) -> pl.DataFrame:
    ids = {"review_id": identifiers(seed, "review", review), "order_id": order_id}
    return pl.DataFrame(ids).hstack(written)
