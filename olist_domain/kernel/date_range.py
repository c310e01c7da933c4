"""DateRange: a span of time between two moments, both included.

What belongs here: order, length and overlap of spans. What does not: which spans are on time (fulfillment).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class DateRange:
    """From `start` to `end`. Raises ValueError when the end lies before the start."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise ValueError(f"A date range cannot end before it starts: {self.start} to {self.end}")

    @property
    def duration(self) -> timedelta:
        """How long the range lasts."""
        return self.end - self.start

    def __contains__(self, moment: datetime) -> bool:
        return self.start <= moment <= self.end

    def overlaps(self, other: DateRange) -> bool:
        """Return whether the two ranges share a moment."""
        return self.start <= other.end and other.start <= self.end
