"""ShippingPerformance: how long a delivery took and how it kept its promise.

What belongs here: the reading of one finished journey. What does not: the delivery itself, and the means of
many deliveries.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import cast

from olist_domain.fulfillment.derivations import is_lateness, performance_of
from olist_domain.fulfillment.status import DeliveryPerformance
from olist_domain.kernel.date_range import DateRange
from olist_domain.kernel.facts import Scalar, value_of


@dataclass(frozen=True)
class ShippingPerformance:
    """From the purchase to the delivery (`journey`), against the promised date.

    Times of day do not count: whoever gets a parcel in the evening of the promised date gets it on time.
    """

    journey: DateRange
    promised: datetime

    @property
    def delivery_days(self) -> int:
        """The days that the journey took."""
        return cast(int, value_of(Scalar(self.journey.start).days_until(self.journey.end)))

    @property
    def days_vs_estimate(self) -> int:
        """The days from the promised date to the delivery; negative when early."""
        return cast(int, value_of(self._lateness))

    @property
    def performance(self) -> DeliveryPerformance:
        """How the promise was kept."""
        return DeliveryPerformance(cast(str, value_of(performance_of(self._lateness))))

    @property
    def is_late(self) -> bool:
        """Whether the delivery came after the promised date."""
        return cast(bool, value_of(is_lateness(self._lateness)))

    @property
    def _lateness(self) -> Scalar[int]:
        return Scalar(self.promised).days_until(self.journey.end)
