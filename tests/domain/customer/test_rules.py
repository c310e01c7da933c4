"""Every rule of customers, on an object: a passing, a failing and an unknown case."""

import pytest

from olist_domain.customer.rules import CUSTOMER_RULES, PERSON_RULES
from olist_domain.kernel.facts import scalars
from olist_domain.kernel.rules import Severity

SOUND = {"customer_zip_code_prefix": "01037", "customer_state": "SP"}

# code, severity, changes that pass, changes that fail, changes that leave it unknown
CASES = [
    (
        "INVALID_STATE",
        Severity.REJECT,
        {"customer_state": "DF"},
        {"customer_state": "XX"},
        {"customer_state": None},
    ),
    (
        "INVALID_ZIP_PREFIX",
        Severity.REJECT,
        {"customer_zip_code_prefix": "99990"},
        {"customer_zip_code_prefix": "1037"},
        {"customer_zip_code_prefix": None},
    ),
]


def codes(changes):
    facts = scalars(CUSTOMER_RULES.facts, {**SOUND, **changes})
    return [violation.code for violation in CUSTOMER_RULES.violations(facts, "it")]


@pytest.mark.parametrize(("code", "severity", "passing", "failing", "unknown"), CASES)
def test_rule(code, severity, passing, failing, unknown):
    assert next(rule.severity for rule in CUSTOMER_RULES.rules if rule.code == code) is severity
    assert code not in codes(passing)
    assert code in codes(failing)
    assert code not in codes(unknown)


def test_a_sound_customer_breaks_no_rule():
    assert codes({}) == []


def test_every_rule_has_a_case():
    assert {rule.code for rule in CUSTOMER_RULES.rules} == {code for code, *_ in CASES}


def test_a_person_is_judged_by_its_customers():
    assert PERSON_RULES.rules == ()
