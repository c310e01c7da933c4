"""dbt as a process that ends with whoever started it.

What belongs here: the main program of such a process. What does not: what it is asked to do (`orchestration.dbt`).

A run whose process is killed must leave nothing behind that holds the warehouse: the next run would find it locked.
"""

from __future__ import annotations

import ctypes
import signal
import sys

SET_PARENT_DEATH_SIGNAL = 1


def end_with_parent() -> None:
    """Let the kernel kill this process when its parent ends, where it can (Linux); elsewhere it ends by itself."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)


def main() -> None:
    """Run dbt with the arguments of this process."""
    end_with_parent()
    from dbt.cli.main import cli

    cli(prog_name="dbt")


if __name__ == "__main__":
    main()
