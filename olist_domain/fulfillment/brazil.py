"""Where Brazil lies: its extreme points, islands included.

What belongs here: the bounds and what lies within them. What does not: coordinates as such (see
`GeoCoordinates` in the kernel).

The source is IBGE's digital mesh of the territory (SIRGAS 2000), whose bounding box IPEA's package geobr
gives as 5.271841, -33.75118, -73.99045, -28.83594. Four digits, some ten metres, are kept of it.
"""

from __future__ import annotations

from olist_domain.kernel.facts import Fact

NORTHERNMOST = 5.2718
"""Latitude of the source of the Ailã on Monte Caburaí, Roraima."""

SOUTHERNMOST = -33.7511
"""Latitude of the mouth of the Arroio Chuí, Rio Grande do Sul."""

WESTERNMOST = -73.9905
"""Longitude of the source of the Moa in the Serra da Contamana, Acre."""

EASTERNMOST = -28.8358
"""Longitude of the Martim Vaz islands in the Atlantic; the mainland ends at -34.79."""


def is_in_brazil(latitude: Fact[float], longitude: Fact[float]) -> Fact[bool]:
    """A point lies between the extreme points of Brazil, on them included."""
    return (
        (latitude >= SOUTHERNMOST)
        & (latitude <= NORTHERNMOST)
        & (longitude >= WESTERNMOST)
        & (longitude <= EASTERNMOST)
    )
