"""The standby: for each context on new, the present release with that context on old, ready to be pointed to.

What belongs here: preparing and taking it. What does not: deciding on a rollback (see `switch`).

    serving/standby/sales/   a whole release with the next number, based on the present one

It is prepared once a release is published, when there is time. A rollback then renames a folder and points to it: it
needs no space on the disk, and builds nothing. A standby of another release than the present one is of no use, and is
replaced by the next preparation.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Mapping
from pathlib import Path

from olist_pipeline.errors import OlistError
from olist_pipeline.serving.compose import compose
from olist_pipeline.serving.journal import present_state
from olist_pipeline.serving.release import Release, current_release, next_number, put_in_place, read_manifest
from olist_pipeline.serving.routing import served_schemas
from olist_pipeline.stores.routes import RouteState

_log = logging.getLogger("olist.serving")


def prepare(serving: Path) -> list[str]:
    """Prepare the standby of every context on new; return those contexts.

    No lock is held, so that nobody waits: what is prepared for a release that is not the present one any more is of no
    use, and is not taken. What cannot be prepared (no space, sides that may not be mixed) is logged: a rollback then
    composes its release, or says why it cannot.
    """
    base, state, number = current_release(serving), present_state(serving), next_number(serving)
    wanted = [context for context, route in state.routes.items() if route == "new"] if base else []
    for folder in (serving / "standby").glob("*"):
        if folder.name not in wanted:
            shutil.rmtree(folder, ignore_errors=True)
    return [context for context in wanted if base and _prepare_one(serving, base, state, number, context)]


def take(serving: Path, base: Release, context: str, number: int) -> Release | None:
    """Put the standby of `context` among the releases; None where there is none of `base`. Hold `sole_switch`."""
    folder = serving / "standby" / context
    if not folder.exists():
        return None
    release = _read(folder)
    if release is None or (release.based_on, release.number) != (base.number, number):
        return None
    put_in_place(serving, folder, number)
    return release


def without(state: RouteState, context: str) -> RouteState:
    """Return the state with a context back on old."""
    return RouteState({**state.routes, context: "old"}, state.blocked)


def _prepare_one(serving: Path, base: Release, state: RouteState, number: int, context: str) -> bool:
    folder = serving / "standby" / context
    routes = without(state, context).routes
    release = _read(folder) if folder.exists() else None
    if release and _is_fit(release, base, served_schemas(base.tables, routes), number):
        return True
    shutil.rmtree(folder, ignore_errors=True)
    try:
        composed, _ = compose(serving, base, routes, number, act=None)
    except OlistError as error:
        _log.warning("No standby of %s: %s", context, error)
        return False
    folder.parent.mkdir(exist_ok=True)
    try:
        composed.rename(folder)
    except OSError:  # another process prepared it meanwhile
        shutil.rmtree(composed, ignore_errors=True)
    return True


def _is_fit(release: Release, base: Release, schemas: Mapping[str, str], number: int) -> bool:
    shown = {name: table["schema"] for name, table in release.tables.items()}
    return (release.based_on, release.number) == (base.number, number) and shown == schemas


def _read(folder: Path) -> Release | None:
    try:
        return read_manifest(folder)
    except OlistError:
        return None
