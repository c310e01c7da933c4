"""Customer: the aggregate root of the customer context: a person with an address and a history of orders.

What belongs here: how a person's history grows and what follows from it. What does not: the rules and
derivations themselves, and assessing all persons at once (the pipeline does it with the same functions).

    >>> from datetime import date, datetime
    >>> from decimal import Decimal
    >>> def order(number: int, purchase: datetime) -> PublishedOrder:
    ...     return PublishedOrder(
    ...         order_id=f"o{number}",
    ...         customer_id=f"c{number}",
    ...         order_purchase_timestamp=purchase,
    ...         is_sale=True,
    ...         revenue=Decimal("72.19"),
    ...     )
    >>> def record(number: int) -> CustomerRecord:
    ...     return CustomerRecord(
    ...         customer_id=f"c{number}",
    ...         customer_unique_id="p1",
    ...         customer_zip_code_prefix="01037",
    ...         customer_city="sao paulo",
    ...         customer_state="SP",
    ...     )
    >>> customer = Customer.register(record(1), order(1, datetime(2018, 1, 2)))
    >>> customer.segment.value
    'ONE_TIME'
    >>> customer.record_order(record(2), order(2, datetime(2018, 3, 4)))
    >>> customer.derived(as_of=date(2018, 3, 31))["days_since_last_order"]
    27
    >>> customer.reassess(as_of=date(2018, 9, 1))
    >>> [type(event).__name__ for event in customer.collect_events()]
    ['CustomerRegistered', 'CustomerSegmentChanged', 'CustomerChurned']
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import Any, cast

from olist_domain.customer.derivations import customer_segment
from olist_domain.customer.events import (
    CHURNED,
    REGISTERED,
    SEGMENT_CHANGED,
    CustomerEvent,
    CustomerSegmentChanged,
)
from olist_domain.customer.facts import (
    PersonFacts,
    Standing,
    address_facts,
    order_steps,
    person_facts,
    purchase_facts,
)
from olist_domain.customer.published import PublishedOrder, PublishedReview
from olist_domain.customer.records import CustomerRecord
from olist_domain.customer.rules import CUSTOMER_RULES, PERSON_RULES, PURCHASE_RULES
from olist_domain.customer.segments import CustomerSegment
from olist_domain.kernel.address import Address
from olist_domain.kernel.aggregate import Aggregate, RuledRecords
from olist_domain.kernel.events import DomainEvent, history
from olist_domain.kernel.facts import value_of
from olist_domain.kernel.money import Money
from olist_domain.kernel.rules import RulesBroken, Violation

UNRANKED = Standing()


@dataclass(frozen=True)
class CustomerRecords(RuledRecords):
    """A person's records: one customer for each order, the accepted orders and their reviews.

    A customer whose order sales rejected stays, without its order. Raises ValueError for no customer at all,
    customers of several persons, an order of none of them and a review of none of the orders.
    """

    customers: Sequence[CustomerRecord]
    orders: Sequence[PublishedOrder] = ()
    reviews: Sequence[PublishedReview] = ()

    rules = PERSON_RULES

    def __post_init__(self) -> None:
        persons = {customer.customer_unique_id for customer in self.customers}
        if len(persons) != 1:
            raise ValueError(f"The records of a customer are those of one person, not of {len(persons)}")
        _refuse_strangers("order", self.orders, "customer_id", {customer.customer_id for customer in self.customers})
        _refuse_strangers("review", self.reviews, "order_id", {order.order_id for order in self.orders})

    @property
    def subject(self) -> str:
        """What a violation calls the person."""
        return f"customer {self.latest.customer_unique_id}"

    @property
    def latest(self) -> CustomerRecord:
        """The customer of the latest order, ties by the greatest customer id; without orders the greatest id."""
        ordered = sorted(self.orders, key=lambda order: order.order_purchase_timestamp)
        purchases = {order.customer_id: order.order_purchase_timestamp for order in ordered}
        return max(
            self.customers,
            key=lambda customer: (purchases.get(customer.customer_id, datetime.min), customer.customer_id),
        )

    def facts(self, as_of: date | None = None, standing: Standing = UNRANKED) -> PersonFacts:
        """Return the facts of the person as of the day `as_of`; without it, idleness is unknown."""
        return person_facts(self.latest, self.orders, self.reviews, as_of, standing)

    def segment(self) -> CustomerSegment:
        """Return the segment that the orders tell."""
        return CustomerSegment(cast(str, value_of(customer_segment(self.facts()))))

    def violations(self) -> list[Violation]:
        """Return every rule that the person's records break."""
        broken = super().violations()
        for customer in self.customers:
            broken += CUSTOMER_RULES.violations(address_facts(customer), f"customer {customer.customer_id}")
        for order in self.orders:
            broken += PURCHASE_RULES.violations(purchase_facts(order, self.orders), f"order {order.order_id}")
        return broken

    def derived(self, as_of: date | None = None, standing: Standing = UNRANKED) -> dict[str, Any]:
        """Return the derived attributes of the person, by name; idleness needs a day, scores need a standing."""
        return self.rules.derived(self.facts(as_of, standing))

    def history(self, as_of: date | None = None) -> list[DomainEvent]:
        """Return the events that the records tell of on the day `as_of`, not before the last order, oldest first."""
        facts = self.facts(as_of)
        steps = order_steps(self.latest, self.orders)
        moved = [event for step in steps for event in history([SEGMENT_CHANGED], step)]
        return [*history([REGISTERED], facts), *moved, *history([CHURNED], facts)]


