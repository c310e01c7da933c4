"""Launching runs: Dagster's own launcher, and noticing that the process of a run is gone.

What belongs here: whether the process of a run is alive. What does not: what is done about it (`run_monitoring` and
`run_retries` of `dagster.yaml`).

A run is a child of the code server that started it. Dagster's default launcher does not ask whether it still is: a run
whose code server was killed would count as started for ever, and hold its backfill up.
"""

from __future__ import annotations

import time

from dagster import DagsterRun
from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster._core.launcher.base import CheckRunHealthResult, WorkerStatus
from dagster._core.launcher.default_run_launcher import DefaultRunLauncher
from dagster._grpc.types import CanCancelExecutionRequest, CanCancelExecutionResult
from dagster_shared.serdes import deserialize_value

PATIENCE = 60.0
"""Seconds for which a code server may not answer before the runs that it started count as gone."""


class WatchedRunLauncher(DefaultRunLauncher):
    """The default launcher, which asks a run's code server whether the run is still its child."""

    _silent_since: dict[str, float] | None = None

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Whether run monitoring may ask for the health of a run."""
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Return whether the process of a run lives, as far as its code server knows.

        A run that no code server started (`olist run`) is left alone: the next command line run buries it.
        """
        silent = self._silent_since = self._silent_since or {}
        client = self._get_grpc_client_for_termination(run.run_id)  # type: ignore[no-untyped-call]
        if client is None:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        try:
            answer = client.can_cancel_execution(CanCancelExecutionRequest(run_id=run.run_id), timeout=10)
        except DagsterUserCodeUnreachableError:
            first = silent.setdefault(run.run_id, time.monotonic())
            if time.monotonic() - first < PATIENCE:
                return CheckRunHealthResult(WorkerStatus.RUNNING, "its code server does not answer")
            return CheckRunHealthResult(WorkerStatus.NOT_FOUND, "its code server is gone, and the run with it")
        silent.pop(run.run_id, None)
        if deserialize_value(answer, CanCancelExecutionResult).can_cancel:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(WorkerStatus.NOT_FOUND, "its code server was started anew, and the run is gone")
