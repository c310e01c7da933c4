"""The ways by which customers come in: from records, and by placing an order."""

from olist_domain.customer.customer import Customer
from olist_domain.customer.rules import CUSTOMER_RULES, PERSON_RULES
from tests.domain.customer.factories import customer_record, order, records
from tests.domain.rulebooks import Behaviours, Causes, Reasons


def customer(**changes):
    return Customer.from_records(records(customers=[customer_record(**changes)]))


ACCEPTED: Behaviours = {CUSTOMER_RULES: [customer], PERSON_RULES: [customer]}

BEHAVIOURS: Behaviours = {
    CUSTOMER_RULES: [
        lambda **changes: Customer.register(customer_record(**changes), order()),
        lambda **changes: customer().record_order(customer_record(2, **changes), order(2)),
    ]
}

CAUSED: Causes = {}

OUT_OF_REACH: Reasons = {}
