"""A run that is disturbed at any point is healed by running again, row for row and event for event.

Of each kind of fault one, from the first step to the last; what a signal that can be caught ends in is in
`tests/pipeline/cli/test_interrupts.py`. The long version, with hundreds of faults at random moments, backfills and
switches, is `python -m benchmarks.faults`.
"""

import os
import shutil
import signal
import time

import pytest

from benchmarks.proof import outcome_of, problems_of
from tests.end_to_end.world import World
from tests.patience import wait_for

pytestmark = pytest.mark.long


def kill_postgresql(world, process):
    server = int((world.home / "postgres" / "postmaster.pid").read_text().split()[0])
    os.kill(server, signal.SIGQUIT)


WHILE_DBT_RUNS = "olist run"
"""The run that is disturbed after this line has a fork server of dbt of its own, as it has for a person."""

# After which line of its progress a run is disturbed, how many seconds later, how, and the exit code that follows.
FAULTS = [
    # dbt builds old (its warehouse is there by then), and goes on alone
    (WHILE_DBT_RUNS, 0.5, lambda _, process: os.kill(process.pid, signal.SIGKILL), -signal.SIGKILL),
    # validation: of reviews, or of persons; the server is gone, and the run says so
    ("validate_sales", 0.3, kill_postgresql, 1),
    # the release; what the run started dies too
    ("parity", 0.05, lambda _, process: os.killpg(process.pid, signal.SIGKILL), -signal.SIGKILL),
]
DAMAGED = (
    "dbt/old/manifest.json",
    "dbt/run_old/partial_parse.msgpack",
    "dagster/dagster.yaml",
    "warehouse.duckdb",
)


def disturb(world, words, seconds, how):
    """Start a run and disturb it; return its exit code and the rest of what it said."""
    process = world.start("run", own_dbt=words == WHILE_DBT_RUNS)
    for line in process.stdout:
        if words in line:
            break
    wait_for(world.settings.warehouse.exists, "dbt's warehouse", 120)
    time.sleep(seconds)
    assert process.poll() is None, f"the run ended before it could be disturbed after {words}"
    how(world, process)
    said = process.stdout.read()
    return process.wait(), said


@pytest.fixture(scope="module")
def disturbed(finished, server_folder):
    """A world whose runs were disturbed in every way before the last one, and the undisturbed one."""
    undisturbed = finished.copy_to(server_folder / "undisturbed")
    world = World(server_folder / "disturbed", undisturbed.landing)
    shutil.copytree(undisturbed.settings.dbt_target, world.settings.dbt_target)  # parsed before, to save time
    for words, seconds, how, expected in FAULTS:
        code, said = disturb(world, words, seconds, how)
        assert code == expected, said
        assert "Traceback" not in said
        if code > 0:
            assert said.strip().splitlines()[-1].startswith("olist: ")
    return world, undisturbed


def test_disturbed_runs_leave_no_trace_in_the_result(disturbed):
    world, undisturbed = disturbed
    for name in DAMAGED:
        path = world.home / name
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    final = world.olist("run")
    assert final.returncode == 0, final.stdout + final.stderr
    assert problems_of(world.settings, outcome_of(undisturbed.settings), same_release=True) == []
