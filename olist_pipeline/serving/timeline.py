"""The timeline of the migration: what happened, when, who did it and why.

What belongs here: gathering it from routes, approvals and releases. What does not: doing any of it, and showing it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from olist_pipeline.errors import OlistError
from olist_pipeline.serving.acts import what_of, why_of
from olist_pipeline.serving.release import find_release, kept_numbers
from olist_pipeline.stores import approvals, routes

NOBODY = "olist run"
"""Who publishes a release: no person."""


@dataclass(frozen=True)
class MigrationEvent:
    """One thing that happened; `context` is empty where it was to all of them."""

    at: datetime
    what: str
    context: str
    by: str
    why: str

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-ready values."""
        return {**asdict(self), "at": self.at.astimezone(UTC).isoformat(timespec="seconds")}


def timeline(serving: Path, url: str) -> list[MigrationEvent]:
    """Return all that happened, the latest first; releases as far as they are kept."""
    found = [*_acts(url), *_approvals(url), *_releases(serving)]
    return sorted(found, key=lambda one: (one.at, one.what, one.context), reverse=True)


def _acts(url: str) -> Iterator[MigrationEvent]:
    for row in routes.history(url):
        action, former = row["action"] or "change by hand", row["old_route"] or routes.FIRST_ROUTE
        what, why = what_of(action, former, row["new_route"]), why_of(row["reason"], row["overridden"] or ())
        yield MigrationEvent(row["changed_at"], what, row["context"], row["changed_by"], why)


def _approvals(url: str) -> Iterator[MigrationEvent]:
    for one in approvals.all_approvals(url):
        what = f"approval {one.approval_id} of {one.table}.{one.column}, until {one.until}"
        yield MigrationEvent(one.approved_at, what, "", one.approved_by, one.reason)
        if one.revoked_at is not None:
            yield MigrationEvent(
                one.revoked_at, f"approval {one.approval_id} revoked", "", one.revoked_by or "", one.reason
            )


def _releases(serving: Path) -> Iterator[MigrationEvent]:
    for number in kept_numbers(serving):
        try:
            release = find_release(serving, number)
        except OlistError:
            continue  # it was damaged, and says no more when it was made
        # One that is based on another shows the same data under other routes: the act on the routes says who and why.
        why = f"other routes over release {release.based_on}" if release.based_on else f"data as of {release.as_of}"
        yield MigrationEvent(datetime.fromisoformat(release.made_at), f"release {number}", "", NOBODY, why)
