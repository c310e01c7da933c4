"""The fork server of this process: its start, its end, and how dbt is called so that it is asked.

What belongs here: the process and its socket. What does not: its program (`serve`).
"""

from __future__ import annotations

import atexit
import os
import socket
import subprocess
import sys
import uuid
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from olist_pipeline.errors import OlistError
from olist_pipeline.orchestration.forked_dbt import ask, serve
from olist_pipeline.runtime_folder import private_folder, remove_left, runtime_folder
from olist_pipeline.settings import DBT

ASKING = (sys.executable, "-IS", ask.__file__, str(len(DBT)), *DBT)
"""The command that runs dbt by the fork server where there is one, else by itself; arguments follow."""


def has_server() -> bool:
    """Return whether a fork server is there for the programs that this process starts."""
    return ask.SOCKET in os.environ


def ensure_server(project: Path, parse: Sequence[str]) -> None:
    """Start a server that lives as long as this process, unless there is one; without one dbt is as slow as ever."""
    if not has_server():
        with suppress(OSError, OlistError):
            atexit.register(ForkServer(project, parse).stop)


class ForkServer:
    """A process that has imported dbt; `OLIST_DBT_SERVER` names its socket to programs that are started meanwhile."""

    def __init__(self, project: Path, parse: Sequence[str]) -> None:
        """Start it, and return at once; `parse` are the arguments of a `dbt parse` in the folder `project`.

        Raises OSError where no process can be started, OlistError where the folder of sockets is somebody else's.
        """
        folder = private_folder(runtime_folder(os.geteuid()), os.geteuid(), os.getegid())
        remove_left(folder)
        self.path = folder / uuid.uuid4().hex[:16]
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(self.path))
            listener.listen()
            descriptor = listener.fileno()
            self.process = subprocess.Popen(
                [sys.executable, "-P", serve.__file__, str(descriptor), *parse],
                cwd=project,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[descriptor],
            )
        os.environ[ask.SOCKET] = str(self.path)

    def stop(self) -> None:
        """End the process; invocations that are at work go on."""
        if os.environ.get(ask.SOCKET) == str(self.path):
            del os.environ[ask.SOCKET]
        self.path.unlink(missing_ok=True)
        # Where this process ignores the signal, so does that one until it has begun; then it sees that nobody needs it.
        assert self.process.stdin
        self.process.stdin.close()
        self.process.terminate()
        self.process.wait()
