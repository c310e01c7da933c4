"""The rules of customers, each with its one definition, and the rulebooks of an order's customer and a person.

What belongs here: business invariants. What does not: structure (missing or unparseable cells, duplicate
keys), which intake judges before a record exists.
"""

from __future__ import annotations

from olist_domain.customer.derivations import (
    average_order_value,
    average_review_score,
    cohort_month,
    customer_region,
    customer_segment,
    days_since_last_order,
    frequency_score,
    has_returned,
    is_churned,
    is_repeat,
    lifetime_days,
    lifetime_value_tier,
    monetary_score,
    person_region,
    recency_score,
    rfm_score,
    rfm_segment,
    satisfaction_tier,
)
from olist_domain.customer.facts import AddressFacts, PersonFacts
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
    derivations=(customer_region, is_repeat),
)

PERSON_RULES = Rulebook(
    context="customer",
    subject="person",
    table="persons",
    facts=PersonFacts,
    rules=(),
    derivations=(
        person_region,
        average_order_value,
        average_review_score,
        days_since_last_order,
        lifetime_days,
        cohort_month,
        has_returned,
        customer_segment,
        satisfaction_tier,
        recency_score,
        frequency_score,
        monetary_score,
        rfm_score,
        rfm_segment,
        is_churned,
        lifetime_value_tier,
    ),
)
