"""Fixtures of the dashboards' tests: the warehouse of the first run, and a home for each tree."""

from pathlib import Path

import pytest

from dashboards.release import PinnedRelease, current
from tests.dashboards.world import make_releases
from tests.shared import made_once


@pytest.fixture(scope="session")
def homes(server_folder, finished) -> Path:
    """A folder with the homes `old`, `new` and `replay`, each with a release of all tables of that tree."""
    with made_once("dashboards") as home:
        if not (home / "built").exists():
            make_releases(finished.copy_to(server_folder / "dashboards").settings, home)
            (home / "built").touch()
    return home


@pytest.fixture(scope="session")
def releases(homes) -> dict[str, PinnedRelease]:
    """The release of each tree."""
    return {tree: current(homes / tree / "serving") for tree in ("old", "new", "replay")}
