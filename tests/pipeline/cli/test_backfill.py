"""What `olist backfill` refuses before it does anything."""

import pytest
from click.testing import CliRunner

from olist_pipeline.cli.backfill import backfill
from olist_pipeline.errors import OlistError


@pytest.mark.parametrize("months", [["--from", "2017-03"], ["--to", "2017-03"], ["--only", "failed"]])
def test_months_are_refused_for_a_context_that_has_none(months, monkeypatch, tmp_path):
    monkeypatch.setenv("OLIST_HOME", str(tmp_path))
    result = CliRunner().invoke(backfill, ["customer", *months])

    assert isinstance(result.exception, OlistError)
    assert str(result.exception) == "customer has nothing by month; leave out --from, --to and --only."
