"""Records of customers for tests: a valid person, of whom a test changes what it is about."""

from datetime import date, datetime, timedelta
from decimal import Decimal

from olist_domain.customer.customer import CustomerRecords
from olist_domain.customer.published import PublishedOrder, PublishedReview
from olist_domain.customer.records import CustomerRecord
from tests.domain.fresh import fresh_cells

PERSON = "861eff4711a542e4b93843c6dd7febb0"
FIRST = datetime(2018, 1, 2, 10, 30)
AS_OF = date(2018, 3, 1)


def customer_record(number=1, **changes):
    valid = {
        "customer_id": f"c{number:03}",
        "customer_unique_id": PERSON,
        "customer_zip_code_prefix": "01037",
        "customer_city": "sao paulo",
        "customer_state": "SP",
    }
    return CustomerRecord(**fresh_cells({**valid, **changes}))


def order(number=1, **changes):
    """The order of customer `number`, placed so many days after the first."""
    valid = {
        "order_id": f"o{number:03}",
        "customer_id": f"c{number:03}",
        "order_purchase_timestamp": FIRST + timedelta(days=number - 1),
        "is_sale": True,
        "revenue": Decimal("100.00"),
    }
    return PublishedOrder(**fresh_cells({**valid, **changes}))


def review(number=1, score=5):
    return PublishedReview(order_id=f"o{number:03}", review_score=score)


def records(orders=None, customers=None, reviews=()):
    """The records of a person with these orders, each with a customer of its own."""
    orders = [order()] if orders is None else orders
    numbers = [int(placed.customer_id.removeprefix("c")) for placed in orders]
    return CustomerRecords(customers or [customer_record(number) for number in numbers or [1]], orders, reviews)
