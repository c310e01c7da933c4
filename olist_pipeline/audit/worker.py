"""A process that audits files, and may be killed; `pool` starts it.

What belongs here: the conversation with `pool`, a line of JSON each way a file, and the bounds of time from inside: an
alarm, which knows the line where a template loops, and the kernel's limit behind it. What does not: what a file holds,
and what the process gives up (`confinement`).

The first line that comes in says which project to open; each other line is a job.
"""

from __future__ import annotations

import json
import signal
import sys
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

from olist_pipeline.audit.confinement import allow_seconds, confine
from olist_pipeline.audit.model import FileAudit, Problem
from olist_pipeline.audit.project import open_project
from olist_pipeline.audit.reading import Job, Reader, Role, renderer_of

SECONDS_TO_OPEN = 30.0
"""How long reading a project's settings and macros may compute."""


class TookTooLong(BaseException):
    """The time of a file is over; no template and no parser may catch it."""


def main(incoming: TextIO = sys.stdin, outgoing: TextIO = sys.stdout) -> None:
    """Answer jobs until the input ends."""
    start = json.loads(incoming.readline())
    manifest = Path(start["manifest"]) if start["manifest"] else None
    confine([Path(start["root"]), *([manifest] if manifest else [])])
    allow_seconds(SECONDS_TO_OPEN)
    project = open_project(Path(start["path"]), manifest, start["target"])
    models = {path.stem: path for path in project.model_files()}
    renderer = renderer_of(project, start["dialect"], start["vars"])
    reader = Reader(start["dialect"], renderer, project.root, models, has_origins=start.get("origins", False))
    signal.signal(signal.SIGPROF, _stop)
    for line in incoming:
        allow_seconds(start["seconds"])
        job = json.loads(line)
        audited = bounded(reader, Job(**{**job, "role": Role(job["role"])}), start["seconds"])
        outgoing.write(json.dumps(asdict(audited)) + "\n")
        outgoing.flush()


def bounded(reader: Reader, job: Job, seconds: float) -> FileAudit:
    """Audit a file for so many seconds of computing at most: a busy machine takes no file its time."""
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        return reader.audit(job)
    except TookTooLong as stopped:
        line = stopped.args[0]
        what = "Its Jinja did not come to an end" if line is not None else "It was not read to its end"
        return FileAudit(job.file, problems=(Problem(job.file, line, f"{what} within {seconds:g} s."),))
    except MemoryError:
        return FileAudit(job.file, problems=(Problem(job.file, None, "It needs more memory than it may have."),))
    except Exception as error:
        # A parser meets SQL that nobody thought of: the file is reported, and the others go on.
        message = f"It could not be audited ({type(error).__name__}: {str(error)[:200]})."
        return FileAudit(job.file, problems=(Problem(job.file, None, message),))
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _stop(signum: int, frame: FrameType | None) -> None:
    # The line is looked for now: once the stack is unwound, a frame does not know what called it.
    raise TookTooLong(_line_of_template(frame))


def _line_of_template(frame: Any) -> int | None:
    """Return the line of the model's own template that is at work: the outermost one on the stack."""
    lines = []
    while frame is not None:
        if frame.f_code.co_filename == "<template>" and "environment" in frame.f_globals:
            lines.append(_corresponding_line(str(frame.f_globals.get("debug_info", "")), frame.f_lineno))
        frame = frame.f_back
    return lines[-1] if lines else None


def _corresponding_line(debug_info: str, line: int) -> int:
    """Return the line of a template for a line of the Python that Jinja made of it, which says so: `1=12&3=15`."""
    pairs = [tuple(map(int, pair.split("="))) for pair in debug_info.split("&") if pair]
    return max((own for own, python in pairs if python <= line), default=1)
