"""Delivery: the aggregate root of fulfillment: the way of one order from its seller to its customer.

What belongs here: how a delivery leaves and arrives, under the rules. What does not: the rules themselves
(`rules`), and judging a month of deliveries at once (the pipeline does it with the same rules).

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
    olist_domain.kernel.rules.RulesBroken: delivery of order o1: DELIVERY_NOT_DISPATCHED: What arrives ...
    >>> delivery.dispatch(at=datetime(2018, 1, 4))
    >>> delivery.complete(at=datetime(2018, 1, 24))
    >>> delivery.derived()["delivery_performance"], delivery.derived()["distance_km"]
    ('SLIGHTLY_LATE', 360.749)
    >>> [type(event).__name__ for event in delivery.collect_events()]
    ['DeliveryDispatched', 'DeliveryCompleted']
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from olist_domain.fulfillment.events import COMPLETED, DELIVERY_HISTORY, DISPATCHED, DeliveryEvent
from olist_domain.fulfillment.facts import DeliveryFacts, delivery_facts
from olist_domain.fulfillment.published import PublishedOrder
from olist_domain.fulfillment.rules import DELIVERY_RULES
from olist_domain.fulfillment.shipping_performance import ShippingPerformance
from olist_domain.fulfillment.status import APPROVED, CALLED_OFF, DELIVERED, SHIPPED
from olist_domain.kernel.coordinates import GeoCoordinates
from olist_domain.kernel.date_range import DateRange
from olist_domain.kernel.events import DomainEvent, Milestone, history
from olist_domain.kernel.rules import RulesBroken, Severity, Violation


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
class DeliveryRecords:
    """A delivery's order, as sales publishes it, with the two ends of its way."""

    order: PublishedOrder
    seller: Endpoint = NOWHERE
    customer: Endpoint = NOWHERE

    def facts(self) -> DeliveryFacts:
        """Return the facts of the delivery."""
        return delivery_facts(
            {
                **dict(self.order),
                "seller_state": self.seller.state,
                "customer_state": self.customer.state,
                "great_circle_km": self.seller.great_circle_km(self.customer),
            }
        )

    def violations(self) -> list[Violation]:
        """Return every rule that the delivery breaks."""
        return DELIVERY_RULES.violations(self.facts(), self.name)

    def derived(self) -> dict[str, Any]:
        """Return the derived attributes of the delivery, by name."""
        return DELIVERY_RULES.derived(self.facts())

    def history(self) -> list[DomainEvent]:
        """Return the events that the records tell of, oldest first."""
        return history(DELIVERY_HISTORY, self.facts())

    @property
    def name(self) -> str:
        """What a violation calls the delivery."""
        return f"delivery of order {self.order.order_id}"


class Delivery:
    """A delivery that no rejecting rule forbids.

    Every behaviour takes the time from its caller, refuses with RulesBroken (all broken rules, not the
    first) and leaves the delivery unchanged then, and records what happened as an event.
    """

    def __init__(self, records: DeliveryRecords) -> None:
        self._records = records
        self._events: list[DomainEvent] = []

    @classmethod
    def from_records(cls, records: DeliveryRecords) -> Delivery:
        """Return the delivery of a source's records; raises RulesBroken with every rejecting rule they break."""
        DELIVERY_RULES.admit(records.facts(), records.name)
        return cls(records)

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
        return cls.from_records(DeliveryRecords(order, seller, customer))

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

    @property
    def flags(self) -> tuple[Violation, ...]:
        """The flagging rules that the delivery breaks as it stands."""
        return DELIVERY_RULES.flags(self._records.facts(), self._records.name)

    def records(self) -> DeliveryRecords:
        """Return the delivery as it stands, as records."""
        return self._records

    def derived(self) -> dict[str, Any]:
        """Return the derived attributes of the delivery as it stands, by name."""
        return self._records.derived()

    def dispatch(self, at: datetime) -> None:
        """Hand the delivery to the carrier; refused twice, when called off, and before approval or purchase."""
        refused = []
        if self.dispatched_at or self.completed_at or self._order.order_status == DELIVERED:
            refused.append(self._violation("DELIVERY_ALREADY_DISPATCHED", "What is on its way is not sent again."))
        self._become(DISPATCHED, refused, order_status=SHIPPED, order_delivered_carrier_date=at)

    def complete(self, at: datetime) -> None:
        """Record that the customer has the delivery; refused twice, when called off, and before the dispatch."""
        refused = []
        if not self.dispatched_at:
            refused.append(self._violation("DELIVERY_NOT_DISPATCHED", "What arrives has been dispatched before."))
        if self.completed_at:
            refused.append(self._violation("DELIVERY_ALREADY_COMPLETED", "What has arrived does not arrive again."))
        self._become(COMPLETED, refused, order_status=DELIVERED, order_delivered_customer_date=at)

    def collect_events(self) -> list[DeliveryEvent]:
        """Return what happened since the last call, oldest first, and forget it."""
        events, self._events = self._events, []
        return cast(list[DeliveryEvent], events)

    @property
    def _order(self) -> PublishedOrder:
        return self._records.order

    def _become(self, reached: Milestone[DeliveryFacts], refused: list[Violation], **changes: Any) -> None:
        """Reach a milestone unless that is refused or breaks a rule which was not broken before.

        A flag forgives what the source tells of the past; a behaviour may not cause it.
        """
        order = self._order.model_copy(update=changes)
        candidate = DeliveryRecords(order, self._records.seller, self._records.customer)
        before = self._records.violations()
        broken = [v for v in candidate.violations() if v not in before] + refused
        if self._order.order_status in CALLED_OFF:
            statement = f"An order that is {self._order.order_status} is neither sent nor delivered."
            broken.append(self._violation("DELIVERY_CALLED_OFF", statement))
        if broken:
            raise RulesBroken(broken)
        self._records = candidate
        self._events += history([reached], candidate.facts())

    def _violation(self, code: str, statement: str) -> Violation:
        return Violation(code, Severity.REJECT, statement, self._records.name)
