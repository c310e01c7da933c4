"""A run that is killed at any point is healed by running again, row for row and event for event."""

import os
import shutil
import signal
import time

from tests.end_to_end.world import World
from tests.patience import wait_for

# After which line of its progress a run is killed, how many seconds later (once dbt has begun), and whether what it
# started dies too.
KILLS = [
    ("olist run", 0.5, os.kill),  # dbt builds old (its warehouse is there by then), and goes on alone
    ("validate_sales", 0.3, os.killpg),  # validation: of reviews, or of persons
    ("parity", 0.05, os.killpg),  # the release
]


def kill_after(world, words, seconds, kill):
    """Start a run and kill it; return whether it was still running."""
    process = world.start("run")
    for line in process.stdout:
        if words in line:
            break
    wait_for(world.settings.warehouse.exists, "dbt's warehouse", 120)
    time.sleep(seconds)
    was_running = process.poll() is None
    kill(process.pid, signal.SIGKILL)
    process.wait()
    return was_running


def test_killed_runs_leave_no_trace_in_the_result(finished, server_folder):
    undisturbed = finished.copy_to(server_folder / "undisturbed")
    disturbed = World(server_folder / "disturbed", undisturbed.landing)
    shutil.copytree(undisturbed.settings.dbt_target, disturbed.settings.dbt_target)  # parsed before, to save time
    for words, seconds, kill in KILLS:
        assert kill_after(disturbed, words, seconds, kill), f"the run ended before it could be killed after {words}"
    final = disturbed.olist("run")
    assert final.returncode == 0, final.stdout + final.stderr
    assert disturbed.outcome() == undisturbed.outcome()
