"""The ways by which customers come in: from records, and by placing an order."""

from olist_domain.customer.customer import Customer
from olist_domain.customer.rules import CUSTOMER_RULES, PERSON_RULES, PURCHASE_RULES
from tests.domain.customer.factories import customer_record, order, records
from tests.domain.rulebooks import Behaviours, Causes, Reasons


def customer(**changes):
    return Customer.from_records(records(customers=[customer_record(**changes)]))


def customer_with_an_order(**changes):
    return Customer.from_records(records(customers=[customer_record()], orders=[order(**changes)]))


ORDERING = [
    lambda **changes: Customer.register(customer_record(**changes), order()),
    lambda **changes: customer().record_order(customer_record(2, **changes), order(2)),
]

ACCEPTED: Behaviours = {
    CUSTOMER_RULES: [customer],
    PURCHASE_RULES: [customer_with_an_order],
    PERSON_RULES: [customer],
}

BEHAVIOURS: Behaviours = {CUSTOMER_RULES: ORDERING, PURCHASE_RULES: ORDERING}

CAUSED: Causes = {}

OUT_OF_REACH: Reasons = {}
