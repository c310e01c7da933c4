"""One definition: what objects say of every record is what frames say, in every context but sales (see there)."""

import json
from collections import defaultdict

import pytest

from olist_domain.customer.customer import CustomerRecords
from olist_domain.customer.facts import Standing, address_facts, purchase_facts
from olist_domain.customer.published import PublishedOrder as PastOrder
from olist_domain.customer.published import PublishedReview
from olist_domain.customer.records import CustomerRecord
from olist_domain.customer.rules import CUSTOMER_RULES, PURCHASE_RULES
from olist_domain.fulfillment.delivery import NOWHERE, DeliveryRecords, Endpoint
from olist_domain.fulfillment.geography import Geography
from olist_domain.fulfillment.published import PublishedOrder
from olist_domain.fulfillment.records import GeolocationRecord
from olist_domain.kernel.coordinates import GeoCoordinates
from olist_domain.kernel.rules import RulesBroken
from olist_domain.marketplace.category import Category
from olist_domain.marketplace.facts import review_facts
from olist_domain.marketplace.product import Product
from olist_domain.marketplace.records import CategoryRecord, ProductRecord, ReviewRecord, SellerRecord
from olist_domain.marketplace.review import Review
from olist_domain.marketplace.rules import REVIEW_RULES
from olist_domain.marketplace.seller import Seller
from tests.pipeline.contexts.worlds import codes, telling

PERSONS_A_SAMPLE = 24
"""Of persons with one order one in so many is looked at; of those with several, all."""


@pytest.fixture(params=["synthetic_set", pytest.param("real_set", marks=[pytest.mark.slow, pytest.mark.long])])
def validated(request):
    return request.getfixturevalue(request.param)


def record_of(kind, row):
    return kind.model_validate({name: row[name] for name in kind.model_fields})


def events_of(events):
    """Return what each aggregate's event rows say, by its id, in order."""
    by_id = defaultdict(list)
    for row in events.iter_rows(named=True):
        by_id[row["aggregate_id"]].append((row["event_type"], row["occurred_at"], json.loads(row["payload"])))
    return by_id


def said(history):
    return [(type(event).__name__, event.occurred_at, event.payload()) for event in history]


def flag_codes(violations):
    return [violation.code for violation in violations]


def equal(row, derived):
    return {name: row[name] for name in derived} == derived


def test_reviews(validated):
    rows = telling(validated.reviews.tables["order_reviews"].rows)
    events = events_of(validated.reviews.events)
    for row in rows.iter_rows(named=True):
        record = record_of(ReviewRecord, row)
        facts = review_facts(record, row["order_purchase_timestamp"], row["orders_of_review"])
        broken = REVIEW_RULES.violations(facts, "review")
        own = [code for code in codes(row["rejects"]) if code != "PARENT_REJECTED"]
        assert own == [v.code for v in broken if v.severity == "reject"]
        assert codes(row["flags"]) == [v.code for v in broken if v.severity == "flag"]
        assert equal(row, REVIEW_RULES.derived(facts))
        if not row["rejects"]:
            review = Review(record, row["order_purchase_timestamp"], row["orders_of_review"])
            assert all(event in events[record.review_id] for event in said(review.history()))


def test_sellers_products_and_categories(validated):
    events = events_of(validated.offers.events)
    for row in validated.offers.tables["sellers"].rows.iter_rows(named=True):
        record = record_of(SellerRecord, row)
        if row["rejects"]:
            with pytest.raises(RulesBroken) as refused:
                Seller(record, row["first_sold_at"])
            assert codes(row["rejects"]) == list(refused.value.codes)
            continue
        seller = Seller(record, row["first_sold_at"])
        assert equal(row, seller.derived())
        assert events[record.seller_id] == said(seller.history())
    names = {}
    for row in validated.offers.accepted("categories").iter_rows(named=True):
        category = Category(record_of(CategoryRecord, row))
        names[category.name] = category
    for row in validated.offers.tables["products"].rows.iter_rows(named=True):
        record = record_of(ProductRecord, row)
        product = Product(record, names.get(record.product_category_name), row["first_sold_at"])
        assert codes(row["flags"]) == flag_codes(product.flags)
        assert equal(row, product.derived())
        assert events[record.product_id] == said(product.history())


