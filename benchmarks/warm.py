"""Warm starts: `olist` and dbt as processes that are forked from one which has imported them already.

What belongs here: starting processes cheaply. What does not: what they are started for.

A command spends a third of its time on imports. Nothing else is left out: each command is a process, leads a group of
its own, starts dbt as a process of that group, and may be killed with or without it. The process that forks must never
use Polars or DuckDB itself: their threads do not survive a fork.

`olist` starts dbt by a path. Here that is a small program that hands its arguments, its environment and its open files
to a server, which forks the real dbt into the group of whoever asked.
"""

from __future__ import annotations

import atexit
import importlib
import json
import logging
import os
import select
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

CLIENT = """#!{python} -IS
import ctypes, json, os, signal, socket, sys
ctypes.CDLL(None).prctl(1, signal.SIGKILL)
server = socket.socket(socket.AF_UNIX)
server.connect({path!r})
asked = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ), os.getpgid(0)]).encode()
socket.send_fds(server, [len(asked).to_bytes(4, "big")], [0, 1, 2])
server.sendall(asked)
answers = server.makefile("r")
child = int(answers.readline())
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda number, _: os.kill(child, number))
sys.exit(int(answers.readline() or 1))
"""


class Warm:
    """What was imported once, from which commands are forked; `folder` is for the client and the socket of dbt."""

    def __init__(self, folder: Path) -> None:
        self.client, path = folder / "dbt", folder / "dbt.socket"
        self.client.write_text(CLIENT.format(python=sys.executable, path=str(path)), "utf-8")
        self.client.chmod(0o755)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(path))
        listener.listen()
        self._server = fork(lambda: _serve_dbt(listener))
        listener.close()
        _import_olist(self.client)

    def start(self, arguments: Sequence[str], environment: Mapping[str, str], output: Path) -> int:
        """Start `olist` in a process group of its own, writing to `output`; return its process id."""

        def run() -> None:
            os.setpgid(0, 0)
            _become(environment, output)
            sys.argv = ["olist", *arguments]
            from olist_pipeline.cli.main import main

            main()

        return fork(run)

    def stop(self) -> None:
        """End the server of dbt."""
        os.kill(self._server, signal.SIGKILL)
        os.waitpid(self._server, 0)


def fork(function: Callable[[], object]) -> int:
    """Run `function` in a forked process to its end, as the main program of that; return the process id."""
    if process := os.fork():
        return process
    code = 1
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    try:
        function()
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 0 if error.code is None else 1
    except BaseException:  # it is what a person would see
        traceback.print_exc()
    try:
        atexit._run_exitfuncs()  # noqa: SLF001 - a forked process that must not return runs them itself
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def _become(environment: Mapping[str, str], output: Path) -> None:
    """Take another environment, and write to a file alone."""
    os.environ.clear()
    os.environ.update(environment)
    with output.open("wb") as file, Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)


def _import_olist(dbt: Path) -> None:
    """Import all that a run imports, and let it find dbt where the client is."""
    for name in ("main", "run", "backfill", "cutover", "status", "parity", "releases", "summary"):
        importlib.import_module(f"olist_pipeline.cli.{name}")
    for name in ("settings", "orchestration.dbt", "orchestration.definitions"):
        vars(importlib.import_module(f"olist_pipeline.{name}"))["DBT"] = (str(dbt),)


def _serve_dbt(listener: socket.socket) -> None:
    """Fork a dbt for each that asks."""
    for name in ("dbt.adapters.duckdb", "dbt.cli.main"):
        importlib.import_module(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    os.environ["PYTHONUNBUFFERED"] = "1"
    while True:
        asking, _ = listener.accept()
        fork_once(lambda asking=asking: _answer(asking))  # type: ignore[misc]
        asking.close()


def fork_once(function: Callable[[], object]) -> None:
    """Run `function` in a process that is nobody's concern."""
    if not os.fork():
        try:
            function()
        finally:
            os._exit(0)


def _answer(asking: socket.socket) -> None:
    """Run one dbt and tell its process id, then its exit code."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    head, files, _, _ = socket.recv_fds(asking, 4, 3)
    asked = b""
    while len(asked) < int.from_bytes(head, "big"):
        asked += asking.recv(65536)
    arguments, folder, environment, group = json.loads(asked)

    def run() -> None:
        os.setpgid(0, group)
        for number, file in enumerate(files):
            os.dup2(file, number)
        os.environ.clear()
        os.environ.update(environment)
        os.chdir(folder)
        sys.argv = ["dbt", *arguments]
        from dbt.cli.main import cli

        cli()

    child = fork(run)
    for file in files:
        os.close(file)
    asking.sendall(f"{child}\n".encode())
    status = _end_with(asking, child)
    asking.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())


def _end_with(asking: socket.socket, child: int) -> int:
    """Wait for a dbt and return its status; one whose client is gone ends with it, as the real one does."""
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status
        gone, _, _ = select.select([asking], [], [], 0.02)
        if gone and not asking.recv(1):
            os.kill(child, signal.SIGKILL)
            os._exit(1)
