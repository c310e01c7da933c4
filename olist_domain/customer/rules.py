"""The rules of customers, each with its one definition, and the rulebooks of an order, its customer and a person.

What belongs here: business invariants. What does not: structure (missing or unparseable cells, duplicate
keys), which intake validates before a record exists.
"""

from __future__ import annotations

from olist_domain.customer.derivations import CUSTOMER_DERIVATIONS, PERSON_DERIVATIONS, PURCHASE_DERIVATIONS
from olist_domain.customer.facts import AddressFacts, PersonFacts, PurchaseFacts
from olist_domain.kernel.address import is_state, is_zip_prefix
from olist_domain.kernel.facts import Fact
from olist_domain.kernel.rules import Rulebook, Severity, rule


@rule("INVALID_STATE", Severity.REJECT, replaces=("stg_customers.customer_state",))
def has_state(customer: AddressFacts) -> Fact[bool]:
    """The state of a customer is a state of Brazil."""
    return is_state(customer.customer_state)


@rule("INVALID_ZIP_PREFIX", Severity.REJECT, replaces=("stg_customers.customer_zip_code_prefix",))
def has_zip_prefix(customer: AddressFacts) -> Fact[bool]:
    """The zip prefix of a customer is five digits."""
    return is_zip_prefix(customer.customer_zip_code_prefix)


CUSTOMER_RULES = Rulebook(
    context="customer",
    subject="customer",
    table="customers",
    facts=AddressFacts,
    rules=(has_state, has_zip_prefix),
    derivations=CUSTOMER_DERIVATIONS,
)

PURCHASE_RULES = Rulebook(
    context="customer",
    subject="purchase",
    table="purchases",
    facts=PurchaseFacts,
    rules=(),
    derivations=PURCHASE_DERIVATIONS,
)

PERSON_RULES = Rulebook(
    context="customer",
    subject="person",
    table="persons",
    facts=PersonFacts,
    rules=(),
    derivations=PERSON_DERIVATIONS,
)
