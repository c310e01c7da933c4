"""dbt's command line, by a fork server and without what dagster-dbt starts beside each invocation of it.

What belongs here: switching those off, and ending what is at work. What does not: the arguments of an invocation
(`orchestration.dbt_build`), and the server with its life (`orchestration.forked_dbt`).

Private: `_cli_version` and `_initialize_dbt_core_adapter` of `DbtCliResource`. No public setting leaves them out; to
run dbt by `subprocess` would mean to read its log for the events of assets and checks ourselves. Where an
upgrade renames them, dbt works as before, and each invocation takes two seconds longer: a test tells.
"""

from __future__ import annotations

import signal
import subprocess
import threading
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DbtCliInvocation, DbtCliResource
from packaging.version import Version

from olist_pipeline.orchestration.forked_dbt import ensure_server

END_SECONDS = 3
"""So long may an interrupted dbt take to end: a statement of DuckDB's goes on, and an interrupt may come too early."""


class Running:
    """The invocations of dbt that this process has started, for whoever has to end them from another thread."""

    def __init__(self) -> None:
        self.starting = threading.Lock()
        """Held while dbt is started: dagster-dbt changes this process's folder for that moment."""
        self.processes: list[subprocess.Popen[bytes]] = []
        self.is_interrupted = False


_running = Running()


def begin_run() -> None:
    """Let dbt be started: no interrupt of an earlier run of this process counts any more."""
    _running.processes, _running.is_interrupted = [], False


def interrupt_running() -> None:
    """Interrupt every dbt of this process, wait for their ends, and let none start until the next run begins."""
    with _running.starting:
        _running.is_interrupted = True
    for process in _running.processes:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
    for process in _running.processes:
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()


def refuse_interrupted() -> None:
    """Raise Failure in a run that was interrupted."""
    if _running.is_interrupted:
        raise dg.Failure("The run was interrupted before dbt had done its work.", allow_retries=False)


class OwnDbt(DbtCliResource):
    """The dbt of this environment, without what Dagster would start beside each invocation of it.

    Dagster asks `dbt --version`, which asks the package index for a later one, and loads an adapter into this process
    for row counts and columns. Together they take as long as dbt itself; both are read from the warehouse here.

    `parse` are the arguments of a `dbt parse` with which a fork server prepares itself where this is what starts it.
    Without a server dbt starts as it always does: nothing is lost but time.
    """

    parse: list[str] = []

    def cli(self, *args: Any, **options: Any) -> DbtCliInvocation:
        """See `DbtCliResource.cli`; raises Failure in a run that was interrupted."""
        with _running.starting:
            refuse_interrupted()
            ensure_server(Path(self.project_dir), self.parse)
            invocation = super().cli(*args, **options)
            _running.processes.append(invocation.process)
        return invocation

    @property
    def _cli_version(self) -> Version:
        return Version(version("dbt-core"))

    def _initialize_dbt_core_adapter(self, args: Sequence[str]) -> None:  # type: ignore[override]
        return None
