"""The environment of processes that tests start: what they need of the machine, and nothing of who runs the tests."""

import os

KEPT = ("PATH", "HOME", "LANG", "COVERAGE_PROCESS_CONFIG")
"""The last is set by `make coverage`, which measures these processes too."""


def bare() -> dict[str, str]:
    """Return an environment of what is kept."""
    return {name: os.environ[name] for name in KEPT if name in os.environ}
