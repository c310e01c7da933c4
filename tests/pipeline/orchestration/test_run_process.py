"""Locks of runs: who keeps them, and which are removed."""

import os
import time

import dagster as dg

from olist_pipeline.orchestration import run_process
from olist_pipeline.orchestration.run_process import RunProcess, hold, process_of


def test_only_old_locks_that_nobody_holds_are_removed(tmp_path):
    instance = dg.DagsterInstance.ephemeral(str(tmp_path))
    hold(instance, "living")
    for left in ("old", "recent"):
        (tmp_path / "runs" / f"{left}.lock").touch()
    long_ago = time.time() - run_process.KEPT_SECONDS - 1
    for aged in ("old", "living"):
        os.utime(tmp_path / "runs" / f"{aged}.lock", (long_ago, long_ago))
    hold(instance, "next")
    assert {path.stem for path in (tmp_path / "runs").iterdir()} == {"living", "recent", "next"}
    assert process_of(instance, "living") is RunProcess.ALIVE
    assert process_of(instance, "old") is RunProcess.UNKNOWN
