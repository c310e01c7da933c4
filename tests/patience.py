"""How long tests wait: for a condition, never for a time, and up to a limit that only what hangs reaches.

What belongs here: limits and waiting. What does not: measuring (see `benchmarks`).
"""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")

TIMES_LONGER = 4
"""A limit is so many times what a quiet machine needs, and as many times more as processes wait for a core."""


def patient(seconds: float) -> float:
    """Return the limit of what takes up to `seconds` on a quiet machine, by what this one has to do now."""
    waiting = os.getloadavg()[0] / (os.cpu_count() or 1)
    return seconds * TIMES_LONGER * max(1.0, waiting)


def wait_for(condition: Callable[[], T | None], what: str, seconds: float, *, pause: float = 0.05) -> T:
    """Return what `condition` says once it says something; fails after the limit of `seconds`.

    A server that does not answer yet says nothing.
    """
    limit = patient(seconds)
    end = time.monotonic() + limit
    while time.monotonic() < end:
        with suppress(OSError):
            if found := condition():
                return found
        time.sleep(pause)
    raise AssertionError(f"waited {limit:.0f} s in vain for: {what}")
