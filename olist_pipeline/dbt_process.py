"""dbt as a process that ends with whoever started it.

What belongs here: the main program of such a process, and what it prints as plain text. What does not: what it is
asked to do (`orchestration.dbt_build`).

A run whose process is killed must leave nothing behind that holds the warehouse: the next run would find it locked.
"""

from __future__ import annotations

import ctypes
import re
import signal
import sys

SET_PARENT_DEATH_SIGNAL = 1
KILLED = (-signal.SIGKILL, 128 + signal.SIGKILL)
"""The exit codes of a dbt that was killed: of the process itself, and of what stands in its place."""
CALLS = "Traceback (most recent call last)"
"""What follows it is for who mends dbt."""
WAS_KILLED = "it was killed, by somebody or where memory ran out; end other programs and run again"


def end_with_parent(how: signal.Signals = signal.SIGKILL) -> None:
    """Let the kernel signal this process when its parent ends, where it can (Linux); elsewhere it ends by itself."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(SET_PARENT_DEATH_SIGNAL, how)


def without_colours(text: str) -> str:
    """Return what dbt prints without its colours, which a project's own flags may ask for."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def main() -> None:
    """Run dbt with the arguments of this process."""
    end_with_parent()
    from dbt.cli.main import cli

    cli(prog_name="dbt")


if __name__ == "__main__":
    main()
