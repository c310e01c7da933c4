"""Every rule of customers, on an object: a passing, a failing and an unknown case."""

from datetime import datetime
from typing import Any

from olist_domain.customer.rules import CUSTOMER_RULES, PERSON_RULES, PURCHASE_RULES
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


def test_persons_and_purchases_are_validated_by_their_customers():
    assert PERSON_RULES.rules == ()
    assert PURCHASE_RULES.rules == ()
