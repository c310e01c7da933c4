"""docs/business_rules.md is what the rulebooks say, and what they say of the old SQL and the tests is there."""

import re
from collections import Counter
from importlib import import_module

import pytest

from olist_domain.kernel.rules import Rulebook
from olist_pipeline.cli.rule_entries import all_entries
from olist_pipeline.cli.rules_page import page
from olist_pipeline.registry import CONTEXTS
from olist_pipeline.settings import DBT_DIR, PROJECT_DIR

DOCUMENT = PROJECT_DIR / "docs" / "business_rules.md"
OLD = DBT_DIR / "models" / "old"
ENTRIES = all_entries()
BOOKS = [book for context in CONTEXTS.values() for book in context.rulebooks]
REPLACED = sorted({place for entry in ENTRIES for place in entry.replaces})


def test_the_page_is_what_the_rulebooks_say():
    assert DOCUMENT.read_text("utf-8") == page(ENTRIES), "run `olist rules --markdown > docs/business_rules.md`"


def test_every_rulebook_of_the_domain_is_on_the_page():
    for name, context in CONTEXTS.items():
        module = import_module(f"olist_domain.{name}.rules")
        assert set(context.rulebooks) == {book for book in vars(module).values() if isinstance(book, Rulebook)}


@pytest.mark.parametrize("book", BOOKS, ids=lambda book: f"{book.context}-{book.subject}")
def test_a_code_and_a_name_are_unique_within_their_subject(book):
    names = Counter([rule.code for rule in book.rules] + [derivation.name for derivation in book.derivations])
    assert [name for name, times in names.items() if times > 1] == []


def test_a_subject_has_one_rulebook_and_a_table_one_subject():
    assert len({(book.context, book.subject) for book in BOOKS}) == len(BOOKS)
    assert len({(book.context, book.table) for book in BOOKS}) == len(BOOKS)


@pytest.mark.parametrize("place", REPLACED)
def test_what_a_rule_replaces_is_in_the_old_tree(place):
    model, _, column = place.partition(".")
    [sql] = OLD.rglob(f"{model}.sql")
    text = sql.read_text("utf-8") + sql.with_suffix(".yml").read_text("utf-8")
    assert re.search(rf"\b{re.escape(column)}\b", text), f"{column} is neither in {sql.name} nor in its YAML"


def test_everything_is_tested_somewhere():
    assert [(entry.context, entry.subject, entry.name) for entry in ENTRIES if not entry.tested_in] == []


def test_the_inputs_of_the_satisfaction_tiers_are_defined():
    [tiers] = (entry for entry in ENTRIES if entry.name == "satisfaction_tier")
    assert tiers.constants == {
        "VIP_ORDERS_ABOVE": "10",
        "VIP_SPENT_ABOVE": "1000.00",
        "VIP_ACTIVE_DAYS": "30",
        "LOYAL_ORDERS_ABOVE": "5",
        "LOYAL_ACTIVE_DAYS": "60",
        "LEAST_POSITIVE": "4",
    }
    person = page(ENTRIES).partition("### Person")[2].partition("## Fulfillment")[0]
    for term in ("total_orders", "total_spent", "days_since_last_order", "average_review_score", "has_returned"):
        assert f"`{term}`" in person
