"""The customer aggregate: how a person comes to be, grows, is validated, refuses and tells."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from olist_domain.customer.customer import Customer, CustomerRecords
from olist_domain.customer.events import CustomerChurned, CustomerRegistered, CustomerSegmentChanged
from olist_domain.customer.facts import Standing
from olist_domain.customer.repositories import CustomerNotFoundError
from olist_domain.customer.segments import CustomerSegment
from olist_domain.customer.standings import standings
from olist_domain.kernel.address import Address
from olist_domain.kernel.money import Money
from olist_domain.kernel.rules import RulesBroken
from tests.domain.customer.factories import AS_OF, FIRST, PERSON, customer_record, order, records, review


def registered():
    return Customer.register(customer_record(), order())


def customer_of(count, **changes):
    return Customer.from_records(records([order(number, **changes) for number in range(1, count + 1)]))


def names(events):
    return [type(event).__name__ for event in events]


class TestRegistering:
    def test_a_first_order_makes_a_customer_and_tells_so(self):
        customer = registered()
        assert customer.customer_unique_id == PERSON
        assert customer.segment is CustomerSegment.ONE_TIME
        assert customer.total_spent == Money(Decimal("100.00"))
        [event] = customer.collect_events()
        assert event == CustomerRegistered(occurred_at=FIRST, customer_unique_id=PERSON)
        assert (event.context, event.aggregate_type, event.aggregate_id) == ("customer", "customer", PERSON)

    def test_is_refused_for_a_bad_address_with_every_rule(self):
        with pytest.raises(RulesBroken) as refused:
            Customer.register(customer_record(customer_state="XX", customer_zip_code_prefix="1"), order())
        assert refused.value.codes == ("INVALID_STATE", "INVALID_ZIP_PREFIX")
        assert "customer c001" in str(refused.value)

    def test_a_customer_whose_orders_were_all_rejected_registers_with_the_first_accepted_one(self):
        customer = Customer.from_records(records([]))
        before = customer.segment
        customer.record_order(customer_record(2), order(2))
        assert (before, customer.segment) == (CustomerSegment.NEW, CustomerSegment.ONE_TIME)
        assert names(customer.collect_events()) == ["CustomerRegistered"]


class TestRecordingOrders:
    def test_the_address_is_that_of_the_latest_order(self):
        customer = registered()
        customer.record_order(
            customer_record(2, customer_city="rio de janeiro", customer_state="RJ", customer_zip_code_prefix="20010"),
            order(2),
        )
        assert customer.address == Address("20010", "rio de janeiro", "RJ")
        assert [placed.order_id for placed in customer.orders] == ["o001", "o002"]

    def test_tells_a_change_of_segment_at_the_purchase(self):
        customer = customer_of(5)
        customer.record_order(customer_record(6), order(6))
        assert customer.collect_events() == [
            CustomerSegmentChanged(
                occurred_at=order(6).order_purchase_timestamp,
                customer_unique_id=PERSON,
                previous_segment="NEW",
                customer_segment="LOYAL",
            )
        ]
        assert customer.segment is CustomerSegment.LOYAL

    def test_tells_nothing_when_the_segment_stays(self):
        customer = customer_of(3)
        customer.record_order(customer_record(4), order(4))
        assert customer.collect_events() == []

    def test_money_makes_the_difference_between_loyal_and_vip(self):
        poor, rich = customer_of(11, revenue=Decimal("90.90")), customer_of(11, revenue=Decimal("90.91"))
        assert poor.segment is CustomerSegment.LOYAL
        assert rich.segment is CustomerSegment.VIP

    def test_is_refused_for_an_order_that_is_here_already(self):
        with pytest.raises(ValueError, match="already has order o001"):
            registered().record_order(customer_record(), order())

    def test_is_refused_for_another_person(self):
        with pytest.raises(ValueError, match="of one person"):
            registered().record_order(customer_record(2, customer_unique_id="other"), order(2))

    def test_is_refused_for_an_order_of_another_customer(self):
        with pytest.raises(ValueError, match="order is of customer_id c003"):
            registered().record_order(customer_record(2), order(2, customer_id="c003"))

    def test_reports_all_that_is_wrong_and_leaves_the_customer_unchanged(self):
        customer = registered()
        before = customer.records()
        late = order(2, order_purchase_timestamp=FIRST - timedelta(seconds=1))
        with pytest.raises(RulesBroken) as refused:
            customer.record_order(customer_record(2, customer_state="XX"), late)
        assert refused.value.codes == ("INVALID_STATE", "ORDER_OUT_OF_SEQUENCE")
        assert {violation.subject for violation in refused.value.violations} == {"customer c002", f"customer {PERSON}"}
        assert customer.records() == before
        assert names(customer.collect_events()) == ["CustomerRegistered"]

    def test_a_customer_whose_order_comes_late_takes_its_own_place_and_the_others_stay(self):
        customer = Customer.from_records(records([order(1)], [customer_record(number) for number in (1, 3, 9)]))
        for number in (2, 3):
            customer.record_order(customer_record(number, customer_city="santos"), order(number))
        cities = {known.customer_id: known.customer_city for known in customer.records().customers}
        assert cities == {"c001": "sao paulo", "c009": "sao paulo", "c002": "santos", "c003": "santos"}
        assert len(customer.records().customers) == 4


class TestRecordingReviews:
    def test_a_review_counts_in_the_mean(self):
        customer = registered()
        customer.record_review(review(score=4))
        customer.record_review(review(score=5))
        assert customer.derived(AS_OF)["average_review_score"] == 4.5

    def test_is_refused_for_an_order_that_is_not_the_persons(self):
        with pytest.raises(ValueError, match="review is of order_id o009"):
            registered().record_review(review(9))

    def test_the_first_stranger_is_named(self):
        with pytest.raises(ValueError, match="review is of order_id o009"):
            records(reviews=[review(1), review(9), review(8)])


class TestReassessing:
    def test_tells_that_a_customer_churned_once(self):
        customer = Customer.from_records(records())
        churned_on = FIRST.date() + timedelta(days=181)
        customer.reassess(churned_on - timedelta(days=1))
        assert customer.collect_events() == []
        for days in range(3):
            customer.reassess(churned_on + timedelta(days=days))
        [event] = customer.collect_events()
        assert event == CustomerChurned(
            occurred_at=FIRST + timedelta(days=181), customer_unique_id=PERSON, customer_segment="ONE_TIME"
        )

    def test_whoever_comes_back_may_churn_again(self):
        customer = Customer.from_records(records())
        customer.reassess(date(2018, 12, 1))
        customer.record_order(customer_record(400), order(400))
        customer.reassess(date(2020, 1, 1))
        assert names(customer.collect_events()) == ["CustomerChurned", "CustomerSegmentChanged", "CustomerChurned"]

    def test_tells_a_segment_that_is_not_the_published_one(self):
        six = [order(number) for number in range(1, 7)]
        customer = Customer(records(six), segment=CustomerSegment.ONE_TIME)
        assert customer.segment is CustomerSegment.ONE_TIME
        customer.reassess(AS_OF)
        customer.reassess(AS_OF)
        [event] = customer.collect_events()
        assert event == CustomerSegmentChanged(
            occurred_at=datetime(2018, 3, 1),
            customer_unique_id=PERSON,
            previous_segment="ONE_TIME",
            customer_segment="LOYAL",
        )

    def test_is_refused_on_a_day_before_the_last_order(self):
        with pytest.raises(RulesBroken, match="AS_OF_BEFORE_LAST_ORDER"):
            registered().reassess(FIRST.date() - timedelta(days=1))

    def test_says_nothing_of_whoever_never_ordered(self):
        customer = Customer.from_records(records([]))
        customer.reassess(date(2030, 1, 1))
        assert customer.collect_events() == []


class TestRecords:
    def test_give_themselves_back(self):
        assert Customer.from_records(records()).records() == records()

    def test_are_those_of_one_person(self):
        with pytest.raises(ValueError, match="not of 0"):
            CustomerRecords([])
        with pytest.raises(ValueError, match="not of 2"):
            CustomerRecords([customer_record(), customer_record(2, customer_unique_id="other")])

    def test_the_latest_customer_wins_ties_by_the_greatest_id(self):
        at_once = [order(number, order_purchase_timestamp=FIRST) for number in (1, 3, 2)]
        assert records(at_once).latest.customer_id == "c003"
        assert records([order(1), order(2)]).latest.customer_id == "c002"
        assert records([order(2), order(1)]).latest.customer_id == "c002"

    def test_a_customer_without_an_order_is_not_the_latest(self):
        customers = [customer_record(1), customer_record(9)]
        assert records([order(1)], customers).latest.customer_id == "c001"
        assert records([], customers).latest.customer_id == "c009"

    def test_add_up_the_history(self):
        lost = order(2, is_sale=False, revenue=Decimal("0.00"))
        derived = records([order(1), lost], reviews=[review(1, 5), review(2, 2)]).derived(AS_OF)
        assert derived["average_order_value"] == 100.0
        assert derived["average_review_score"] == 3.5
        assert derived["lifetime_days"] == 1
        assert derived["days_since_last_order"] == 57

    def test_scores_need_a_standing(self):
        assert records().derived(AS_OF)["rfm_score"] is None
        assert records().derived(AS_OF, Standing(5, 4, 1, 5))["rfm_score"] == 541

    def test_nothing_is_known_of_idleness_without_a_day_that_counts_as_today(self):
        assert records().facts().as_of.value is None
        assert records().segment() is CustomerSegment.ONE_TIME

    def test_tell_their_history_in_order(self):
        history = records([order(number) for number in range(1, 7)]).history(date(2019, 1, 1))
        assert names(history) == [
            "CustomerRegistered",
            "CustomerSegmentChanged",
            "CustomerSegmentChanged",
            "CustomerChurned",
        ]
        assert [event.occurred_at for event in history] == sorted(event.occurred_at for event in history)
        assert [event.customer_segment for event in history[1:]] == ["NEW", "LOYAL", "LOYAL"]


@given(
    st.lists(
        st.tuples(st.integers(0, 60), st.decimals(0, 400, places=2)),
        min_size=1,
        max_size=14,
    ),
    st.integers(0, 400),
)
def test_a_customer_who_grows_tells_what_its_records_tell(steps, idle_days):
    orders, at = [], FIRST
    for number, (days, revenue) in enumerate(steps, start=1):
        at += timedelta(days=days)
        orders.append(order(number, order_purchase_timestamp=at, revenue=revenue))
    as_of = at.date() + timedelta(days=idle_days)
    customer = Customer.register(customer_record(), orders[0])
    for number, placed in enumerate(orders[1:], start=2):
        customer.record_order(customer_record(number), placed)
    customer.reassess(as_of)
    assert customer.collect_events() == records(orders).history(as_of)
    assert customer.derived(as_of) == records(orders).derived(as_of)


class TestStandings:
    def people(self):
        """Four persons with orders, two of them alike, and one without."""
        for person, count, spent in [("b", 1, 50), ("a", 1, 50), ("d", 3, 10), ("c", 2, 500)]:
            orders = [order(number, revenue=Decimal(spent)) for number in range(1, count + 1)]
            customers = [customer_record(number, customer_unique_id=person) for number in range(1, count + 1)]
            yield CustomerRecords(customers, orders).facts(AS_OF)
        yield CustomerRecords([customer_record(customer_unique_id="e")]).facts(AS_OF)

    def test_ranks_persons_with_orders_and_breaks_ties_by_identity(self):
        assert standings(self.people()) == {
            "a": Standing(recency_rank=1, frequency_rank=1, monetary_rank=2, ranked_persons=4),
            "b": Standing(recency_rank=2, frequency_rank=2, monetary_rank=3, ranked_persons=4),
            "c": Standing(recency_rank=3, frequency_rank=3, monetary_rank=4, ranked_persons=4),
            "d": Standing(recency_rank=4, frequency_rank=4, monetary_rank=1, ranked_persons=4),
        }

    def test_nobody_ranks_among_nobody(self):
        assert standings([]) == {}


def test_not_found_names_the_person():
    assert "p1" in str(CustomerNotFoundError("p1"))
