"""The first run, which takes half a minute: made once for all workers, of which each test file takes a copy.

The fixture `finished` of `tests/conftest.py` brings it.
"""

import fcntl
import json
import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.end_to_end.world import World


@dataclass(frozen=True)
class FirstRun:
    """The first `olist run` over an empty home: its world, which nobody may change, and what it said."""

    world: World
    result: subprocess.CompletedProcess[str]

    def copy_to(self, folder: Path) -> World:
        """Return a world of one's own, as the run left it."""
        folder.mkdir()
        # The server's files keep their owner, who may be another user than this one.
        subprocess.run(["cp", "-a", f"{self.world.home}", f"{self.world.landing}", str(folder)], check=True)
        return World(folder / self.world.home.name, folder / self.world.landing.name)


def shared_folder(worker_id: str) -> Path:
    """Return the folder of all workers of this session; `pytest_sessionfinish` of the tests removes it."""
    controller = os.getpid() if worker_id == "master" else os.getppid()
    return Path(tempfile.gettempdir()) / f"olist-shared-{controller}"


def first_run_of(worker_id: str) -> FirstRun:
    """Return the first run of this session, which the worker that asks first makes."""
    folder = shared_folder(worker_id)
    folder.mkdir(mode=0o755, exist_ok=True)
    said = folder / "said.json"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not said.exists():
            world = World.with_orders(folder / "first", orders=1_000)
            result = world.olist("run")
            said.write_text(json.dumps([result.returncode, result.stdout, result.stderr]))
    world = World(folder / "first" / "home", folder / "first" / "landing")
    return FirstRun(world, subprocess.CompletedProcess(["olist", "run"], *json.loads(said.read_text())))
