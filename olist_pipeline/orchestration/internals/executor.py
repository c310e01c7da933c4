"""Executing runs: in one process, and going on where an earlier process of the run came to its end.

What belongs here: which steps a process of a run executes. What does not: which of them have a thread (`beside`), when
a run goes on (`launcher`), and how its process shows that it lives (`run_process`).

Private: `InProcessExecutor`, `ExecutionPlan`, `ExecuteRunWithPlanIterable`, `PlanExecutionContextManager`,
`PlanOrchestrationContext`, `create_execution_plan`, `RetryMode` and `EngineEventData`. Publicly, a run that failed is
executed again "from failure", as another run; but a backfill counts as failed once any of its runs has failed, and the
months that were made would be reported twice. Without this module a run whose process was killed would begin anew:
nothing would be wrong, only slower.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial

import dagster as dg
from dagster._core.events import EngineEventData
from dagster._core.execution.api import ExecuteRunWithPlanIterable, create_execution_plan
from dagster._core.execution.context.system import PlanOrchestrationContext
from dagster._core.execution.context_creation_job import PlanExecutionContextManager
from dagster._core.execution.plan.plan import ExecutionPlan
from dagster._core.execution.retries import RetryMode
from dagster._core.executor.in_process import InProcessExecutor

from olist_pipeline.orchestration.internals.beside import steps_beside_one_another
from olist_pipeline.orchestration.internals.dbt_cli import begin_run, interrupt_running
from olist_pipeline.orchestration.run_process import hold
from olist_pipeline.settings import Settings
from olist_pipeline.stores.home import at_work


class ContinuingExecutor(InProcessExecutor):
    """Dagster's in-process executor, without the steps that the run has brought to their end before.

    So no month is made twice when a run goes on in another process. A step that was cut off is executed anew.
    """

    def execute(
        self, plan_context: PlanOrchestrationContext, execution_plan: ExecutionPlan
    ) -> Iterator[dg.DagsterEvent]:
        """See `Executor.execute`."""
        run, instance = plan_context.dagster_run, plan_context.instance
        hold(instance, run.run_id)
        with at_work(Settings.from_env()):
            yield from self._rest(plan_context, execution_plan)

    def _rest(self, plan_context: PlanOrchestrationContext, execution_plan: ExecutionPlan) -> Iterator[dg.DagsterEvent]:
        """Execute what the run has not brought to its end yet."""
        run, instance = plan_context.dagster_run, plan_context.instance
        done = {entry.step_key for entry in instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_SUCCESS)}
        if not done:
            yield from self._execute(plan_context, execution_plan)
            return
        left = [key for key in execution_plan.step_keys_to_execute if key not in done]
        said = f"Going on with {len(left)} of {len(execution_plan.step_keys_to_execute)} steps"
        yield dg.DagsterEvent.engine_event(plan_context, said, EngineEventData())
        if left:
            rest = create_execution_plan(
                plan_context.job,
                run_config=run.run_config,
                step_keys_to_execute=left,
                known_state=execution_plan.known_state,
                tags=run.tags,
                repository_load_data=execution_plan.repository_load_data,
            )
            yield from self._execute(_of_plan(plan_context, rest), rest)

    def _execute(self, plan_context: PlanOrchestrationContext, plan: ExecutionPlan) -> Iterator[dg.DagsterEvent]:
        """Execute the steps of a plan, as `InProcessExecutor.execute` does, but some of them beside one another."""
        begin_run()
        steps = EngineEventData.in_process(os.getpid(), plan.step_keys_to_execute)
        yield dg.DagsterEvent.engine_event(plan_context, f"Executing steps in process (pid: {os.getpid()})", steps)
        yield from ExecuteRunWithPlanIterable(
            execution_plan=plan,
            iterator=partial(steps_beside_one_another, stop=interrupt_running),
            execution_context_manager=PlanExecutionContextManager(
                job=plan_context.job,
                retry_mode=plan_context.retry_mode,
                execution_plan=plan,
                run_config=plan_context.run_config,
                dagster_run=plan_context.dagster_run,
                instance=plan_context.instance,
                raise_on_error=plan_context.raise_on_error,
                output_capture=plan_context.output_capture,
                step_dependency_config=self.step_dependency_config,
            ),
        )
        yield dg.DagsterEvent.engine_event(plan_context, f"Finished steps in process (pid: {os.getpid()})", steps)


@dg.executor(name="in_process")
def continuing_executor(_: dg.InitExecutorContext) -> ContinuingExecutor:
    """All steps of a run in one process; one that goes on leaves out what it has done."""
    return ContinuingExecutor(RetryMode.ENABLED)


def _of_plan(context: PlanOrchestrationContext, plan: ExecutionPlan) -> PlanOrchestrationContext:
    """Return the context of a run for another plan of it."""
    return PlanOrchestrationContext(
        plan_data=context.plan_data._replace(execution_plan=plan),
        log_manager=context.log,
        executor=context.executor,
        output_capture=context.output_capture,
        resume_from_failure=context.resume_from_failure,
    )
