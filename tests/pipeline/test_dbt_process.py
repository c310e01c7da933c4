"""dbt ends with whoever started it, however that one ends: nothing of a killed run holds the warehouse."""

import os
import signal
import subprocess
import sys
from contextlib import suppress

import pytest

from tests.patience import wait_for

CHILD = "import time; from olist_pipeline.dbt_process import end_with_parent;"
CHILD += "end_with_parent(); print(1, flush=True); time.sleep(600)"
PARENT = f"import subprocess, sys; child = subprocess.Popen([sys.executable, '-c', {CHILD!r}], stdout=subprocess.PIPE);"
PARENT += "child.stdout.readline(); print(child.pid, flush=True); child.wait()"


def is_alive(process: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(process, 0)
        return True
    return False


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with its parent")
def test_it_is_killed_when_its_parent_is():
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert is_alive(child)
    parent.send_signal(signal.SIGKILL)
    parent.wait()

    wait_for(lambda: not is_alive(child), "the child ends", 5)
