"""What holds once the how-tos are followed; `test_following` runs it in a copy of the project, and pytest nowhere else.

What belongs here: the pipeline and the pages with what the documents add. What does not: the tests that the documents
write themselves.
"""

import json
import os
from decimal import Decimal
from pathlib import Path

import duckdb
import polars as pl
import pytest

from dashboards.export import content_of, html
from dashboards.page import PAGES
from olist_pipeline.contexts.sales.validation import validate_sales
from olist_pipeline.orchestration.definitions import build_defs
from olist_pipeline.release_manifest import Release, write_manifest
from olist_pipeline.serving.release import point_to
from olist_pipeline.settings import Settings
from tests.pipeline.contexts.sales.test_validation import take_all_in
from tests.pipeline.intake.test_bad_input import edit
from tests.pipeline.orchestration.test_snapshot import SNAPSHOT, described


@pytest.fixture
def items(landing) -> pl.DataFrame:
    """The accepted items of two orders, one of which costs more to send than to buy, another nothing to send."""
    edit(landing, "olist_order_items_dataset.csv", b"29.99,8.72", b"8.72,29.99")
    edit(landing, "olist_order_items_dataset.csv", b"10.00,1.50", b"11.50,0.00")
    return validate_sales(take_all_in(landing)).accepted("order_items")


def test_the_rule_flags_the_item_and_keeps_its_order(items):
    assert items["flags"].to_list() == [["FREIGHT_ABOVE_PRICE"], [], []]


def test_the_derivation_is_staged(items):
    assert items["is_sent_free"].to_list() == [False, False, True]
    assert items["total_amount"].to_list() == [Decimal("38.71"), Decimal("141.46"), Decimal("11.50")]


def test_the_graph_has_one_check_more():
    """The snapshot is of the project as it was: the document says how it is written anew."""
    before, now = json.loads(SNAPSHOT.read_text()), described(build_defs(Settings.from_env()))
    before["assets"]["customer/customers"]["checks"] = sorted(
        [*before["assets"]["customer/customers"]["checks"], "known_places"]
    )
    assert now["assets"] == before["assets"]
    changed = {name for name, steps in now["jobs"].items() if steps != before["jobs"][name]}
    assert changed == {"dual_run", "full_refresh", "customer_job"}


def test_the_page_is_made_of_a_release_and_can_be_exported(tmp_path, monkeypatch):
    release = tmp_path / "serving" / "releases" / "00001"
    release.mkdir(parents=True)
    with duckdb.connect(str(release / "serving.duckdb")) as connection:
        connection.execute("CREATE TABLE fact_orders AS SELECT DATE '2018-01-01' AS order_month")
        connection.execute(
            "CREATE TABLE fact_payments AS SELECT DATE '2018-01-01' AS order_month, 'boleto' AS payment_type, "
            "1 AS payment_installments, 12.50::DECIMAL(18, 2) AS payment_value FROM range(2)"
        )
    write_manifest(release, Release(1, "2026-01-02T03:04:05+00:00", "r1", "f", "2018-10-17", {}, {}, {}))
    point_to(tmp_path / "serving", 1)
    monkeypatch.setenv("OLIST_HOME", str(tmp_path))
    page = content_of("payments")
    assert [figure.value for figure in page.figures] == ["2", "R$ 25,00", "R$ 12,50"]
    assert PAGES["payments"] in html(page)


def test_it_is_the_copy_that_is_tried():
    assert Path(os.environ["PYTHONPATH"]) in Path(__file__).parents
