"""What is new in landing, whom it concerns, and whether an upload is complete."""

from datetime import date

import pytest

from olist_pipeline.months import MonthRange
from olist_pipeline.orchestration.changes import (
    NO_MONTH,
    WHOLE,
    Request,
    affected_months,
    changed_parts,
    describe_changes,
    ingested_content,
    landing_content,
    plan,
    unfinished,
)
from olist_pipeline.orchestration.dbt_projects import ensure_manifest
from olist_pipeline.registry import LANDING
from olist_pipeline.steps import run_intake
from olist_pipeline.synthetic import generate
from olist_pipeline.warehouse import load_manifest, warehouse_tables

TODAY = date(2018, 11, 1)
JANUARY, FEBRUARY, MARCH = (date(2017, month, 1) for month in (1, 2, 3))
ALL = MonthRange(JANUARY, MARCH)


@pytest.fixture(scope="module")
def tables(parsed_project):
    return warehouse_tables(load_manifest(ensure_manifest(parsed_project)))


@pytest.fixture(scope="module")
def valid(tmp_path_factory):
    folder = tmp_path_factory.mktemp("valid")
    generate(folder, orders=150, seed=3)
    return folder


@pytest.fixture
def folder(valid, tmp_path):
    copy = tmp_path / "set"
    copy.mkdir()
    for path in valid.glob("*.csv"):
        (copy / path.name).write_bytes(path.read_bytes())
    return copy


def change(folder, table, old, new):
    path = folder / LANDING[table].file
    text = path.read_bytes()
    assert old in text
    path.write_bytes(text.replace(old, new, 1))


class TestContent:
    def test_is_the_same_for_the_same_files(self, folder):
        content = landing_content(folder, TODAY, folder.parent / "look")
        assert content == landing_content(folder, TODAY, folder.parent / "look")
        assert set(content) == set(LANDING)
        assert content["sellers"].keys() == {WHOLE}
        assert "2017-11" in content["orders"]

    def test_a_changed_row_changes_its_month_alone(self, folder):
        before = landing_content(folder, TODAY, folder.parent / "look")
        line = (folder / LANDING["orders"].file).read_bytes().split(b"\n")[3]
        month = line.split(b",")[3].strip(b'"')[:7].decode()
        change(folder, "orders", line, line.replace(b"delivered", b"shipped").replace(b"canceled", b"shipped"))
        changed = changed_parts(before, landing_content(folder, TODAY, folder.parent / "look"))
        assert changed == {"orders": {month}}
        assert describe_changes(changed) == f"orders ({month})"

    def test_a_changed_seller_changes_the_whole(self, folder):
        before = landing_content(folder, TODAY, folder.parent / "look")
        with (folder / LANDING["sellers"].file).open("ab") as file:
            file.write(b'"' + b"0" * 32 + b'","01001","sao paulo","SP"\n')
        changed = changed_parts(before, landing_content(folder, TODAY, folder.parent / "look"))
        assert changed == {"sellers": {WHOLE}}
        assert describe_changes(changed) == "sellers"

    def test_a_month_that_left_landing_has_changed(self):
        assert changed_parts({"orders": {"2017-01": "a", "2017-02": "b"}}, {"orders": {"2017-01": "a"}}) == {
            "orders": {"2017-02"}
        }

    def test_intake_has_the_content_that_it_took_in(self, settings, folder):
        own = type(settings)(settings.home, folder, settings.postgres_url)
        assert ingested_content(own) == {}
        for table in LANDING.values():
            run_intake(own, own.postgres_url, table, TODAY, "run")
        assert ingested_content(own) == landing_content(folder, TODAY, folder.parent / "look")


class TestUnfinished:
    def test_complete_files_are_not(self, folder):
        assert not [said for table in LANDING.values() if (said := unfinished(folder, table))]

    @pytest.mark.parametrize("table", LANDING)
    def test_a_missing_file_is(self, folder, table):
        (folder / LANDING[table].file).unlink()
        assert "is missing" in unfinished(folder, LANDING[table])

    @pytest.mark.parametrize("table", ["orders", "order_items", "order_payments", "order_reviews", "geolocation"])
    @pytest.mark.parametrize("keep", [0.3, 0.6, 0.9])
    def test_a_file_that_was_cut_inside_a_record_is(self, folder, table, keep):
        path = folder / LANDING[table].file
        content = path.read_bytes()
        end = content.index(b",", int(len(content) * keep)) + 1
        path.write_bytes(content[:end])
        assert unfinished(folder, LANDING[table]), content[:end][-80:]

    def test_a_file_of_texts_may_lack_its_last_line_end(self, folder):
        path = folder / LANDING["categories"].file
        path.write_bytes(path.read_bytes().rstrip(b"\r\n"))
        assert not unfinished(folder, LANDING["categories"])

    def test_a_header_that_does_not_end_its_line_may_be_the_half_of_one(self, folder):
        path = folder / LANDING["orders"].file
        path.write_bytes(path.read_bytes().splitlines()[0])
        assert "ends inside a record" in unfinished(folder, LANDING["orders"])


class TestAffected:
    def test_an_order_concerns_every_context_in_its_month(self, tables):
        found = affected_months({"orders": {"2017-02"}}, tables, ALL)
        assert found == {"sales": {FEBRUARY}, "marketplace": {FEBRUARY}, "customer": set(), "fulfillment": {FEBRUARY}}

    def test_a_review_does_not_concern_sales(self, tables):
        found = affected_months({"order_reviews": {"2017-02"}}, tables, ALL)
        assert found == {"marketplace": {FEBRUARY}, "customer": set(), "fulfillment": set()}

    def test_a_seller_concerns_deliveries_of_all_months(self, tables):
        found = affected_months({"sellers": {WHOLE}}, tables, ALL)
        assert found["fulfillment"] == set(ALL)
        assert "sales" not in found
        assert "customer" not in found

    def test_geolocation_concerns_deliveries_and_the_scorecard_that_reads_them(self, tables):
        found = affected_months({"geolocation": {WHOLE}}, tables, ALL)
        assert found == {"fulfillment": set(ALL), "marketplace": set()}

    def test_a_bad_order_without_a_month_concerns_no_month(self, tables):
        assert affected_months({"orders": {NO_MONTH}}, tables, ALL)["sales"] == set()

    def test_nothing_concerns_nobody(self, tables):
        assert affected_months({}, tables, ALL) == {}


class TestPlan:
    def test_contexts_with_the_same_months_run_together_and_whole_ones_with_the_last(self):
        affected = {"sales": {FEBRUARY}, "marketplace": {FEBRUARY}, "customer": set()}
        assert plan(affected) == [
            Request(("sales", "marketplace"), MonthRange(FEBRUARY, FEBRUARY), whole=("customer",))
        ]

    def test_months_apart_are_runs_of_their_own_and_the_proofs_come_last(self):
        assert plan({"sales": {JANUARY, MARCH}}) == [
            Request(("sales",), MonthRange(JANUARY, JANUARY), is_monthly_only=True),
            Request(("sales",), MonthRange(MARCH, MARCH)),
        ]

    def test_other_months_are_another_run(self):
        assert plan({"sales": {MARCH}, "fulfillment": {JANUARY, FEBRUARY, MARCH}}) == [
            Request(("sales",), MonthRange(MARCH, MARCH)),
            Request(("fulfillment",), MonthRange(JANUARY, MARCH)),
        ]

    def test_without_months_it_is_one_run_without_months(self):
        assert plan({"customer": set()}) == [Request((), None, whole=("customer",))]
        assert plan({}) == []
