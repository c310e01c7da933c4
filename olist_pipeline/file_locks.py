"""Locks on files, between processes: each goes with its process, however that ends.

What belongs here: taking such a lock, and asking whether anybody holds it. What does not: PostgreSQL's locks
(`stores.locks`), and what a lock stands for, which its holder says.

A process id says nothing of who lives: it may have been given again, and another container counts its own. A lock of
the kernel (flock) is seen by every process of the machine that sees the file.

The embedded server takes its three locks itself: the watcher inherits one of them over fork and exec, keeps it for as
long as the server runs, and is a program of the standard library alone that both sides of the protocol stand beside
(`stores.embedded`, `stores.watcher`).
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

_LOOK_SECONDS = 0.005
_TURN_SECONDS = 0.5


def lock_file(path: Path, *, seconds: float | None = 0, shared: bool = False) -> BinaryIO:
    """Return the file at `path`, which is made where it is missing, locked; closing it gives the lock up.

    Its folder must be there. `shared`: beside others who take it so. `seconds` is how long to wait for another holder,
    None for as long as it takes. Raises BlockingIOError when that one holds the lock still, and OSError where the file
    cannot be opened.
    """
    deadline = None if seconds is None else time.monotonic() + seconds
    while True:
        file = path.open("ab+")
        try:
            _lock(file, fcntl.LOCK_SH if shared else fcntl.LOCK_EX, deadline)
            if _is_at(file, path):
                return file
        except BaseException:
            file.close()
            raise
        # Its last holder removed the file meanwhile: the next one would lock another.
        file.close()


@contextmanager
def alone(path: Path, while_waiting: Callable[[], None] | None = None) -> Iterator[None]:
    """Hold the lock at `path`, whose folder is made where it is missing; wait for another holder for ever.

    `while_waiting` is called again and again meanwhile, and may raise: no signal reaches a thread that waits.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with _lock_in_turn(path, while_waiting) if while_waiting else lock_file(path, seconds=None):
        yield


def _lock_in_turn(path: Path, while_waiting: Callable[[], None]) -> BinaryIO:
    while True:
        try:
            return lock_file(path, seconds=_TURN_SECONDS)
        except BlockingIOError:
            while_waiting()


def is_held(path: Path) -> bool:
    """Return whether anybody holds the lock at `path`; nobody does where there is no file."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def _lock(file: BinaryIO, kind: int, deadline: float | None) -> None:
    """Wait for the lock until `deadline`, by the monotonic clock."""
    if deadline is None:
        fcntl.flock(file, kind)
        return
    while True:
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise
        time.sleep(_LOOK_SECONDS)


def _is_at(file: BinaryIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False
