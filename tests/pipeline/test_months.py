"""Months: ranges and texts."""

from datetime import date

from olist_pipeline.months import MonthRange, following, month_text


def test_a_range_includes_both_ends_and_crosses_years():
    months = list(MonthRange(date(2017, 11, 1), date(2018, 2, 1)))
    assert [month_text(month) for month in months] == ["2017-11", "2017-12", "2018-01", "2018-02"]


def test_the_month_after_december_is_january():
    assert following(date(2017, 12, 1)) == date(2018, 1, 1)


def test_all_months_end_with_the_present_one():
    assert MonthRange.until(date(2018, 3, 17), date(2016, 1, 5)) == MonthRange(date(2016, 1, 1), date(2018, 3, 1))
