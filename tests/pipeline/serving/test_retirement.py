"""Retirement: when a context may end its old tables, and the way back."""

from datetime import UTC, datetime, timedelta

import pytest

from olist_pipeline.errors import OlistError
from olist_pipeline.serving import journal
from olist_pipeline.serving.retirement import restore, retire
from tests.pipeline.serving.world import (
    cut_over,
    published,
    roll_back,
    routes,
    sides,
)

NOW = datetime.now(UTC)
PATIENT = NOW + timedelta(days=8)


@pytest.fixture
def settings(in_shadow):
    return in_shadow


def test_waits_until_all_contexts_have_been_on_new_for_long_enough(all_new):
    with pytest.raises(OlistError, match=r"for 7 days, and sales is on new only since .*; fulfillment"):
        retire(all_new, "sales", by="me", reason="done", now=NOW + timedelta(days=6))
    retire(all_new, "sales", by="me", reason="done", now=PATIENT)
    assert journal.retired_contexts(all_new.serving) == {"sales"}


def test_needs_all_contexts_on_new(settings):
    with pytest.raises(OlistError, match="nothing to undo"):
        restore(settings, "sales", by="me", reason="no")
    cut_over(settings, "sales")
    with pytest.raises(OlistError, match="marketplace is on shadow; customer is on shadow"):
        retire(settings, "sales", by="me", reason="done", now=PATIENT)


def test_the_next_release_holds_the_new_side_alone_and_there_is_no_way_back(all_new):
    retire(all_new, "customer", by="me", reason="done", now=PATIENT)
    published(all_new, routes(all_new), retired={"customer"})
    with pytest.raises(OlistError, match="customer --undo"):
        roll_back(all_new, "customer")
    roll_back(all_new, "marketplace")
    assert sides(all_new)["dim_customer"] == "new", "a retired context has no other side"


def test_can_be_undone(all_new):
    for _ in range(2):  # whose command was killed does not know whether it was too early
        retire(all_new, "sales", by="me", reason="done", now=PATIENT)
    for _ in range(2):
        restore(all_new, "sales", by="me", reason="an audit")
    assert [act.action for act in journal.done_acts(all_new.serving)][-2:] == ["retire", "restore"]
    assert (journal.retired_contexts(all_new.serving), routes(all_new)["sales"]) == (set(), "new")
    published(all_new, routes(all_new))
    roll_back(all_new, "sales")
    assert sides(all_new)["fact_orders"] == "old"


def test_waits_where_nothing_says_since_when_a_context_is_on_new(all_new):
    """The journal was lost, and PostgreSQL was not asked yet."""
    (all_new.serving / journal.JOURNAL).unlink()
    with pytest.raises(OlistError, match=r"nothing says since when sales is on new .*`olist status` mends"):
        retire(all_new, "sales", by="me", reason="done", now=PATIENT)
