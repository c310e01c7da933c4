"""Rollback: serving a context from old again, whatever is broken, and lifting the block that it may leave.

What belongs here: finding or composing the release to go back to. What does not: when to go back (a person says, or
the `guard`), and what all acts share (`switch`).

It reads the journal and the releases alone: no warehouse, no PostgreSQL, no dbt, and no space where all is prepared.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from olist_pipeline.errors import OlistError
from olist_pipeline.release_manifest import Release, Route
from olist_pipeline.serving import standby
from olist_pipeline.serving.compose import compose
from olist_pipeline.serving.journal import present_state, sole_switch
from olist_pipeline.serving.release import (
    building,
    current_release,
    find_release,
    kept_numbers,
    next_number,
    put_in_place,
)
from olist_pipeline.serving.routing import served_schemas, way_back
from olist_pipeline.serving.switch import (
    Switched,
    carry_out,
    check_known,
    legal_change,
    moved_tables,
    new_act,
    present_release,
    switched,
    unchanged,
    write_down,
)
from olist_pipeline.settings import Settings
from olist_pipeline.stores.routes import SERVED_FROM_NEW, Change, RouteState


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
    to old, where its verdicts hold up no release. One on old stays there, and nothing is written down. `blocks`:
    another cutover waits for an acknowledgement.
    """
    serving = settings.serving
    with sole_switch(serving):
        state = present_state(serving)
        if to is not None:
            return _point_back(serving, state, context, to, by=by, reason=reason, blocks=blocks)
        if not blocks and (done := unchanged(serving, state, context, "old", "rollback", by, reason)):
            return done
        change = legal_change(serving, state, context, "old")
        base = current_release(serving)
        wanted = way_back(base, state.routes, context) if base else {**state.routes, context: change.route}
        along = [name for name, route in wanted.items() if route != state.routes[name] and name != context]
        changes = [change, *(Change(name, state.routes[name], wanted[name]) for name in along)]
        if base is None or not moved_tables(base, wanted):
            act = new_act("rollback", changes, by, reason, blocks=blocks)
            write_down(serving, act)
            return Switched(act, base)
        release = _way_back(serving, base, wanted, context)
        act = new_act("rollback", changes, by, reason, release=release.number, blocks=blocks)
        carry_out(serving, act, release.number)
    return switched(base, release, act, wanted)


def acknowledge(settings: Settings, context: str, *, by: str, reason: str) -> Switched:
    """Lift the block that an automatic rollback left; raises OlistError where there is none, or without a reason."""
    if not reason.strip():
        raise OlistError("An acknowledgement needs a reason: say what was wrong and what was done about it.")
    with sole_switch(settings.serving):
        state = present_state(settings.serving)
        check_known(settings.serving, state, context)
        if context not in state.blocked:
            raise OlistError(f"{context} is not blocked: there is nothing to acknowledge.")
        route = state.routes[context]
        act = new_act("acknowledge", [Change(context, route, route)], by, reason)
        write_down(settings.serving, act)
    return Switched(act)


def _point_back(
    serving: Path, state: RouteState, context: str, to: int, *, by: str, reason: str, blocks: bool
) -> Switched:
    """Point to a kept release: the contexts that it serves from old go back to old with it, and none goes to new."""
    base, release = present_release(serving), find_release(serving, to)
    check_known(serving, state, context)
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
    act = new_act("rollback", changes or same, by, reason, release=to, blocks=blocks)
    carry_out(serving, act, to)
    wanted = {**state.routes, **{change.context: change.route for change in changes}}
    return switched(base, release, act, wanted)


def _way_back(serving: Path, base: Release, wanted: Mapping[str, Route], context: str) -> Release:
    """Return a release in its place that serves `base` under other routes.

    The standby, else one that is composed, for which what was prepared for others makes room, else the last kept one
    that shows the same sides of older data.
    """
    with suppress(OlistError):
        return _switched_release(serving, base, wanted, context)
    standby.make_room(serving, but=context)
    try:
        return _switched_release(serving, base, wanted, context)
    except OlistError:
        schemas = served_schemas(base.tables, wanted)
        for kept in reversed([kept for kept in kept_numbers(serving) if kept < base.number]):
            former = find_release(serving, kept)
            if former.schemas() == schemas:
                return former
        raise


def _switched_release(serving: Path, base: Release, wanted: Mapping[str, Route], context: str) -> Release:
    number = next_number(serving)
    with building(serving) as folder:
        release = standby.take(serving, folder, base, context, wanted, number) or compose(
            serving, folder, base, wanted, number, checks=False
        )
        put_in_place(serving, folder, number)
        return release
