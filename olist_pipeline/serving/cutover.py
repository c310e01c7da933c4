"""Cutover: serving a context from new, once the gate is open, and the rehearsal that comes before.

What belongs here: what a cutover needs, and composing its release. What does not: the gate's objections (`gate`), and
what all acts share (`switch`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from olist_pipeline.errors import OlistError
from olist_pipeline.release_manifest import Release, Route
from olist_pipeline.serving import standby
from olist_pipeline.serving.compose import compose, refuse_impossible, sign
from olist_pipeline.serving.journal import present_state, sole_switch
from olist_pipeline.serving.release import building, next_number, put_in_place
from olist_pipeline.serving.routing import served_schemas, waiting_for
from olist_pipeline.serving.switch import (
    Switched,
    carry_out,
    change_route,
    legal_change,
    moved_tables,
    new_act,
    present_release,
    switched,
    unchanged,
)
from olist_pipeline.settings import Settings
from olist_pipeline.stores.routes import Change

GateOfRelease = Callable[[Release], Sequence[str]]
"""What the gate has against serving this release under another route."""


def rehearse(settings: Settings, context: str, *, by: str, reason: str) -> Switched:
    """Take a context from old to shadow: it is held to the gate again, and may be cut over."""
    return change_route(settings, context, "shadow", "shadow", by=by, reason=reason)


def cutover(
    settings: Settings,
    context: str,
    objections: GateOfRelease,
    *,
    by: str,
    reason: str,
    force: bool = False,
    parity_run: str | None = None,
) -> Switched:
    """Serve `context` from new, from now on.

    `objections` are the gate's, of the present release. `force` overrules them, needs a reason and is recorded; it
    does not overrule an illegal transition, a block, or tables that may not stand beside each other. One on new stays
    there, and nothing is written down.
    """
    serving = settings.serving
    if force and not reason.strip():
        raise OlistError("--force needs --reason: say why the gate is overruled.")
    if done := _unchanged(serving, context, by, reason):
        return done
    base, _, _ = _wanted_cutover(serving, context)
    # The gate takes its time: nobody waits for it, and what it said of a former release is asked again.
    found = list(objections(base))
    with sole_switch(serving):
        if done := _unchanged(serving, context, by, reason):
            return done
        present, change, wanted = _wanted_cutover(serving, context)
        if present.number != base.number:
            base, found = present, list(objections(present))
        if found and not force:
            raise OlistError(f"{context} cannot be cut over: {'; '.join(found)}.")
        number = next_number(serving)
        act = new_act("cutover", [change], by, reason, release=number, parity_run=parity_run, overridden=found)
        with building(serving) as folder:
            release = standby.take(serving, folder, base, context, wanted, number) or compose(
                serving, folder, base, wanted, number
            )
            sign(folder, release, act)
            put_in_place(serving, folder, number)
        carry_out(serving, act, number)
    return switched(base, release, act, wanted)


def _unchanged(serving: Path, context: str, by: str, reason: str) -> Switched | None:
    return unchanged(serving, present_state(serving), context, "new", "cutover", by, reason)


def _wanted_cutover(serving: Path, context: str) -> tuple[Release, Change, dict[str, Route]]:
    """Return the present release, the change and the routes after it; raises OlistError when nothing may change so."""
    base, state = present_release(serving), present_state(serving)
    change = legal_change(serving, state, context, "new")
    if why := state.blocked.get(context):
        raise OlistError(
            f"{context} is blocked since it was rolled back ({why}); "
            f"`olist acknowledge {context} --reason ...` lifts that."
        )
    wanted = {**state.routes, context: change.route}
    if not moved_tables(base, wanted):
        raise OlistError(_no_effect(base, context, wanted))
    refuse_impossible(base, served_schemas(base.tables, wanted))
    return base, change, wanted


def _no_effect(base: Release, context: str, routes: Mapping[str, Route]) -> str:
    own = (table for table in base.tables.values() if table.context == context)
    waiting = sorted({name for table in own for name in waiting_for(table, routes)})
    return (
        f"The cutover of {context} would change nothing yet: all its tables also read {', '.join(waiting)}, "
        "which must be on new first."
    )
