"""What the tests of the examples share: the service, without a network, and a shop that is empty."""

import os
from datetime import datetime
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from examples.api.app import create_app
from olist_pipeline.settings import PROJECT_DIR
from olist_pipeline.stores.postgres import transaction

NOW = datetime(2018, 5, 4, 9, 30)
AT_ONCE = 4
ITEM = {
    "product_id": "p1",
    "seller_id": "s1",
    "shipping_limit_date": "2018-05-08T00:00:00",
    "price": "58.90",
    "freight_value": "13.29",
}
ORDER = {"customer_id": "c1", "order_estimated_delivery_date": "2018-05-20T00:00:00", "items": [ITEM]}
PAYMENT = {"payment_type": "credit_card", "payment_installments": 2, "payment_value": "72.19"}


@pytest.fixture
def shop(database) -> str:
    """A server with an empty event store, and without the tables of the examples."""
    with transaction(database) as connection, connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA IF EXISTS shop, stream CASCADE")
    return database


@pytest.fixture
def client(shop):
    with TestClient(create_app(shop, clock=lambda: NOW, connections=AT_ONCE), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def program(shop) -> dict[str, str]:
    """The environment of a program over the shop."""
    return {
        "PATH": os.environ["PATH"],
        "OLIST_POSTGRES_URL": shop,
        "PYTHONPATH": str(PROJECT_DIR),
        "OLIST_HOME": str(Path("/nonexistent")),
    }
