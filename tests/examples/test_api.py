"""The service: orders come to be and change under the rules, and are there with their events or not at all."""

from concurrent.futures import ThreadPoolExecutor

import psycopg2
import pytest
from fastapi.testclient import TestClient

from examples.api.app import create_app
from examples.api.orders import Database
from olist_pipeline.stores import events as event_store
from olist_pipeline.stores.postgres import query, transaction
from tests.examples.conftest import ITEM, NOW, ORDER, PAYMENT

PROBLEM = "application/problem+json"
AT_WORK = 8


def recorded(url, order_id="o1"):
    found = event_store.find(url, aggregate_id=order_id, event_type=None, limit=99)
    return [(row["version"], row["event_type"]) for row in found]


def refused(answer, status=409):
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM)
    body = answer.json()
    assert body["status"] == status
    assert {"type", "title", "detail", "instance"} < set(body)
    return body


def codes(answer):
    return {one["code"] for one in refused(answer)["violations"]}


def test_an_order_from_its_placing_to_its_delivery(client, shop):
    placed = client.put("/orders/o1", json=ORDER)
    assert (placed.status_code, placed.json()["order"]["order_status"]) == (201, "created")
    paid = client.put("/orders/o1/payments/1", json=PAYMENT).json()
    assert (paid["total_amount"], paid["total_payment"]) == ("72.19", "72.19")
    for step in ("approval", "shipment", "delivery"):
        assert client.post(f"/orders/o1/{step}").status_code == 200
    view = client.get("/orders/o1").json()
    assert view["order"]["order_status"] == "delivered"
    assert view["order"]["order_delivered_customer_date"] == NOW.isoformat()
    names = ["OrderPlaced", "PaymentReceived", "OrderApproved", "OrderShipped", "OrderDelivered"]
    assert recorded(shop) == list(enumerate(names, start=1))


def test_every_broken_rule_is_a_part_of_the_problem_and_nothing_is_recorded(client, shop):
    assert codes(client.put("/orders/o1", json={**ORDER, "items": []})) == {"ORDER_WITHOUT_ITEMS"}
    spoiled = {**ITEM, "price": "-1.00"}
    assert codes(client.put("/orders/o1", json={**ORDER, "items": [spoiled]})) == {"NEGATIVE_AMOUNT"}
    client.put("/orders/o1", json=ORDER)
    assert "APPROVED_ORDER_PAYMENT_MISMATCH" in codes(client.post("/orders/o1/approval"))
    client.put("/orders/o1/payments/1", json=PAYMENT)
    for step in ("approval", "shipment", "delivery"):
        client.post(f"/orders/o1/{step}")
    before = recorded(shop)
    cancelled = client.post("/orders/o1/cancellation", json={"reason": "changed my mind"})
    assert codes(cancelled) == {"CANCELLED_AFTER_DELIVERY", "ORDER_TRANSITION_NOT_ALLOWED"}
    assert recorded(shop) == before


def test_what_is_sent_again_is_done_once(client, shop):
    assert [client.put("/orders/o1", json=ORDER).status_code for _ in range(2)] == [201, 200]
    assert [client.put("/orders/o1/payments/1", json=PAYMENT).status_code for _ in range(2)] == [200, 200]
    assert recorded(shop) == [(1, "OrderPlaced"), (2, "PaymentReceived")]
    refused(client.put("/orders/o1", json={**ORDER, "customer_id": "c2"}))
    refused(client.put("/orders/o1/payments/1", json={**PAYMENT, "payment_value": "1.00"}))
    assert len(recorded(shop)) == 2


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/orders/o1", {**ORDER, "customer_id": "a\x00b"}),
        ("PUT", "/orders/o1", {**ORDER, "items": [{**ITEM, "price": "1.005"}]}),
        ("PUT", "/orders/o1", {**ORDER, "items": [{**ITEM, "price": "NaN"}]}),
        ("PUT", "/orders/o1", {**ORDER, "items": [{**ITEM, "order_id": "o2"}]}),
        ("PUT", "/orders/o1", {**ORDER, "order_estimated_delivery_date": "2018-05-20T00:00:00Z"}),
        ("PUT", "/orders/a%20b", ORDER),
        ("PUT", "/orders/o1/payments/0", PAYMENT),
        ("PUT", "/orders/o1/payments/1", {**PAYMENT, "payment_installments": "two"}),
        ("POST", "/orders/o1/cancellation", {"reason": ""}),
    ],
)
def test_a_body_that_does_not_fit_is_refused_with_its_places(client, shop, method, path, body):
    assert refused(client.request(method, path, json=body), 422)["errors"]
    assert query(shop, "SELECT order_id FROM shop.orders") == []


