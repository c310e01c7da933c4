"""Order: the aggregate root of sales, with its items and payments.

What belongs here: how an order comes to be, changes and ends, under the rules. What does not: the rules
themselves (`rules`), and validating a month of orders at once (the pipeline does it with the same rules).

    >>> from datetime import datetime
    >>> from decimal import Decimal
    >>> purchase = datetime(2018, 1, 2, 10, 30)
    >>> item = OrderItemRecord(
    ...     order_id="o1",
    ...     order_item_id=1,
    ...     product_id="p1",
    ...     seller_id="s1",
    ...     shipping_limit_date=purchase,
    ...     price=Decimal("58.90"),
    ...     freight_value=Decimal("13.29"),
    ... )
    >>> order = Order.place(
    ...     order_id="o1", customer_id="c1", at=purchase, estimated_delivery=purchase, items=[OrderItem(item)]
    ... )
    >>> order.approve(at=datetime(2018, 1, 2, 11))
    Traceback (most recent call last):
    olist_domain.kernel.rules.RulesBroken: order o1: APPROVED_ORDER_PAYMENT_MISMATCH: The payments ...
    >>> payment = PaymentRecord(
    ...     order_id="o1",
    ...     payment_sequential=1,
    ...     payment_type="credit_card",
    ...     payment_installments=2,
    ...     payment_value=Decimal("72.19"),
    ... )
    >>> order.add_payment(Payment(payment), at=purchase)
    >>> order.approve(at=datetime(2018, 1, 2, 11))
    >>> [type(event).__name__ for event in order.collect_events()]
    ['OrderPlaced', 'PaymentReceived', 'OrderApproved']
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import cast

from olist_domain.kernel.aggregate import Aggregate, RuledRecords
from olist_domain.kernel.events import DomainEvent, history
from olist_domain.kernel.facts import Scalar
from olist_domain.kernel.money import Money
from olist_domain.kernel.rules import Violation
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
from olist_domain.sales.order_item import ItemRecords, OrderItem
from olist_domain.sales.payment import Payment, PaymentRecords
from olist_domain.sales.records import OrderItemRecord, OrderRecord, PaymentRecord
from olist_domain.sales.rules import ORDER_RULES, has_payment, is_paid_exactly
from olist_domain.sales.status import NEXT_STATUSES, OrderStatus


@dataclass(frozen=True)
class OrderRecords(RuledRecords):
    """An order's record with the records of its parts: what one acceptance decides on."""

    order: OrderRecord
    items: Sequence[OrderItemRecord]
    payments: Sequence[PaymentRecord]

    rules = ORDER_RULES

    @property
    def subject(self) -> str:
        """What a violation calls the order."""
        return f"order {self.order.order_id}"

    @property
    def awaited(self) -> tuple[str, ...]:
        """Until it is approved, an order awaits its payments."""
        return (is_paid_exactly.code, has_payment.code) if self.order.order_status == OrderStatus.CREATED else ()

    def facts(self) -> OrderFacts:
        """Return the facts of the order as a whole."""
        return order_facts(
            self.order,
            [item_facts(item) for item in self.items],
            [payment_facts(payment, None) for payment in self.payments],
        )

    def payment_facts(self) -> list[PaymentFacts]:
        """Return the facts of each payment, with the time at which it counts as received."""
        received_at = cast(Scalar[datetime], paid_at(self.facts())).value
        return [payment_facts(payment, received_at) for payment in self.payments]

    def violations(self) -> list[Violation]:
        """Return every rule that the order, its items and its payments break."""
        parts = [*map(ItemRecords, self.items), *map(PaymentRecords, self.payments)]
        return [*super().violations(), *(violation for part in parts for violation in part.violations())]

    def history(self) -> list[DomainEvent]:
        """Return the events that the records tell of, from the placing of the order to its end."""
        placed, *later = history(ORDER_HISTORY, self.facts())
        paid = [event for facts in self.payment_facts() for event in history([RECEIVED], facts)]
        return [placed, *paid, *later]


