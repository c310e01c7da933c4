"""Interrupts: a command that is asked to end says so in one sentence, and its exit code names the signal."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

OLIST = Path(sys.executable).with_name("olist")


@pytest.mark.parametrize(("number", "name"), [(signal.SIGINT, "Ctrl+C"), (signal.SIGTERM, "SIGTERM")])
def test_a_signal_ends_a_command_in_one_sentence(tmp_path, number, name):
    out = tmp_path / "landing"
    command = [str(OLIST), "data", "generate", "--orders", "2000000", "--out", str(out)]
    environment = {**os.environ, "OLIST_HOME": str(tmp_path / "home")}
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    deadline = time.monotonic() + 60
    while not out.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(number)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert "Traceback" not in said
    assert f"olist: Interrupted ({name})" in said.strip().splitlines()[-1]
