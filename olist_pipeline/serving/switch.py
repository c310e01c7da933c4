"""Switching: cutover, rollback, retirement and acknowledgement, each in an order that a crash cannot spoil.

What belongs here: what an act needs, its effect and its record. What does not: the gate's objections, composing a
release, and how a person is told.

The order: the release is composed aside, then the act is written to the journal, then `current` points to the release,
then the act is settled; PostgreSQL follows. Whoever takes the lock next settles what a crash left (`journal`), and
whoever finds PostgreSQL up brings it what it lacks. So a rollback reads the journal alone and needs no database.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from olist_pipeline.errors import OlistError
from olist_pipeline.release_manifest import NEW, Release, Route
from olist_pipeline.serving import journal, standby
from olist_pipeline.serving.compose import compose, refuse_impossible, sign
from olist_pipeline.serving.journal import present_state, sole_switch
from olist_pipeline.serving.release import (
    building,
    current_release,
    find_release,
    kept_numbers,
    next_number,
    point_to,
    put_in_place,
    remove_unneeded,
)
from olist_pipeline.serving.routing import served_schemas, unmatched, waiting_for, way_back
from olist_pipeline.settings import Settings
from olist_pipeline.stores.routes import NEXT_ROUTES, SERVED_FROM_NEW, Act, Action, Change, RouteState

Objections = Callable[[Release], Sequence[str]]
"""What the gate has against serving this release under another route."""


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


class GateClosed(OlistError):  # noqa: N818 - a state of the gate, which a person opens
    """A cutover that the gate refuses, with all its objections."""

    def __init__(self, context: str, objections: Sequence[str]) -> None:
        super().__init__(f"{context} cannot be cut over: {'; '.join(objections)}.")
        self.objections = tuple(objections)


def cutover(
    settings: Settings,
    context: str,
    objections: Objections,
    *,
    by: str,
    reason: str,
    force: bool = False,
    parity_run: str | None = None,
) -> Switched:
    """Serve `context` from new, from now on.

    `objections` are the gate's, of the present release. `force` overrules them, needs a reason and is recorded; it
    does not overrule an illegal transition, a block, or tables that may not stand beside each other.
    """
    serving = settings.serving
    if force and not reason.strip():
        raise OlistError("--force needs --reason: say why the gate is overruled.")
    base, _, _ = _wanted_cutover(serving, context)
    # The gate takes its time: nobody waits for it, and what it said of a former release is asked again.
    found = list(objections(base))
    with sole_switch(serving):
        present, change, wanted = _wanted_cutover(serving, context)
        if present.number != base.number:
            base, found = present, list(objections(present))
        if found and not force:
            raise GateClosed(context, found)
        number = next_number(serving)
        act = _act("cutover", [change], by, reason, release=number, parity_run=parity_run, overridden=found)
        with building(serving) as folder:
            release = standby.take(serving, folder, base, context, wanted, number) or compose(
                serving, folder, base, wanted, number
            )
            sign(folder, release, act)
            put_in_place(serving, folder, number)
        _carry_out(serving, act, number)
    return _switched(base, release, act, wanted)


def rollback(
    settings: Settings,
    context: str,
    *,
    by: str,
    reason: str,
    to: int | None = None,
    blocks: bool = False,
) -> Switched:
    """Serve `context` from old again; with `to`, point to that release, whatever contexts that takes back to old.

    It needs the serving folder alone: no warehouse, no PostgreSQL. Contexts on new that may not be served beside it
    then (see `routing.way_back`) go back with it. A context in shadow is not served from new; it goes
    to old, where its verdicts hold up no release. `blocks`: another cutover waits for an acknowledgement.
    """
    serving = settings.serving
    with sole_switch(serving):
        state = present_state(serving)
        if to is not None:
            return _point_back(serving, state, context, to, by=by, reason=reason, blocks=blocks)
        change = _legal_change(state, context, "old")
        base = current_release(serving)
        wanted = way_back(base, state.routes, context) if base else {**state.routes, context: change.route}
        along = [name for name, route in wanted.items() if route != state.routes[name] and name != context]
        changes = [change, *(Change(name, state.routes[name], wanted[name]) for name in along)]
        if base is None or not _moved(base, wanted):
            act = _act("rollback", changes, by, reason, blocks=blocks)
            journal.append(serving, act)
            return Switched(act, base)
        release = _way_back(serving, base, wanted, context)
        act = _act("rollback", changes, by, reason, release=release.number, blocks=blocks)
        _carry_out(serving, act, release.number)
    return _switched(base, release, act, wanted)


def rehearse(settings: Settings, context: str, *, by: str, reason: str) -> Switched:
    """Take a context from old to shadow: it is held to the gate again, and may be cut over."""
    return _change_route(settings, context, "shadow", "shadow", by=by, reason=reason)


def acknowledge(settings: Settings, context: str, *, by: str, reason: str) -> Switched:
    """Lift the block that an automatic rollback left; raises OlistError where there is none, or without a reason."""
    if not reason.strip():
        raise OlistError("An acknowledgement needs a reason: say what was wrong and what was done about it.")
    with sole_switch(settings.serving):
        state = present_state(settings.serving)
        if context not in state.blocked:
            raise OlistError(f"{context} is not blocked: there is nothing to acknowledge.")
        route = state.routes[context]
        act = _act("acknowledge", [Change(context, route, route)], by, reason)
        journal.append(settings.serving, act)
    return Switched(act)


def retire(settings: Settings, context: str, *, by: str, reason: str, now: datetime) -> Switched:
    """Stop building the old and replay tables of a context, from the next run on.

    Raises OlistError unless every context is on new, for as long as the settings ask.
    """
    serving = settings.serving
    with sole_switch(serving):
        state, since = present_state(serving), _on_new_since(serving)
        change = _legal_change(state, context, "retired")
        patience = timedelta(days=settings.cutover.retire_after_days)
        missing = [
            f"{name} is on {route}"
            if route not in SERVED_FROM_NEW
            else f"{name} is on new only since {since[name]:%Y-%m-%d %H:%M}"
            for name, route in state.routes.items()
            if route not in SERVED_FROM_NEW or (route == "new" and now - since.get(name, now) < patience)
        ]
        if missing:
            raise OlistError(
                f"{context} cannot be retired: every context must have been on new for "
                f"{settings.cutover.retire_after_days:g} days, and {'; '.join(missing)}."
            )
        act = _act("retire", [change], by, reason)
        journal.append(serving, act)
    shutil.rmtree(serving / "standby" / context, ignore_errors=True)
    return Switched(act)


def restore(settings: Settings, context: str, *, by: str, reason: str) -> Switched:
    """Undo a retirement: the next run builds the old and replay tables again."""
    return _change_route(settings, context, "new", "restore", by=by, reason=reason, only_from="retired")


def _change_route(
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
        if only_from and state.routes.get(context) != only_from:
            raise OlistError(f"{context} is not {only_from}: there is nothing to undo.")
        act = _act(action, [_legal_change(state, context, route)], by, reason)
        journal.append(settings.serving, act)
    return Switched(act)


def _point_back(
    serving: Path, state: RouteState, context: str, to: int, *, by: str, reason: str, blocks: bool
) -> Switched:
    """Point to a kept release: the contexts that it serves from old go back to old with it, and none goes to new."""
    base, release = _present(serving), find_release(serving, to)
    _check_known(state, context)
    from_new = {name: route in SERVED_FROM_NEW for name, route in release.routes.items()}
    forward = [name for name, is_new in from_new.items() if is_new and state.routes.get(name) not in SERVED_FROM_NEW]
    retired = [name for name, is_new in from_new.items() if not is_new and state.routes.get(name) == "retired"]
    if forward:
        raise OlistError(f"Release {to} serves {', '.join(forward)} from new, which only `olist cutover` may do.")
    if retired:
        raise OlistError(f"Release {to} serves {', '.join(retired)} from old, which is retired.")
    changes = [
        Change(name, state.routes[name], "old")
        for name, is_new in from_new.items()
        if not is_new and state.routes.get(name) == "new"
    ]
    changes.sort(key=lambda change: change.context != context)
    same = [Change(context, state.routes[context], state.routes[context])]
    act = _act("rollback", changes or same, by, reason, release=to, blocks=blocks)
    _carry_out(serving, act, to)
    wanted = {**state.routes, **{change.context: change.route for change in changes}}
    return _switched(base, release, act, wanted)


def _way_back(serving: Path, base: Release, wanted: Mapping[str, Route], context: str) -> Release:
    """Return a release in its place that serves `base` under other routes.

    The standby, else one that is composed, else the last kept one that shows the same sides of older data.
    """
    number = next_number(serving)
    try:
        with building(serving) as folder:
            release = standby.take(serving, folder, base, context, wanted, number) or compose(
                serving, folder, base, wanted, number, audit=False
            )
            put_in_place(serving, folder, number)
            return release
    except OlistError:
        schemas = served_schemas(base.tables, wanted)
        for kept in reversed([kept for kept in kept_numbers(serving) if kept < base.number]):
            former = find_release(serving, kept)
            if former.schemas() == schemas:
                return former
        raise


def _carry_out(serving: Path, act: Act, number: int) -> None:
    """Write the act down, give it its effect, and settle it."""
    try:
        journal.append(serving, act)
    except OSError:
        # A full disk must not keep anybody from going back: what was prepared for others makes room for a line.
        shutil.rmtree(serving / "standby", ignore_errors=True)
        journal.append(serving, act)
    point_to(serving, number)
    journal.settle(serving, act, is_done=True)
    remove_unneeded(serving)


def _present(serving: Path) -> Release:
    release = current_release(serving)
    if release is None:
        raise OlistError("There is no release yet; run `olist run`.")
    for table in release.tables:
        release.sources(table)
    return release


def _legal_change(state: RouteState, context: str, route: Route) -> Change:
    """Return the change of a context's route; raises OlistError when it is not the next or the former one."""
    _check_known(state, context)
    former = state.routes[context]
    if route not in NEXT_ROUTES[former]:
        hint = {
            ("old", "new"): f"; `olist cutover {context} --to shadow` comes first",
            ("shadow", "retired"): f"; `olist cutover {context}` comes first",
            ("retired", "old"): f"; `olist retire {context} --undo` and `olist run` come first",
        }.get((former, route), "")
        raise OlistError(f"{context} is on {former} and cannot go to {route}{hint}.")
    return Change(context, former, route)


