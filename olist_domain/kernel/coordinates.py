"""GeoCoordinates: a point on Earth, in degrees, and distances between points.

What belongs here: what makes a point valid anywhere. What does not: whether it lies in Brazil (a rule of
the fulfillment context).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import asin, cos, radians, sin, sqrt

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
        latitude, other_latitude = radians(self.latitude), radians(other.latitude)
        half_chord = (
            sin((other_latitude - latitude) / 2) ** 2
            + cos(latitude) * cos(other_latitude) * sin(radians(other.longitude - self.longitude) / 2) ** 2
        )
        return 2 * EARTH_RADIUS_KM * asin(min(1.0, sqrt(half_chord)))
