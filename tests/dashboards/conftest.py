"""Fixtures of the dashboards' tests: the warehouse of the first run, and a home for each tree."""

import fcntl
from pathlib import Path

import pytest

from dashboards.release import PinnedRelease, current
from tests.dashboards.world import make_releases


@pytest.fixture(scope="session")
def homes(tmp_path_factory, worker_id, server_folder, finished) -> Path:
    """A folder with the homes `old`, `new` and `replay`, each with a release of all tables of that tree."""
    base = tmp_path_factory.getbasetemp()
    home = (base if worker_id == "master" else base.parent) / "dashboards"
    home.mkdir(exist_ok=True)
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / "built").exists():
            make_releases(finished.copy_to(server_folder / "dashboards").settings, home)
            (home / "built").touch()
    return home


@pytest.fixture(scope="session")
def releases(homes) -> dict[str, PinnedRelease]:
    """The release of each tree."""
    return {tree: current(homes / tree / "serving") for tree in ("old", "new", "replay")}
