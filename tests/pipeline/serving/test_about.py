"""What a release says of the migration: the stores as they are, as tables."""

from datetime import date

import duckdb
import pytest

from olist_pipeline.registry import CONTEXTS
from olist_pipeline.serving.about import about, write
from olist_pipeline.steps import run_intake, run_validation
from olist_pipeline.stores import verdicts
from olist_pipeline.stores.verdicts import Verdict

SALES = CONTEXTS["sales"]


@pytest.fixture
def validated(settings):
    """Settings of a home in which the sales of two orders are validated; the second order has no items."""
    items = settings.landing / "olist_order_items_dataset.csv"
    items.write_text("\n".join(items.read_text().splitlines()[:2]) + "\n")
    for table in SALES.landing:
        run_intake(settings, settings.postgres_url, table, date(2018, 12, 1), "r1")
    run_validation(
        settings, settings.postgres_url, SALES.steps[0], [date(2017, 10, 1), date(2018, 1, 1)], "r1", SALES.landing[0]
    )
    return settings


def rows(settings, name):
    return about(settings, settings.postgres_url)[name].to_dicts()


def test_before_anything_ran_it_has_every_rule_and_nothing_else(settings):
    said = about(settings, settings.postgres_url)
    assert said["migration_parity"].is_empty()
    assert said["migration_quarantine"].is_empty()
    rules = sum(len(book.rules) for context in CONTEXTS.values() for book in context.rulebooks)
    assert said["migration_rules"].height == rules
    assert said["migration_rules"]["rows"].sum() == 0
    assert said["migration_reconciliation"]["holds"].null_count() == said["migration_reconciliation"].height


def test_quarantine_is_counted_by_table_rule_and_month(validated):
    counted = {(row["source_table"], row["rule"]): row["rows"] for row in rows(validated, "migration_quarantine")}
    assert counted[("orders", "ORDER_WITHOUT_ITEMS")] == 1
    assert ("order_payments", "PARENT_REJECTED") in counted
    assert {row["order_month"] for row in rows(validated, "migration_quarantine")} <= {
        date(2017, 10, 1),
        date(2018, 1, 1),
    }
    [broken] = [row for row in rows(validated, "migration_rules") if row["code"] == "ORDER_WITHOUT_ITEMS"]
    assert broken["rows"] == 1
    assert broken["severity"] == "reject"
    assert "int_orders_enriched.order_validity" in broken["replaces"]
    structural = [row for row in rows(validated, "migration_rules") if row["code"] == "PARENT_REJECTED"]
    assert all(row["statement"] for row in structural)
    assert structural


def test_landing_is_accepted_and_quarantined(validated):
    [orders] = [row for row in rows(validated, "migration_reconciliation") if row["table_name"] == "orders"]
    assert orders["landing"] == orders["accepted"] + orders["quarantined"] == 2
    assert (orders["landing_table"], orders["holds"]) == ("orders", None)


def test_parity_is_the_latest_verdict(settings):
    report = {
        "sentences": ["a differs:"],
        "sentence": "a differs: 1 row",
        "old_and_new": {"rows_old": 3, "rows_new": 2, "equal": 2},
    }
    for verdict, is_green in (("differs", False), ("explained", True)):
        found = Verdict("sales", "fact_orders", "parity", verdict, is_green, "s", report, "r1")
        verdicts.record(settings.postgres_url, found)
    [row] = rows(settings, "migration_parity")
    assert (row["why"], row["verdict"], row["is_green"], row["rows_old"], row["rows_new"], row["equal_rows"]) == (
        "a differs: 1 row",
        "explained",
        True,
        3,
        2,
        2,
    )


def test_is_written_to_a_schema_of_its_own(settings, tmp_path):
    said = about(settings, settings.postgres_url)
    with duckdb.connect(str(tmp_path / "serving.duckdb")) as connection:
        connection.execute("CREATE TABLE fact_orders AS SELECT 1 AS n")
        for _ in range(2):
            write(connection, said)
        assert connection.execute("SHOW TABLES").fetchall() == [("fact_orders",)]
        for name, frame in said.items():
            assert connection.execute(f"SELECT count(*) FROM about.{name}").fetchall() == [(frame.height,)]
