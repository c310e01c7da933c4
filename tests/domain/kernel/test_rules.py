"""The framework of rules: definition, outcome on one object, roll-ups."""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pytest

from olist_domain.kernel.facts import Fact, Scalar, scalars
from olist_domain.kernel.rules import (
    Aggregation,
    Rollup,
    Rule,
    Rulebook,
    RulesBroken,
    Severity,
    Violation,
    derivation,
    rule,
)


@dataclass(frozen=True, eq=False)
class BoxFacts:
    weight: Fact[int]


@rule("BOX_TOO_HEAVY", Severity.REJECT, replaces=("stg_boxes.weight",))
def is_light(box: BoxFacts) -> Fact[bool]:
    """A box weighs at most 30.

    Anything heavier goes by lorry.
    """
    return box.weight <= 30


@rule("BOX_LIGHT", Severity.FLAG)
def is_worth_it(box: BoxFacts) -> Fact[bool]:
    """A box weighs something."""
    return box.weight > 0


@derivation()
def is_parcel(box: BoxFacts) -> Fact[bool]:
    """Whether the box is a parcel."""
    return box.weight > 1


BOOK = Rulebook("boxes", "box", "boxes", BoxFacts, (is_light, is_worth_it), (is_parcel,))


def box(weight):
    return scalars(BoxFacts, {"weight": weight})


def test_a_rule_takes_its_statement_from_the_first_line_of_its_docstring():
    assert is_light.statement == "A box weighs at most 30."
    assert is_light.code == "BOX_TOO_HEAVY"
    assert is_light.replaces == ("stg_boxes.weight",)


@pytest.mark.parametrize(("weight", "codes"), [(30, []), (31, ["BOX_TOO_HEAVY"]), (None, [])])
def test_a_rule_is_broken_only_where_it_is_definitely_false(weight, codes):
    assert [violation.code for violation in BOOK.violations(box(weight), "box 1")] == codes


def test_a_violation_says_which_subject_broke_which_rule():
    [violation] = BOOK.violations(box(31), "box 1")
    assert str(violation) == "box 1: BOX_TOO_HEAVY: A box weighs at most 30."


@pytest.mark.parametrize(("weight", "expected"), [(2, True), (1, False), (None, None)])
def test_derived_attributes_go_by_the_name_of_their_function(weight, expected):
    assert BOOK.derived(box(weight)) == {"is_parcel": expected}


def as_rule(**changed: Any) -> Rule[BoxFacts]:
    return replace(is_light, **changed)


def as_book(**changed: Any) -> Rulebook[BoxFacts]:
    return replace(BOOK, **changed)


@pytest.mark.parametrize(
    ("made", "changed", "said"),
    [
        (as_rule, {"code": "too heavy"}, "'too heavy' needs a code of capital letters"),
        (as_rule, {"code": "Heavy"}, "'Heavy' needs a code of capital letters"),
        (as_rule, {"severity": "flag"}, "BOX_TOO_HEAVY needs Severity.REJECT or Severity.FLAG, not 'flag'"),
        (as_rule, {"replaces": "boxes.weight"}, r"BOX_TOO_HEAVY needs a tuple .*replaces=\('boxes.weight',\)"),
        (as_book, {"rules": is_light}, "rulebook of boxes .boxes. needs a tuple of rules; one alone has a comma"),
        (as_book, {"rules": (box,)}, "holds 'box', which is no rule; decorate it: @rule"),
        (as_book, {"derivations": (is_light,)}, "holds 'BOX_TOO_HEAVY', which is no derivation"),
        (as_book, {"facts": Severity}, "rulebook of boxes .boxes. needs facts that are a dataclass, and Severity is"),
        (as_book, {"facts": "BoxFacts"}, "and 'BoxFacts' is none"),
        (as_book, {"rules": (is_light, as_rule(severity=Severity.FLAG))}, "has BOX_TOO_HEAVY twice"),
    ],
)
def test_what_is_written_wrongly_is_said_where_it_is_declared(made, changed, said):
    with pytest.raises(TypeError, match=said):
        made(**changed)


@pytest.mark.parametrize("answer", [None, True])
def test_a_function_that_returns_no_fact_is_named(answer):
    with pytest.raises(TypeError, match=f"BOX_TOO_HEAVY returns {answer}, and not a fact"):
        as_rule(holds=lambda _: answer).broken(box(1))
    with pytest.raises(TypeError, match=f"is_parcel returns {answer}, and not a fact"):
        replace(is_parcel, compute=lambda _: answer)(box(1))


def test_rules_broken_carries_every_violation():
    broken = RulesBroken([Violation(code, Severity.REJECT, "So.", "box 1") for code in ("A", "B")])
    assert broken.codes == ("A", "B")
    assert str(broken) == "box 1: A: So.; box 1: B: So."


@pytest.mark.parametrize(
    ("aggregation", "empty", "expected"),
    [(Aggregation.COUNT, 0, 3), (Aggregation.DISTINCT, 0, 2), (Aggregation.SUM, Decimal("0.00"), Decimal("5.00"))],
)
def test_a_rollup_aggregates_the_known_values_of_the_parts(aggregation, empty, expected):
    rollup: Rollup[Any] = Rollup("total", aggregation, lambda part: part.weight, empty)
    parts = [box(Decimal("1.00")), box(Decimal("2.00")), box(None), box(Decimal("2.00"))]
    assert rollup.over(parts) == expected
    assert rollup.over([]) == empty


def test_a_rule_without_a_statement_cannot_be_defined():
    with pytest.raises(TypeError, match="needs a docstring"):

        @rule("NO_STATEMENT", Severity.FLAG)
        def silent(box):
            return Scalar(True)


@pytest.mark.parametrize("value", [1, "yes"])
def test_a_rule_that_says_neither_true_nor_false_is_refused_by_name(value):
    with pytest.raises(TypeError, match=rf"BOX_TOO_HEAVY returns Scalar\({value!r}\), and not true, false or unknown"):
        as_rule(holds=lambda _: Scalar(value)).broken(box(1))