def test_what_is_not_there_is_a_problem_too(client):
    assert refused(client.get("/orders/o9"), 404)["detail"] == "There is no order o9."
    refused(client.get("/customers"), 404)
    wrong = client.delete("/orders/o1")
    refused(wrong, 405)
    assert wrong.headers["allow"] in ("GET", "PUT")


def test_an_order_is_there_with_its_events_or_not_at_all(shop, client):
    """The store refuses the second event: the order stays as it was, too."""
    client.put("/orders/o1", json=ORDER)
    with Database(shop).orders() as orders:
        order = orders.get("o1")
        orders._versions["o1"] = 0  # as though nobody had read it
        order.cancel(at=NOW, reason="r")
        with pytest.raises(psycopg2.errors.UniqueViolation):
            orders.add(order)
    assert client.get("/orders/o1").json()["order"]["order_status"] == "created"
    assert recorded(shop) == [(1, "OrderPlaced")]


def test_an_order_of_another_writer_is_refused(shop, client):
    """Its events would be numbered twice."""
    client.put("/orders/o1", json=ORDER)
    with transaction(shop) as connection, connection.cursor() as cursor:
        cursor.execute("DELETE FROM shop.orders")  # now its events are somebody else's
    assert refused(client.put("/orders/o1", json=ORDER))["detail"] == "Order o1 has events of another writer."
    assert recorded(shop) == [(1, "OrderPlaced")]
    assert client.get("/orders/o1").status_code == 404


def test_many_who_pay_and_place_at_once_lose_and_double_nothing(client, shop):
    half = {**PAYMENT, "payment_type": "voucher", "payment_installments": 1, "payment_value": "1.00"}
    with ThreadPoolExecutor(AT_WORK) as pool:
        placed = list(pool.map(lambda _: client.put("/orders/o1", json=ORDER).status_code, range(AT_WORK)))
        paid = list(pool.map(lambda n: client.put(f"/orders/o1/payments/{n % 10 + 1}", json=half), range(20)))
    assert placed.count(201) == 1
    assert set(placed) <= {200, 201}
    assert {answer.status_code for answer in paid} == {200}
    assert client.get("/orders/o1").json()["total_payment"] == "10.00"
    assert [version for version, _ in recorded(shop)] == list(range(1, 12))


def test_an_event_has_the_id_that_the_pipeline_would_give_it(client, shop):
    client.put("/orders/o1", json=ORDER)
    [row] = query(
        shop,
        "SELECT event_id::text, md5(jsonb_build_array(context, event_type, aggregate_id, occurred_at, payload)::text)"
        "::uuid::text AS wanted, payload, occurred_at FROM event_store.domain_events",
    )
    assert row["event_id"] == row["wanted"]
    assert row["occurred_at"] == NOW
    assert row["payload"] == {"order_id": "o1", "customer_id": "c1", "total_items": 1, "total_amount": "72.19"}


def test_a_database_that_is_away_is_a_problem_and_the_service_goes_on_when_it_is_back(client, shop):
    client.put("/orders/o1", json=ORDER)
    own = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    query(shop, f"SELECT pg_terminate_backend(pid) {own}")
    answers = [client.get("/orders/o1") for _ in range(10)]
    assert {answer.status_code for answer in answers} == {200, 503}
    assert answers[-1].status_code == 200
    assert refused(next(answer for answer in answers if answer.status_code == 503), 503)["detail"]


def test_the_description_is_made_of_the_records():
    shapes = create_app("postgresql://nowhere").openapi()["components"]["schemas"]
    assert set(shapes["NewItem"]["required"]) == set(ITEM)
    assert set(shapes["NewPayment"]["required"]) == set(PAYMENT)
    assert "order_approved_at" in shapes["OrderRecord"]["properties"]
    assert set(shapes) >= {"Problem", "BrokenRule", "OrderView"}
    answers = create_app("postgresql://nowhere").openapi()["paths"]["/orders/{order_id}/approval"]["post"]["responses"]
    assert set(answers["409"]["content"]) == {PROBLEM}


def test_the_service_needs_no_right_to_create_where_its_table_is_there(client, shop):
    client.put("/orders/o1", json=ORDER)
    with TestClient(create_app(f"{shop}&options=-c%20default_transaction_read_only%3Don")) as other:
        assert other.get("/orders/o1").json() == client.get("/orders/o1").json()
