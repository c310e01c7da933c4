"""The watcher of the embedded server: starts it, and stops it when the last process that uses it has ended.

What belongs here: what must outlive a process that is killed. What does not: everything else (`embedded`). It runs as
a program of its own, by its path, with the standard library alone, so that it starts in a moment and needs no packages:

    python -I -S watcher.py USERS_LOCK WATCH_FD UID GID (PID | COMMAND ...)

Every process that uses the server holds the file USERS_LOCK shared; who gets it for itself knows that none is left.
WATCH_FD is a locked file that shows, by being locked, that the server has a watcher. Given the PID of a server instead
of a command, it watches that one: its first watcher was killed.
"""

from __future__ import annotations

import fcntl
import os
import signal
import sys
import time
from pathlib import Path
from typing import NoReturn

LOOK_SECONDS = 0.5
STOP_SECONDS = 60
"""A server that has not stopped in this time is stopped without its last checkpoint, which the next start redoes."""


def main(users: str, watch: str, user: str, group: str, *server: str) -> NoReturn:
    """Leave the process that started this one alone, then watch until the server or its last user has ended."""
    if os.fork():
        os._exit(0)
    os.setsid()
    os.set_inheritable(int(watch), False)
    if server[0].isdigit():
        pid = int(server[0])
    else:
        # Whatever ends the server ends its watcher, at once.
        signal.signal(signal.SIGCHLD, _end)
        pid = _start(int(user), int(group), server)
    with Path(users).open("rb") as lock:
        while _is_alive(pid) and not _is_unused(lock.fileno()):
            time.sleep(LOOK_SECONDS)
        _stop(pid)
    os._exit(0)


def _end(*_: object) -> NoReturn:
    os.waitpid(-1, os.WNOHANG)
    os._exit(0)


def _start(user: int, group: int, command: tuple[str, ...]) -> int:
    if pid := os.fork():
        return pid
    try:
        if os.geteuid() == 0:
            os.setgroups([])
            os.setgid(group)
            os.setuid(user)
        os.execv(command[0], command)
    finally:
        os._exit(127)


def _is_unused(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _stop(pid: int) -> None:
    """Stop the server; who waits for the lock of its users starts another one only then."""
    for how in (signal.SIGINT, signal.SIGQUIT):
        if not _is_alive(pid):
            return
        os.kill(pid, how)
        deadline = time.monotonic() + STOP_SECONDS
        while _is_alive(pid) and time.monotonic() < deadline:
            time.sleep(0.02)


if __name__ == "__main__":
    main(*sys.argv[1:])
