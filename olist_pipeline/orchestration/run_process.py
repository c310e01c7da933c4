"""Processes of runs: a lock that the process of a run holds for as long as it lives.

What belongs here: holding that lock, and asking whether anybody does. What does not: what follows from the answer
(`launcher`).

The lock goes with its process, however that ends. So the answer needs no code server, which may be gone, and no process
id, which may have been given again. It is a file below DAGSTER_HOME, which the processes of a server share.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from contextlib import suppress
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from olist_pipeline.file_locks import is_held, lock_file

if TYPE_CHECKING:
    from dagster import DagsterInstance

_held: dict[Path, BinaryIO] = {}
"""The locks of this process. It gives them up by its end alone: until then a run may count as started."""


KEPT_SECONDS = 7 * 24 * 3600
"""A lock that nobody holds any more stays for so long: no run goes on after a week."""


class RunProcess(Enum):
    """Whether the process of a run lives."""

    ALIVE = "alive"
    GONE = "gone"
    UNKNOWN = "unknown"
    """It has not begun, or does its work where this process sees no locks of it."""


def hold(instance: DagsterInstance, run_id: str) -> None:
    """Let this process be the run's, until its end; wait for another one that still is."""
    path = _lock_of(instance, run_id)
    if path in _held:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = lock_file(path, seconds=None)
    lock.truncate(0)
    lock.write(json.dumps([socket.gethostname(), os.getpid()]).encode())
    lock.flush()
    _held[path] = lock
    _remove_old(path.parent)


def forget(instance: DagsterInstance, run_id: str) -> None:
    """Let the run be as one that has not begun."""
    _lock_of(instance, run_id).unlink(missing_ok=True)


def process_of(instance: DagsterInstance, run_id: str) -> RunProcess:
    """Return whether the process of a run lives."""
    path = _lock_of(instance, run_id)
    if is_held(path):
        return RunProcess.ALIVE
    return RunProcess.GONE if path.exists() else RunProcess.UNKNOWN


def interrupt(instance: DagsterInstance, run_id: str) -> bool:
    """Interrupt the living process of a run, as its code server would do; return whether there is one here."""
    if process_of(instance, run_id) is not RunProcess.ALIVE:
        return False
    # It may not have written yet who it is, or have ended meanwhile.
    with suppress(ValueError, FileNotFoundError, ProcessLookupError):
        host, process = json.loads(_lock_of(instance, run_id).read_text("utf-8"))
        if host == socket.gethostname():
            os.kill(process, signal.SIGINT)
            return True
    return False


def _remove_old(folder: Path) -> None:
    """Remove the locks that processes which are long gone left behind."""
    for path in folder.glob("*.lock"):
        with suppress(OSError):
            if path.stat().st_mtime > time.time() - KEPT_SECONDS:
                continue
            with lock_file(path):
                path.unlink()


def _lock_of(instance: DagsterInstance, run_id: str) -> Path:
    return Path(instance.root_directory) / "runs" / f"{run_id}.lock"
