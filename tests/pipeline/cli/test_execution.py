"""What a person sees of a run while it is at work."""

import io
import uuid

import dagster as dg
from rich.console import Console
from rich.progress import Progress

from olist_pipeline.cli import execution
from olist_pipeline.orchestration.internals.executor import continuing_executor
from olist_pipeline.orchestration.internals.runs import execute_run

OTHER = str(uuid.uuid4())


def test_a_step_that_waits_for_another_run_says_so_once(tmp_path):
    @dg.asset(pool="tables")
    def orders() -> None:
        """What another run makes at the same time."""

    definitions = dg.Definitions([orders], jobs=[dg.define_asset_job("work", executor_def=continuing_executor)])
    job, shown = definitions.resolve_job_def("work"), io.StringIO()
    pools = {"concurrency": {"pools": {"granularity": "op", "default_limit": 1}}}
    with (
        dg.DagsterInstance.local_temp(str(tmp_path), overrides=pools) as instance,
        Progress(console=Console(file=shown, width=100)) as progress,
    ):
        storage, bar = instance.event_log_storage, progress.add_task("")
        storage.set_concurrency_slots("tables", 1)
        assert storage.claim_concurrency_slot("tables", OTHER, "orders").is_claimed
        for event in execute_run(job, instance.create_run_for_job(job), instance):
            execution._show(event, execution.Progressed(), progress, bar)
            if "waits" in shown.getvalue():
                storage.free_concurrency_slots_for_run(OTHER)
    lines = [line.split() for line in shown.getvalue().splitlines() if line.startswith(("  waits", "  done"))]
    assert [line[:2] for line in lines] == [["waits", "orders"], ["done", "orders"]]
    assert " ".join(lines[0]).endswith("for another run")
