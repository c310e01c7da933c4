"""What `olist backfill` refuses before it does anything."""

from datetime import date

import pytest
from click.testing import CliRunner

from olist_pipeline.cli.backfill import backfill, wanted_months
from olist_pipeline.errors import OlistError
from olist_pipeline.months import MonthRange

PRESENT = MonthRange(date(2017, 1, 1), date(2018, 10, 1))


@pytest.mark.parametrize("months", [["--from", "2017-03"], ["--to", "2017-03"], ["--only", "failed"]])
def test_months_are_refused_for_a_context_that_has_none(months, monkeypatch, tmp_path):
    monkeypatch.setenv("OLIST_HOME", str(tmp_path))
    result = CliRunner().invoke(backfill, ["customer", *months])

    assert isinstance(result.exception, OlistError)
    assert str(result.exception) == "customer has nothing by month; leave out --from, --to and --only."


@pytest.mark.parametrize(
    ("first", "last", "wanted"),
    [
        (None, None, PRESENT),
        ("2018-02", None, MonthRange(date(2018, 2, 1), PRESENT.last)),
        (None, "2017-01", MonthRange(PRESENT.first, PRESENT.first)),
    ],
)
def test_an_end_that_nobody_names_is_that_of_the_data(first, last, wanted):
    assert wanted_months(first, last, PRESENT) == wanted


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        ("2018-03", "2018-02", "--from 2018-03 is after --to 2018-02; swap them"),
        ("2030-01", None, "months 2017-01 to 2018-10; 2030-01 is not within them"),
        (None, "2016-12", "months 2017-01 to 2018-10; 2016-12 is not within them"),
        ("2017-02", "2019-01", "2019-01 is not within them"),
    ],
)
def test_a_range_that_cannot_be_meant_is_one_sentence_about_what_was_said(first, last, said):
    with pytest.raises(OlistError, match=said):
        wanted_months(first, last, PRESENT)
