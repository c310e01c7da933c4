"""Random draws in integer arithmetic, and the hexadecimal identifiers made of them.

What belongs here: turning random words (unsigned 64-bit integers) into choices, values of a distribution,
permutations and identifiers. What does not: what is drawn (`shapes` has the distributions).

Why integers: the vector units of different processors round `exp` or `log` differently in the last bit, and one
such bit would make the same seed write another file elsewhere. Integer arithmetic is the same everywhere.

Two sources of words: a `Stream` is sequential and belongs to one chunk of one kind of row; `hashed` gives the
word of any index without the words before it, so what is shared between chunks (a person, a place, a product)
needs no memory.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Words = NDArray[np.uint64]
Flags = NDArray[np.bool_]

_HALF = np.uint64(32)
_LOW = np.uint64(2**32 - 1)
_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_HEX = np.frombuffer("".join(f"{byte:02x}" for byte in range(256)).encode(), dtype=np.uint8).reshape(256, 2)

LEVELS = (
    0, 5, 20, 50, 100, 200, 500,
    1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000, 9000,
    9500, 9800, 9900, 9950, 9980, 9995, 10_000,
)  # fmt: skip
"""The levels, in ten-thousandths, at which every quantile table of `shapes` gives a value."""

_LEVEL_WORDS = np.array([level * 2**32 // LEVELS[-1] for level in LEVELS], dtype=np.int64)


class Stream:
    """A sequence of random words: the same for the same seed and path, unrelated for any other path."""

    def __init__(self, seed: int, *path: int) -> None:
        self._generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=path)))

    def words(self, count: int) -> Words:
        """The next `count` words."""
        return self._generator.integers(0, 2**64 - 1, size=count, dtype=np.uint64, endpoint=True)

    def shuffled(self, count: int) -> Ints:
        """The numbers 0 to `count - 1` in random order."""
        return np.argsort(self.words(count), kind="stable").astype(np.int64)


def key_of(seed: int, name: str) -> int:
    """The key under which things called `name` are hashed for this seed."""
    return int.from_bytes(hashlib.blake2b(f"{seed}/{name}".encode(), digest_size=8).digest(), "big")


def hashed(key: int, index: Ints) -> Words:
    """One word an index, different for different indices (the SplitMix64 finaliser is a bijection)."""
    word: Words = index.astype(np.uint64) * _GAMMA + np.uint64(key)
    word = (word ^ (word >> np.uint64(30))) * _MIX_1
    word = (word ^ (word >> np.uint64(27))) * _MIX_2
    return word ^ (word >> np.uint64(31))


def identifiers(seed: int, name: str, index: Ints) -> pl.Series:
    """The 32 hexadecimal characters that identify each index; never equal for two indices of one `name`."""
    halves = [hashed(key_of(seed, f"{name}/{half}"), index) for half in ("high", "low")]
    octets = np.stack(halves, axis=1).astype(">u8").view(np.uint8)
    return pl.Series(_HEX[octets].reshape(-1).view("S32"), dtype=pl.Binary).cast(pl.String)


def below(words: Words, bound: int | Ints) -> Ints:
    """Integers from 0 to `bound - 1`, evenly; a bound is at most 2**31."""
    return ((words >> _HALF) * np.asarray(bound).astype(np.uint64) >> _HALF).astype(np.int64)


def chance(words: Words, parts: int | Ints, of: int) -> Flags:
    """True for `parts` in `of` of the words."""
    return below(words, of) < parts


def rare(numbers: Ints, period: int, first: int) -> Flags:
    """Which of the numbers are `first`, or any number of periods behind it."""
    return np.asarray(numbers % period == first)


def cumulated(weights: Sequence[int] | Ints) -> Ints:
    """The running totals of weights, which `choose` takes."""
    return np.cumsum(np.asarray(weights, dtype=np.int64), dtype=np.int64)


def choose(words: Words, totals: Ints) -> Ints:
    """Positions, each as often as its weight says; `totals` are running totals of at most 2**31."""
    return np.searchsorted(totals, below(words, int(totals[-1])), side="right").astype(np.int64)


def choose_by_row(words: Words, totals: Ints, row: Ints) -> Ints:
    """As `choose`, with the running totals of `totals[row]` for each word."""
    drawn = below(words, totals[row, -1])
    return np.asarray((drawn[:, None] >= totals[row]).sum(axis=1), dtype=np.int64)


def quantile(words: Words, values: Sequence[int]) -> Ints:
    """Values of the distribution whose quantiles at `LEVELS` are `values`, evenly between two levels."""
    table: Ints = np.asarray(values, dtype=np.int64)
    position = (words >> _HALF).astype(np.int64)
    step = np.searchsorted(_LEVEL_WORDS, position, side="right") - 1
    width = _LEVEL_WORDS[step + 1] - _LEVEL_WORDS[step]
    low = table[step]
    drawn: Ints = low + (table[step + 1] - low) * (position - _LEVEL_WORDS[step]) // width
    return drawn


def alike(words: Words, other: Words, coin: Words, parts: int, of: int) -> Words:
    """`other` for `parts` in `of`, else `words`: two values drawn from the result and from `other` go together.

    Each value keeps its own distribution, as both sources are even.
    """
    return np.where(chance(coin, parts, of), other, words)


def second(words: Words) -> Words:
    """A second, independent word out of the half of each word that `below` does not read."""
    return (words & _LOW) << _HALF


def parts_of(sizes: Ints) -> tuple[Ints, Ints]:
    """The row of each part of rows with so many parts, and its place among the parts of its row, from 0."""
    row = np.repeat(np.arange(len(sizes)), sizes)
    return row, np.arange(len(row)) - np.repeat(np.cumsum(sizes) - sizes, sizes)


class Scatter:
    """A permutation of 0 to `size - 1`, computed a position at a time: `a * i + b` modulo `size`."""

    def __init__(self, size: int, key: int) -> None:
        self._size = size
        self._offset = key % size
        factor = max(1, (size * 618) // 1000 + key % 1009)
        while math.gcd(factor, size) != 1:
            factor += 1
        self._factor = factor % size

    def __call__(self, index: Ints) -> Ints:
        """Where each index goes."""
        return (index * self._factor + self._offset) % self._size
