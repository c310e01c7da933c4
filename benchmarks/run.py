"""Whole runs of the command line: the first, a warm one, and one with nothing changed.

What belongs here: timing `olist run` as a process. What does not: its parts (see `sales`).
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

OLIST = Path(sys.executable).with_name("olist")


def measure(landing: Path, home: Path) -> None:
    """Print the seconds of three runs over one home."""
    environment = {**os.environ, "OLIST_HOME": str(home / "run"), "OLIST_DATA_DIR": str(landing)}
    print("olist run, whole process")
    for name, arguments in (("first", []), ("warm", ["--force"]), ("nothing changed", [])):
        started = time.perf_counter()
        subprocess.run([str(OLIST), "run", *arguments], env=environment, check=True, stdout=subprocess.DEVNULL)
        print(f"  {name:<16} {time.perf_counter() - started:6.1f} s")
