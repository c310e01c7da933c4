"""Every rule of customers, on an object: a passing, a failing and an unknown case."""

from datetime import datetime
from typing import Any

import pytest

from olist_domain.customer.rules import CUSTOMER_RULES, PERSON_RULES, PURCHASE_RULES
from olist_domain.kernel.facts import scalars
from olist_domain.kernel.rules import Rulebook, Severity
from tests.domain.customer.test_derivations import PERSON

VALID: dict[Rulebook[Any], dict[str, Any]] = {
    CUSTOMER_RULES: {"customer_zip_code_prefix": "01037", "customer_state": "SP"},
    PURCHASE_RULES: {"order_purchase_timestamp": datetime(2018, 1, 2), "first_order_at": datetime(2018, 1, 2)},
    PERSON_RULES: PERSON,
}

# book, code, severity, changes that pass, changes that fail, changes that leave it unknown
CASES = [
    (
        CUSTOMER_RULES,
        "INVALID_STATE",
        Severity.REJECT,
        {"customer_state": "DF"},
        {"customer_state": "XX"},
        {"customer_state": None},
    ),
    (
        CUSTOMER_RULES,
        "INVALID_ZIP_PREFIX",
        Severity.REJECT,
        {"customer_zip_code_prefix": "99990"},
        {"customer_zip_code_prefix": "1037"},
        {"customer_zip_code_prefix": None},
    ),
]


def codes(book, changes):
    return [violation.code for violation in book.violations(scalars(book.facts, {**VALID[book], **changes}), "it")]


@pytest.mark.parametrize(("book", "code", "severity", "passing", "failing", "unknown"), CASES)
def test_rule(book, code, severity, passing, failing, unknown):
    assert next(rule.severity for rule in book.rules if rule.code == code) is severity
    assert code not in codes(book, passing)
    assert code in codes(book, failing)
    assert code not in codes(book, unknown)


def test_a_valid_customer_breaks_no_rule():
    assert codes(CUSTOMER_RULES, {}) == []


def test_persons_and_purchases_are_validated_by_their_customers():
    assert PERSON_RULES.rules == PURCHASE_RULES.rules == ()
