"""Locks of runs: who keeps them, and which are removed."""

import os
import socket
import time
from types import SimpleNamespace

import pytest

from olist_pipeline.file_locks import lock_file
from olist_pipeline.orchestration import run_process
from olist_pipeline.orchestration.run_process import RunProcess, hold, interrupt, process_of


@pytest.fixture
def instance(tmp_path):
    """Return what locks ask of an instance: where its folder is."""
    return SimpleNamespace(root_directory=str(tmp_path))


def test_only_old_locks_that_nobody_holds_are_removed(tmp_path, instance):
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


@pytest.mark.parametrize("written", ["", '["elsewhere", 1]', '["here", 4194305]'])
def test_a_run_that_has_not_said_who_it_is_or_has_ended_is_not_interrupted(tmp_path, instance, monkeypatch, written):
    """The lock is taken before it says whose it is, and 4194305 is more than any process has for a number."""
    monkeypatch.setattr(socket, "gethostname", lambda: "here")
    path = tmp_path / "runs" / "one.lock"
    path.parent.mkdir()
    with lock_file(path) as lock:
        lock.write(written.encode())
        lock.flush()
        assert process_of(instance, "one") is RunProcess.ALIVE
        assert not interrupt(instance, "one")
