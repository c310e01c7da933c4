"""Geography: a zip prefix as a place: where it lies, and what it is called.

What belongs here: how the many points of a zip prefix become one place. What does not: who lives there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from olist_domain.fulfillment.facts import GeographyFacts, geography_facts, geolocation_facts
from olist_domain.fulfillment.records import GeolocationRecord
from olist_domain.fulfillment.rules import GEOGRAPHY_RULES, GEOLOCATION_RULES
from olist_domain.kernel.address import Region
from olist_domain.kernel.aggregate import Entity
from olist_domain.kernel.coordinates import GeoCoordinates
from olist_domain.kernel.rules import Violation


@dataclass(frozen=True, eq=False)
class Geography(Entity):
    """A zip prefix, as the place that its points make; two are the same when their digits are.

    City and state are the most frequent ones of the points, ties by the smaller text. Raises ValueError for no point
    and for points of several zip prefixes.
    """

    points: Sequence[GeolocationRecord]

    rules = GEOGRAPHY_RULES
    identity = ("zip_code_prefix",)

    def __post_init__(self) -> None:
        prefixes = {point.geolocation_zip_code_prefix for point in self.points}
        if len(prefixes) != 1:
            raise ValueError(f"A place has the points of one zip prefix, not of {len(prefixes)}")
        super().__post_init__()

    @property
    def subject(self) -> str:
        """What a violation calls the place."""
        return f"zip prefix {self.zip_code_prefix}"

    @property
    def zip_code_prefix(self) -> str:
        """The place's identity."""
        return self.points[0].geolocation_zip_code_prefix

    @property
    def city(self) -> str:
        """What most points call the city."""
        return most_frequent(point.geolocation_city for point in self.points)

    @property
    def state(self) -> str:
        """The state that most points give."""
        return most_frequent(point.geolocation_state for point in self.points)

    @property
    def region(self) -> Region:
        """The region of the state."""
        return Region(self._place["region"])

    @property
    def centre(self) -> GeoCoordinates:
        """The mean of the points."""
        return GeoCoordinates(self._place["latitude"], self._place["longitude"])

    def facts(self) -> GeographyFacts:
        """Return the facts of the place."""
        return geography_facts(self.zip_code_prefix, self.state, self.points)

    def violations(self) -> list[Violation]:
        """Return every rule that the place and its points break."""
        broken = super().violations()
        for point in self.points:
            broken += GEOLOCATION_RULES.violations(geolocation_facts(point), f"point of {self.subject}")
        return broken

    @cached_property
    def _place(self) -> dict[str, Any]:
        return self.derived()


def most_frequent(texts: Iterable[str]) -> str:
    """Return the text that occurs most often, ties by the smaller; raises ValueError for no text."""
    counts = Counter(texts)
    return min(counts, key=lambda text: (-counts[text], text))
