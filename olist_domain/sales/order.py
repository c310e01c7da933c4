"""Order: the aggregate root of sales, with its items and payments.

What belongs here: how an order comes to be, changes and ends, under the rules. What does not: the rules
themselves (`rules`), and judging a month of orders at once (the pipeline does it with the same rules).

    >>> from datetime import datetime
    >>> from decimal import Decimal
    >>> purchase = datetime(2018, 1, 2, 10, 30)
    >>> item = OrderItem("o1", 1, "p1", "s1", Money(Decimal("58.90")), Money(Decimal("13.29")), purchase)
    >>> order = Order.place(
    ...     order_id="o1", customer_id="c1", at=purchase, estimated_delivery=purchase, items=[item]
    ... )
    >>> order.approve(at=datetime(2018, 1, 2, 11))
    Traceback (most recent call last):
    olist_domain.kernel.rules.RulesBroken: order o1: APPROVED_ORDER_PAYMENT_MISMATCH: The payments ...
    >>> order.add_payment(Payment("o1", 1, "credit_card", 2, Money(Decimal("72.19"))), at=purchase)
    >>> order.approve(at=datetime(2018, 1, 2, 11))
    >>> [type(event).__name__ for event in order.collect_events()]
    ['OrderPlaced', 'PaymentReceived', 'OrderApproved']
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, cast

from olist_domain.kernel.events import DomainEvent, history
from olist_domain.kernel.facts import Scalar
from olist_domain.kernel.money import Money
from olist_domain.kernel.rules import RulesBroken, Severity, Violation
from olist_domain.sales.derivations import paid_at
from olist_domain.sales.events import (
    ORDER_HISTORY,
    PLACED,
    RECEIVED,
    OrderApproved,
    OrderCancelled,
    OrderDelivered,
    OrderEvent,
    OrderShipped,
    PaymentReceived,
)
from olist_domain.sales.facts import OrderFacts, PaymentFacts, item_facts, order_facts, payment_facts
from olist_domain.sales.order_item import OrderItem
from olist_domain.sales.payment import Payment
from olist_domain.sales.records import OrderItemRecord, OrderRecord, PaymentRecord
from olist_domain.sales.rules import ORDER_ITEM_RULES, ORDER_RULES, PAYMENT_RULES
from olist_domain.sales.status import NEXT_STATUSES, OrderStatus


@dataclass(frozen=True)
class OrderRecords:
    """An order's record with the records of its parts: what one acceptance decides on."""

    order: OrderRecord
    items: Sequence[OrderItemRecord]
    payments: Sequence[PaymentRecord]

    @cached_property
    def facts(self) -> OrderFacts:
        """The facts of the order as a whole."""
        return order_facts(
            self.order,
            [item_facts(item) for item in self.items],
            [payment_facts(p, None) for p in self.payments],
        )

    def payment_facts(self) -> list[PaymentFacts]:
        """Return the facts of each payment, with the time at which it counts as received."""
        received_at = cast(Scalar[datetime], paid_at(self.facts)).value
        return [payment_facts(payment, received_at) for payment in self.payments]

    def violations(self) -> list[Violation]:
        """Return every rule that the order, its items and its payments break."""
        name = f"order {self.order.order_id}"
        found = ORDER_RULES.violations(self.facts, name)
        for item in self.items:
            found += ORDER_ITEM_RULES.violations(item_facts(item), f"item {item.order_item_id} of {name}")
        for payment in self.payments:
            subject = f"payment {payment.payment_sequential} of {name}"
            found += PAYMENT_RULES.violations(payment_facts(payment, None), subject)
        return found

    def derived(self) -> dict[str, Any]:
        """Return the derived attributes of the order, by name."""
        return ORDER_RULES.derived(self.facts)

    def history(self) -> list[DomainEvent]:
        """Return the events that the records tell of, from the placing of the order to its end."""
        placed, *later = history(ORDER_HISTORY, self.facts)
        paid = [event for facts in self.payment_facts() for event in history([RECEIVED], facts)]
        return [placed, *paid, *later]


