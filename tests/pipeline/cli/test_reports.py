"""`olist status`: what the rules found on the present data, those that nothing broke included."""

import json
from collections import Counter
from datetime import date

import pytest
from click.testing import CliRunner

from olist_pipeline.cli import reports
from olist_pipeline.cli.status import status, unaccounted
from olist_pipeline.months import MonthRange
from olist_pipeline.registry import CONTEXTS
from olist_pipeline.steps import run_intake, run_validation
from tests.pipeline.intake.test_bad_input import edit

SALES = CONTEXTS["sales"]
TODAY = date(2018, 12, 1)
MONTHS = list(MonthRange(date(2017, 10, 1), date(2018, 1, 1)))


@pytest.fixture
def ran(settings, landing, monkeypatch):
    """Sales, run over an order that is paid too much, and one with a negative price and an unreadable payment."""
    edit(landing, "olist_order_items_dataset.csv", b"118.70", b"-118.70")
    edit(landing, "olist_order_payments_dataset.csv", b"18.12", b"19.12")
    edit(landing, "olist_order_payments_dataset.csv", b"152.96", b"abc")
    for table in SALES.landing:
        run_intake(settings, settings.postgres_url, table, TODAY, "r1")
    run_validation(settings, settings.postgres_url, SALES.steps[0], MONTHS, "r1", SALES.landing[0])
    monkeypatch.setenv("OLIST_HOME", str(settings.home))
    monkeypatch.setenv("OLIST_DATA_DIR", str(settings.landing))
    monkeypatch.setenv("OLIST_POSTGRES_URL", settings.postgres_url)


def test_rows_that_are_neither_accepted_nor_in_quarantine_are_named():
    def counted(landing, accepted):
        return {"context": "sales", "table": "orders", "landing": landing, "accepted": accepted, "quarantined": 4}

    assert unaccounted([counted(1000, 996), counted(None, 7)]) == []
    assert unaccounted([counted(1000, 915)]) == [
        "orders: 1,000 rows of landing, but 919 accepted or in quarantine; `olist backfill sales` validates them again."
    ]


def reported():
    return json.loads(CliRunner().invoke(status, ["--json"]).stdout)


def test_every_rule_has_its_rows_none_included(ran):
    rules = reported()["rules"]
    rows = {(rule["table"], rule["code"]): (rule["severity"], rule["rows"]) for rule in rules}
    assert rows["order_items", "NEGATIVE_AMOUNT"] == ("reject", 1)
    assert rows["order_payments", "NEGATIVE_AMOUNT"] == ("reject", 0)
    assert rows["orders", "PAYMENT_MISMATCH"] == ("flag", 1)
    assert rows["orders", "ORDER_WITHOUT_PAYMENT"] == ("flag", 0)
    known = Counter((b.context, b.table, r.code) for c in CONTEXTS.values() for b in c.rulebooks for r in b.rules)
    assert known <= Counter((rule["context"], rule["table"], rule["code"]) for rule in rules)


def test_structural_rules_that_rows_broke_are_listed_too(ran):
    rows = {(rule["table"], rule["code"]): rule["rows"] for rule in reported()["rules"]}
    assert rows["orders", "CHILD_REJECTED"] == 1
    assert rows["order_payments", "UNPARSEABLE_PAYMENT_VALUE"] == 1
    assert ("orders", "DUPLICATE_KEY") not in rows


def test_a_context_has_so_many_rules_and_derivations(ran):
    [sales] = (context for context in reported()["contexts"] if context["context"] == "sales")
    assert sales["rules"] == sum(len(book.rules) for book in SALES.rulebooks)
    assert sales["derivations"] == sum(len(book.derivations) for book in SALES.rulebooks)


def test_a_rule_that_nothing_broke_is_shown(ran):
    lines = CliRunner(env={"COLUMNS": "160"}).invoke(status, ["--rules"]).stdout.splitlines()
    assert any("NEGATIVE_AMOUNT" in line and "order_items" in line and " 1 " in line for line in lines)
    assert any("ORDER_STATUS_UNKNOWN" in line and " 0 " in line for line in lines)


def test_a_context_says_how_much_of_its_logic_has_moved(ran):
    assert {context["context"]: context["logic_moved"] for context in reported()["contexts"]} == dict.fromkeys(
        CONTEXTS, 100
    )


@pytest.mark.parametrize(
    ("rules", "table", "shown"),
    [
        (["UNPARSEABLE_PRICE"], "order_items", "price='0.5'"),
        (["NEGATIVE_AMOUNT"], "order_items", "order_id='o1', order_item_id='1', price='0.5', freight_value='1'"),
        (["PARENT_REJECTED"], "order_items", "order_id='o1', order_item_id='1'"),
        (["ANY"], "gone", "c='x', price='0.5', order_id='o1', freight_value='1', order_item_id='1'"),
    ],
)
def test_a_quarantined_row_shows_what_its_rules_are_about(rules, table, shown):
    """PostgreSQL hands the cells on by the length of their names, which says nothing of them."""
    payload = {"c": "x", "price": "0.5", "order_id": "o1", "freight_value": "1", "order_item_id": "1"}
    assert reports._cells({"rules": rules, "source_table": table, "payload": payload}) == shown


def test_a_home_without_runs_is_not_taken_for_clean_data(settings):
    """A home that was meant to be another one must not look like clean data."""
    assert f"nothing has run in {settings.home} yet" in reports._none("No row in quarantine", settings)
    settings.staging.mkdir(parents=True)
    assert reports._none("No row in quarantine", settings) == "No row in quarantine is like that."
