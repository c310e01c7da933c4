"""`olist rules`: every rule and derivation, from the rulebooks themselves."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from olist_pipeline.cli import main, rule_entries
from olist_pipeline.cli import rules as command
from olist_pipeline.cli.rule_entries import all_entries
from olist_pipeline.cli.rules import rules
from olist_pipeline.errors import OlistError
from olist_pipeline.intake.codes import MISSING, ORPHAN, PARENT_REJECTED, STRUCTURAL_RULES
from olist_pipeline.registry import CONTEXTS
from olist_pipeline.settings import PROJECT_DIR

BOOKS = [book for context in CONTEXTS.values() for book in context.rulebooks]


def listed(*arguments):
    result = CliRunner().invoke(rules, [*arguments, "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.output)


def test_everything_is_listed():
    found = [(row["context"], row["subject"], row["kind"], row["name"]) for row in listed()]
    of_books = [(b.context, b.subject, "rule", rule.code) for b in BOOKS for rule in b.rules]
    of_books += [(b.context, b.subject, "derivation", item.name) for b in BOOKS for item in b.derivations]
    structural = [(None, "row of a landing file", "structural rule", rule.code) for rule in STRUCTURAL_RULES]
    assert sorted(found, key=str) == sorted([*of_books, *structural], key=str)


def test_a_rule_says_all_that_is_known_of_it():
    [row] = listed("--code", "APPROVED_ORDER_PAYMENT_MISMATCH")
    assert row == {
        "kind": "rule",
        "name": "APPROVED_ORDER_PAYMENT_MISMATCH",
        "context": "sales",
        "subject": "order",
        "table": "orders",
        "severity": "reject",
        "statement": "The payments of an approved order equal its total, within 0.01.",
        "details": "",
        "constants": {"PAYMENT_TOLERANCE": "0.01"},
        "replaces": ["int_orders_enriched.order_validity", "fact_orders.order_validity"],
        "defined_in": "olist_domain/sales/rules.py:approved_order_is_paid",
        "tested_in": ["tests/domain/sales/test_order.py", "tests/domain/sales/test_rules.py"],
    }


def test_a_derivation_goes_by_the_name_of_its_column():
    found = {row["defined_in"]: row for row in listed("--context", "customer", "--code", "region")}
    assert set(found) == {
        "olist_domain/customer/derivations.py:customer_region",
        "olist_domain/customer/derivations.py:person_region",
    }
    assert {row["severity"] for row in found.values()} == {None}


def test_what_is_defined_is_there():
    for row in listed():
        file, _, name = row["defined_in"].partition(":")
        source = (PROJECT_DIR / file).read_text("utf-8")
        assert f"def {name}(" in source or f"{name} = StructuralRule(" in source
        assert all((PROJECT_DIR / test).is_file() for test in row["tested_in"])


def test_a_context_is_a_filter():
    assert {row["context"] for row in listed("--context", "marketplace")} == {"marketplace"}


def test_a_context_without_rules_is_said_to_have_none(monkeypatch):
    bare = replace(CONTEXTS["customer"], rulebooks=())
    monkeypatch.setattr("olist_pipeline.cli.rule_entries.CONTEXTS", {"customer": bare})
    assert listed("--context", "customer") == []
    result = CliRunner().invoke(rules, ["--context", "customer"])
    assert (result.exit_code, result.output) == (0, "customer has no rules and no derivations yet.\n")


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("MISSING_ORDER_ID", "MISSING_<COLUMN>"),
        ("ORPHAN_ORDER_ITEMS", "ORPHAN_<TABLE>"),
        ("UNPARSEABLE_<COLUMN>", "UNPARSEABLE_<COLUMN>"),
        ("DUPLICATE_KEY", "DUPLICATE_KEY"),
    ],
)
def test_a_structural_rule_is_found_by_the_code_of_a_row(code, name):
    assert [row["name"] for row in listed("--code", code)] == [name]


def test_a_blank_is_filled_in_with_a_column_or_a_table():
    assert (MISSING.of("order_id"), ORPHAN.of("order_items")) == ("MISSING_ORDER_ID", "ORPHAN_ORDER_ITEMS")
    assert not MISSING.covers("MISSING_")
    assert not PARENT_REJECTED.covers("PARENT_REJECTED_TWICE")


def test_the_list_for_a_person_has_every_part():
    output = CliRunner().invoke(rules, ["--code", "NEGATIVE_AMOUNT"]).output
    assert "sales: order item (table order_items)" in output
    assert "NEGATIVE_AMOUNT  (rule, reject)" in output
    assert "The value of a payment is not negative." in output
    assert "stg_order_payments.payment_value" in output
    assert "olist_domain/sales/rules.py:payment_is_not_negative" in output
    assert "tests/domain/sales/test_rules.py" in output


def test_the_page_is_written_to_standard_output():
    result = CliRunner().invoke(rules, ["--markdown"])
    assert result.exit_code == 0
    assert result.output.startswith("# Business rules\n")


def test_the_page_is_whole_or_not_at_all():
    result = CliRunner().invoke(rules, ["--markdown", "--context", "sales"])
    assert isinstance(result.exception, OlistError)


def test_an_installation_without_tests_leaves_them_out(tmp_path, monkeypatch):
    monkeypatch.setattr(command, "all_entries", lambda: all_entries(tmp_path / "tests"))
    assert not any("tested_in" in row for row in listed())
    assert "tests/" not in CliRunner().invoke(rules).output
    assert "tested in" not in CliRunner().invoke(rules, ["--markdown"]).output


def test_what_is_only_imported_is_not_tested(tmp_path):
    folder = tmp_path / "tests" / "domain" / "sales"
    folder.mkdir(parents=True)
    (folder / "test_imports.py").write_text("from olist_domain.sales.derivations import revenue\n")
    (folder / "test_revenue.py").write_text('def test_it():\n    assert derived("revenue") == 1\n')
    [entry] = (entry for entry in all_entries(tmp_path / "tests") if entry.name == "revenue")
    assert entry.tested_in == ("tests/domain/sales/test_revenue.py",)


def test_rules_of_another_warehouse_are_tested_beside_its_migration_file(tmp_path, monkeypatch):
    (tmp_path / "migration.yml").write_text(
        "{version: 1, contexts: contexts, old: {project: shop}, landing: {variable: d}, new: {project: new}}"
    )
    monkeypatch.setenv("OLIST_MIGRATION", str(tmp_path / "migration.yml"))
    [entry] = (entry for entry in all_entries() if entry.name == "revenue")
    assert entry.tested_in is None, "of a context that is called like one of ours, too"
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_sales_rules.py").write_text('assert derived("revenue") == 1\n')
    [entry] = (entry for entry in all_entries() if entry.name == "revenue")
    assert entry.tested_in == ("tests/test_sales_rules.py",)


def test_constants_of_functions_that_a_function_calls_are_its_own():
    by_name = {entry.name: entry.constants for entry in all_entries(Path("nowhere"))}
    assert by_name["is_positive"] == {"LEAST_POSITIVE": "4"}, "over a module"
    assert by_name["revenue"]["LOST_SALES"] == "canceled, unavailable", "within a comprehension"
    assert by_name["is_late"] == {}
    assert rule_entries.constants_of(len) == {}


@pytest.mark.parametrize("text", [b"def test_x(:", b'x = "pre\xe7o"', b'x = "\0"', b"if 1:\n\tx\n        y"])
def test_a_test_that_is_no_python_is_one_sentence(tmp_path, text):
    (tmp_path / "pipeline" / "intake").mkdir(parents=True)
    (tmp_path / "pipeline" / "intake" / "test_x.py").write_bytes(text)
    with pytest.raises(
        OlistError, match=r"test_x.py(:\d)? cannot be read \(.*\), to see which rules it tests; mend it"
    ):
        all_entries(tmp_path)


MOST_STEPS = 9


def stepping(steps):
    return steps if steps > MOST_STEPS else stepping(steps + 1)


def test_a_function_may_call_itself(monkeypatch):
    monkeypatch.setattr(rule_entries, "DOMAIN", __name__)
    assert rule_entries.constants_of(stepping) == {"MOST_STEPS": "9"}


@pytest.mark.parametrize("arguments", [["--code", "NO_SUCH_RULE"], ["--context", "customer", "--code", "revenue"]])
def test_an_unknown_code_is_one_sentence(arguments, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["olist", "rules", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("olist: There is no rule or derivation")
    assert arguments[-1] in line