def _check_known(state: RouteState, context: str) -> None:
    if context not in state.routes:
        known = ", ".join(state.routes)
        raise OlistError(
            f"There is no context {context}; there are: {known}."
            if known
            else "There is no release yet; run `olist run`."
        )


def _wanted_cutover(serving: Path, context: str) -> tuple[Release, Change, dict[str, Route]]:
    """Return the present release, the change and the routes after it; raises OlistError when nothing may change so."""
    base, state = _present(serving), present_state(serving)
    change = _legal_change(state, context, "new")
    if why := state.blocked.get(context):
        raise OlistError(
            f"{context} is blocked since it was rolled back ({why}); "
            f"`olist acknowledge {context} --reason ...` lifts that."
        )
    wanted = {**state.routes, context: change.route}
    if not _moved(base, wanted):
        raise OlistError(_no_effect(base, context, wanted))
    refuse_impossible(base, served_schemas(base.tables, wanted))
    return base, change, wanted


def _moved(base: Release, routes: Mapping[str, Route]) -> list[str]:
    """Return the tables that would be served from another side than now."""
    schemas = served_schemas(base.tables, routes)
    return [name for name, table in base.tables.items() if table.schema != schemas[name]]


def _no_effect(base: Release, context: str, routes: Mapping[str, Route]) -> str:
    own = (table for table in base.tables.values() if table.context == context)
    waiting = sorted({name for table in own for name in waiting_for(table, routes)})
    return (
        f"The cutover of {context} would change nothing yet: all its tables also read {', '.join(waiting)}, "
        "which must be on new first."
    )


def _on_new_since(serving: Path) -> dict[str, datetime]:
    since: dict[str, datetime] = {}
    for act in journal.done_acts(serving):
        for change in act.changes:
            if change.route == "new" and change.former != "new":
                since[change.context] = datetime.fromisoformat(act.acted_at)
    return since


def _act(action: Action, changes: Sequence[Change], by: str, reason: str, **more: Any) -> Act:
    overridden = tuple(more.pop("overridden", ()))
    return Act(
        act_id=str(uuid.uuid4()),
        action=action,
        changes=tuple(changes),
        acted_at=datetime.now(UTC).isoformat(),
        acted_by=by,
        reason=reason,
        overridden=overridden,
        **more,
    )


def _switched(base: Release, release: Release, act: Act, routes: Mapping[str, Route]) -> Switched:
    schemas, former = release.schemas(), base.schemas()
    own = {change.context for change in act.changes if change.route == NEW}
    return Switched(
        act,
        release,
        tables=tuple(name for name, schema in schemas.items() if former.get(name) != schema),
        waiting={
            name: waiting_for(table, routes)
            for name, table in release.tables.items()
            if table.context in own and schemas[name] != NEW
        },
        notes=tuple(unmatched(release, schemas)),
    )
