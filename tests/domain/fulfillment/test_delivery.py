"""The delivery aggregate and its performance: how it leaves, arrives, refuses and tells."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from olist_domain.fulfillment.delivery import Delivery, Endpoint
from olist_domain.fulfillment.events import DeliveryCompleted, DeliveryDispatched
from olist_domain.fulfillment.repositories import DeliveryNotFoundError
from olist_domain.fulfillment.shipping_performance import ShippingPerformance
from olist_domain.fulfillment.status import DeliveryPerformance
from olist_domain.kernel.date_range import DateRange
from olist_domain.kernel.rules import RulesBroken
from tests.domain.fulfillment.factories import APPROVAL, DELIVERY, DISPATCH, ESTIMATE, PURCHASE, RIO, SAO_PAULO, records


def planned():
    return Delivery.plan(
        order_id="o1",
        customer_id="c1",
        purchased_at=PURCHASE,
        approved_at=APPROVAL,
        estimated_delivery=ESTIMATE,
        seller=SAO_PAULO,
        customer=RIO,
    )


def dispatched():
    delivery = planned()
    delivery.dispatch(DISPATCH)
    return delivery


def test_the_whole_way_leads_to_the_record_of_the_source():
    delivery = dispatched()
    delivery.complete(DELIVERY)
    assert delivery.order_id == "o1"
    assert delivery.records() == records()
    assert delivery.derived() == records().derived()
    assert (delivery.dispatched_at, delivery.completed_at) == (DISPATCH, DELIVERY)
    assert delivery.collect_events() == records().history()
    assert delivery.collect_events() == []


def test_ids_and_moments_go_by_name():
    with pytest.raises(TypeError, match="positional"):
        Delivery.plan("o1", "c1", PURCHASE, APPROVAL, ESTIMATE)  # type: ignore[misc]


class TestDispatching:
    def test_tells_so(self):
        delivery = dispatched()
        [event] = delivery.collect_events()
        assert event == DeliveryDispatched(occurred_at=DISPATCH, order_id="o1")
        assert (event.context, event.aggregate_type, event.aggregate_id) == ("fulfillment", "delivery", "o1")
        assert delivery.records().order.order_status == "shipped"

    def test_is_refused_twice(self):
        with pytest.raises(RulesBroken, match="DELIVERY_ALREADY_DISPATCHED"):
            dispatched().dispatch(DISPATCH)

    @pytest.mark.parametrize(
        "changes",
        [
            {"order_delivered_carrier_date": None},
            {"order_delivered_carrier_date": None, "order_delivered_customer_date": None},
        ],
    )
    def test_is_refused_for_what_is_delivered(self, changes):
        with pytest.raises(RulesBroken, match="DELIVERY_ALREADY_DISPATCHED"):
            Delivery.from_records(records(**changes)).dispatch(DISPATCH)

    @pytest.mark.parametrize("status", ["approved", "invoiced", "processing", "shipped"])
    def test_is_possible_whatever_comes_between_approval_and_dispatch(self, status):
        undelivered = {"order_delivered_carrier_date": None, "order_delivered_customer_date": None}
        delivery = Delivery.from_records(records(order_status=status, **undelivered))
        delivery.dispatch(DISPATCH)
        assert delivery.dispatched_at == DISPATCH

    def test_reports_all_rules_that_it_would_break_and_leaves_the_delivery_unchanged(self):
        delivery = planned()
        with pytest.raises(RulesBroken) as refused:
            delivery.dispatch(PURCHASE - timedelta(seconds=1))
        assert refused.value.codes == ("CARRIER_BEFORE_APPROVAL", "CARRIER_BEFORE_PURCHASE")
        assert delivery.dispatched_at is None
        assert delivery.collect_events() == []

    @pytest.mark.parametrize("status", ["canceled", "unavailable"])
    def test_is_refused_for_an_order_that_is_called_off(self, status):
        order = {"order_delivered_carrier_date": None, "order_delivered_customer_date": None, "order_status": status}
        with pytest.raises(RulesBroken, match="DELIVERY_CALLED_OFF"):
            Delivery.from_records(records(**order)).dispatch(DISPATCH)


class TestCompleting:
    @pytest.mark.parametrize(("days", "late"), [(0, False), (1, True)])
    def test_tells_whether_it_was_late(self, days, late):
        delivery, at = dispatched(), ESTIMATE + timedelta(days=days)
        delivery.complete(at)
        *_, event = delivery.collect_events()
        assert event == DeliveryCompleted(occurred_at=at, order_id="o1", was_late=late)
        assert event.payload() == {"order_id": "o1", "was_late": late}

    def test_is_refused_before_the_dispatch(self):
        with pytest.raises(RulesBroken) as refused:
            planned().complete(DELIVERY)
        assert refused.value.codes == ("DELIVERY_NOT_DISPATCHED",)

    def test_is_refused_twice(self):
        with pytest.raises(RulesBroken, match="DELIVERY_ALREADY_COMPLETED"):
            Delivery.from_records(records()).complete(DELIVERY)

    def test_is_refused_before_the_carrier_has_it(self):
        with pytest.raises(RulesBroken) as refused:
            dispatched().complete(PURCHASE - timedelta(days=1))
        assert refused.value.codes == ("DELIVERY_BEFORE_PURCHASE", "DELIVERED_BEFORE_CARRIER")

    def test_is_refused_for_an_order_that_is_called_off(self):
        delivery = Delivery.from_records(records(order_status="canceled", order_delivered_customer_date=None))
        with pytest.raises(RulesBroken, match="DELIVERY_CALLED_OFF"):
            delivery.complete(DELIVERY)


class TestFromRecords:
    def test_is_refused_for_a_delivery_before_the_purchase(self):
        with pytest.raises(RulesBroken) as refused:
            Delivery.from_records(records(order_delivered_customer_date=datetime(2017, 1, 1)))
        assert refused.value.codes == ("DELIVERY_BEFORE_PURCHASE",)
        assert "delivery of order o1" in str(refused.value)

    def test_a_flag_forgives_the_past(self):
        delivery = Delivery.from_records(records(order_delivered_carrier_date=datetime(2018, 1, 1)))
        assert [flag.code for flag in delivery.flags] == ["CARRIER_BEFORE_APPROVAL", "CARRIER_BEFORE_PURCHASE"]

    def test_a_missing_date_is_made_good_by_completing(self):
        delivery = Delivery.from_records(records(order_delivered_customer_date=None))
        assert [flag.code for flag in delivery.flags] == ["DELIVERED_WITHOUT_DATE"]
        delivery.complete(DELIVERY)
        assert delivery.flags == ()

    def test_tells_only_what_has_happened(self):
        undelivered = {"order_delivered_carrier_date": None, "order_delivered_customer_date": None}
        assert records(order_status="approved", **undelivered).history() == []

    def test_distance_needs_both_ends(self):
        assert records().derived()["distance_km"] == 360.749
        assert records(customer=Endpoint("RJ")).derived()["distance_km"] is None
        assert records(seller=Endpoint()).derived()["same_state"] is None


@given(st.lists(st.tuples(st.sampled_from(["dispatch", "complete"]), st.integers(-5, 30)), max_size=6))
def test_no_sequence_of_behaviours_leads_to_a_flagged_delivery(steps):
    delivery = planned()
    for name, days in steps:
        before = delivery.records()
        try:
            getattr(delivery, name)(APPROVAL + timedelta(days=days))
        except RulesBroken:
            assert delivery.records() == before, "a refused behaviour leaves the delivery unchanged"
    assert delivery.flags == ()
    assert Delivery.from_records(delivery.records()).records() == delivery.records()


class TestPerformance:
    @pytest.mark.parametrize(
        ("days", "performance"),
        [
            (-3, DeliveryPerformance.ON_TIME),
            (0, DeliveryPerformance.ON_TIME),
            (7, DeliveryPerformance.SLIGHTLY_LATE),
            (8, DeliveryPerformance.VERY_LATE),
        ],
    )
    def test_is_what_the_derivations_say(self, days, performance):
        arrived = records(order_delivered_customer_date=ESTIMATE + timedelta(days=days, hours=20))
        found = Delivery.from_records(arrived).performance
        assert found is not None
        assert found.performance is performance
        assert {
            "delivery_days": found.delivery_days,
            "days_vs_estimate": found.days_vs_estimate,
            "delivery_performance": found.performance,
            "is_late": found.is_late,
        }.items() <= arrived.derived().items()

    def test_there_is_none_before_the_arrival(self):
        assert planned().performance is None

    def test_a_value_is_its_parts(self):
        journey = DateRange(PURCHASE, DELIVERY)
        assert ShippingPerformance(journey, ESTIMATE) == ShippingPerformance(journey, ESTIMATE)


def test_not_found_names_the_order():
    assert "o1" in str(DeliveryNotFoundError("o1"))
