"""Names and numbers that people mistype end in one sentence, before anything is asked."""

import pytest
from click.testing import CliRunner

from olist_pipeline.cli.names import check_event, check_rule, check_table
from olist_pipeline.cli.reports import events, quarantine
from olist_pipeline.errors import OlistError


@pytest.mark.parametrize(
    ("check", "given", "words"),
    [
        (check_table, "order", "did you mean orders"),
        (check_table, "zzzz", "there are: .*order_items"),
        (check_rule, "NEGATIV_AMOUNT", "did you mean NEGATIVE_AMOUNT"),
        (check_rule, "negative_amount", "did you mean NEGATIVE_AMOUNT"),
        (check_event, "OrderAproved", "did you mean OrderApproved"),
        (check_event, "", "there are: "),
    ],
)
def test_the_nearest_known_name_is_proposed(check, given, words):
    with pytest.raises(OlistError, match=words):
        check(given)


def test_names_that_are_known_pass():
    for name in ("NEGATIVE_AMOUNT", "MISSING_ORDER_ID", "UNPARSEABLE_PRICE", "DUPLICATE_KEY", "PARENT_REJECTED", None):
        check_rule(name)
    check_table("orders")
    check_event("OrderApproved")


@pytest.mark.parametrize("command", [quarantine, events])
@pytest.mark.parametrize("limit", ["-5", "0", "1e3", "9" * 30, "", "five"])
def test_a_limit_that_is_none_is_refused_with_its_range(command, limit):
    result = CliRunner().invoke(command, ["--limit", limit])
    assert (result.exit_code, type(result.exception)) == (2, SystemExit)
    assert "Invalid value for '--limit'" in result.output
