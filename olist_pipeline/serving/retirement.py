"""Retirement: the end of a context's old and replay tables, and its undoing.

What belongs here: when a context may be retired. What does not: what a run builds then (`orchestration`), and what all
acts share (`switch`).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from olist_pipeline.errors import OlistError
from olist_pipeline.serving import journal
from olist_pipeline.serving.journal import present_state, sole_switch
from olist_pipeline.serving.switch import Switched, change_route, legal_change, new_act, unchanged, write_down
from olist_pipeline.settings import Settings
from olist_pipeline.stores.routes import SERVED_FROM_NEW, RouteState


def retire(settings: Settings, context: str, *, by: str, reason: str, now: datetime) -> Switched:
    """Stop building the old and replay tables of a context, from the next run on.

    Raises OlistError unless every context is on new, for as long as the settings ask.
    """
    serving = settings.serving
    with sole_switch(serving):
        state = present_state(serving)
        if done := unchanged(serving, state, context, "retired", "retire", by, reason):
            return done
        change = legal_change(serving, state, context, "retired")
        if missing := _too_early(serving, state, now, timedelta(days=settings.cutover.retire_after_days)):
            raise OlistError(
                f"{context} cannot be retired: every context must have been on new for "
                f"{settings.cutover.retire_after_days:g} days, and {'; '.join(missing)}."
            )
        act = new_act("retire", [change], by, reason)
        write_down(serving, act)
    return Switched(act)


def restore(settings: Settings, context: str, *, by: str, reason: str) -> Switched:
    """Undo a retirement: the next run builds the old and replay tables again."""
    return change_route(settings, context, "new", "restore", by=by, reason=reason, only_from="retired")


def _too_early(serving: Path, state: RouteState, now: datetime, patience: timedelta) -> list[str]:
    """Return a sentence for each context that has not been on new for so long."""
    since, found = _on_new_since(serving), []
    for name, route in state.routes.items():
        if route not in SERVED_FROM_NEW:
            found.append(f"{name} is on {route}")
        elif route == "new" and now - since.get(name, now) < patience:
            found.append(
                f"{name} is on new only since {since[name].astimezone(UTC):%Y-%m-%d %H:%M} UTC"
                if name in since
                else f"nothing says since when {name} is on new (`olist status` mends a journal that was lost)"
            )
    return found


def _on_new_since(serving: Path) -> dict[str, datetime]:
    since: dict[str, datetime] = {}
    for act in journal.done_acts(serving):
        for change in act.changes:
            if change.route == "new" and change.former != "new":
                since[change.context] = datetime.fromisoformat(act.acted_at)
    return since
