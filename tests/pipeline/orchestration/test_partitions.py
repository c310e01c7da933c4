"""Partitions: Dagster knows of the months of the data, in their order, and of no others."""

from datetime import date

import dagster as dg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from olist_pipeline.months import MonthRange
from olist_pipeline.orchestration import partitions
from olist_pipeline.orchestration.partitions import follow_data, know_months, range_tags
from olist_pipeline.settings import Settings

MONTHS = list(MonthRange(date(2016, 11, 1), date(2018, 2, 1)))
SPANS = st.lists(st.sampled_from(MONTHS), min_size=1, max_size=2).map(lambda ends: MonthRange(min(ends), max(ends)))


@pytest.fixture
def instance():
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def known(instance):
    return [key[:7] for key in instance.get_dynamic_partitions("months")]


def span(first, last):
    return MonthRange(date.fromisoformat(f"{first}-01"), date.fromisoformat(f"{last}-01"))


def texts(months):
    return [f"{month:%Y-%m}" for month in months]


def test_months_are_known_without_a_gap_and_in_their_order(instance):
    @given(spans=st.lists(SPANS, min_size=1, max_size=5))
    def agree(spans):
        for key in instance.get_dynamic_partitions("months"):
            instance.delete_dynamic_partition("months", key)
        for months in spans:
            know_months(instance, months)
        first, last = min(months.first for months in spans), max(months.last for months in spans)
        assert known(instance) == texts(MonthRange(first, last))

    agree()


def test_what_somebody_added_and_is_no_month_goes(instance):
    instance.add_dynamic_partitions("months", ["2018-01-01", "soon"])
    know_months(instance, span("2018-03", "2018-03"))
    assert known(instance) == ["2018-01", "2018-02", "2018-03"]


def test_months_that_left_the_data_are_forgotten_once_no_run_needs_them(instance, monkeypatch):
    @dg.asset(partitions_def=partitions.MONTHS)
    def monthly() -> None:
        pass

    settings = Settings.from_env({"OLIST_HOME": "/nowhere"})
    job = dg.Definitions([monthly], jobs=[dg.define_asset_job("work")]).resolve_job_def("work")
    know_months(instance, span("2016-01", "2020-12"))
    run = instance.create_run_for_job(job, tags=range_tags(span("2020-12", "2020-12")))
    there = span("2016-09", "2018-10")
    monkeypatch.setattr(partitions, "all_months", lambda _: there)

    follow_data(instance, settings)
    assert known(instance) == texts(span("2016-01", "2020-12")), "a run over the last one has not ended"
    instance.report_run_failed(run)
    follow_data(instance, settings)
    assert known(instance) == texts(there)
    there = span("2016-09", "2018-11")
    follow_data(instance, settings)
    assert known(instance) == texts(there)
