"""Repositories over staging: one aggregate by its id, as frames have it."""

from datetime import date, datetime

import polars as pl
import pytest

from olist_domain.customer.repositories import CustomerNotFoundError
from olist_domain.fulfillment.repositories import DeliveryNotFoundError
from olist_domain.kernel.rules import RulesBroken
from olist_domain.marketplace.repositories import NotOnMarketplaceError
from olist_domain.sales.repositories import OrderNotFoundError
from olist_pipeline.contexts.customer.repository import StagedCustomers
from olist_pipeline.contexts.fulfillment.repository import StagedDeliveries, StagedGeographies
from olist_pipeline.contexts.marketplace.repository import (
    StagedCategories,
    StagedProducts,
    StagedReviews,
    StagedSellers,
)
from olist_pipeline.contexts.sales.repository import StagedOrders
from olist_pipeline.errors import OlistError
from olist_pipeline.staging import write_months, write_snapshot
from tests.pipeline.contexts.worlds import MONTHS

SAMPLE = 40


def tables(validated):
    steps = (
        validated.sales,
        validated.reviews,
        validated.offers,
        validated.customers,
        validated.geography,
        validated.deliveries,
    )
    return [one for step in steps for one in step.tables.values()]


def frame(validated, context, table):
    [found] = [one for one in tables(validated) if (one.table.context, one.table.name) == (context, table)]
    return found.accepted()


@pytest.fixture(scope="module")
def staging(synthetic_set, tmp_path_factory):
    folder = tmp_path_factory.mktemp("staging")
    for one in tables(synthetic_set):
        if one.table.is_monthly:
            write_months(one.accepted(), folder, one.table.context, one.table.name, list(MONTHS))
        else:
            write_snapshot(one.accepted(), folder, one.table.context, one.table.name)
    return folder


def sample(rows):
    return rows.sample(SAMPLE, seed=1).iter_rows(named=True)


def assert_derived(row, derived):
    assert {name: row[name] for name in derived} == derived


def test_orders(staging, synthetic_set):
    orders = StagedOrders(staging)
    for row in sample(frame(synthetic_set, "sales", "orders")):
        order = orders.get(row["order_id"])
        assert (len(order.items), len(order.payments)) == (row["total_items"], row["total_payments"])
        assert_derived(row, order.derived())
    with pytest.raises(OrderNotFoundError, match="no-such-order"):
        orders.get("no-such-order")


def test_an_order_that_was_added_is_found_as_it_stands(staging, synthetic_set):
    orders = StagedOrders(staging)
    shipped = frame(synthetic_set, "sales", "orders").filter(pl.col("order_status") == "shipped")["order_id"][0]
    order = orders.get(shipped)
    order.mark_delivered(at=order.records().order.order_estimated_delivery_date)
    assert orders.get(shipped).status.value == "shipped", "nobody kept it yet"
    orders.add(order)
    assert orders.get(shipped).status.value == "delivered"
    assert StagedOrders(staging).get(shipped).status.value == "shipped", "staging belongs to validation"


def test_persons(staging, synthetic_set):
    customers = StagedCustomers(staging)
    ranked = {"recency_score", "frequency_score", "monetary_score", "rfm_score", "rfm_segment"}
    persons = frame(synthetic_set, "customer", "persons").sort("total_orders", descending=True).head(300)
    for row in sample(persons):
        customer = customers.get(row["customer_unique_id"])
        assert len(customer.orders) == row["total_orders"]
        derived = customer.derived(synthetic_set.as_of)
        assert_derived(row, {name: value for name, value in derived.items() if name not in ranked})
    with pytest.raises(CustomerNotFoundError):
        customers.get("nobody")


def test_offers(staging, synthetic_set):
    sellers, products, categories = StagedSellers(staging), StagedProducts(staging), StagedCategories(staging)
    for row in sample(frame(synthetic_set, "marketplace", "sellers")):
        assert_derived(row, sellers.get(row["seller_id"]).derived())
    for row in sample(frame(synthetic_set, "marketplace", "products")):
        product = products.get(row["product_id"])
        assert_derived(row, product.derived())
        assert [flag.code for flag in product.flags] == row["flags"]
    [name, english] = frame(synthetic_set, "marketplace", "categories").row(0)[:2]
    assert categories.get(name).english_name == english
    for repository in (sellers, products, categories):
        with pytest.raises(NotOnMarketplaceError):
            repository.get("nothing")


def test_reviews(staging, synthetic_set):
    reviews = StagedReviews(staging)
    for row in sample(frame(synthetic_set, "marketplace", "order_reviews")):
        found = {review.review_id: review for review in reviews.of_order(row["order_id"])}
        review = found[row["review_id"]]
        assert_derived(row, review.derived())
        assert [flag.code for flag in review.flags] == row["flags"]
    assert list(reviews.of_order("nobody")) == []


def test_deliveries_and_places(staging, synthetic_set):
    deliveries, places = StagedDeliveries(staging), StagedGeographies(staging)
    for row in sample(frame(synthetic_set, "fulfillment", "deliveries")):
        delivery = deliveries.get(row["order_id"])
        assert_derived(row, delivery.derived())
        assert [flag.code for flag in delivery.flags] == row["flags"]
    for row in sample(frame(synthetic_set, "fulfillment", "zip_prefixes")):
        place = places.find(row["zip_code_prefix"])
        assert place is not None
        assert (place.centre.latitude, place.city) == (row["latitude"], row["city"])
    assert places.find("00000") is None
    with pytest.raises(DeliveryNotFoundError):
        deliveries.get("nobody")


def test_a_behaviour_is_refused_on_what_was_loaded(staging, synthetic_set):
    delivered = frame(synthetic_set, "fulfillment", "deliveries").filter(pl.col("is_delivered"))["order_id"][0]
    delivery = StagedDeliveries(staging).get(delivered)
    with pytest.raises(RulesBroken, match="DELIVERY_ALREADY_COMPLETED"):
        delivery.complete(at=datetime(2018, 1, 1))


def test_staging_that_is_not_there_is_one_sentence(tmp_path):
    with pytest.raises(OlistError, match="Staging of sales/orders is empty"):
        StagedOrders(tmp_path).get("o1")


def test_the_day_that_counts_is_the_callers(staging, synthetic_set):
    one = frame(synthetic_set, "customer", "persons").filter(pl.col("total_orders") > 0)["customer_unique_id"][0]
    assert StagedCustomers(staging).get(one).derived(as_of=date(2030, 1, 1))["is_churned"] is True
