"""Geography: a zip prefix as a place: where it lies, and what it is called.

What belongs here: how the many points of a zip prefix become one place. What does not: who lives there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from olist_domain.fulfillment.facts import geography_facts, geolocation_facts
from olist_domain.fulfillment.records import GeolocationRecord
from olist_domain.fulfillment.rules import GEOGRAPHY_RULES, GEOLOCATION_RULES
from olist_domain.kernel.address import Region
from olist_domain.kernel.coordinates import GeoCoordinates
from olist_domain.kernel.rules import Violation, refuse_rejecting


@dataclass(frozen=True, eq=False)
class Geography:
    """A zip prefix; two are the same when their digits are. `centre` is the mean of its `points` in number."""

    zip_code_prefix: str
    city: str
    state: str
    region: Region
    centre: GeoCoordinates
    points: int

    @classmethod
    def of(cls, points: Sequence[GeolocationRecord]) -> Geography:
        """Return the place that the points of one zip prefix make.

        City and state are the most frequent, ties by the smaller text. Raises ValueError for no point and for
        points of several zip prefixes, RulesBroken with every rejecting rule that a point breaks.
        """
        prefixes = {point.geolocation_zip_code_prefix for point in points}
        if len(prefixes) != 1:
            raise ValueError(f"A place has the points of one zip prefix, not of {len(prefixes)}")
        refuse_rejecting(violation for point in points for violation in _violations(point))
        [zip_code_prefix] = prefixes
        state = most_frequent(point.geolocation_state for point in points)
        derived = GEOGRAPHY_RULES.derived(geography_facts(zip_code_prefix, state, points))
        return cls(
            zip_code_prefix,
            city=most_frequent(point.geolocation_city for point in points),
            state=state,
            region=Region(derived["region"]),
            centre=GeoCoordinates(derived["latitude"], derived["longitude"]),
            points=len(points),
        )

    def __eq__(self, other: object) -> bool:
        return self.zip_code_prefix == other.zip_code_prefix if isinstance(other, Geography) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.zip_code_prefix)


def most_frequent(texts: Iterable[str]) -> str:
    """Return the text that occurs most often, ties by the smaller; raises ValueError for no text."""
    counts = Counter(texts)
    return min(counts, key=lambda text: (-counts[text], text))


def _violations(point: GeolocationRecord) -> list[Violation]:
    subject = f"point of zip prefix {point.geolocation_zip_code_prefix}"
    return GEOLOCATION_RULES.violations(geolocation_facts(point), subject)
