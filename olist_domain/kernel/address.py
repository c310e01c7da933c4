"""Address: a Brazilian zip prefix, city and state, and the region that a state belongs to.

What belongs here: the states and regions of Brazil and what makes an address well formed. What does not:
coordinates (see `coordinates`) and which customers or sellers live there.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import cast

from olist_domain.kernel.facts import Fact, Scalar, choose, value_of


class Region(StrEnum):
    """The five regions of Brazil (IBGE)."""

    NORTH = "North"
    NORTHEAST = "Northeast"
    CENTRAL_WEST = "Central-West"
    SOUTHEAST = "Southeast"
    SOUTH = "South"


STATES_OF_REGION: dict[Region, tuple[str, ...]] = {
    Region.NORTH: ("AC", "AM", "AP", "PA", "RO", "RR", "TO"),
    Region.NORTHEAST: ("AL", "BA", "CE", "MA", "PB", "PE", "PI", "RN", "SE"),
    Region.CENTRAL_WEST: ("DF", "GO", "MS", "MT"),
    Region.SOUTHEAST: ("ES", "MG", "RJ", "SP"),
    Region.SOUTH: ("PR", "RS", "SC"),
}
REGION_OF_STATE = {state: region for region, states in STATES_OF_REGION.items() for state in states}
STATES = tuple(sorted(REGION_OF_STATE))
ZIP_PREFIX_DIGITS = 5


def is_state(state: Fact[str]) -> Fact[bool]:
    """A state is one of Brazil's 26 or the Federal District, by its two capital letters."""
    return state.is_in(STATES)


def is_zip_prefix(zip_code_prefix: Fact[str]) -> Fact[bool]:
    """A zip prefix is the first five digits of a postal code, leading zeros included."""
    return zip_code_prefix.is_digits(ZIP_PREFIX_DIGITS)


def region_of(state: Fact[str]) -> Fact[str]:
    """The region that a state belongs to; unknown for what is no state."""
    return choose(
        *((state.is_in(states), region.value) for region, states in STATES_OF_REGION.items()),
        default=None,
    )


@dataclass(frozen=True)
class Address:
    """A place that mail reaches. Raises ValueError for a bad zip prefix, an unknown state or no city."""

    zip_code_prefix: str
    city: str
    state: str

    def __post_init__(self) -> None:
        if not value_of(is_zip_prefix(Scalar(self.zip_code_prefix))):
            raise ValueError(f"Zip prefix must be {ZIP_PREFIX_DIGITS} digits: {self.zip_code_prefix!r}")
        if not value_of(is_state(Scalar(self.state))):
            raise ValueError(f"Unknown state: {self.state!r} (one of {', '.join(STATES)})")
        if not self.city.strip():
            raise ValueError("City cannot be empty")

    @property
    def region(self) -> Region:
        """The region of the state."""
        return Region(cast(str, value_of(region_of(Scalar(self.state)))))

    @property
    def normalised_city(self) -> str:
        """The city in lower case, without accents and outer blanks: the same place however it was typed."""
        decomposed = unicodedata.normalize("NFKD", self.city.strip().lower())
        return "".join(character for character in decomposed if not unicodedata.combining(character))
