"""The timeline of the migration: what happened, when, who did it and why.

What belongs here: gathering it from routes, approvals and releases, and adding to what a release says of it, and of the
routes in its scorecard, what a switch of routes did. What does not: doing any of it, and showing it.

A rollback takes a copy and these few statements, so this module needs no frames.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from olist_pipeline.errors import OlistError
from olist_pipeline.serving.release import find_release, kept_numbers
from olist_pipeline.stores import approvals, routes
from olist_pipeline.stores.routes import SERVED_FROM_NEW, Act

if TYPE_CHECKING:
    import duckdb

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
        what, why = _what_of(action, former, row["new_route"]), _why_of(row["reason"], row["overridden"] or ())
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


def add_acts(connection: duckdb.DuckDBPyConnection, acts: Iterable[Act]) -> None:
    """Add those of `acts` that a release does not tell yet; nothing where it says nothing of progress."""
    [there] = connection.execute(
        "SELECT count(*) FROM duckdb_tables() WHERE schema_name = 'about' AND table_name IN "
        "('migration_criteria', 'migration_timeline')"
    ).fetchall()
    if there != (2,):
        return
    for act in acts:
        for change in act.changes:
            about = {"at": act.acted_at, "context": change.context}
            known = connection.execute(
                'FROM about.migration_timeline WHERE "at" = $at::TIMESTAMPTZ AND context = $context', about
            ).fetchall()
            if known:
                continue
            connection.execute(
                "INSERT INTO about.migration_timeline VALUES ($at::TIMESTAMPTZ, $what, $context, $by, $why)",
                {
                    **about,
                    "what": _what_of(act.action, change.former, change.route),
                    "by": act.acted_by,
                    "why": _why_of(act.reason, act.overridden),
                },
            )
            connection.execute(
                "UPDATE about.migration_criteria SET value = $route, is_green = $green, since = CASE WHEN is_green IS "
                "DISTINCT FROM $green THEN $at::TIMESTAMPTZ ELSE since END WHERE name = 'route' AND context = $context",
                {**about, "route": change.route, "green": change.route in SERVED_FROM_NEW},
            )


def _what_of(action: str, former: str, route: str) -> str:
    """Return what an act did to a route, in words."""
    return action if former == route else f"{action}: {former} to {route}"


def _why_of(reason: str, overridden: Sequence[str]) -> str:
    """Return why an act was done, with what it overruled."""
    return f"{reason} (overruled: {'; '.join(overridden)})" if overridden else reason
