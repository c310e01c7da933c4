"""What a step may read, what a step may be, and where a staged table comes from."""

from dataclasses import replace
from datetime import date
from typing import Any

import polars as pl
import pytest

from olist_pipeline.errors import OlistError
from olist_pipeline.registry import CONTEXTS, STEPS, origins
from olist_pipeline.staging import intake_path, staging_path, write_frame, write_months, write_snapshot
from olist_pipeline.validation.context import ValidationStep
from olist_pipeline.validation.inputs import Inputs
from olist_pipeline.validation.units import Unit

OCTOBER, JANUARY = date(2017, 10, 1), date(2018, 1, 1)
ROWS = pl.DataFrame({"order_id": ["o1", "o2"], "order_month": [OCTOBER, JANUARY]})


@pytest.fixture
def inputs(tmp_path):
    def made(*declared, months=(OCTOBER,)):
        return Inputs(tmp_path / "intake", tmp_path / "staging", frozenset(declared), Unit(months), JANUARY)

    write_frame(ROWS, intake_path(tmp_path / "intake", "orders"))
    write_months(ROWS, tmp_path / "staging", "sales", "orders", [OCTOBER, JANUARY])
    write_snapshot(ROWS, tmp_path / "staging", "customer", "customers")
    return made


def ids(rows):
    return rows.collect()["order_id"].to_list()


def test_a_step_reads_its_months_of_what_has_months_and_the_rest_whole(inputs):
    read = inputs("orders", "sales/orders", "customer/customers")
    assert ids(read.intake("orders")) == ["o1"]
    assert ids(read.intake("orders", all_months=True)) == ["o1", "o2"]
    assert ids(read.published("sales/orders", ["order_id"])) == ["o1"]
    assert ids(read.published("customer/customers", ["order_id"])) == ["o1", "o2"]


def test_a_step_without_months_reads_all(inputs):
    assert ids(inputs("sales/orders", months=None).published("sales/orders", ["order_id"])) == ["o1", "o2"]


def test_parts_are_of_what_is_cut_and_no_table_is_cut_that_has_no_months_or_is_read_beside(inputs, tmp_path):
    """Customers may be in parts themselves; orders are read whole by who is cut by persons."""
    for number in range(2):
        path = staging_path(tmp_path / "staging", "customer", "customers", None, f".{number + 1}of2")
        write_frame(ROWS[number : number + 1], path)
    (path.parent / "snapshot.parquet").unlink()
    of_months: list[str] = []
    of_all: list[str] = []
    for number in range(2):
        unit = Unit((OCTOBER, JANUARY), "order_id", number, 2)
        read = replace(inputs("orders", "sales/orders", "customer/customers"), unit=unit)
        assert ids(read.published("customer/customers", ["order_id"])) == ["o1", "o2"]
        assert ids(read.intake("orders")) == ids(read.published("sales/orders", ["order_id"]))
        of_months += ids(read.intake("orders"))
        whole = replace(read, unit=Unit(None, "order_id", number, 2))
        assert ids(whole.published("sales/orders", ["order_id"])) == ["o1", "o2"]
        of_all += ids(whole.intake("orders"))
    assert sorted(of_months) == sorted(of_all) == ["o1", "o2"]


def test_what_a_step_does_not_declare_it_cannot_read(inputs):
    with pytest.raises(ValueError, match="reads orders and does not declare it"):
        inputs().intake("orders")
    with pytest.raises(ValueError, match="reads sales/orders and does not declare it"):
        inputs("orders").published("sales/orders", ["order_id"])


def test_a_month_that_was_never_validated_is_one_sentence(inputs):
    with pytest.raises(OlistError, match="Staging of sales/orders has no 2018-03; materialise that month"):
        inputs("sales/orders", months=(date(2018, 3, 1),)).published("sales/orders", ["order_id"])


def never(inputs: object) -> Any:
    raise AssertionError("nothing is validated here")


def test_a_step_is_monthly_or_not():
    tables = {table.name: table for context in CONTEXTS.values() for table in context.tables}
    with pytest.raises(ValueError, match="more that are all monthly, or none"):
        ValidationStep("mixed", (tables["orders"], tables["customers"]), never, intake=())
    for name, cut in (("orders", "order_id"), ("customers", None)):
        with pytest.raises(ValueError, match="nothing reads its overview"):
            ValidationStep("seen", (tables[name],), never, intake=(), cut=cut, overview=never)


def test_every_published_table_that_a_step_reads_is_made_by_one():
    made = {f"{table.context}/{table.name}" for step in STEPS for table in step.tables}
    assert {asset for step in STEPS for asset in step.published} <= made


def test_a_table_originates_in_all_that_may_have_been_rejected_before_it():
    assert origins(["sales/order_payments"]) == {"orders", "order_items", "order_payments"}
    assert origins(["marketplace/order_reviews"]) == {"order_reviews", "orders", "order_items", "order_payments"}
    assert origins(["fulfillment/zip_prefixes"]) == {"geolocation", "zip_prefixes"}
    assert "geolocation" in origins(["fulfillment/deliveries"])
    assert origins([]) == set()
