"""A process that audits files, and may be killed: `python -m olist_pipeline.audit.worker`.

What belongs here: the conversation with `pool`, a line of JSON each way a file, and the bounds from inside: time by
an alarm, which knows the line where a template loops, and memory. What does not: what a file holds.

The first line that comes in says which project to open; each other line is a job.
"""

from __future__ import annotations

import json
import signal
import sys
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

from olist_pipeline.audit.model import FileAudit, Problem
from olist_pipeline.audit.project import open_project
from olist_pipeline.audit.reading import Job, Reader, renderer_of

MEMORY_BYTES = 3_000_000_000


class TookTooLong(BaseException):
    """The time of a file is over; no template and no parser may catch it."""


def main(incoming: TextIO = sys.stdin, outgoing: TextIO = sys.stdout) -> None:
    """Answer jobs until the input ends."""
    limit_memory()
    start = json.loads(incoming.readline())
    manifest = Path(start["manifest"]) if start["manifest"] else None
    project = open_project(Path(start["path"]), manifest)
    reader = Reader(start["dialect"], renderer_of(project, start["dialect"]))
    signal.signal(signal.SIGALRM, _stop)
    for line in incoming:
        audited = bounded(reader, Job(**json.loads(line)), start["seconds"])
        outgoing.write(json.dumps(asdict(audited)) + "\n")
        outgoing.flush()


def bounded(reader: Reader, job: Job, seconds: float) -> FileAudit:
    """Audit a file for so many seconds at most."""
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        return reader.audit(job)
    except TookTooLong as stopped:
        line = _line_of_template(stopped)
        what = "Its Jinja did not come to an end" if line is not None else "It could not be parsed"
        return FileAudit(job.file, problems=(Problem(job.file, line, f"{what} within {seconds:g} s."),))
    except MemoryError:
        return FileAudit(job.file, problems=(Problem(job.file, None, "It needs more memory than it may have."),))
    except Exception as error:
        # A parser meets SQL that nobody thought of: the file is reported, and the others go on.
        message = f"It could not be audited ({type(error).__name__}: {str(error)[:200]})."
        return FileAudit(job.file, problems=(Problem(job.file, None, message),))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def limit_memory() -> None:
    """Bound the memory of this process, where the system can."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


def _stop(signum: int, frame: FrameType | None) -> None:
    raise TookTooLong(frame)


def _line_of_template(stopped: TookTooLong) -> int | None:
    """Return the line of the model's own template that was at work: the outermost one on the stack."""
    frame: Any = stopped.args[0]
    lines = []
    while frame is not None:
        template = frame.f_globals.get("__jinja_template__")
        environment = frame.f_globals.get("environment")
        if frame.f_code.co_filename == "<template>" and environment is not None:
            lines.append(_corresponding_line(frame.f_globals, frame.f_lineno, template))
        frame = frame.f_back
    return lines[-1] if lines else None


def _corresponding_line(names: dict[str, Any], line: int, template: Any) -> int:
    """Return the line of a template for a line of the Python that Jinja made of it."""
    pairs = [tuple(map(int, pair.split("="))) for pair in str(names.get("debug_info", "")).split("&") if pair]
    return max((own for own, python in pairs if python <= line), default=1)


if __name__ == "__main__":
    main()
