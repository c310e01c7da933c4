"""Delivery: the aggregate root of fulfillment: the way of one order from its seller to its customer.

What belongs here: how a delivery leaves and arrives, under the rules. What does not: the rules themselves
(`rules`), and validating a month of deliveries at once (the pipeline does it with the same rules).

    >>> from datetime import datetime
    >>> sao_paulo = Endpoint("SP", GeoCoordinates(-23.5505, -46.6333))
    >>> rio = Endpoint("RJ", GeoCoordinates(-22.9068, -43.1729))
    >>> delivery = Delivery.plan(
    ...     order_id="o1",
    ...     customer_id="c1",
    ...     purchased_at=datetime(2018, 1, 2, 10, 30),
    ...     approved_at=datetime(2018, 1, 2, 11),
    ...     estimated_delivery=datetime(2018, 1, 20),
    ...     seller=sao_paulo,
    ...     customer=rio,
    ... )
    >>> delivery.complete(at=datetime(2018, 1, 24))
    Traceback (most recent call last):
    olist_domain.kernel.rules.RulesBroken: delivery of order o1: DELIVERY_NOT_DISPATCHED: A delivery must ...
    >>> delivery.dispatch(at=datetime(2018, 1, 4))
    >>> delivery.complete(at=datetime(2018, 1, 24))
    >>> delivery.derived()["delivery_performance"], delivery.derived()["distance_km"]
    ('SLIGHTLY_LATE', 360.749)
    >>> [type(event).__name__ for event in delivery.collect_events()]
    ['DeliveryDispatched', 'DeliveryCompleted']
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from olist_domain.fulfillment.events import COMPLETED, DELIVERY_HISTORY, DISPATCHED, DeliveryEvent
from olist_domain.fulfillment.facts import DeliveryFacts
from olist_domain.fulfillment.published import PublishedOrder
from olist_domain.fulfillment.rules import DELIVERY_RULES
from olist_domain.fulfillment.shipping_performance import ShippingPerformance
from olist_domain.fulfillment.status import APPROVED, CALLED_OFF, DELIVERED, SHIPPED
from olist_domain.kernel.aggregate import Aggregate, RuledRecords
from olist_domain.kernel.coordinates import GeoCoordinates
from olist_domain.kernel.date_range import DateRange
from olist_domain.kernel.events import Milestone, history
from olist_domain.kernel.facts import scalars
from olist_domain.kernel.rules import Violation


@dataclass(frozen=True)
class Endpoint:
    """Where a delivery leaves or arrives: the state, and the mean point of the zip prefix; None where unknown."""

    state: str | None = None
    point: GeoCoordinates | None = None

    def great_circle_km(self, other: Endpoint) -> float | None:
        """Return the great-circle distance in kilometres; None where either point is unknown."""
        return self.point.distance_km(other.point) if self.point and other.point else None


NOWHERE = Endpoint()


@dataclass(frozen=True)
class DeliveryRecords(RuledRecords):
    """A delivery's order, as sales publishes it, with the two ends of its way."""

    order: PublishedOrder
    seller: Endpoint = NOWHERE
    customer: Endpoint = NOWHERE

    rules = DELIVERY_RULES
    milestones = DELIVERY_HISTORY

    @property
    def subject(self) -> str:
        """What a violation calls the delivery."""
        return f"delivery of order {self.order.order_id}"

    def facts(self) -> DeliveryFacts:
        """Return the facts of the delivery."""
        ends = {
            "seller_state": self.seller.state,
            "customer_state": self.customer.state,
            "great_circle_km": self.seller.great_circle_km(self.customer),
        }
        return scalars(DeliveryFacts, {**dict(self.order), **ends})


class Delivery(Aggregate[DeliveryRecords, DeliveryEvent]):
    """The delivery of one order."""

    @classmethod
    def plan(
        cls,
        *,
        order_id: str,
        customer_id: str,
        purchased_at: datetime,
        approved_at: datetime,
        estimated_delivery: datetime,
        seller: Endpoint = NOWHERE,
        customer: Endpoint = NOWHERE,
    ) -> Delivery:
        """Return the delivery of an approved order, which has yet to be dispatched."""
        order = PublishedOrder(
            order_id=order_id,
            customer_id=customer_id,
            order_status=APPROVED,
            order_purchase_timestamp=purchased_at,
            order_approved_at=approved_at,
            order_estimated_delivery_date=estimated_delivery,
        )
        return cls._begin(DeliveryRecords(order, seller, customer))

    @property
    def order_id(self) -> str:
        """The delivery's identity: an order has one delivery."""
        return self._order.order_id

    @property
    def dispatched_at(self) -> datetime | None:
        """When the carrier got it; None before that."""
        return self._order.order_delivered_carrier_date

    @property
    def completed_at(self) -> datetime | None:
        """When it arrived; None before that."""
        return self._order.order_delivered_customer_date

    @property
    def performance(self) -> ShippingPerformance | None:
        """How it kept its promise; None before it arrived."""
        if self.completed_at is None:
            return None
        journey = DateRange(self._order.order_purchase_timestamp, self.completed_at)
        return ShippingPerformance(journey, self._order.order_estimated_delivery_date)

    def dispatch(self, at: datetime) -> None:
        """Hand the delivery to the carrier; refused twice, when called off, and before approval or purchase."""
        refused = []
        if self.dispatched_at or self.completed_at or self._order.order_status == DELIVERED:
            refused.append(
                self._refusal("DELIVERY_ALREADY_DISPATCHED", "A dispatched delivery cannot be dispatched again.")
            )
        self._reach(DISPATCHED, refused, order_status=SHIPPED, order_delivered_carrier_date=at)

    def complete(self, at: datetime) -> None:
        """Record that the customer has the delivery; refused twice, when called off, and before the dispatch."""
        refused = []
        if not self.dispatched_at:
            refused.append(
                self._refusal("DELIVERY_NOT_DISPATCHED", "A delivery must be dispatched before it is completed.")
            )
        if self.completed_at:
            refused.append(self._refusal("DELIVERY_ALREADY_COMPLETED", "The delivery is already completed."))
        self._reach(COMPLETED, refused, order_status=DELIVERED, order_delivered_customer_date=at)

    @property
    def _order(self) -> PublishedOrder:
        return self._records.order

    def _reach(self, milestone: Milestone[DeliveryFacts], refused: list[Violation], **changes: Any) -> None:
        if self._order.order_status in CALLED_OFF:
            statement = f"An order that is {self._order.order_status} cannot be dispatched or delivered."
            refused.append(self._refusal("DELIVERY_CALLED_OFF", statement))
        self._become(replace(self._records, order=self._order.model_copy(update=changes)), refused)
        self._register(history([milestone], self._records.facts()))
