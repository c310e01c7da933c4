"""Every rule of every rulebook by every way in: a flag keeps no record out, and no behaviour causes one.

The ways stand in `ways_in` of each context's tests. A rulebook without a way and a rule that no behaviour is
tried against fail here.
"""

from importlib import import_module

import pytest

from olist_domain.kernel.aggregate import Aggregate
from olist_domain.kernel.facts import Scalar
from olist_domain.kernel.rules import Rule, RulesBroken, Severity
from tests.domain.rulebooks import one_more
from tests.domain.test_every_rule import BOOKS, CONTEXTS, RULES, examples_of

WAYS = {context: import_module(f"tests.domain.{context}.ways_in") for context in CONTEXTS}
ACCEPTED = [
    pytest.param(book, make, id=f"{book.context}-{book.subject}-{number}")
    for book in BOOKS
    for number, make in enumerate(WAYS[book.context].ACCEPTED[book])
]


def always_broken(severity):
    return Rule("ALWAYS_BROKEN", severity, "Nothing keeps this rule.", lambda facts: Scalar(False))


def codes(violations):
    return [violation.code for violation in violations]


def read_all(accepted):
    """Read everything that an object tells of itself."""
    for name in dir(type(accepted)):
        if isinstance(getattr(type(accepted), name), property):
            getattr(accepted, name)
    accepted.derived()
    (accepted.records() if isinstance(accepted, Aggregate) else accepted).history()


@pytest.mark.parametrize(("book", "rule"), RULES)
def test_records_that_break_a_flag_are_held_and_those_that_break_a_reject_are_refused(book, rule):
    for make in WAYS[book.context].ACCEPTED[book]:
        for _, failing, _ in examples_of(book, rule):
            if rule.severity is Severity.FLAG:
                accepted = make(**failing)
                assert rule.code in codes(accepted.flags)
                read_all(accepted)
            else:
                with pytest.raises(RulesBroken) as refused:
                    make(**failing)
                assert rule.code in refused.value.codes
                assert all(violation.severity is Severity.REJECT for violation in refused.value.violations)


@pytest.mark.parametrize(("book", "rule"), RULES)
def test_no_behaviour_breaks_a_rule_rejecting_or_flagging(book, rule):
    ways = WAYS[book.context]
    causes = list(ways.CAUSED.get(rule.code, []) if book not in ways.BEHAVIOURS else [])
    for _, failing, _ in examples_of(book, rule):
        causes += [lambda behave=behave, failing=failing: behave(**failing) for behave in ways.BEHAVIOURS.get(book, [])]
    assert causes or rule.code in ways.OUT_OF_REACH, (
        f"no behaviour is tried against {rule.code}: put one that would break it into CAUSED of"
        f" tests/domain/{book.context}/ways_in.py, or into OUT_OF_REACH why there is none"
    )
    for cause in causes:
        with pytest.raises(RulesBroken) as refused:
            cause()
        assert rule.code in refused.value.codes


@pytest.mark.parametrize(("book", "make"), ACCEPTED)
def test_a_new_flag_keeps_nothing_out_and_a_new_reject_keeps_everything_out(book, make):
    with one_more(book, always_broken(Severity.FLAG)) as code:
        accepted = make()
        assert code in codes(accepted.flags)
        read_all(accepted)
    with one_more(book, always_broken(Severity.REJECT)) as code, pytest.raises(RulesBroken, match=code):
        make()


@pytest.mark.parametrize("severity", Severity)
@pytest.mark.parametrize(
    "book", [book for book in BOOKS if book in WAYS[book.context].BEHAVIOURS], ids=lambda b: b.subject
)
def test_no_behaviour_breaks_a_new_rule(book, severity):
    for behave in WAYS[book.context].BEHAVIOURS[book]:
        with one_more(book, always_broken(severity)) as code, pytest.raises(RulesBroken, match=code):
            behave()
