"""The journal of acts: what was done to routes, on disk beside the releases, so that a rollback needs no database.

What belongs here: the lock over serving, appending acts, settling unfinished ones, and bringing them to PostgreSQL.
What does not: deciding on an act and carrying it out (`switch`).

    serving/journal.jsonl   {"act": {...}} and, once `current` points to its release, {"settled": id, "done": true}

An act is in the journal before it has its effect. One without a release has none: it is done once it is written. Of
the others the last may be unsettled after a crash; `current` tells whether it came to pass.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from olist_pipeline.errors import OlistError
from olist_pipeline.serving.release import current_number, current_release
from olist_pipeline.stores import routes
from olist_pipeline.stores.routes import Act, Route, RouteState

JOURNAL = "journal.jsonl"
LOCK_SECONDS = 60.0


@contextmanager
def sole_switch(serving: Path) -> Iterator[None]:
    """Hold the lock under which `current`, the journal and release numbers change; settle what a crash left.

    The lock goes with its process, however that ends. Raises OlistError when another one holds it for a minute.
    """
    serving.mkdir(parents=True, exist_ok=True)
    with (serving / ".lock").open("a+", encoding="utf-8") as lock:
        deadline = time.monotonic() + LOCK_SECONDS
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > deadline:
                    raise OlistError(f"Another command is switching {serving}; try again when it is done.") from error
                time.sleep(0.005)
        _settle_unfinished(serving)
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
    release = current_release(serving)
    state = RouteState(dict(release.routes) if release else {})
    for act in done_acts(serving):
        state = state.after(act)
    return state


def retired_contexts(serving: Path) -> set[str]:
    """Return the contexts whose old tables are not built any more."""
    return {context for context, route in present_state(serving).routes.items() if route == "retired"}


def bring_to_database(serving: Path, url: str) -> int:
    """Record in PostgreSQL the acts that it does not have yet; return their number."""
    return routes.record(url, done_acts(serving))


def recorded_routes(serving: Path, url: str, contexts: Iterable[str]) -> dict[str, Route]:
    """Return the routes of `contexts` from PostgreSQL, once it has all that was done while it was down."""
    bring_to_database(serving, url)
    return routes.read_routes(url, contexts)


def _settle_unfinished(serving: Path) -> None:
    acts, settled = _read(serving / JOURNAL)
    for act in acts:
        if act.release is not None and act.act_id not in settled:
            settle(serving, act, is_done=current_number(serving) == act.release)


def _read(path: Path) -> tuple[list[Act], dict[str, bool]]:
    acts: list[Act] = []
    settled: dict[str, bool] = {}
    if not path.exists():
        return acts, settled
    for line in path.read_text("utf-8").splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue  # the line that a killed process was writing: its act never began
        if "act" in entry:
            acts.append(Act.from_dict(entry["act"]))
        else:
            settled[entry["settled"]] = entry["done"]
    return acts, settled


def _write(path: Path, entry: dict[str, Any]) -> None:
    """Append a line and wait for the disk; a half-written last line is closed first."""
    is_new = not path.exists()
    with path.open("ab+") as file:
        if file.tell() and not _ends_line(path):
            file.write(b"\n")
        file.write(json.dumps(entry, ensure_ascii=False).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
    if is_new:
        _sync_folder(path.parent)


def _ends_line(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
