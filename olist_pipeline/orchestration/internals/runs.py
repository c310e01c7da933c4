"""Runs in this process, whose events are seen as they happen, and instances that differ from the home's `dagster.yaml`.

What belongs here: executing one run that was created. What does not: which job is run, and what is made of its events.

Private: `execute_run_iterator` and `InMemoryJob`. Publicly, `execute_in_process` returns when all is over: nobody would
see a step begin or end for a minute; and `execute_job` imports the job anew in order to be sure that it could.
Private: `InstanceRef`. Publicly, an instance is made of DAGSTER_HOME as it is, or of a temporary folder.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import execute_run_iterator
from dagster._core.instance.ref import InstanceRef

NO_COMPUTE_LOGS = {"module": "dagster._core.storage.noop_compute_log_manager", "class": "NoOpComputeLogManager"}
"""The configuration of an instance that leaves what steps print where it is."""


def execute_run(job: dg.JobDefinition, run: dg.DagsterRun, instance: dg.DagsterInstance) -> Iterator[dg.DagsterEvent]:
    """Execute a run of `job` that `instance` knows, and yield its events as they happen."""
    return execute_run_iterator(InMemoryJob(job), run, instance)


def instance_of(dagster_home: Path, overrides: Mapping[str, Any]) -> dg.DagsterInstance:
    """Return the instance of a DAGSTER_HOME with other settings in place of some of its `dagster.yaml`."""
    return dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(dagster_home), overrides=dict(overrides)))
