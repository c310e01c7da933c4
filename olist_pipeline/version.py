"""The version of this program: the release, and the commit where it runs from a checkout.

What belongs here: telling which program runs. What does not: the versions of schemas and data, which stand with them.
"""

from __future__ import annotations

import subprocess
from importlib.metadata import version

from olist_pipeline.settings import PROJECT_DIR

DISTRIBUTION = "olist-migration"


def describe() -> str:
    """Return the release, and in a checkout its commit: `0.1.0 (5071b9a, changed)` where files differ from it."""
    release = version(DISTRIBUTION)
    if not (PROJECT_DIR / ".git").exists():
        return release
    commit = _git("describe", "--always", "--dirty=, changed", "--exclude=*")
    return f"{release} ({commit})" if commit else release


def _git(*arguments: str) -> str:
    """Return what git says of the checkout; nothing where it is not installed or does not trust the folder."""
    try:
        done = subprocess.run(["git", "-C", PROJECT_DIR, *arguments], capture_output=True, text=True, timeout=5)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
