"""Switching: what every act on routes shares, in an order that a crash cannot spoil.

What belongs here: whether a change of routes is legal, its record, its effect, and what it changed. What does not: the
acts themselves (`cutover`, `rollback`, `retirement`), composing a release, and what a person reads.

The order: the release is composed aside, then the act is written to the journal, then `current` points to the release,
then the act is settled; PostgreSQL follows. Whoever takes the lock next settles what a crash left (`journal`), and
whoever finds PostgreSQL up brings it what it lacks.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from olist_pipeline.errors import OlistError
from olist_pipeline.near import unknown
from olist_pipeline.release_manifest import NEW, Release, Route, no_release
from olist_pipeline.serving import journal, standby
from olist_pipeline.serving.journal import present_state, sole_switch
from olist_pipeline.serving.pruning import remove_unneeded
from olist_pipeline.serving.release import current_release, point_to
from olist_pipeline.serving.routing import served_schemas, unmatched, waiting_for
from olist_pipeline.settings import Settings
from olist_pipeline.stores.routes import NEXT_ROUTES, Act, Action, Change, RouteState

FIRST_COMMAND: Mapping[Route, str] = {
    "old": "`olist cutover {} --to shadow` comes",
    "shadow": "`olist cutover {}` comes",
    "new": "`olist rollback {}` comes",
    "retired": "`olist retire {} --undo` and `olist run` come",
}
"""What leads away from a route, to whoever names one that is not next to it."""


@dataclass(frozen=True)
class Switched:
    """What an act changed: the tables that serving reads from elsewhere now, and what a person should know of it.

    `waiting` has the tables of the context that stay on old, with the contexts that they wait for.
    """

    act: Act
    release: Release | None = None
    tables: tuple[str, ...] = ()
    waiting: Mapping[str, Sequence[str]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return what changed as JSON-ready values."""
        return {**self.act.to_dict(), "tables": self.tables, "waiting": self.waiting, "notes": self.notes}


def change_route(
    settings: Settings,
    context: str,
    route: Route,
    action: Action,
    *,
    by: str,
    reason: str,
    only_from: Route | None = None,
) -> Switched:
    """Change a route that has no effect on what is served."""
    with sole_switch(settings.serving):
        state = present_state(settings.serving)
        if done := unchanged(settings.serving, state, context, route, action, by, reason):
            return done
        if only_from and state.routes.get(context) != only_from:
            raise OlistError(f"{context} is not {only_from}: there is nothing to undo.")
        act = new_act(action, [legal_change(settings.serving, state, context, route)], by, reason)
        write_down(settings.serving, act)
    return Switched(act)


def unchanged(
    serving: Path, state: RouteState, context: str, route: Route, action: Action, by: str, reason: str
) -> Switched | None:
    """Return what an act says for a context that has its route already; None for any other one.

    It was done, and nothing is written down: whoever does not know whether their command was killed too early gives it
    again.
    """
    if state.routes.get(context) != route:
        return None
    return Switched(new_act(action, [Change(context, route, route)], by, reason), current_release(serving))


def present_release(serving: Path) -> Release:
    """Return the release that is served; raises OlistError before the first, and where it holds one side alone."""
    release = current_release(serving)
    if release is None:
        raise no_release(serving)
    for table in release.tables:
        release.sources(table)
    return release


def legal_change(serving: Path, state: RouteState, context: str, route: Route) -> Change:
    """Return the change of a context's route; raises OlistError when it is not the next or the former one."""
    check_known(serving, state, context)
    former = state.routes[context]
    if route not in NEXT_ROUTES[former]:
        first = FIRST_COMMAND[former].format(context)
        raise OlistError(f"{context} is on {former} and cannot go to {route}; {first} first.")
    return Change(context, former, route)


def check_known(serving: Path, state: RouteState, context: str) -> None:
    """Raise OlistError for a context that has no route."""
    if context not in state.routes:
        if not state.routes:
            raise no_release(serving)
        raise unknown("context", context, state.routes)


def moved_tables(base: Release, routes: Mapping[str, Route]) -> list[str]:
    """Return the tables that would be served from another side than now."""
    schemas = served_schemas(base.tables, routes)
    return [name for name, table in base.tables.items() if table.schema != schemas[name]]


def new_act(
    action: Action, changes: Sequence[Change], by: str, reason: str, overridden: Sequence[str] = (), **more: Any
) -> Act:
    """Return an act of this moment; `more` are its other fields."""
    return Act(
        act_id=str(uuid.uuid4()),
        action=action,
        changes=tuple(changes),
        acted_at=datetime.now(UTC).isoformat(),
        acted_by=_storable(by),
        reason=_storable(reason),
        overridden=tuple(overridden),
        **more,
    )


def _storable(text: str) -> str:
    """Return a text without what neither the journal nor PostgreSQL can hold: bytes of another encoding, and NUL."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "?")


def write_down(serving: Path, act: Act) -> None:
    """Write the act down; hold `sole_switch`."""
    try:
        journal.append(serving, act)
    except OSError:
        standby.make_room(serving)
        journal.append(serving, act)


def carry_out(serving: Path, act: Act, number: int) -> None:
    """Write the act down, give it its effect, and settle it."""
    write_down(serving, act)
    point_to(serving, number)
    journal.settle(serving, act, is_done=True)
    remove_unneeded(serving)


def switched(base: Release, release: Release, act: Act, routes: Mapping[str, Route]) -> Switched:
    """Return what an act changed that let `release` be served under `routes`, after `base`."""
    schemas, former = release.schemas(), base.schemas()
    own = {change.context for change in act.changes if change.route == NEW}
    return Switched(
        act,
        release,
        tables=tuple(name for name, schema in schemas.items() if former.get(name) != schema),
        waiting={
            name: waiting_for(table, routes)
            for name, table in release.tables.items()
            if table.context in own and table.is_paired and schemas[name] != NEW
        },
        notes=tuple(unmatched(release, schemas)),
    )
