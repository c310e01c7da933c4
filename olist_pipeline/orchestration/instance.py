"""The Dagster instance of an environment, and runs in this process.

What belongs here: preparing DAGSTER_HOME and executing a job with its events as they come. What does not:
what a person sees of them (`cli`).
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import dagster as dg

from olist_pipeline.errors import OlistError
from olist_pipeline.file_locks import lock_file
from olist_pipeline.files import replacing
from olist_pipeline.months import MonthRange
from olist_pipeline.orchestration.internals.runs import NO_COMPUTE_LOGS, execute_run, instance_of
from olist_pipeline.orchestration.internals.storage import migrate_storage
from olist_pipeline.orchestration.partitions import UNFINISHED, know_months, range_tags
from olist_pipeline.orchestration.run_process import RunProcess, process_of
from olist_pipeline.runtime_folder import path_without_pattern
from olist_pipeline.serving.identity import refuse_another_warehouse
from olist_pipeline.settings import PROJECT_DIR, Settings
from olist_pipeline.spark.requirements import check
from olist_pipeline.stores.run_history import is_there
from olist_pipeline.stores.schema import ready_url


def prepare(settings: Settings) -> str:
    """Start the server, see to its schemas, set DAGSTER_HOME up; return the server's address.

    Raises OlistError where the home is of another warehouse, where the engine needs what is not here, and where a
    server of somebody's lacks what a run needs.
    """
    refuse_another_warehouse(settings)
    if settings.engine == "spark":
        check(settings.spark_master)
    url = ready_url(settings)
    if settings.postgres_url is None:
        migrate_storage(url)
    elif not is_there(url):
        raise OlistError("The tables of Dagster are not in the database: run `olist db migrate` as their owner.")
    settings.export()
    _configure(settings)
    os.environ["DAGSTER_HOME"] = str(_home(settings))
    return url


def _configure(settings: Settings) -> None:
    """Set DAGSTER_HOME up, whatever has become of it."""
    with replacing(settings.dagster_home / "dagster.yaml") as temporary:
        shutil.copyfile(PROJECT_DIR / "dagster.yaml", temporary)


def _home(settings: Settings) -> Path:
    """Return DAGSTER_HOME: Dagster finds its file by a pattern, and keeps runs in SQLite where it finds none."""
    return path_without_pattern(settings.dagster_home)


LAUNCHED_HERE = {"olist/launched_by": "command line"}


@contextmanager
def quiet_instance(settings: Settings) -> Iterator[dg.DagsterInstance]:
    """Yield the environment's instance for a run in this process, which keeps its own output.

    Nobody resumes such a run: when it is interrupted, it has failed.
    """
    in_this_process = {"compute_logs": NO_COMPUTE_LOGS, "run_monitoring": {"enabled": False}}
    _configure(settings)
    with instance_of(_home(settings), in_this_process) as instance:
        yield instance


@contextmanager
def sole_run(settings: Settings) -> Iterator[None]:
    """Hold the lock of this home's command line runs; raises OlistError while another one holds it.

    The lock goes with its process, however that ends: who gets it knows that no earlier run is alive.
    """
    settings.home.mkdir(parents=True, exist_ok=True)
    path = settings.home / "run.lock"
    try:
        lock = lock_file(path)
    except BlockingIOError as error:
        raise OlistError(f"{_holder_of(path)} is at work in {settings.home}; wait for its end.") from error
    with lock:
        lock.truncate(0)
        lock.write(json.dumps([os.getpid(), shlex.join(["olist", *sys.argv[1:]])]).encode())
        lock.flush()
        yield


def _holder_of(path: Path) -> str:
    """Return who holds a lock, as far as they have said so: a backup does not, and a killed command did before it."""
    with suppress(OSError, ValueError):
        process, command = json.loads(path.read_text("utf-8"))
        os.kill(process, 0)
        return f"`{command}` (process {process})"
    return "Another command"


def fail_killed_runs(instance: dg.DagsterInstance) -> None:
    """Report the runs of killed command lines as failed, and free the pools of all runs whose process is gone.

    Call it under `sole_run` only. Otherwise the next run would wait for ever for a pool that nobody frees: the daemon
    does so for a run that has failed, but a minute later, and may be gone by then as well.
    """
    for run in instance.get_runs(filters=dg.RunsFilter(tags=LAUNCHED_HERE, statuses=UNFINISHED)):
        instance.report_run_failed(run, "The process of this run was killed; a later run took its place.")
    storage = instance.event_log_storage
    infos = [storage.get_concurrency_info(pool) for pool in storage.get_concurrency_keys()]
    claimed = {slot.run_id for info in infos for slot in info.claimed_slots}
    for run_id in claimed | {step.run_id for info in infos for step in info.pending_steps}:
        found, process = instance.get_run_by_id(run_id), process_of(instance, run_id)
        is_over = found is None or found.is_finished
        if process is RunProcess.GONE or (is_over and process is RunProcess.UNKNOWN):
            storage.free_concurrency_slots_for_run(run_id)


def execute(
    instance: dg.DagsterInstance, job: dg.JobDefinition, months: MonthRange, tags: Mapping[str, str]
) -> tuple[str, Iterator[dg.DagsterEvent]]:
    """Create a run of `job`, over `months` where it has partitions; return its id and its events as they happen."""
    know_months(instance, months)
    run = instance.create_run_for_job(
        job,
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        tags={**job.run_tags, **LAUNCHED_HERE, **tags, **(range_tags(months) if job.partitions_def else {})},
    )
    return run.run_id, execute_run(job, run, instance)
