"""Steps beside one another: one that waits for another process has a thread, the others go on in the main thread.

What belongs here: in which thread a step of a run is executed. What does not: which steps a process of a run executes
(`executor`), and which of them wait (`BESIDE`, a tag of their ops).

Private: `PlanExecutionContext`, `StepExecutionContext`, `InstanceConcurrencyContext`, `ExecutionPlan`, `ExecutionStep`,
`ActiveExecution`, `dagster_event_sequence_for_step`, `step_failure_event_from_exc_info`, `create_compute_log_file_key`
and `raise_execution_interrupts`. Publicly, steps run
beside one another in processes of their own, each of which imports for seconds. Without this module they run one after
the other.
"""

from __future__ import annotations

import queue
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import dagster as dg
from dagster._core.errors import raise_execution_interrupts
from dagster._core.execution.compute_logs import create_compute_log_file_key
from dagster._core.execution.context.system import PlanExecutionContext, StepExecutionContext
from dagster._core.execution.plan.active import ActiveExecution
from dagster._core.execution.plan.execute_plan import dagster_event_sequence_for_step
from dagster._core.execution.plan.instance_concurrency_context import InstanceConcurrencyContext
from dagster._core.execution.plan.objects import step_failure_event_from_exc_info
from dagster._core.execution.plan.plan import ExecutionPlan
from dagster._core.execution.plan.step import ExecutionStep

from olist_pipeline.errors import OlistError
from olist_pipeline.orchestration.failures import is_of_interrupt

BESIDE = "olist/beside"
"""The tag of an op that waits for another process."""

LOOK_SECONDS = 0.2
"""So often is looked whether another run has given back a pool."""


Happened = dg.DagsterEvent | BaseException | str
"""An event of a thread, what broke it, or the key of its step at its end."""


class Pools(InstanceConcurrencyContext):
    """The pools of a run, which asks for none that a step of its own holds.

    Dagster asks again after a second, then ever less often: nobody asks before its own step is done.
    """

    def __init__(self, instance: dg.DagsterInstance, dagster_run: dg.DagsterRun) -> None:
        super().__init__(instance, dagster_run)
        self._held: dict[str, str] = {}

    def claim(self, concurrency_key: str, step_key: str, step_priority: int = 0) -> bool:
        """See `InstanceConcurrencyContext.claim`."""
        if concurrency_key in self._held.values() or not super().claim(concurrency_key, step_key, step_priority):
            return False
        self._held[step_key] = concurrency_key
        return True

    def free_step(self, step_key: str) -> None:
        """See `InstanceConcurrencyContext.free_step`."""
        super().free_step(step_key)
        self._held.pop(step_key, None)


def steps_beside_one_another(
    job_context: PlanExecutionContext, execution_plan: ExecutionPlan, stop: Callable[[], None]
) -> Iterator[dg.DagsterEvent]:
    """Execute the steps of a plan, and yield their events; `stop` ends what the threads of an interrupted run wait for.

    It is Dagster's own loop over the steps of a process, without its hooks, which no job here has.
    """
    with (
        Pools(job_context.instance, job_context.dagster_run) as pools,
        execution_plan.start(
            job_context.retry_mode,
            instance_concurrency_context=pools,
            step_dependency_config=job_context.step_dependency_config,
        ) as active,
        ExitStack() as captured,
    ):
        yield from _capture_logs(job_context, execution_plan, captured)
        threads = Threads()
        try:
            while not active.is_complete:
                step = active.get_next_step()
                yield from active.concurrency_event_iterator(job_context)
                if step is None:
                    threads.wait()
                elif BESIDE in step.tags:
                    threads.start(job_context, active, step)
                else:
                    for event in _events(job_context, active, step):
                        yield event
                        active.handle_event(event)
                        yield from threads.happened(job_context, active)
                    active.verify_complete(job_context, step.key)
                yield from threads.happened(job_context, active)
                yield from active.plan_events_iterator(job_context)
        except BaseException:
            stop()
            raise
        finally:
            threads.join()


