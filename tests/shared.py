"""What the workers of one session share: made by the worker that asks first, below one folder.

What belongs here: the folder and its locks, and the dbt that tests start. What does not: the first run
(`tests/end_to_end/first_run.py`), and what one worker has for itself (`tests/conftest.py`).
"""

import atexit
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from olist_pipeline.orchestration.forked_dbt import ForkServer
from olist_pipeline.orchestration.forked_dbt.ask import SOCKET
from olist_pipeline.settings import DBT_DIR, Settings


def shared_folder() -> Path:
    """Return the folder of all workers of this session; `pytest_sessionfinish` of the tests removes it."""
    controller = os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid()
    folder = Path(tempfile.gettempdir()) / f"olist-shared-{controller}"
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)  # a server's own user must reach what is below
    return folder


@contextmanager
def made_once(name: str) -> Iterator[Path]:
    """Give the shared folder `name` to this worker alone, for it to make what is not there yet."""
    folder = shared_folder() / name
    folder.mkdir(exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder


@cache
def parsed_settings() -> Settings:
    """Return the settings of a home in which dbt's manifest is parsed."""
    # The tests of the domain alone do not wait for Dagster.
    from olist_pipeline.orchestration.dbt_projects import ensure_manifest

    with made_once("parsed") as home:
        settings = Settings(home, home / "landing", None)
        ensure_manifest(settings)
    return settings


@cache
def shared_dbt() -> dict[str, str]:
    """Return the variable by which a program, or a block of this process, asks this worker's one fork server of dbt.

    Each run would start one of its own otherwise, for three seconds of processor time.
    """
    # The tests of the domain alone do not wait for Dagster.
    from olist_pipeline.orchestration.dbt_projects import environment_of, exported, parse_arguments
    from olist_pipeline.registry import FIRST_MONTH

    settings, own = parsed_settings(), tempfile.mkdtemp(prefix="dbt-", dir=shared_folder())
    # With what dbt made of the same project in the same environment it parses nothing anew.
    shutil.copy(settings.dbt_target / "old" / "partial_parse.msgpack", own)
    before = os.environ.pop(SOCKET, None)
    with exported(environment_of(settings, "old", settings.landing, FIRST_MONTH)):
        parse = [*parse_arguments(settings, "old"), "--target-path", own]
        server = ForkServer(DBT_DIR, ["--no-write-json", *parse])
    atexit.register(server.stop)
    # Only those ask it that know of it.
    del os.environ[SOCKET]
    if before is not None:
        os.environ[SOCKET] = before
    return {SOCKET: str(server.path)}
