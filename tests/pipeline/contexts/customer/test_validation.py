"""The customer step: what becomes of customers, and the persons that they are."""

from datetime import date
from decimal import Decimal

import polars as pl
import pytest

from olist_pipeline.contexts.customer.validation import validate_customers
from tests.pipeline.contexts.worlds import SMALL, quarantined_by_rule, rejected, validate_small


def person(validated, name):
    [row] = validated.customers.accepted("persons").filter(pl.col("customer_unique_id") == name).to_dicts()
    return row


def test_a_person_has_all_orders_and_the_address_of_the_latest(tmp_path):
    one = person(validate_small(tmp_path), "person1")
    assert (one["total_orders"], one["total_spent"], one["average_review_score"]) == (2, Decimal("98.00"), 3.0)
    assert (one["zip_code_prefix"], one["state"], one["region"]) == ("20001", "RJ", "Southeast")
    assert (one["cohort_month"], one["has_returned"], one["customer_segment"]) == (date(2017, 10, 1), True, "NEW")
    assert (one["recency_score"], one["rfm_score"]) == (1, 111)


def test_a_person_whose_orders_were_all_rejected_stays_without_them(tmp_path):
    one = person(validate_small(tmp_path), "person2")
    assert (one["total_orders"], one["total_spent"], one["customer_segment"]) == (0, Decimal("0.00"), "NEW")
    assert [one[name] for name in ("last_order_at", "rfm_score", "rfm_segment", "is_churned")] == [None] * 4
    assert one["has_returned"] is False


def test_without_orders_the_address_is_that_of_the_greatest_customer_id(tmp_path):
    customers = [*SMALL["customers"], "c9,person2,20001,rio de janeiro,RJ"]
    assert person(validate_small(tmp_path, customers=customers), "person2")["state"] == "RJ"


def test_a_customer_of_a_bad_address_is_rejected_and_its_person_lacks_that_order(tmp_path):
    customers = [SMALL["customers"][0], "c2,person1,2000,rio de janeiro,ZZ", SMALL["customers"][2]]
    validated = validate_small(tmp_path, customers=customers)
    assert rejected(validated.customers, "customers") == {2: "INVALID_STATE,INVALID_ZIP_PREFIX"}
    assert person(validated, "person1")["total_orders"] == 1


def test_each_order_of_a_customer_whom_two_name_is_a_purchase_of_its_own(tmp_path):
    orders = [row.replace("o2,c2", "o2,c1") for row in SMALL["orders"]]
    validated = validate_small(tmp_path, orders=orders)
    customers = validated.customers.accepted("customers").sort("customer_id")
    assert customers["customer_id"].to_list() == ["c1", "c2", "c3"]
    purchases = validated.customers.accepted("purchases").select("order_id", "customer_unique_id", "is_repeat")
    assert purchases.rows() == [("o1", "person1", False), ("o2", "person1", True)]
    assert person(validated, "person1")["total_orders"] == 2


def test_a_purchase_is_an_accepted_order_of_an_accepted_customer(tmp_path):
    customers = [SMALL["customers"][0], "c2,person1,2000,rio de janeiro,ZZ", SMALL["customers"][2]]
    purchases = validate_small(tmp_path, customers=customers).customers.accepted("purchases")
    assert purchases["order_id"].to_list() == ["o1"]


@pytest.mark.parametrize(("day", "churned"), [(date(2018, 7, 4), False), (date(2018, 7, 5), True)])
def test_a_person_is_gone_after_more_than_180_days(tmp_path, day, churned):
    validated = validate_small(tmp_path)
    again = validate_customers(
        validated.intake["customers"].lazy(),
        validated.sales.accepted("orders").lazy(),
        validated.reviews.accepted("order_reviews").lazy().select("order_id", "review_score"),
        day,
    )
    one = again.accepted("persons").filter(pl.col("customer_unique_id") == "person1")
    assert one["is_churned"].to_list() == [churned]
    assert ("CustomerChurned" in again.events["event_type"].to_list()) is churned


def test_events_tell_a_person_in_order(tmp_path):
    events = validate_small(tmp_path).customers.events.filter(pl.col("aggregate_id") == "person1")
    assert events["event_type"].to_list() == ["CustomerRegistered", "CustomerSegmentChanged"]


def test_equal_values_are_ranked_by_the_person(tmp_path):
    numbers = range(7)
    validated = validate_small(
        tmp_path,
        orders=[SMALL["orders"][0].replace("o1,c1", f"o{n},c{n}") for n in numbers],
        order_items=[SMALL["order_items"][0].replace("o1", f"o{n}") for n in numbers],
        order_payments=[SMALL["order_payments"][0].replace("o1", f"o{n}") for n in numbers],
        order_reviews=[],
        customers=[f"c{n},person{6 - n},01001,sao paulo,SP" for n in numbers],
    )
    persons = validated.customers.accepted("persons").sort("customer_unique_id")
    assert persons["recency_score"].to_list() == [1, 1, 2, 2, 3, 4, 5], "as NTILE(5) deals seven"
    assert persons["monetary_score"].to_list() == persons["recency_score"].to_list()


def test_the_real_set_is_split_as_known(real_set):
    assert real_set.as_of == date(2018, 10, 17)
    assert real_set.customers.accepted("customers").height == 99_441
    assert quarantined_by_rule(real_set.customers) == {}
    persons = real_set.customers.accepted("persons")
    assert persons.height == 96_096
    assert (persons["total_orders"] == 0).sum() == 676
    assert real_set.customers.events["event_type"].value_counts().sort("event_type").rows() == [
        ("CustomerChurned", 67_615),
        ("CustomerRegistered", 95_420),
        ("CustomerSegmentChanged", 2_923),
    ]