class Order(Aggregate[OrderRecords, OrderEvent]):
    """An order with its items and payments."""

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
        """Return a new order; refused without items."""
        record = OrderRecord(
            order_id=order_id,
            customer_id=customer_id,
            order_status=OrderStatus.CREATED,
            order_purchase_timestamp=at,
            order_estimated_delivery_date=estimated_delivery,
        )
        order = cls._begin(OrderRecords(record, [item.record for item in items], []))
        order._register(history([PLACED], order.records().facts()))  # noqa: SLF001 - its own class
        return order

    @property
    def order_id(self) -> str:
        """The order's identity."""
        return self._records.order.order_id

    @property
    def customer_id(self) -> str:
        """The customer of this order; one per order, not one per person."""
        return self._records.order.customer_id

    @property
    def status(self) -> OrderStatus:
        """Where the order stands."""
        return OrderStatus(self._records.order.order_status)

    @property
    def items(self) -> tuple[OrderItem, ...]:
        """The order's lines."""
        return tuple(map(OrderItem, self._records.items))

    @property
    def payments(self) -> tuple[Payment, ...]:
        """The order's payments."""
        return tuple(map(Payment, self._records.payments))

    @property
    def total_amount(self) -> Money:
        """Prices and freights of all items."""
        return Money(self.derived()["total_amount"])

    @property
    def total_payment(self) -> Money:
        """The values of all payments."""
        return sum((payment.payment_value for payment in self.payments), start=Money.zero())

    def add_item(self, item: OrderItem) -> None:
        """Add a line; refused for another order's item, a line that exists, and once the order is approved."""
        self._refuse_stranger(item.order_id, f"item {item.order_item_id}", item in self.items)
        refused = self._closed()
        if self.status is not OrderStatus.CREATED:
            statement = "No items can be added to an order once it is approved: its total is fixed."
            refused.append(self._refusal("ORDER_TOTAL_APPROVED", statement))
        self._become(replace(self._records, items=[*self._records.items, item.record]), refused)

    def add_payment(self, payment: Payment, at: datetime) -> None:
        """Add a payment that arrived `at`; refused for another order's payment, one that exists, and once closed."""
        self._refuse_stranger(payment.order_id, f"payment {payment.payment_sequential}", payment in self.payments)
        record = payment.record
        self._become(replace(self._records, payments=[*self._records.payments, record]), self._closed())
        received = PaymentReceived(
            occurred_at=at,
            order_id=self.order_id,
            payment_sequential=record.payment_sequential,
            payment_type=record.payment_type,
            payment_value=record.payment_value,
        )
        self._register([received])

    def approve(self, at: datetime) -> None:
        """Approve the order; refused unless its payments equal its total."""
        self._take(OrderStatus.APPROVED, order_approved_at=at)
        self._register([OrderApproved(occurred_at=at, order_id=self.order_id, total_amount=self.total_amount.amount)])

    def ship(self, at: datetime) -> None:
        """Hand the order to the carrier."""
        self._take(OrderStatus.SHIPPED, order_delivered_carrier_date=at)
        self._register([OrderShipped(occurred_at=at, order_id=self.order_id)])

    def mark_delivered(self, at: datetime) -> None:
        """Record that the customer has the order; refused before its purchase."""
        self._take(OrderStatus.DELIVERED, order_delivered_customer_date=at)
        self._register([OrderDelivered(occurred_at=at, order_id=self.order_id)])

    def cancel(self, at: datetime, reason: str) -> None:
        """Cancel the order; refused once it is delivered."""
        self._take(OrderStatus.CANCELED)
        self._register([OrderCancelled(occurred_at=at, order_id=self.order_id, reason=reason)])

    def _take(self, status: OrderStatus, **changes: datetime) -> None:
        """Take a status that may follow the one that the order has."""
        order = self._records.order.model_copy(update={"order_status": status.value, **changes})
        refused = []
        if status not in NEXT_STATUSES[self.status]:
            statement = f"An order that is {self.status} cannot become {status}."
            refused.append(self._refusal("ORDER_TRANSITION_NOT_ALLOWED", statement))
        self._become(replace(self._records, order=order), refused)

    def _refuse_stranger(self, order_id: str, part: str, is_known: bool) -> None:
        if order_id != self.order_id:
            raise ValueError(f"{part} belongs to order {order_id}, not to order {self.order_id}")
        if is_known:
            raise ValueError(f"order {self.order_id} already has {part}")

    def _closed(self) -> list[Violation]:
        if NEXT_STATUSES[self.status]:
            return []
        statement = f"No items or payments can be added to a {self.status} order."
        return [self._refusal("ORDER_CLOSED", statement)]
