"""Address: a Brazilian zip prefix, city and state, and the region that a state belongs to.

What belongs here: the states and regions of Brazil and what makes an address well formed. What does not:
coordinates (see `coordinates`) and which customers or sellers live there.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from enum import StrEnum


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


@dataclass(frozen=True)
class Address:
    """A place that mail reaches. Raises ValueError for a bad zip prefix, an unknown state or no city."""

    zip_code_prefix: str
    city: str
    state: str

    def __post_init__(self) -> None:
        if len(self.zip_code_prefix) != ZIP_PREFIX_DIGITS or not self.zip_code_prefix.isdecimal():
            raise ValueError(f"Zip prefix must be {ZIP_PREFIX_DIGITS} digits: {self.zip_code_prefix!r}")
        if self.state not in REGION_OF_STATE:
            raise ValueError(f"Unknown state: {self.state!r} (one of {', '.join(STATES)})")
        if not self.city.strip():
            raise ValueError("City cannot be empty")

    @property
    def region(self) -> Region:
        """The region of the state."""
        return REGION_OF_STATE[self.state]

    @property
    def normalised_city(self) -> str:
        """The city in lower case, without accents and outer blanks: the same place however it was typed."""
        decomposed = unicodedata.normalize("NFKD", self.city.strip().lower())
        return "".join(character for character in decomposed if not unicodedata.combining(character))