class Customer(Aggregate[CustomerRecords, CustomerEvent]):
    """A person with an address and a history of orders.

    `segment` is the one that was last published; without it, the one that the records tell.
    """

    def __init__(self, records: CustomerRecords, segment: CustomerSegment | None = None) -> None:
        super().__init__(records)
        self._segment = segment or records.segment()
        self._is_known_as_churned = False

    @classmethod
    def register(cls, customer: CustomerRecord, order: PublishedOrder) -> Customer:
        """Return a new customer who placed a first order; raises RulesBroken for a bad address."""
        registered = cls._begin(CustomerRecords([customer]))
        registered.record_order(customer, order)
        return registered

    @property
    def customer_unique_id(self) -> str:
        """The person's identity; `customer_id` is one for each order."""
        return self._records.latest.customer_unique_id

    @property
    def address(self) -> Address:
        """Where the latest order went."""
        latest = self._records.latest
        return Address(latest.customer_zip_code_prefix, latest.customer_city, latest.customer_state)

    @property
    def orders(self) -> tuple[PublishedOrder, ...]:
        """The history, in the order in which it was recorded."""
        return tuple(self._records.orders)

    @property
    def total_spent(self) -> Money:
        """The revenue of all orders."""
        return sum((Money(order.revenue) for order in self.orders), start=Money.zero())

    @property
    def segment(self) -> CustomerSegment:
        """The segment of the last event that names one."""
        return self._segment

    def derived(self, as_of: date | None = None, standing: Standing = UNRANKED) -> dict[str, Any]:
        """Return the derived attributes of the customer as it stands, by name; see `CustomerRecords.derived`."""
        return self._records.derived(as_of, standing)

    def record_order(self, customer: CustomerRecord, order: PublishedOrder) -> None:
        """Add an accepted order and the customer that it was placed by.

        Refused for an order that is here already, for another person's, for a bad address, and for an order
        older than the last: who learns of one late builds the customer from its records anew.
        """
        if order.order_id in {known.order_id for known in self.orders}:
            raise ValueError(f"{self._records.subject} already has order {order.order_id}")
        refused = []
        if any(known.order_purchase_timestamp > order.order_purchase_timestamp for known in self.orders):
            statement = (
                f"Orders are recorded by time of purchase, and order {order.order_id} is older than the last one."
            )
            refused.append(self._refusal("ORDER_OUT_OF_SEQUENCE", statement))
        customers = [known for known in self._records.customers if known.customer_id != customer.customer_id]
        is_first = not self.orders
        grown = replace(self._records, customers=[*customers, customer], orders=[*self.orders, order])
        self._become(grown, refused)
        self._is_known_as_churned = False
        if is_first:
            self._segment = grown.segment()
            self._register(history([REGISTERED], grown.facts()))
        else:
            self._register_segment(order.order_purchase_timestamp)

    def record_review(self, review: PublishedReview) -> None:
        """Add an accepted review; refused with ValueError for one of an order that is not this person's."""
        self._become(replace(self._records, reviews=[*self._records.reviews, review]))

    def reassess(self, as_of: date) -> None:
        """Look at the customer on the day `as_of`, and record what is new: another segment, or that it churned.

        Refused for a day before the last order.
        """
        if any(order.order_purchase_timestamp.date() > as_of for order in self.orders):
            statement = f"A customer cannot be assessed on {as_of}, before the last order."
            raise RulesBroken([self._refusal("AS_OF_BEFORE_LAST_ORDER", statement)])
        self._register_segment(datetime.combine(as_of, time.min))
        if not self._is_known_as_churned:
            churned = history([CHURNED], self._records.facts(as_of))
            self._register(churned)
            self._is_known_as_churned = bool(churned)

    def _register_segment(self, at: datetime) -> None:
        """Register a segment that is not the last one; for a new order it is the event of `SEGMENT_CHANGED`."""
        previous, self._segment = self._segment, self._records.segment()
        if self._segment is not previous:
            changed = CustomerSegmentChanged(
                occurred_at=at,
                customer_unique_id=self.customer_unique_id,
                previous_segment=previous.value,
                customer_segment=self._segment.value,
            )
            self._register([changed])


def _refuse_strangers(what: str, records: Sequence[Any], key: str, known: set[str]) -> None:
    strangers = [str(getattr(record, key)) for record in records if getattr(record, key) not in known]
    if strangers:
        raise ValueError(f"One {what} is of {key} {strangers[0]}, which the customer's records do not have")
