"""Persons: who placed which order, when they first bought, where they live.

What belongs here: the person behind `customer_unique_id`. What does not: the order itself (`orders`).

Every order has a slot and every run of slots is a person: first those who placed two orders at once, then those
with many orders, at last those with one. Orders are scattered over the slots by a permutation of pairs, so the
two orders placed at once are neighbours and all other orders of a person lie anywhere in the set. Person, visit,
day and place follow from the number of the order alone: chunks share nothing and need no memory.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from olist_pipeline.synthetic import shapes, timeline
from olist_pipeline.synthetic.draw import Flags, Ints, Scatter, chance, hashed, key_of, quantile, second
from olist_pipeline.synthetic.geography import customer_places

_VISITS = 64
"""More than any person has: hashing numbers a visit as `person * _VISITS + visit`."""


@dataclass(frozen=True)
class Buyers:
    """The person behind each order of a chunk."""

    person: Ints
    visit: Ints
    """0 for a person's first order, 1 for the second ..."""
    place: Ints
    day: Ints
    """The day of the purchase, counted from 1970-01-01."""
    split: Flags
    """The order was placed together with the one before it."""


class People:
    """All persons of a set of a given size."""

    def __init__(self, orders: int, seed: int) -> None:
        sizes, persons = zip(*_runs(orders), strict=True)
        self._size = np.array(sizes, dtype=np.int64)
        self._first_slot = np.concatenate([[0], np.cumsum(self._size * persons)])[:-1]
        self._first_person = np.concatenate([[0], np.cumsum(persons)])[:-1]
        self._split_slots = int(2 * persons[0])
        self._scatter = Scatter((orders + 1) // 2, key_of(seed, "slots"))
        self._day_key = key_of(seed, "first day")
        self._gap_key = key_of(seed, "gap")
        self._place_key = key_of(seed, "home")
        self._move_key = key_of(seed, "move")

    def behind(self, order: Ints) -> Buyers:
        """The buyers of the orders with these numbers."""
        slot = 2 * self._scatter(order // 2) + order % 2
        run = np.searchsorted(self._first_slot, slot, side="right") - 1
        within = slot - self._first_slot[run]
        person = self._first_person[run] + within // self._size[run]
        visit = within % self._size[run]
        together = slot < self._split_slots
        return Buyers(
            person=person,
            visit=visit,
            place=self._places(person, visit),
            day=self._days(person, visit, together),
            split=together & (visit == 1),
        )

    def _places(self, person: Ints, visit: Ints) -> Ints:
        home = customer_places(hashed(self._place_key, person))
        words = hashed(self._move_key, person * _VISITS + visit)
        moved = (visit > 0) & chance(words, *shapes.MOVED)
        return np.where(moved, customer_places(second(words)), home)

    def _days(self, person: Ints, visit: Ints, together: Flags) -> Ints:
        first = timeline.sales_days(hashed(self._day_key, person))
        since = np.zeros(len(person), dtype=np.int64)
        for earlier in range(1, int(visit.max(initial=0)) + 1):
            gap = quantile(hashed(self._gap_key, person * _VISITS + earlier), shapes.REPEAT_GAP_DAYS)
            since += np.where((visit >= earlier) & ~together, gap, 0)
        return timeline.open_day(first, since)


def _runs(orders: int) -> list[tuple[int, int]]:
    """(orders of a person, persons) in the order of their slots; the first run is of split orders."""
    with_two = orders * shapes.PERSONS_WITH_TWO // shapes.ORDERS
    split = with_two * shapes.SPLIT_SHARE[0] // shapes.SPLIT_SHARE[1]
    heavy = 3 + orders // 50_000 if orders >= 1_000 else 0
    runs = [(2, split), (17, heavy // 3), (12, heavy - heavy // 3)]
    runs += [(size, orders * count // shapes.ORDERS) for size, count in shapes.PERSONS_BY_ORDERS]
    runs += [(1, 1)] if sum(size * count for size, count in runs) % 2 == 0 else []
    runs += [(2, with_two - split)]
    taken = sum(size * count for size, count in runs)
    return [*runs, (1, max(0, 2 * ((orders + 1) // 2) - taken))]
