"""Processes that audit files side by side, each file bounded in time from outside.

What belongs here: starting, feeding and killing workers, and what they are started with: no environment, an empty
folder, three pipes. What does not: what a worker does (`worker`) and gives up (`confinement`).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from queue import Empty, SimpleQueue
from tempfile import TemporaryDirectory

from olist_pipeline.audit.model import SECONDS_A_FILE, FileAudit, Problem
from olist_pipeline.audit.reading import Job

BUSY = 4
GRACE_SECONDS = 30.0
"""A worker stops itself after so many seconds of computing, and the kernel stops it soon after. One that waits instead
is killed by the clock: on a busy machine a file takes `BUSY` times its seconds, and a start takes its time, too."""

FILES_A_WORKER = 25
MOST_CHARACTERS_OF_ANSWER = 100_000_000
SOURCE = Path(__file__).parents[2]
START = "import sys; sys.path[:] = sys.argv[1:]; from olist_pipeline.audit.worker import main; main()"


def audit_files(
    jobs: Sequence[Job],
    start: dict[str, object],
    seconds: float = SECONDS_A_FILE,
    done: Callable[[], None] = lambda: None,
) -> list[FileAudit]:
    """Audit files in worker processes and return what they hold, in the order of `jobs`.

    `start` is what a worker is told first. `done` is called after each file.
    """
    waiting: SimpleQueue[tuple[int, Job]] = SimpleQueue()
    for numbered in enumerate(jobs):
        waiting.put(numbered)
    results: list[FileAudit | None] = [None] * len(jobs)

    def serve() -> None:
        worker = _Worker({**start, "seconds": seconds}, BUSY * seconds + GRACE_SECONDS, folder)
        try:
            while True:
                number, job = waiting.get_nowait()
                results[number] = worker.audit(job)
                done()
        except Empty:
            return
        finally:
            worker.close()

    count = min(os.cpu_count() or 1, -(-len(jobs) // FILES_A_WORKER))
    threads = [threading.Thread(target=serve, daemon=True) for _ in range(max(count, 1) if jobs else 0)]
    with TemporaryDirectory(prefix="olist-audit-") as folder:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return [
        result or FileAudit(job.file, problems=(Problem(job.file, None, "It was not audited: its process failed."),))
        for job, result in zip(jobs, results, strict=True)
    ]


class _Worker:
    """One worker process; a new one takes its place when it has to be killed."""

    def __init__(self, start: dict[str, object], seconds: float, folder: str) -> None:
        self._start = start
        self._seconds = seconds
        self._folder = folder
        self._process: subprocess.Popen[str] | None = None

    def audit(self, job: Job) -> FileAudit:
        process = self._process or self._open()
        killer = threading.Timer(self._seconds, process.kill)
        killer.start()
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(json.dumps(asdict(job)) + "\n")
            process.stdin.flush()
            answer = process.stdout.readline(MOST_CHARACTERS_OF_ANSWER)
        except OSError:
            answer = ""
        finally:
            killer.cancel()
        if answer.endswith("\n"):
            return FileAudit.from_dict(json.loads(answer))
        self.close()
        message = f"It ended the process that audited it, or took more than {self._start['seconds']:g} s."
        return FileAudit(job.file, problems=(Problem(job.file, None, message),))

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _open(self) -> subprocess.Popen[str]:
        # Isolated (-I): no environment, no folder of the caller's, no site of the user's; -B: nothing is written.
        process = subprocess.Popen(
            [sys.executable, "-I", "-B", "-X", "utf8", "-c", START, str(SOURCE), *_absolute(sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
            cwd=self._folder,
            env={},
            close_fds=True,
            start_new_session=True,
        )
        assert process.stdin is not None
        process.stdin.write(json.dumps(self._start) + "\n")
        self._process = process
        return process


def _absolute(places: Sequence[str]) -> list[str]:
    return [place for place in places if Path(place).is_absolute()]
