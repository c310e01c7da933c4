"""The journal of acts: what was done to routes, on disk beside the releases, so that a rollback needs no database.

What belongs here: the lock over serving, appending acts, settling unfinished ones, and bringing them to PostgreSQL.
What does not: deciding on an act (`cutover`, `rollback`, `retirement`) and carrying it out (`switch`).

    serving/journal.jsonl   {"act": {...}} and, once `current` points to its release, {"settled": id, "done": true}

A journal that was damaged or lost is written anew from PostgreSQL (`mend`), which has every act that was brought to it.

An act is in the journal before it has its effect. One without a release has none: it is done once it is written. Of
the others the last may be unsettled after a crash; `current` tells whether it came to pass.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from olist_pipeline.errors import OlistError
from olist_pipeline.file_locks import lock_file
from olist_pipeline.files import append_line, flush, replacing
from olist_pipeline.owners import refuse_stranger
from olist_pipeline.release_manifest import Route
from olist_pipeline.serving.release import current_number, last_readable
from olist_pipeline.stores import routes
from olist_pipeline.stores.routes import Act, RouteState

JOURNAL = "journal.jsonl"
LOCK_SECONDS = 60.0


class JournalDamaged(OlistError):  # noqa: N818 - a state of the journal, which `mend` ends
    """A journal that cannot be read: what it said is in PostgreSQL."""

    def __init__(self, path: Path, where: str) -> None:
        super().__init__(
            f"{path} is damaged ({where}); `olist status` mends it from PostgreSQL, which has every act that it said."
        )


@contextmanager
def sole_switch(serving: Path) -> Iterator[None]:
    """Hold the lock under which `current`, the journal and release numbers change; settle what a crash left.

    The lock goes with its process, however that ends. Raises OlistError when another one holds it for a minute.
    """
    with _locked(serving):
        _settle_unfinished(serving)
        yield


@contextmanager
def _locked(serving: Path) -> Iterator[None]:
    refuse_stranger(serving.parent)
    serving.mkdir(parents=True, exist_ok=True)
    try:
        lock = lock_file(serving / ".lock", seconds=LOCK_SECONDS)
    except BlockingIOError as error:
        raise OlistError(f"Another command is switching {serving}; try again when it is done.") from error
    with lock:
        yield


def append(serving: Path, act: Act) -> None:
    """Write `act` down for good; hold `sole_switch`."""
    _write(serving / JOURNAL, {"act": act.to_dict()})


def settle(serving: Path, act: Act, *, is_done: bool) -> None:
    """Say whether `act` came to pass; hold `sole_switch`."""
    _write(serving / JOURNAL, {"settled": act.act_id, "done": is_done})


def done_acts(serving: Path) -> list[Act]:
    """Return the acts that came to pass, in their order."""
    acts, settled = _read(serving / JOURNAL)
    return [act for act in acts if settled.get(act.act_id, act.release is None)]


def present_state(serving: Path) -> RouteState:
    """Return routes and blocks as the journal has them, with the routes of `current` where it says nothing."""
    release = last_readable(serving)
    state = RouteState(dict(release.routes) if release else {})
    for act in done_acts(serving):
        state = state.after(act)
    return state


def retired_contexts(serving: Path) -> set[str]:
    """Return the contexts whose old tables are not built any more."""
    return {context for context, route in present_state(serving).routes.items() if route == "retired"}


def bring_to_database(serving: Path, url: str) -> int:
    """Record in PostgreSQL the acts that it does not have yet; return their number. Mend the journal before.

    An act that a crash left is settled; for one that somebody is carrying out now is waited.
    """
    mend(serving, url)
    if _unsettled(serving):
        with sole_switch(serving):
            pass
    return routes.record(url, done_acts(serving))


def unrecorded(serving: Path, url: str) -> str:
    """Bring acts to PostgreSQL; return why they cannot be, for who only shows them: a standby takes no changes."""
    try:
        bring_to_database(serving, url)
    except OlistError as error:
        return str(error)
    return ""


def mend(serving: Path, url: str) -> None:
    """Write the journal anew where it is damaged or lacks acts that PostgreSQL has; what it was is kept aside.

    PostgreSQL gets an act after the journal, so acts that only the journal has are the latest.
    """
    if not _lacks(serving, url):
        return
    with _locked(serving):
        if not (recorded := _lacks(serving, url)):
            return
        path = serving / JOURNAL
        acts, settled, _ = _lines(path)
        known = {act.act_id for act in recorded}
        cut_off = next((act for act in reversed(acts) if act.release is not None), None)
        if cut_off and cut_off.release != current_number(serving):
            settled.setdefault(cut_off.act_id, False)
        done = [*recorded, *(act for act in acts if act.act_id not in known and settled.get(act.act_id, True))]
        entries = [entry for act in done for entry in ({"act": act.to_dict()}, {"settled": act.act_id, "done": True})]
        _keep_aside(path)
        with replacing(path) as temporary:
            temporary.write_text("".join(f"{json.dumps(entry, ensure_ascii=False)}\n" for entry in entries), "utf-8")
            flush(temporary)
        flush(serving)


def _keep_aside(path: Path) -> None:
    """Keep a damaged journal; the file stays until another takes its place, for it alone may have the latest acts."""
    aside = path.with_name(f"{JOURNAL}.damaged-{time.time_ns()}")
    if path.is_dir():
        path.rename(aside)
    elif path.exists():
        shutil.copyfile(path, aside)


def _lacks(serving: Path, url: str) -> list[Act]:
    """Return the acts that PostgreSQL has, if the journal lacks one of them or is damaged; else nothing."""
    recorded = routes.recorded_acts(url)
    acts, _, damage = _lines(serving / JOURNAL)
    return recorded if damage or {act.act_id for act in recorded} - {act.act_id for act in acts} else []


def recorded_routes(serving: Path, url: str, contexts: Iterable[str]) -> dict[str, Route]:
    """Return the routes of `contexts` from PostgreSQL, once it has all that was done while it was down."""
    bring_to_database(serving, url)
    return routes.read_routes(url, contexts)


def present_routes(serving: Path, url: str, contexts: Iterable[str]) -> dict[str, Route]:
    """Return the routes of `contexts` from PostgreSQL, and from the journal what that may lack yet."""
    return {**routes.read_routes(url, contexts), **present_state(serving).routes}


def _settle_unfinished(serving: Path) -> None:
    for act in _unsettled(serving):
        settle(serving, act, is_done=current_number(serving) == act.release)


def _unsettled(serving: Path) -> list[Act]:
    acts, settled = _read(serving / JOURNAL)
    return [act for act in acts if act.release is not None and act.act_id not in settled]


def _read(path: Path) -> tuple[list[Act], dict[str, bool]]:
    acts, settled, damage = _lines(path)
    if damage:
        raise JournalDamaged(path, damage)
    return acts, settled


def _lines(path: Path) -> tuple[list[Act], dict[str, bool], str]:
    """Return acts, by id whether they came to pass, and what is damaged, if anything is."""
    acts: list[Act] = []
    settled: dict[str, bool] = {}
    damage = ""
    if path.is_dir():
        return acts, settled, "it is a folder"
    for number, line in enumerate(path.read_bytes().split(b"\n") if path.exists() else (), start=1):
        try:
            entry = json.loads(line) if line else {}
            if "act" in entry:
                acts.append(Act.from_dict(entry["act"]))
            elif line:
                settled[entry["settled"]] = bool(entry["done"])
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            # The line that a killed process was writing lacks its end: its act never began.
            if not _is_cut_off(line):
                damage = damage or f"line {number}"
    if settled.keys() - {act.act_id for act in acts}:
        damage = damage or "an act that was settled is not there"
    return acts, settled, damage


def _is_cut_off(line: bytes) -> bool:
    """Return whether a line is the beginning of an entry and nothing else."""
    from pydantic_core import from_json  # a rollback, whose journal is whole most of the time, does not wait for it

    try:
        from_json(line, allow_partial=True)
    except ValueError:
        return False
    with suppress(ValueError, RecursionError):
        # What goes on after its end was not cut off.
        json.JSONDecoder().raw_decode(line.decode("utf-8", "replace"))
        return False
    return line.startswith(b"{")


def _write(path: Path, entry: dict[str, Any]) -> None:
    append_line(path, json.dumps(entry, ensure_ascii=False))