def test_persons(validated):
    customers, orders, reviews, rows = defaultdict(list), {}, defaultdict(list), {}
    purchases = {row["order_id"]: row for row in validated.customers.accepted("purchases").iter_rows(named=True)}
    for row in validated.customers.accepted("customers").iter_rows(named=True):
        customers[row["customer_unique_id"]].append(record_of(CustomerRecord, row))
        rows[row["customer_id"]] = row
    for row in validated.sales.accepted("orders").select(*PastOrder.model_fields).iter_rows(named=True):
        orders[row["customer_id"]] = PastOrder.model_validate(row)
    for row in validated.reviews.accepted("order_reviews").select("order_id", "review_score").iter_rows(named=True):
        reviews[row["order_id"]].append(PublishedReview.model_validate(row))
    events = events_of(validated.customers.events)
    ranks = ("recency_rank", "frequency_rank", "monetary_rank", "ranked_persons")
    looked_at = 0
    for number, row in enumerate(validated.customers.tables["persons"].rows.iter_rows(named=True)):
        own = customers[row["customer_unique_id"]]
        if len(own) == 1 and number % PERSONS_A_SAMPLE:
            continue
        looked_at += 1
        past = [orders[customer.customer_id] for customer in own if customer.customer_id in orders]
        records = CustomerRecords(own, past, [review for order in past for review in reviews[order.order_id]])
        standing = Standing(**{name: row[name] for name in ranks})
        latest = records.latest
        assert row["zip_code_prefix"] == latest.customer_zip_code_prefix
        assert (row["city"], row["state"]) == (latest.customer_city, latest.customer_state)
        assert equal(row, records.derived(validated.as_of, standing))
        for customer in own:
            assert equal(rows[customer.customer_id], CUSTOMER_RULES.derived(address_facts(customer)))
        for order in past:
            assert equal(purchases[order.order_id], PURCHASE_RULES.derived(purchase_facts(order, past)))
        assert row["total_orders"] == len(past)
        assert events[row["customer_unique_id"]] == said(records.history(validated.as_of))
    assert looked_at > 150


def test_deliveries(validated):
    places = {
        prefix: GeoCoordinates(*point)
        for prefix, *point in validated.geography.accepted("zip_prefixes")
        .select("zip_code_prefix", "latitude", "longitude")
        .iter_rows()
    }

    def end(state, prefix):
        return NOWHERE if state is None else Endpoint(state, places.get(prefix))

    events = events_of(validated.deliveries.events)
    for row in telling(validated.deliveries.tables["deliveries"].rows).iter_rows(named=True):
        seller = end(row["seller_state"], row["seller_zip_code_prefix"])
        customer = end(row["customer_state"], row["customer_zip_code_prefix"])
        records = DeliveryRecords(record_of(PublishedOrder, row), seller, customer)
        broken = records.violations()
        own = [code for code in codes(row["rejects"]) if code != "PARENT_REJECTED"]
        assert own == [v.code for v in broken if v.severity == "reject"]
        assert codes(row["flags"]) == [v.code for v in broken if v.severity == "flag"]
        assert equal(row, records.derived())
        if not row["rejects"]:
            assert events[row["order_id"]] == said(records.history())


def test_places(validated):
    places = {row["zip_code_prefix"]: row for row in validated.geography.accepted("zip_prefixes").iter_rows(named=True)}
    chosen = set(sorted(places)[:: max(1, len(places) // 400)])
    points = defaultdict(list)
    for row in validated.geography.accepted("geolocation").iter_rows(named=True):
        if row["geolocation_zip_code_prefix"] in chosen:
            points[row["geolocation_zip_code_prefix"]].append(record_of(GeolocationRecord, row))
    for prefix, own in points.items():
        place, row = Geography(own), places[prefix]
        assert (place.centre.latitude, place.centre.longitude) == (row["latitude"], row["longitude"])
        assert (place.city, place.state, place.region.value) == (row["city"], row["state"], row["region"])
        assert len(place.points) == row["points"]