class Order:
    """An order that no rejecting rule forbids.

    Every behaviour takes the time from its caller, refuses with RulesBroken (all broken rules, not the
    first) and leaves the order unchanged then, and records what happened as an event.
    """

    def __init__(self, records: OrderRecords) -> None:
        self._record = records.order
        self._items = [OrderItem.from_record(item) for item in records.items]
        self._payments = [Payment.from_record(payment) for payment in records.payments]
        self._events: list[DomainEvent] = []

    @classmethod
    def from_records(cls, records: OrderRecords) -> Order:
        """Return the order of a source's records; raises RulesBroken with every rejecting rule they break."""
        rejecting = [v for v in records.violations() if v.severity is Severity.REJECT]
        if rejecting:
            raise RulesBroken(rejecting)
        return cls(records)

    @classmethod
    def place(
        cls,
        *,
        order_id: str,
        customer_id: str,
        at: datetime,
        estimated_delivery: datetime,
        items: Iterable[OrderItem],
    ) -> Order:
        """Return a new order; raises RulesBroken when it has no items."""
        record = OrderRecord(
            order_id=order_id,
            customer_id=customer_id,
            order_status=OrderStatus.CREATED,
            order_purchase_timestamp=at,
            order_estimated_delivery_date=estimated_delivery,
        )
        order = cls.from_records(OrderRecords(record, [item.record() for item in items], []))
        order._events += history([PLACED], order.records().facts)
        return order

    @property
    def order_id(self) -> str:
        """The order's identity."""
        return self._record.order_id

    @property
    def customer_id(self) -> str:
        """The customer of this order; one per order, not one per person."""
        return self._record.customer_id

    @property
    def status(self) -> OrderStatus:
        """Where the order stands."""
        return OrderStatus(self._record.order_status)

    @property
    def items(self) -> tuple[OrderItem, ...]:
        """The order's lines."""
        return tuple(self._items)

    @property
    def payments(self) -> tuple[Payment, ...]:
        """The order's payments."""
        return tuple(self._payments)

    @property
    def total_amount(self) -> Money:
        """Prices and freights of all items."""
        return Money(self.derived()["total_amount"])

    @property
    def total_payment(self) -> Money:
        """The values of all payments."""
        return sum((payment.payment_value for payment in self._payments), start=Money.zero())

    @property
    def flags(self) -> tuple[Violation, ...]:
        """The flagging rules that the order breaks as it stands."""
        return tuple(v for v in self.records().violations() if v.severity is Severity.FLAG)

    def records(self) -> OrderRecords:
        """Return the order as it stands, as records."""
        return OrderRecords(
            self._record,
            [item.record() for item in self._items],
            [payment.record() for payment in self._payments],
        )

    def derived(self) -> dict[str, Any]:
        """Return the derived attributes of the order as it stands, by name."""
        return self.records().derived()

    def add_item(self, item: OrderItem) -> None:
        """Add a line; refused for another order's item, a line that exists, and once payment is approved."""
        self._admit(item.order_id, f"item {item.order_item_id}", item in self._items)
        if self.status is not OrderStatus.CREATED:
            statement = f"An order that is {self.status} takes no more items: its total is approved."
            raise RulesBroken([self._violation("ORDER_TOTAL_APPROVED", statement)])
        self._items.append(item)

    def add_payment(self, payment: Payment, at: datetime) -> None:
        """Add a payment that arrived `at`; refused as an item is, and where it breaks a rejecting rule."""
        self._admit(payment.order_id, f"payment {payment.payment_sequential}", payment in self._payments)
        record = payment.record()
        now = self.records()
        broken = self._newly_broken(OrderRecords(now.order, now.items, [*now.payments, record]))
        rejecting = [violation for violation in broken if violation.severity is Severity.REJECT]
        if rejecting:
            raise RulesBroken(rejecting)
        self._payments.append(payment)
        self._events.append(
            PaymentReceived(
                occurred_at=at,
                order_id=self.order_id,
                payment_sequential=record.payment_sequential,
                payment_type=record.payment_type,
                payment_value=record.payment_value,
            )
        )

    def approve(self, at: datetime) -> None:
        """Approve the order; refused unless its payments equal its total."""
        self._become(OrderStatus.APPROVED, order_approved_at=at)
        self._events.append(
            OrderApproved(occurred_at=at, order_id=self.order_id, total_amount=self.total_amount.amount)
        )

    def ship(self, at: datetime) -> None:
        """Hand the order to the carrier."""
        self._become(OrderStatus.SHIPPED, order_delivered_carrier_date=at)
        self._events.append(OrderShipped(occurred_at=at, order_id=self.order_id))

    def mark_delivered(self, at: datetime) -> None:
        """Record that the customer has the order; refused before its purchase."""
        self._become(OrderStatus.DELIVERED, order_delivered_customer_date=at)
        self._events.append(OrderDelivered(occurred_at=at, order_id=self.order_id))

    def cancel(self, at: datetime, reason: str) -> None:
        """Cancel the order; refused once it is delivered."""
        self._become(OrderStatus.CANCELED)
        self._events.append(OrderCancelled(occurred_at=at, order_id=self.order_id, reason=reason))

    def collect_events(self) -> list[OrderEvent]:
        """Return what happened since the last call, oldest first, and forget it."""
        events, self._events = self._events, []
        return cast(list[OrderEvent], events)

    def _admit(self, order_id: str, part: str, is_known: bool) -> None:
        """Refuse a part that is another order's, is here already, or comes after the order is closed."""
        if order_id != self.order_id:
            raise ValueError(f"{part} belongs to order {order_id}, not to order {self.order_id}")
        if is_known:
            raise ValueError(f"order {self.order_id} has {part} already")
        if not NEXT_STATUSES[self.status]:
            raise RulesBroken([self._violation("ORDER_CLOSED", f"An order that is {self.status} takes no more parts.")])

    def _become(self, status: OrderStatus, **changes: datetime) -> None:
        """Take a status unless that breaks a rule, rejecting or flagging, which was not broken before.

        A flag forgives what the source tells of the past; a behaviour may not cause it.
        """
        candidate = self._record.model_copy(update={"order_status": status.value, **changes})
        now = self.records()
        broken = self._newly_broken(OrderRecords(candidate, now.items, now.payments))
        if status not in NEXT_STATUSES[self.status]:
            statement = f"An order that is {self.status} does not become {status}."
            broken.append(self._violation("ORDER_TRANSITION_NOT_ALLOWED", statement))
        if broken:
            raise RulesBroken(broken)
        self._record = candidate

    def _newly_broken(self, then: OrderRecords) -> list[Violation]:
        """Return the rules that the order would break if it were `then`, and does not break now."""
        before = self.records().violations()
        return [violation for violation in then.violations() if violation not in before]

    def _violation(self, code: str, statement: str) -> Violation:
        return Violation(code, Severity.REJECT, statement, f"order {self.order_id}")
