"""Every rule of every rulebook, on objects: it holds, it is broken, and what is unknown passes.

The examples stand with the tests of each context (`CASES` and `VALID` of its `test_rules`). A rule without
examples fails here.
"""

import pkgutil
from dataclasses import is_dataclass
from importlib import import_module
from typing import get_args, get_type_hints

import pytest

import olist_domain
from olist_domain.kernel.facts import scalars
from olist_domain.kernel.rules import Derivation, Rollup, Rule, Rulebook
from tests.domain.fresh import fresh_cells

CONTEXTS = [module.name for module in pkgutil.iter_modules(olist_domain.__path__) if module.name != "kernel"]
BOOKS = [
    book
    for context in CONTEXTS
    for book in vars(import_module(f"olist_domain.{context}.rules")).values()
    if isinstance(book, Rulebook)
]
MODULES = [import_module(found.name) for found in pkgutil.walk_packages(olist_domain.__path__, "olist_domain.")]
DEFINED = [one for module in MODULES for one in vars(module).values()]
ROLLUPS = dict.fromkeys(
    rollup for many in DEFINED if isinstance(many, tuple) for rollup in many if isinstance(rollup, Rollup)
)
FACTS = dict.fromkeys(
    kind for kind in DEFINED if isinstance(kind, type) and is_dataclass(kind) and kind.__name__.endswith("Facts")
)
EXAMPLES = {context: import_module(f"tests.domain.{context}.test_rules") for context in CONTEXTS}
RULES = [
    pytest.param(book, rule, id=f"{book.context}-{book.subject}-{rule.code}") for book in BOOKS for rule in book.rules
]


def examples_of(book, rule):
    """Return the changes to a valid subject that pass, fail and leave the rule unknown, one triple an example."""
    return [changes for of, code, _, *changes in EXAMPLES[book.context].CASES if of is book and code == rule.code]


def validated(book, rule, changes):
    """Return what the rule says of a valid subject with `changes`, and whether it is broken."""
    facts = scalars(book.facts, fresh_cells({**EXAMPLES[book.context].VALID[book], **changes}))
    held, broken = rule.holds(facts).value, rule.broken(facts).value
    assert type(held) in (bool, type(None)), "a number is no truth value on a frame"
    assert type(broken) is bool
    assert (rule.code in codes(book, facts)) is broken
    return held, broken


def codes(book, facts):
    return [violation.code for violation in book.violations(facts, "it")]


def test_every_rule_and_derivation_is_in_a_rulebook():
    """Nothing runs one that is not: neither staging nor quarantine would ever know of it."""
    run = {one for book in BOOKS for one in (*book.rules, *book.derivations)}
    written = [one for one in DEFINED if isinstance(one, Rule | Derivation)]
    functions = [one.holds if isinstance(one, Rule) else one.compute for one in written if one not in run]
    places = {f"{function.__code__.co_filename}:{function.__code__.co_firstlineno}" for function in functions}
    assert not places, "put what stands there into the rules or derivations of its rulebook"


def test_every_context_of_the_domain_is_looked_at():
    assert {"customer", "fulfillment", "marketplace", "sales"} <= set(CONTEXTS)
    assert {book.context for book in BOOKS} == set(CONTEXTS)


@pytest.mark.parametrize(("book", "rule"), RULES)
def test_a_rule_has_examples(book, rule):
    assert examples_of(book, rule), f"{rule.code} of {book.subject} has no CASES in tests/domain/{book.context}"


@pytest.mark.parametrize(("book", "rule"), RULES)
def test_what_keeps_a_rule_passes_and_what_breaks_it_is_broken(book, rule):
    for passing, failing, _ in examples_of(book, rule):
        assert validated(book, rule, passing) == (True, False)
        assert validated(book, rule, failing) == (False, True)


@pytest.mark.parametrize(("book", "rule"), RULES)
def test_what_is_unknown_passes(book, rule):
    for *_, unknown in examples_of(book, rule):
        if unknown is None:
            assert_never_unknown(book, rule)
        else:
            assert validated(book, rule, unknown) == (None, False)


def assert_never_unknown(book, rule):
    """For a rule that has no unknown example because what is missing is what it validates."""
    names = list(EXAMPLES[book.context].VALID[book])
    for missing in (*([name] for name in names), names):
        assert validated(book, rule, dict.fromkeys(missing))[0] is not None, f"unknown without {missing}"


@pytest.mark.parametrize("book", BOOKS, ids=lambda book: f"{book.context}-{book.subject}")
def test_examples_are_of_the_rules_that_are_there_with_their_severity(book):
    named = {(code, severity) for of, code, severity, *_ in EXAMPLES[book.context].CASES if of is book}
    assert named <= {(rule.code, rule.severity) for rule in book.rules}


@pytest.mark.parametrize("book", BOOKS, ids=lambda book: f"{book.context}-{book.subject}")
def test_a_valid_subject_breaks_no_rule(book):
    assert codes(book, scalars(book.facts, EXAMPLES[book.context].VALID[book])) == []


@pytest.mark.parametrize("rollup", ROLLUPS, ids=lambda rollup: rollup.name)
def test_an_aggregate_without_parts_adds_up_to_what_frames_fill_in(rollup):
    assert rollup.over([]) == rollup.empty == 0


@pytest.mark.parametrize(
    ("book", "derivation"),
    [
        pytest.param(book, derivation, id=f"{book.context}-{book.subject}-{derivation.name}")
        for book in BOOKS
        for derivation in book.derivations
    ],
)
def test_a_derived_value_has_the_type_that_its_column_gets(book, derivation):
    """A number is no truth value on a frame, and `True * True` is a number."""
    [kind] = get_args(get_type_hints(derivation.compute)["return"])
    value = derivation(scalars(book.facts, EXAMPLES[book.context].VALID[book])).value
    assert type(value) in (kind, type(None))


@pytest.mark.parametrize("facts", FACTS, ids=lambda facts: f"{facts.__module__}-{facts.__name__}")
def test_facts_are_the_same_only_where_they_are_one(facts):
    """Two facts that are compared make a third one, so what holds them cannot be compared by its parts."""
    one, other = (scalars(facts, dict.fromkeys(facts.__dataclass_fields__)) for _ in range(2))
    assert len({one, other, one}) == 2
