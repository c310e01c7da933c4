"""The embedded server: started where it does not run, shared by processes, stopped with the last of them.

What belongs here: who uses the server, and whether it runs. What does not: its data folder (`cluster`), stopping it
when its users were killed (`watcher`), connections (`postgres`).

Three locks in `<data>.locks` go with their processes, however these end. `users` is held, shared, by every process that
uses the server, to its end; `start` by who starts the server; `watch` by the watcher for as long as the server runs.
"""

from __future__ import annotations

import atexit
import fcntl
import functools
import os
import re
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, TypeVar
from urllib.parse import quote

from olist_pipeline.errors import OlistError
from olist_pipeline.files import require_links
from olist_pipeline.owners import refuse_stranger
from olist_pipeline.settings import current_user
from olist_pipeline.stores import cluster, watcher

START_SECONDS = 120
"""A server that was killed reads its log anew before it answers."""
WATCHER_SECONDS = 5
"""The watcher of a server that has ended needs less than that to end as well."""
ORPHANS, ORPHANS_SECONDS = "pre-existing shared memory block", 20
LARGEST_LOG = 10 * 2**20
LEAST_FILE_BYTES = 16 * 2**20
DATA_FOLDER, SOCKET_FOLDER, STATUS = 1, 4, 7
"""Lines of the server's pid file."""
PROCESS = re.compile("[0-9]{1,9}")
"""Its first line. One with a minus is of a server that somebody runs by hand, without others beside it."""

ENDED = "ended"

T = TypeVar("T")

_guard = threading.Lock()


def url_of(data: Path) -> str:
    """Return the address of the server in the folder `data`, which runs until the last process that asked has ended.

    Raises OlistError where it cannot be started.
    """
    with _guard:
        return _server_of(data.resolve()).url()


