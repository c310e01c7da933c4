"""Places: where customers and sellers live, and the geolocation rows of every postal prefix.

What belongs here: drawing a place, its written names and its coordinates. What does not: the cities themselves
(`cities`). A place is a position in `PREFIXES`, so prefix, city and state always agree.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from olist_pipeline.synthetic import shapes
from olist_pipeline.synthetic.cities import BLOCKS
from olist_pipeline.synthetic.draw import (
    Flags,
    Ints,
    Stream,
    Words,
    below,
    chance,
    choose,
    cumulated,
    hashed,
    key_of,
    rare,
    second,
)

STATE_NAMES = {
    "AC": "acre", "AL": "alagoas", "AM": "amazonas", "AP": "amapa", "BA": "bahia", "CE": "ceara",
    "DF": "distrito federal", "ES": "espirito santo", "GO": "goias", "MA": "maranhao", "MG": "minas gerais",
    "MS": "mato grosso do sul", "MT": "mato grosso", "PA": "para", "PB": "paraiba", "PE": "pernambuco",
    "PI": "piaui", "PR": "parana", "RJ": "rio de janeiro", "RN": "rio grande do norte", "RO": "rondonia",
    "RR": "roraima", "RS": "rio grande do sul", "SC": "santa catarina", "SE": "sergipe", "SP": "sao paulo",
    "TO": "tocantins",
}  # fmt: skip

_FOREIGN_CENTRES = ((4161, -841), (3868, -634), (-3459, -5873), (2600, -9808), (4244, 1382))
"""Towns of Portugal, Argentina, Mexico and Italy, in hundredths of a degree, that namesakes are mistaken for."""

_DEGREE = 10**14
"""Coordinates are integers in this part of a degree: as fine as the real set writes them, exact in a float."""

_ALL_PREFIXES_KEY = key_of(0, "postal prefixes")
"""Prefixes lie where they lie: their coordinates are the same for every seed."""


def without_accents(text: str) -> str:
    """The text in plain letters."""
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


@dataclass(frozen=True)
class Prefixes:
    """Every postal prefix, and by position its block, how often customers and sellers have it."""

    number: Ints
    block: Ints
    customers: Ints
    """Running totals, for `draw.choose`; as `sellers` and `geolocations`."""
    sellers: Ints
    geolocations: Ints
    geolocation_weight: Ints
    near: Flags
    state: Ints


def _prefix_table() -> Prefixes:
    number = np.concatenate([_spread(block.first, block.last, block.prefixes) for block in BLOCKS])
    block = np.repeat(np.arange(len(BLOCKS)), [block.prefixes for block in BLOCKS])
    crowd = 1 + below(hashed(_ALL_PREFIXES_KEY, number), 4)
    customers = _block_weights(shapes.CUSTOMERS_BY_STATE)[block] * crowd
    unknown = chance(second(hashed(_ALL_PREFIXES_KEY, number)), *shapes.PREFIXES_WITHOUT_GEOLOCATION)
    geolocations = np.where(unknown, 0, customers)
    return Prefixes(
        number=number,
        block=block,
        customers=cumulated(customers),
        sellers=cumulated(_block_weights(shapes.SELLERS_BY_STATE)[block] * crowd),
        geolocations=cumulated(geolocations),
        geolocation_weight=geolocations,
        near=np.array([b.state in shapes.NEAR_STATES for b in BLOCKS])[block],
        state=np.array([sorted(STATE_NAMES).index(b.state) for b in BLOCKS])[block],
    )


def _spread(first: int, last: int, count: int) -> Ints:
    return first + np.arange(count, dtype=np.int64) * (last - first) // max(1, count - 1)


def _block_weights(by_state: Mapping[str, int]) -> Ints:
    """Weight of one prefix of each block, so that states have the measured shares whatever cities we know."""
    scale = 100_000_000 // sum(by_state.values())
    known: dict[str, int] = {}
    for block in BLOCKS:
        known[block.state] = known.get(block.state, 0) + block.orders
    return np.array(
        [
            by_state.get(block.state, 0) * scale * block.orders // known[block.state] // block.prefixes
            for block in BLOCKS
        ],
        dtype=np.int64,
    )


PREFIXES = _prefix_table()

_PLAIN = pl.Series([without_accents(block.city) for block in BLOCKS])
_ACCENTED = pl.Series([block.city for block in BLOCKS])
_TITLED = pl.Series([city.title() for city in _PLAIN])
_SHOUTED = pl.Series([city.upper() for city in _PLAIN])
_STATES = pl.Series([block.state for block in BLOCKS])
_PLACES = [(city, block.state.lower(), STATE_NAMES[block.state]) for city, block in zip(_PLAIN, BLOCKS, strict=True)]
_BY_SELLERS = (
    _ACCENTED,
    _TITLED,
    _SHOUTED,
    pl.Series([f"{city} - {state}" for city, state, _ in _PLACES]),
    pl.Series([f"{city}/{state}" for city, state, _ in _PLACES]),
    pl.Series([f"{city} / {in_words}" for city, _, in_words in _PLACES]),
    pl.Series([f"{city}, {in_words}, brasil" for city, _, in_words in _PLACES]),
    _PLAIN,
)
"""The names of the cities of all blocks, as sellers write them; nearly always in the last way."""
_HAS_ACCENTS = np.array([block.city != without_accents(block.city) for block in BLOCKS])
_SALES_LEVEL = np.array([shapes.SALES_BY_SELLER_STATE.get(b.state, 70) for b in BLOCKS], dtype=np.int64)
_LATITUDE = np.array([block.latitude for block in BLOCKS], dtype=np.int64) * (_DEGREE // 100)
_LONGITUDE = np.array([block.longitude for block in BLOCKS], dtype=np.int64) * (_DEGREE // 100)
_RADIUS = np.array([300 + min(1200, 4 * b.prefixes) for b in BLOCKS], dtype=np.int64) * (_DEGREE // 10_000)


def customer_places(words: Words) -> Ints:
    """A place for each word, as customers are spread."""
    return choose(words, PREFIXES.customers)


def seller_places(words: Words) -> Ints:
    """A place for each word, as sellers are spread."""
    return choose(words, PREFIXES.sellers)


def sales_level(seller: Ints) -> Ints:
    """What a seller at each place sells, as a percentage of all sellers."""
    return _SALES_LEVEL[PREFIXES.block[seller]]


def distance(seller: Ints, customer: Ints) -> Ints:
    """`shapes.SAME_STATE`, `NEAR` or `FAR` for each pair of places."""
    same = PREFIXES.state[seller] == PREFIXES.state[customer]
    near = PREFIXES.near[seller] & PREFIXES.near[customer]
    return np.select([same, near], [shapes.SAME_STATE, shapes.NEAR], default=shapes.FAR).astype(np.int64)


def prefix_text(place: Ints) -> pl.Series:
    """The five digits of each place."""
    return pl.Series(PREFIXES.number[place]).cast(pl.String).str.zfill(5)


def city_text(place: Ints) -> pl.Series:
    """The city of each place, in small plain letters as customers have it."""
    return _PLAIN.gather(PREFIXES.block[place])


def state_text(place: Ints) -> pl.Series:
    """The two letters of each place's state."""
    return _STATES.gather(PREFIXES.block[place])