class Threads:
    """The threads of the steps that wait, and what has happened in them."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Happened] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._next: list[Happened] = []

    def start(self, job_context: PlanExecutionContext, active: ActiveExecution, step: ExecutionStep) -> None:
        """Execute a step in a thread of its own."""
        events = _events(job_context, active, step)
        thread = threading.Thread(target=self._run, args=(step.key, events), name=step.key, daemon=True)
        self._threads.append(thread)
        thread.start()

    def happened(self, job_context: PlanExecutionContext, active: ActiveExecution) -> Iterator[dg.DagsterEvent]:
        """Yield the events since the last call; raise what broke a thread."""
        while self._next or not self._queue.empty():
            happened = self._next.pop() if self._next else self._queue.get()
            if isinstance(happened, BaseException):
                raise happened
            if isinstance(happened, str):
                active.verify_complete(job_context, happened)
            else:
                yield happened
                active.handle_event(happened)

    def wait(self) -> None:
        """Wait for an event, or a moment; raises DagsterExecutionInterruptedError where the run is to end."""
        with raise_execution_interrupts():
            try:
                self._next.append(self._queue.get(timeout=LOOK_SECONDS))
            except queue.Empty:
                return

    def join(self) -> None:
        """Wait for the end of all threads."""
        for thread in self._threads:
            thread.join()

    def _run(self, step: str, events: Iterator[dg.DagsterEvent]) -> None:
        try:
            for event in events:
                self._queue.put(event)
            self._queue.put(step)
        except BaseException as error:  # the main thread raises it
            self._queue.put(error)


def _events(
    job_context: PlanExecutionContext, active: ActiveExecution, step: ExecutionStep
) -> Iterator[dg.DagsterEvent]:
    """Yield what happens in a step, which fails where a check that was asked has not said what it found, once.

    Dagster takes a check that returns nothing for one that was not asked, speaks of outputs where one yields none, and
    goes on with the other steps where an interrupt came to a query of DuckDB.
    """
    required = (output.properties.asset_check_key for output in step.step_outputs if output.is_required)
    asked = set(filter(None, required))
    silent = set(asked)
    context = job_context.for_step(step, active.get_known_state())
    for event in dagster_event_sequence_for_step(context):
        if event.event_type is dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            silent.discard(event.asset_check_evaluation_data.asset_check_key)
        if silent and event.event_type is dg.DagsterEventType.STEP_SUCCESS:
            yield _failure(context, min(silent), "no")
        elif asked and event.is_step_failure and _is_of_outputs(event):
            yield _failure(context, min(silent or asked), "no" if silent else "more than one")
        else:
            yield event
        if event.is_step_failure and is_of_interrupt(event.step_failure_data.error):
            raise dg.DagsterExecutionInterruptedError


def _is_of_outputs(failure: dg.DagsterEvent) -> bool:
    """Return whether a step failed for what it gave, of the wrong type, too much or too little."""
    error = failure.step_failure_data.error
    return error is not None and error.cls_name in ("DagsterStepOutputNotFoundError", "DagsterInvariantViolationError")


def _failure(context: StepExecutionContext, key: dg.AssetCheckKey, returned: str) -> dg.DagsterEvent:
    """Return the failure of a step whose check is silent, or says more than it was asked."""
    which = f"The check {key.name} of {key.asset_key.to_user_string()}"
    try:
        raise OlistError(f"{which} returns {returned} AssetCheckResult; let it return one.")
    except OlistError:
        failure: dg.DagsterEvent = step_failure_event_from_exc_info(context, sys.exc_info())
    return failure


def _capture_logs(
    job_context: PlanExecutionContext, execution_plan: ExecutionPlan, captured: ExitStack
) -> Iterator[dg.DagsterEvent]:
    """Capture what steps print, all of them together."""
    manager = job_context.instance.compute_log_manager
    file_key: str = create_compute_log_file_key()  # type: ignore[no-untyped-call]
    log_key = manager.build_log_key_for_run(job_context.run_id, file_key)
    steps = [step.key for step in execution_plan.get_steps_to_execute_in_topo_order()]
    log = captured.enter_context(manager.capture_logs(log_key))
    yield dg.DagsterEvent.capture_logs(job_context, steps, log_key, log)