class _Server:
    """The server of one data folder, as this process uses it."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.locks = data.with_name(f"{data.name}.locks")
        self.log = data / "log"
        self.process = 0
        self.users: BinaryIO | None = None

    def url(self) -> str:
        """Return the address of the server, which runs then."""
        if self.process != os.getpid():  # a forked child counts for itself
            self._use()
        with self._lock("start", fcntl.LOCK_EX):
            if (pid := self._pid()) is not None:
                self._watch_over(pid)
                if address := self._wait():
                    return address
            return self._started()

    def _use(self) -> None:
        """Be one of the server's users, until the end of this process."""
        refuse_stranger(self.data.parent)
        require_links(self.data.parent)
        _refuse_small_files()
        try:
            self.locks.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.users = self._lock("users", fcntl.LOCK_SH)
        except PermissionError as error:
            raise OlistError(
                f"{error.filename} belongs to another user than {current_user()}: run the command as its owner, or set "
                "OLIST_HOME to a folder of yours."
            ) from None
        self.process = os.getpid()
        atexit.register(self._leave)

    def _watch_over(self, pid: int) -> None:
        """Give the server that runs a watcher where its first was killed, or an older version had none."""
        if watch := self._try_watch():
            with watch, suppress(ProcessLookupError):
                user = cluster.ServerUser.here()
                if cluster.configure(self.data, user):
                    os.kill(pid, signal.SIGHUP)
                self._spawn_watcher(watch, user, [str(pid)])

    def _started(self) -> str:
        """Start the server; return its address. One that was killed may have left processes that end in a moment."""
        deadline = time.monotonic() + ORPHANS_SECONDS
        while True:
            said_before = self._start()
            if address := self._wait():
                return address
            reason = self._reason(said_before)
            if ORPHANS not in reason or time.monotonic() > deadline:
                raise OlistError(f"The embedded PostgreSQL in {self.data} does not start: {reason}")
            time.sleep(0.2)

    def _start(self) -> int:
        """Start the server and its watcher; return the length of the log before."""
        user = cluster.ServerUser.here()
        cluster.prepare(self.data, user)
        watch = _until(self._try_watch, WATCHER_SECONDS)
        if watch is None:
            raise OlistError(f"The embedded PostgreSQL in {self.data} runs in another container; stop it there.")
        with watch:
            folder = cluster.socket_folder(self.data, user)
            self._remove_stale_locks(folder)
            settings = cluster.server_settings(folder)
            options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
            said_before = self._begin_log()
            self._spawn_watcher(watch, user, [str(cluster.programs() / "postgres"), "-D", str(self.data), *options])
        return said_before

    def _begin_log(self) -> int:
        """Put a large log aside; return the length of the one that is gone on with."""
        with suppress(FileNotFoundError):
            length = self.log.stat().st_size
            if length <= LARGEST_LOG:
                return length
            self.log.replace(self.log.with_suffix(".1"))
        return 0

    def _spawn_watcher(self, watch: BinaryIO, user: cluster.ServerUser, server: list[str]) -> None:
        program = [sys.executable, "-I", "-S", watcher.__file__, str(self.locks / "users"), str(watch.fileno())]
        self.log.touch(mode=0o600)
        with self.log.open("ab") as log:
            subprocess.run(
                [*program, str(user.uid), str(user.gid), *server],
                cwd="/",
                env=cluster.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[watch.fileno()],
                check=True,
            )

    def _wait(self) -> str | None:
        """Return the address of the server once it answers; None where it ends before.

        Raises OlistError where it does neither in time.
        """
        folder = _until(self._answer, START_SECONDS)
        if folder is None:
            raise OlistError(
                f"The embedded PostgreSQL in {self.data} does not answer yet; see {self.log}, then try again."
            )
        if folder == ENDED:
            return None
        return (
            f"postgresql://{cluster.SUPERUSER}@/{cluster.SUPERUSER}?host={quote(folder, safe='')}&port={cluster.PORT}"
        )

    def _answer(self) -> str | None:
        """Return the folder of the server's socket where it answers, ENDED where it has ended; None before either."""
        lines = self._pid_file()
        if len(lines) > STATUS and lines[STATUS].strip() == "ready" and self._pid() is not None:
            # A home that was moved meanwhile has taken the socket along.
            return str(self.data) if lines[SOCKET_FOLDER] == lines[DATA_FOLDER] else lines[SOCKET_FOLDER]
        if watch := self._try_watch():
            watch.close()
            return ENDED
        return None

    def _reason(self, said_before: int) -> str:
        """Return the server's own last word on why it ended."""
        with self.log.open("rb") as log:
            log.seek(said_before)
            said = log.read().decode("utf-8", "replace")
        return f"{cluster.reason_in(said, self.data)} (more in {self.log})."

    def _leave(self) -> None:
        """Give the server up at the end of this process; stop it where nobody else uses it."""
        if self.users is None or self.process != os.getpid():
            return
        self.users.close()
        with suppress(OSError), (self.locks / "users").open("rb") as users:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if (pid := self._pid()) is not None:
                socket_folder = Path(self._pid_file()[SOCKET_FOLDER])
                os.kill(pid, signal.SIGINT)
                _until(lambda: self._pid() is None, watcher.STOP_SECONDS)
                socket_folder.rmdir()  # the data folder, which it may be, is not empty

    def _pid(self) -> int | None:
        """Return the process of the server that runs in the folder; None where none does."""
        lines = self._pid_file()
        if len(lines) <= DATA_FOLDER or not PROCESS.fullmatch(lines[0]):
            return None
        pid = int(lines[0])
        is_named = lines[DATA_FOLDER] == str(self.data)
        try:
            os.kill(pid, 0)
            # The file may have been copied from another place, and its process be the server there.
            is_here = Path(f"/proc/{pid}/cwd").samefile(self.data) if sys.platform == "linux" else is_named
        except PermissionError:
            # Root may not look at the server's process in some containers, but for its name. Nobody else's server runs
            # here; a process of another name has got the number of a server that has ended.
            is_here = os.geteuid() == 0 and is_named and _is_postgres(pid)
        except OSError:
            return None
        return pid if is_here else None

    def _pid_file(self) -> list[str]:
        try:
            return (self.data / "postmaster.pid").read_text("utf-8", "surrogateescape").splitlines()
        except OSError:
            return []

    def _remove_stale_locks(self, socket_folder: Path) -> None:
        """Remove what would keep this server out, though nobody holds the watcher's lock.

        That is the lock of the socket, a pid file that was copied with the folder of a running server, and one that
        a machine has lost the content of. The pid file of a server that was killed stays: by it PostgreSQL finds
        processes that the dead one left.
        """
        (socket_folder / f".s.PGSQL.{cluster.PORT}.lock").unlink(missing_ok=True)
        lines = self._pid_file()
        with suppress(OSError):
            if lines and lines[0].startswith("-"):
                return
            if lines and PROCESS.fullmatch(lines[0]):
                os.kill(int(lines[0]), 0)
            (self.data / "postmaster.pid").unlink()

    def _try_watch(self) -> BinaryIO | None:
        """Return the lock of the watcher; None while there is one."""
        watch = (self.locks / "watch").open("ab")
        try:
            fcntl.flock(watch, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            watch.close()
            return None
        return watch

    def _lock(self, name: str, how: int) -> BinaryIO:
        lock = (self.locks / name).open("ab")
        fcntl.flock(lock, how)
        return lock


@functools.cache
def _server_of(data: Path) -> _Server:
    return _Server(data)


def _is_postgres(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text("utf-8", "replace").strip() == "postgres"
    return False


def _refuse_small_files() -> None:
    """Raise OlistError where this process may write no file of the size that PostgreSQL's have.

    It would start, crash at the first write beyond the limit, and be found "in recovery".
    """
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
    if limit != resource.RLIM_INFINITY and limit < LEAST_FILE_BYTES:
        raise OlistError(
            f"Files may have {limit // 1024:,} kB here (ulimit -f), and the embedded PostgreSQL writes some of 16 MB "
            "at least; raise the limit and run again."
        )


def _until(condition: Callable[[], T | None], seconds: float) -> T | None:
    """Return what `condition` gives once it gives something; None after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (found := condition()) and time.monotonic() < deadline:
        time.sleep(0.01)
    return found
