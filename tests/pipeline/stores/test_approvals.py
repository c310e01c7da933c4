"""Approvals: given with a reason and an end, revoked, and never forgotten."""

from datetime import date, timedelta

import pytest

from olist_pipeline.errors import OlistError
from olist_pipeline.stores import approvals

TODAY = date(2026, 3, 10)


def approve(url, **changes):
    given = {
        "table": "fact_orders",
        "column": "distance_km",
        "reason": "rounded once, not twice",
        "until": TODAY + timedelta(days=7),
        "approved_by": "ana",
        "today": TODAY,
    }
    return approvals.approve(url, **{**given, **changes})


def test_an_approval_is_active_until_the_end_of_its_day(database):
    given = approve(database)
    assert approvals.all_approvals(database) == [given]
    for day, state in ((TODAY, "active"), (given.until, "active"), (given.until + timedelta(days=1), "ended")):
        assert given.state(day) == state
        assert bool(approvals.active(database, day)) == (state == "active")
    for word in ("fact_orders.distance_km", "ana", "2026-03-17", "rounded once"):
        assert word in given.sentence()


def test_a_revoked_approval_no_longer_holds_and_is_kept(database):
    given = approve(database)
    approvals.revoke(database, given.approval_id, revoked_by="rui")
    assert approvals.active(database, TODAY) == []
    [kept] = approvals.all_approvals(database)
    assert (kept.state(TODAY), kept.revoked_by) == ("revoked", "rui")


@pytest.mark.parametrize(
    ("changes", "words"), [({"reason": " "}, "needs a reason"), ({"until": date(2026, 3, 9)}, "2026-03-10 on")]
)
def test_an_approval_without_reason_or_future_is_refused(database, changes, words):
    with pytest.raises(OlistError, match=words):
        approve(database, **changes)
    assert approvals.all_approvals(database) == []


def test_what_is_not_there_cannot_be_revoked(database):
    given = approve(database)
    approvals.revoke(database, given.approval_id, revoked_by="rui")
    with pytest.raises(OlistError, match=f"no approval {given.approval_id}"):
        approvals.revoke(database, given.approval_id, revoked_by="rui")
