"""The watcher: for how long a server runs, and as whom. Here the server is a shell; `test_embedded` has a real one.

It is started with all packages, not without as the program does it: so `make coverage` can measure it.
"""

import fcntl
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from olist_pipeline.stores import watcher
from tests.patience import wait_for

OWN_GROUP, NOBODY = os.getgid(), 65534
SERVER_USER = NOBODY if os.geteuid() == 0 else os.getuid()


@dataclass
class Watched:
    """A watcher, the lock that tells whether it runs, and the output of its server."""

    process: subprocess.Popen[str]
    lock: Path

    def pid(self) -> int:
        """Return the process of the server, which it prints."""
        assert self.process.stdout is not None
        return int(self.process.stdout.readline())

    def is_over(self) -> bool:
        with self.lock.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
        return True


def is_alive(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.fixture
def users(tmp_path):
    """The lock of the users of the server, held by one of them."""
    path = tmp_path / "users"
    path.touch()
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield file


@pytest.fixture
def watch(tmp_path, users):
    def start(*server: str) -> Watched:
        lock = tmp_path / "watch"
        with lock.open("wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            program = [sys.executable, watcher.__file__, users.name, str(file.fileno())]
            process = subprocess.Popen(
                [*program, str(SERVER_USER), str(OWN_GROUP), *server],
                stdout=subprocess.PIPE,
                text=True,
                pass_fds=[file.fileno()],
                preexec_fn=heed_signals,
            )
        return Watched(process, lock)

    yield start
    fcntl.flock(users, fcntl.LOCK_UN)


def heed_signals() -> None:
    """Undo what a program in the background inherits: it ignores the signals of a terminal."""
    for number in (signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)


def shell(script: str) -> tuple[str, str, str]:
    return "/bin/sh", "-c", script


def test_the_server_runs_for_as_long_as_somebody_uses_it(watch, users):
    watched = watch(*shell("echo $$; exec sleep 1000"))
    server = watched.pid()
    assert watched.process.wait() == 0, "who starts a server does not wait for its end"
    time.sleep(2 * watcher.LOOK_SECONDS)
    assert is_alive(server)
    assert not watched.is_over()
    assert Path(f"/proc/{server}").stat().st_uid == SERVER_USER
    fcntl.flock(users, fcntl.LOCK_UN)
    wait_for(lambda: not is_alive(server), "the end of the server", 10)
    wait_for(watched.is_over, "the end of the watcher", 10)


@pytest.mark.parametrize("server", [shell("exit 3"), ("/nowhere/postgres",)], ids=["ended", "not there"])
def test_a_server_that_ends_ends_its_watcher_whoever_uses_it(watch, server):
    wait_for(watch(*server).is_over, "the end of the watcher", 10)


def test_a_server_whose_watcher_was_killed_gets_another(watch, users):
    with subprocess.Popen(["sleep", "1000"], preexec_fn=heed_signals) as server:
        watched = watch(str(server.pid))
        assert watched.process.wait() == 0
        assert not watched.is_over()
        fcntl.flock(users, fcntl.LOCK_UN)
        wait_for(lambda: server.poll() is not None, "the end of the server", 10)
        wait_for(watched.is_over, "the end of the watcher", 10)


def test_a_server_that_does_not_stop_is_stopped_without_its_last_checkpoint(monkeypatch):
    monkeypatch.setattr(watcher, "STOP_SECONDS", 0.1)
    stopped = "trap 'echo fast' INT; trap 'echo at once; exit' QUIT; echo ready; while true; do sleep 0.01; done"
    with subprocess.Popen(shell(stopped), stdout=subprocess.PIPE, text=True, preexec_fn=heed_signals) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == "ready\n"
        watcher._stop(server.pid)
        assert server.stdout.read() == "fast\nat once\n"


def test_a_server_that_has_ended_is_not_stopped_again():
    with subprocess.Popen(["true"]) as server:
        server.wait()
    watcher._stop(server.pid)
