"""GeoCoordinates: a point on Earth, in degrees, and distances between points.

What belongs here: what makes a point valid anywhere. What does not: whether it lies in Brazil (a rule of
the fulfillment context).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

EARTH_RADIUS_KM = 6371.0088  # mean radius, IUGG


@dataclass(frozen=True)
class GeoCoordinates:
    """Latitude and longitude in degrees. Raises ValueError outside -90..90 and -180..180."""

    latitude: float
    longitude: float

    def __post_init__(self) -> None:
        if not -90 <= self.latitude <= 90:
            raise ValueError(f"Latitude must lie between -90 and 90: {self.latitude}")
        if not -180 <= self.longitude <= 180:
            raise ValueError(f"Longitude must lie between -180 and 180: {self.longitude}")

    def distance_km(self, other: GeoCoordinates) -> float:
        """Return the great-circle distance in kilometres (haversine)."""
        ends = self.latitude, self.longitude, other.latitude, other.longitude
        return float(great_circle_km(*ends, of=OfNumbers))


class OfNumbers:
    """The functions that the distance of single points takes."""

    radians, sin, cos, asin, sqrt = math.radians, math.sin, math.cos, math.asin, math.sqrt

    @staticmethod
    def at_most_one(number: float) -> float:
        """Return the number, or 1 where rounding has led beyond it."""
        return min(number, 1.0)


def great_circle_km(latitude: Any, longitude: Any, other_latitude: Any, other_longitude: Any, *, of: Any) -> Any:
    """Return the great-circle distance of points given in degrees, in kilometres (haversine).

    They are numbers, or columns of numbers with `of` like `OfNumbers`: the same formula gives the same bits.
    """
    here, there = of.radians(latitude), of.radians(other_latitude)
    up, along = of.sin((there - here) / 2), of.sin(of.radians(other_longitude - longitude) / 2)
    half_chord = up * up + of.cos(here) * of.cos(there) * (along * along)
    return 2 * EARTH_RADIUS_KM * of.asin(of.at_most_one(of.sqrt(half_chord)))
