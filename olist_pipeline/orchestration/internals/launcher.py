"""Launching runs: Dagster's own launcher, which also knows when the process of a run is gone, and lets the run go on.

What belongs here: what is done with a run whose process, or code server, is gone. What does not: whether the process
lives (`run_process`), what a run that goes on leaves out (`executor`), how often and how many times (`dagster.yaml`).

A run is a child of the code server that started it. Dagster's default launcher does not ask whether it still is: a run
whose code server was killed would count as started for ever, and hold its backfill up. Nor does it help to fail such a
run and to start another one in its place: a backfill of a job counts as failed once any of its runs has failed. So the
run itself goes on: it returns to the queue, which launches it as soon as there is a code server.

Private: `CheckRunHealthResult`, `ResumeRunContext` and `WorkerStatus`, in which Dagster asks a launcher of a run;
`CanCancelExecutionRequest` and its result, in which a code server is asked; `DagsterUserCodeUnreachableError`. The
launcher itself is public. Publicly, only runs in containers or on clusters are watched.
"""

from __future__ import annotations

from dagster import DagsterEvent, DagsterRun, DefaultRunLauncher, deserialize_value
from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster._core.launcher.base import CheckRunHealthResult, ResumeRunContext, WorkerStatus
from dagster._grpc.types import CanCancelExecutionRequest, CanCancelExecutionResult

from olist_pipeline.errors import OlistError
from olist_pipeline.orchestration.run_process import RunProcess, forget, interrupt, process_of


class WatchedRunLauncher(DefaultRunLauncher):
    """The default launcher, which watches the processes of runs.

    A run process outlives a code server that is killed alone: then it is left to finish.
    """

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Whether run monitoring may ask for the health of a run."""
        return True

    @property
    def supports_resume_run(self) -> bool:
        """Whether a run whose process is gone may go on in another one."""
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Return whether the process of a run lives; its code server is asked where that cannot be seen from here."""
        match process_of(self._instance, run.run_id):
            case RunProcess.ALIVE:
                return CheckRunHealthResult(WorkerStatus.RUNNING)
            case RunProcess.GONE:
                return CheckRunHealthResult(WorkerStatus.NOT_FOUND, "its process is gone")
        return self._health_by_code_server(run)

    def resume_run(self, context: ResumeRunContext) -> None:
        """Return a run whose process is gone to the queue, without the pools that it held.

        Raises OlistError for a run of the command line, which cannot go on: it has failed.
        """
        run = context.dagster_run
        if run.remote_job_origin is None:
            raise OlistError("The command line that executed this run was killed; run it again.")
        forget(self._instance, run.run_id)
        self._instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
        self._instance.report_dagster_event(DagsterEvent.job_enqueue(run), run_id=run.run_id)

    def terminate(self, run_id: str) -> bool:
        """Interrupt a run; one that outlived its code server, too, which no code server can do any more."""
        try:
            is_terminated: bool = super().terminate(run_id)  # type: ignore[no-untyped-call]
        except DagsterUserCodeUnreachableError:
            if interrupt(self._instance, run_id):
                return True
            raise
        return is_terminated or interrupt(self._instance, run_id)

    def _health_by_code_server(self, run: DagsterRun) -> CheckRunHealthResult:
        client = self._get_grpc_client_for_termination(run.run_id)  # type: ignore[no-untyped-call]
        if client is None:
            return CheckRunHealthResult(WorkerStatus.RUNNING, "it has no code server")
        try:
            answer = client.can_cancel_execution(CanCancelExecutionRequest(run_id=run.run_id), timeout=10)
        except DagsterUserCodeUnreachableError:
            return CheckRunHealthResult(WorkerStatus.RUNNING, "its code server does not answer, and is waited for")
        if deserialize_value(answer, CanCancelExecutionResult).can_cancel:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(WorkerStatus.NOT_FOUND, "its code server was started anew, and does not know it")
