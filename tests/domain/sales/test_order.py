"""The order aggregate: how it comes to be, changes, refuses and tells."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from olist_domain.kernel.money import Money
from olist_domain.kernel.rules import RulesBroken
from olist_domain.sales.events import OrderApproved, OrderCancelled, OrderPlaced, PaymentReceived
from olist_domain.sales.order import Order
from olist_domain.sales.order_item import OrderItem
from olist_domain.sales.payment import Payment
from olist_domain.sales.repositories import OrderNotFoundError
from olist_domain.sales.status import OrderStatus
from tests.domain.sales.factories import ORDER_ID, PURCHASE, item_record, order_record, payment_record, records


def placed(**changes):
    arguments = {
        "order_id": ORDER_ID,
        "customer_id": "c1",
        "at": PURCHASE,
        "estimated_delivery": PURCHASE + timedelta(days=20),
        "items": [OrderItem(item_record())],
    }
    return Order.place(**{**arguments, **changes})


def paid():
    order = placed()
    order.add_payment(Payment(payment_record()), at=PURCHASE)
    return order


def shipped():
    order = paid()
    order.approve(PURCHASE)
    order.ship(PURCHASE)
    return order


class TestPlacing:
    def test_a_new_order_is_created_and_tells_so(self):
        order = placed()
        assert order.status is OrderStatus.CREATED
        assert order.customer_id == "c1"
        assert order.total_amount == Money(Decimal("72.19"))
        [event] = order.collect_events()
        assert event == OrderPlaced(
            occurred_at=PURCHASE, order_id=ORDER_ID, customer_id="c1", total_items=1, total_amount=Decimal("72.19")
        )
        assert event.aggregate_id == ORDER_ID

    def test_ids_and_moments_go_by_name(self):
        with pytest.raises(TypeError, match="positional"):
            Order.place(ORDER_ID, "c1", PURCHASE, PURCHASE, [OrderItem(item_record())])  # type: ignore[misc]

    def test_is_refused_without_items(self):
        with pytest.raises(RulesBroken) as refused:
            placed(items=[])
        assert refused.value.codes == ("ORDER_WITHOUT_ITEMS",)

    def test_events_are_collected_once(self):
        order = placed()
        assert len(order.collect_events()) == 1
        assert order.collect_events() == []


class TestApproving:
    def test_is_refused_until_payments_equal_the_total(self):
        order = placed()
        with pytest.raises(RulesBroken) as refused:
            order.approve(PURCHASE)
        assert "APPROVED_ORDER_PAYMENT_MISMATCH" in refused.value.codes
        assert order.status is OrderStatus.CREATED

    def test_tells_the_total(self):
        order = paid()
        order.approve(PURCHASE)
        *_, event = order.collect_events()
        assert event == OrderApproved(occurred_at=PURCHASE, order_id=ORDER_ID, total_amount=Decimal("72.19"))
        assert event.payload() == {"order_id": ORDER_ID, "total_amount": "72.19"}

    def test_is_refused_twice(self):
        order = paid()
        order.approve(PURCHASE)
        with pytest.raises(RulesBroken, match="ORDER_TRANSITION_NOT_ALLOWED"):
            order.approve(PURCHASE)


class TestDelivering:
    def test_the_whole_way(self):
        order = shipped()
        order.mark_delivered(PURCHASE + timedelta(days=3))
        assert order.status is OrderStatus.DELIVERED
        names = [type(event).__name__ for event in order.collect_events()]
        assert names == ["OrderPlaced", "PaymentReceived", "OrderApproved", "OrderShipped", "OrderDelivered"]

    def test_is_refused_before_the_purchase(self):
        order = shipped()
        with pytest.raises(RulesBroken, match="ORDER_DELIVERED_BEFORE_PURCHASE"):
            order.mark_delivered(PURCHASE - timedelta(seconds=1))

    def test_reports_all_rules_that_it_would_break(self):
        with pytest.raises(RulesBroken) as refused:
            paid().mark_delivered(PURCHASE - timedelta(days=1))
        assert refused.value.codes == ("ORDER_DELIVERED_BEFORE_PURCHASE", "ORDER_TRANSITION_NOT_ALLOWED")


class TestCancelling:
    def test_tells_its_reason(self):
        order = paid()
        order.cancel(PURCHASE, reason="changed their mind")
        *_, event = order.collect_events()
        assert event == OrderCancelled(occurred_at=PURCHASE, order_id=ORDER_ID, reason="changed their mind")

    def test_a_delivered_order_is_not_cancelled(self):
        order = shipped()
        order.mark_delivered(PURCHASE + timedelta(days=3))
        with pytest.raises(RulesBroken) as refused:
            order.cancel(PURCHASE + timedelta(days=4), reason="late")
        assert "CANCELLED_AFTER_DELIVERY" in refused.value.codes
        assert order.status is OrderStatus.DELIVERED


class TestParts:
    def test_adds_items_and_payments(self):
        order = placed()
        order.add_item(OrderItem(item_record(order_item_id=2)))
        order.add_payment(Payment(payment_record()), at=PURCHASE)
        assert [item.order_item_id for item in order.items] == [1, 2]
        assert order.total_payment == Money(Decimal("72.19"))
        *_, event = order.collect_events()
        assert isinstance(event, PaymentReceived)

    @pytest.mark.parametrize("other", ["another", "other"])
    def test_refuses_a_part_of_another_order(self, other):
        with pytest.raises(ValueError, match=f"item 1 belongs to order {other}, not to order {ORDER_ID}"):
            placed().add_item(OrderItem(item_record(order_id=other)))

    def test_refuses_a_part_twice(self):
        order = paid()
        with pytest.raises(ValueError, match="already has payment 1"):
            order.add_payment(Payment(payment_record()), at=PURCHASE)

    def test_the_total_is_fixed_once_approved(self):
        approved = paid()
        approved.approve(PURCHASE)
        for order in (approved, shipped()):
            with pytest.raises(RulesBroken, match="ORDER_TOTAL_APPROVED"):
                order.add_item(OrderItem(item_record(order_item_id=2)))

    def test_an_approved_order_is_not_paid_again(self):
        order = paid()
        order.approve(PURCHASE)
        with pytest.raises(RulesBroken, match="APPROVED_ORDER_PAYMENT_MISMATCH"):
            order.add_payment(Payment(payment_record(payment_sequential=2)), at=PURCHASE)
        assert len(order.payments) == 1

    def test_a_closed_order_takes_nothing(self):
        order = paid()
        order.cancel(PURCHASE, reason="so")
        with pytest.raises(RulesBroken, match="ORDER_CLOSED"):
            order.add_payment(Payment(payment_record(payment_sequential=2)), at=PURCHASE)

    def test_parts_are_the_same_when_their_identity_is(self):
        first, other = OrderItem(item_record()), OrderItem(item_record(price=Decimal(1)))
        assert first == other
        assert first != "item"
        assert len({first, other}) == 1
        payments = [Payment(payment_record(payment_value=Decimal(value))) for value in (1, 2)]
        assert len(set(payments)) == 1
        assert payments[0] != "payment"
        assert first.total_amount == Money(Decimal("72.19"))

    def test_an_item_with_a_negative_price_is_refused(self):
        with pytest.raises(RulesBroken, match="NEGATIVE_AMOUNT"):
            OrderItem(item_record(price=Decimal("-1.00")))


class TestFromRecords:
    def test_reports_every_broken_rule_of_order_items_and_payments(self):
        bad = records(
            order_record(order_status="lost", order_delivered_customer_date=datetime(2017, 1, 1)),
            [item_record(price=Decimal("-1.00"))],
            [payment_record(payment_value=Decimal("-1.00"))],
        )
        with pytest.raises(RulesBroken) as refused:
            Order.from_records(bad)
        assert refused.value.codes == (
            "ORDER_DELIVERED_BEFORE_PURCHASE",
            "ORDER_STATUS_UNKNOWN",
            "NEGATIVE_AMOUNT",
            "NEGATIVE_AMOUNT",
        )
        assert f"payment 1 of order {ORDER_ID}" in str(refused.value)
        assert f"item 1 of order {ORDER_ID}" in str(refused.value)
        assert str(refused.value).startswith(f"order {ORDER_ID}: ")

    def test_carries_flags(self):
        order = Order.from_records(records(payments=[]))
        assert [flag.code for flag in order.flags] == ["PAYMENT_MISMATCH", "ORDER_WITHOUT_PAYMENT"]

    @pytest.mark.parametrize("status", OrderStatus)
    def test_payments_are_awaited_until_the_approval(self, status):
        awaited = records(order_record(order_status=status.value), payments=[]).awaited
        assert bool(awaited) is (status is OrderStatus.CREATED)

    def test_gives_its_records_back(self):
        assert Order.from_records(records()).records() == records()

    def test_tells_its_history_in_order(self):
        names = [type(event).__name__ for event in records().history()]
        assert names == ["OrderPlaced", "PaymentReceived", "OrderApproved", "OrderShipped", "OrderDelivered"]

    def test_payments_count_as_received_at_the_purchase_while_not_approved(self):
        history = records(order_record(order_status="created", order_approved_at=None)).history()
        [received] = [event for event in history if isinstance(event, PaymentReceived)]
        assert received.occurred_at == PURCHASE

    def test_a_cancelled_order_ended_at_its_last_milestone(self):
        order = order_record(
            order_status="canceled", order_delivered_carrier_date=None, order_delivered_customer_date=None
        )
        *_, event = records(order).history()
        assert isinstance(event, OrderCancelled)
        assert event.occurred_at == order.order_approved_at


BEHAVIOURS = {
    "approve": lambda order, at: order.approve(at),
    "ship": lambda order, at: order.ship(at),
    "mark_delivered": lambda order, at: order.mark_delivered(at),
    "cancel": lambda order, at: order.cancel(at, "so"),
    "pay": lambda order, at: order.add_payment(Payment(payment_record(payment_sequential=len(order.payments) + 1)), at),
}


@given(st.lists(st.tuples(st.sampled_from(sorted(BEHAVIOURS)), st.integers(-5, 30)), max_size=12))
def test_no_sequence_of_behaviours_leads_to_a_rejected_order(steps):
    order = placed()
    for name, days in steps:
        before = order.records()
        try:
            BEHAVIOURS[name](order, PURCHASE + timedelta(days=days))
        except RulesBroken:
            assert order.records() == before, "a refused behaviour leaves the order unchanged"
    Order.from_records(order.records())


def test_not_found_names_the_order():
    assert "o1" in str(OrderNotFoundError("o1"))
