"""Warm starts: `olist` as a process that is forked from one which has imported it already, and one dbt for all.

What belongs here: starting processes cheaply. What does not: what they are started for.

A command spends a third of its time on imports. Nothing else is left out: each command is a process, leads a group of
its own, starts dbt as a process of that group, and may be killed with or without it. The process that forks must never
use Polars or DuckDB itself: their threads do not survive a fork.

All commands share a fork server of dbt (`olist_pipeline.orchestration.forked_dbt`), which each would start for itself
otherwise. A dbt that was forked from it ends with the process that asked for it.
"""

from __future__ import annotations

import atexit
import importlib
import logging
import os
import signal
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from olist_pipeline.orchestration.forked_dbt import ForkServer
from olist_pipeline.orchestration.forked_dbt.ask import SOCKET
from olist_pipeline.settings import DBT_DIR

REFUSED = ["--no-such-option"]
"""The server parses no project: each home has its own."""


class Warm:
    """What was imported once, from which commands are forked."""

    def __init__(self) -> None:
        self._server = ForkServer(DBT_DIR, REFUSED)
        _import_olist()

    def start(self, arguments: Sequence[str], environment: Mapping[str, str], output: Path) -> int:
        """Start `olist` in a process group of its own, writing to `output`; return its process id."""

        def run() -> None:
            os.setpgid(0, 0)
            _become({**environment, SOCKET: str(self._server.path)}, output)
            sys.argv = ["olist", *arguments]
            from olist_pipeline.cli.main import main

            main()

        return fork(run)

    def stop(self) -> None:
        """End the server of dbt."""
        self._server.stop()


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


def _import_olist() -> None:
    for name in ("main", "run", "backfill", "cutover", "status", "parity", "releases", "summary"):
        importlib.import_module(f"olist_pipeline.cli.{name}")
    importlib.import_module("olist_pipeline.orchestration.definitions")
