"""The program of the fork server: `serve.py DESCRIPTOR ARGUMENTS` imports dbt and forks one for each that asks.

What belongs here: what happens in this process and in the forked ones. What does not: who asks (`ask`), and this
process's start and end (`fork_server`). It imports nothing but the standard library and dbt, and never opens a
database: threads do not survive a fork.

DESCRIPTOR is the listening socket. ARGUMENTS are those of a `dbt parse` that is run once, so that what dbt makes of its
own classes at the first use is there as well. The server ends when its standard input does, which its starter holds.
"""

from __future__ import annotations

import atexit
import gc
import json
import logging
import os
import select
import signal
import socket
import sys
import threading
import traceback
from contextlib import suppress
from pathlib import Path
from types import FrameType

STARTS = "OLIST_DBT_SERVER_STARTS"
MOST_STARTS = 2
"""So many times is the invocation run that leaves threads behind."""

STATIC_PARSER = "DBT_STATIC_PARSER"
"""dbt's variable for a parser that leaves threads behind."""

THREADS = Path("/proc/self/task")


def main() -> None:
    """Serve until standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # A shell has what it starts in the background ignore SIGINT, and Dagster takes that for SIGTERM as well.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    gc.disable()
    _import_dbt(sys.argv[2:])
    # What dbt has loaded stays: neither this process nor a forked one looks for garbage in it.
    gc.freeze()
    signal.signal(signal.SIGCHLD, _wait_for_ended)
    with socket.socket(fileno=int(sys.argv[1])) as listener:
        path = Path(listener.getsockname())
        while sys.stdin not in select.select([listener, sys.stdin], [], [])[0]:
            asking, _ = listener.accept()
            # Who is not answered starts dbt by itself: a forked process waits for ever for a thread that is not there.
            if not _has_threads() and os.fork() == 0:
                listener.close()
                _answer(asking)
            asking.close()
    path.unlink(missing_ok=True)


def _wait_for_ended(number: int, frame: FrameType | None) -> None:
    """Let the forked processes that have ended count as this one's: their times are a run's then."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _has_threads() -> bool:
    """Return whether there are threads but this one in the process, or whether nobody knows."""
    return not THREADS.is_dir() or len(list(THREADS.iterdir())) > 1


def _import_dbt(arguments: list[str]) -> None:
    """Import dbt and run one invocation of it, whose end does not matter, that leaves no threads behind.

    dbt's static parser has threads, which nobody ends; what it finds, dbt finds by rendering, too. Where threads are
    left nevertheless, this program starts anew, for the parse is kept in a file, and at last without the invocation.
    """
    import dbt.adapters.duckdb  # noqa: F401
    import dbt.task.build  # noqa: F401
    from dbt.cli.main import dbtRunner

    starts = int(os.environ.get(STARTS, "0"))
    if starts < MOST_STARTS:
        os.environ.setdefault(STATIC_PARSER, "false")
        dbtRunner().invoke(arguments)
        if _has_threads():
            os.environ[STARTS] = str(starts + 1)
            os.execv(sys.executable, [sys.executable, "-P", *sys.argv])


def _answer(asking: socket.socket) -> None:
    """Run the dbt that is asked for in this forked process, tell its exit code, and end."""
    code = 1
    gc.enable()
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        arguments = _become(asking)
        threading.Thread(target=_end_with, args=(asking,), daemon=True).start()
        code = _dbt(arguments)
    except BaseException:  # it is what a person would see of dbt
        traceback.print_exc()
    finally:
        atexit._run_exitfuncs()  # noqa: SLF001 - a forked process that must not return runs them itself
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        asking.sendall(f"{code}\n".encode())
        os._exit(code)


def _become(asking: socket.socket) -> list[str]:
    """Take the files, the folder and the environment of who asks, and return the arguments."""
    head, files, _, _ = socket.recv_fds(asking, 8, 3)
    asked = b""
    while len(asked) < int.from_bytes(head, "big"):
        part = asking.recv(1 << 20)
        if not part:
            os._exit(1)
        asked += part
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    arguments, folder, environment = json.loads(asked)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    asking.sendall(f"{os.getpid()}\n".encode())
    return list(arguments)


def _end_with(asking: socket.socket) -> None:
    """End this process once who asked is gone."""
    if not asking.recv(1):
        os._exit(1)


def _dbt(arguments: list[str]) -> int:
    from dbt.cli.main import cli

    try:
        cli(arguments, prog_name="dbt")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


if __name__ == "__main__":
    main()
