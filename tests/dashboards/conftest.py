"""Fixtures of the dashboards' tests: one warehouse for all workers, and a home for each tree."""

import fcntl
from pathlib import Path

import pytest

from dashboards.release import PinnedRelease, current
from olist_pipeline.settings import Settings
from olist_pipeline.stores import postgres
from tests.dashboards.world import build

ORDERS = 1_500


@pytest.fixture(scope="session")
def homes(tmp_path_factory, worker_id, server) -> Path:
    """A folder with the homes `old`, `new` and `replay`, each with a release of all tables of that tree."""
    base = tmp_path_factory.getbasetemp()
    home = (base if worker_id == "master" else base.parent) / "dashboards"
    home.mkdir(exist_ok=True)
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / "built").exists():
            with postgres.transaction(server) as connection, connection.cursor() as cursor:
                cursor.execute("DROP SCHEMA IF EXISTS data_quality, event_store, migration CASCADE")
            postgres.create_schema(server)
            build(Settings(home, home / "landing", server), server, ORDERS)
            (home / "built").touch()
    return home


@pytest.fixture(scope="session")
def releases(homes) -> dict[str, PinnedRelease]:
    """The release of each tree."""
    return {tree: current(homes / tree / "serving") for tree in ("old", "new", "replay")}
