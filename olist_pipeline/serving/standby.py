"""The standby: for each context the present release with that context switched, ready to be pointed to.

What belongs here: preparing and taking it. What does not: deciding on a switch (`cutover`, `rollback`).

    serving/standby/sales/   a whole release with the next number, based on the present one

It is prepared once a release is published, when there is time: for a context on new the way back to old, for one in
shadow the way to new. A switch then renames a folder and points to it. A rollback needs no space on the disk for it,
and builds nothing. A standby of another release or of other routes than the present ones is of no use, and is replaced
by the next preparation.
"""

from __future__ import annotations

import errno
import logging
import shutil
import uuid
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from olist_pipeline.errors import OlistError
from olist_pipeline.release_manifest import MANIFEST, Release, Route, read_manifest
from olist_pipeline.serving.compose import compose
from olist_pipeline.serving.journal import present_state
from olist_pipeline.serving.release import building, current_number, current_release, next_number
from olist_pipeline.serving.release_checks import unchecked
from olist_pipeline.serving.routing import is_of_these_routes, mixtures, served_schemas, way_back

SWITCHED: tuple[Route, ...] = ("new", "shadow")
"""The routes that a switch may change. A context on old is rehearsed first, a retired one is not switched."""

_log = logging.getLogger("olist.serving")


def prepare(serving: Path) -> list[str]:
    """Prepare the standby of every context whose switch would have an effect; return those contexts.

    No lock is held, so that nobody waits: what is prepared for a release that is not the present one any more is of no
    use, and is not taken. What cannot be prepared is logged: a switch then composes its release, or says why it cannot.
    """
    base, routes, number = current_release(serving), present_state(serving).routes, next_number(serving)
    wanted = {
        context: _switched(base, routes, context) for context, route in routes.items() if route in SWITCHED and base
    }
    useful = {context: after for context, after in wanted.items() if base and _is_useful(base, after)}

    def is_present() -> bool:
        """Whether nobody has switched meanwhile, who prepares for what he switched to."""
        return current_number(serving) == (base and base.number)

    for folder in (serving / "standby").glob("*"):
        if folder.name not in useful and is_present():
            _remove(folder)
    return [
        context
        for context, after in useful.items()
        if base and is_present() and _prepare_one(serving, base, after, number, context)
    ]


def take(
    serving: Path, folder: Path, base: Release, context: str, routes: Mapping[str, Route], number: int
) -> Release | None:
    """Let the standby of `context` for `routes` become `folder`; None where none fits. Hold the lock of serving."""
    # Who prepares others may have taken it away meanwhile, and a layer of an overlay gives no folder away.
    with suppress(OSError):
        (serving / "standby" / context).rename(folder)
        # Only what nobody can replace any more is looked at.
        release = _read(folder)
        if release and _is_fit(release, base, routes, number):
            return release
        shutil.rmtree(folder)
    return None


def make_room(serving: Path, *, but: str = "") -> None:
    """Remove what was prepared, but for one context: on a full disk nothing is worth more than to go back."""
    for folder in (serving / "standby").glob("*"):
        if folder.name != but:
            shutil.rmtree(folder, ignore_errors=True)


def _switched(base: Release, routes: Mapping[str, Route], context: str) -> dict[str, Route]:
    """Return the routes after a rollback of a context on new, or after a cutover of one in shadow."""
    return way_back(base, routes, context) if routes[context] == "new" else {**routes, context: "new"}


def _is_useful(base: Release, routes: Mapping[str, Route]) -> bool:
    schemas = served_schemas(base.tables, routes)
    holds_both = all(schema in base.sources(name) for name, schema in schemas.items())
    return holds_both and not is_of_these_routes(base, routes) and not mixtures(base, schemas)


def _prepare_one(serving: Path, base: Release, routes: Mapping[str, Route], number: int, context: str) -> bool:
    folder = serving / "standby" / context
    release = _read(folder)
    if release and _is_fit(release, base, routes, number):
        return True
    _remove(folder)
    try:
        with building(serving) as composed:
            compose(serving, composed, base, routes, number)
            folder.parent.mkdir(exist_ok=True)
            with suppress(OSError):  # another process prepared it meanwhile
                composed.rename(folder)
    except OlistError as error:
        _log.warning("No standby of %s: %s", context, error)
        return False
    return True


def _remove(folder: Path) -> None:
    """Remove a standby, whole or not at all: who takes it at this moment has all of it, and nobody else anything."""
    aside = folder.with_name(f".{uuid.uuid4().hex}")
    try:
        folder.rename(aside)
    except FileNotFoundError:
        return
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        # A lower layer of an overlay has it, and so nobody can take it. Without its manifest it is none at once.
        (folder / MANIFEST).unlink(missing_ok=True)
        aside = folder
    shutil.rmtree(aside, ignore_errors=True)


def _is_fit(release: Release, base: Release, routes: Mapping[str, Route], number: int) -> bool:
    is_checked = not release.unchecked or bool(unchecked())
    return is_checked and (release.based_on, release.number, release.routes) == (base.number, number, routes)


def _read(folder: Path) -> Release | None:
    try:
        return read_manifest(folder)
    except OlistError:
        return None