def seller_city_text(place: Ints, words: Words) -> pl.Series:
    """The city of each place as sellers write it: mostly as customers do, some in seven ways of their own."""
    usual = len(_BY_SELLERS) - 1
    way = np.where(chance(words, *shapes.MISSPELT_SELLER_CITIES), below(second(words), usual), usual)
    return _spelt(_BY_SELLERS, way, PREFIXES.block[place])


def _spelt(ways: tuple[pl.Series, ...], way: Ints, block: Ints) -> pl.Series:
    """The city of each block in one of several ways, each of which has the names of all blocks."""
    return pl.concat(ways).gather(way * len(BLOCKS) + block)


def geolocation_count(orders: int) -> int:
    """Rows of the geolocation file for this many orders."""
    return min(orders * shapes.GEOLOCATIONS_PER_ORDER, shapes.MOST_GEOLOCATIONS)


def geolocation_frame(row: Ints, total: int, stream: Stream) -> pl.DataFrame:
    """The geolocation rows with the numbers `row`, of `total`: points around each prefix, many of them twice."""
    place = choose(stream.words(len(row)), PREFIXES.geolocations)
    point = below(stream.words(len(row)), _points(total)[place])
    spot = PREFIXES.number[place] * 1_000_000 + point
    block = PREFIXES.block[place]
    outside = rare(row, *shapes.OUTSIDE_BRAZIL)
    return pl.DataFrame(
        {
            "geolocation_zip_code_prefix": prefix_text(place),
            "geolocation_lat": _coordinate(spot, place, _LATITUDE[block], outside, axis=0),
            "geolocation_lng": _coordinate(spot, place, _LONGITUDE[block], outside, axis=1),
            "geolocation_city": _geolocation_city(spot, block),
            "geolocation_state": _STATES.gather(block),
        }
    )


def _points(total: int) -> Ints:
    """How many points each prefix has, so that the measured share of rows falls on a point twice."""
    parts, of = shapes.GEOLOCATIONS_PER_POINT
    rows: Ints = PREFIXES.geolocation_weight * total // PREFIXES.geolocations[-1]
    return 1 + rows * parts // of


def _coordinate(spot: Ints, place: Ints, centre: Ints, outside: Flags, axis: int) -> pl.Series:
    """Degrees: the city's centre, the prefix somewhere in the city, and the point in the prefix."""
    prefix_key = key_of(0, f"prefix {axis}")
    point_key = key_of(0, f"point {axis}")
    radius = _RADIUS[PREFIXES.block[place]]
    in_city = _bell(hashed(prefix_key, PREFIXES.number[place]), radius)
    in_prefix = _bell(hashed(point_key, spot), np.full(len(spot), _DEGREE // 100))
    abroad = np.array([centre[axis] for centre in _FOREIGN_CENTRES], dtype=np.int64) * (_DEGREE // 100)
    base = np.where(outside, abroad[spot % len(abroad)], centre + in_city)
    return pl.Series((base + in_prefix) / _DEGREE)


def _bell(words: Words, reach: Ints) -> Ints:
    """Between `-reach` and `reach`, mostly in the middle; the steps are a thousand-millionth of the reach."""
    steps = below(words, 10**9) + below(second(words), 10**9) - 10**9
    return steps * (reach // 10**6) // 10**3


def _geolocation_city(spot: Ints, block: Ints) -> pl.Series:
    words = hashed(key_of(0, "spelling"), spot)
    accented = chance(words, *shapes.ACCENTED_CITIES) & _HAS_ACCENTS[block]
    mis_cased = chance(second(words), *shapes.MIS_CASED_CITIES)
    titled = mis_cased & (spot % 2 == 0)
    way = np.select([titled, mis_cased, accented], [0, 1, 2], default=3)
    return _spelt((_TITLED, _SHOUTED, _ACCENTED, _PLAIN), way, block)
