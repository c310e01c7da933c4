"""A command under watch: its time, and the processor time and memory of all its processes.

What belongs here: starting a command, sampling its processes and those of the embedded server, and what that says of
each step. What does not: which commands are measured (`scale`). Linux alone says what is read here (/proc).
"""

from __future__ import annotations

import os
import re
import subprocess
import threading
import time
from bisect import bisect
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
INTERVAL = 0.2
"""Seconds between two samples."""
_DONE = re.compile(r"^\s*done\s+(\S+)\s+([\d.]+) s\s*$")


@dataclass(frozen=True)
class Sample:
    """A moment: seconds since the start, processor seconds until then, and bytes of memory."""

    at: float
    cpu: float
    memory: int


@dataclass(frozen=True)
class Step:
    """A step of a run: its seconds, and the processor seconds of all processes while it ran.

    Steps that run side by side have equal shares of these.
    """

    name: str
    seconds: float
    cpu: float


@dataclass(frozen=True)
class Watched:
    """What a command took: seconds, processor seconds, the largest memory of all processes at once, and its steps."""

    seconds: float
    cpu: float
    peak_memory: int
    steps: tuple[Step, ...]


class CommandFailedError(RuntimeError):
    """A measured command that did not end with 0."""


def watch(command: Sequence[str], environment: Mapping[str, str], home: Path) -> Watched:
    """Run a command to its end; raises CommandFailedError with the end of its output where it fails.

    Steps are the lines that `olist run` prints of them. Memory is the proportional set size (PSS): pages that processes
    share count once.
    """
    started = time.perf_counter()
    process = subprocess.Popen(
        command, env=dict(environment), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    samples, stop = [Sample(0.0, 0.0, 0)], threading.Event()
    sampling = threading.Thread(target=_sample, args=(process.pid, home, started, samples, stop))
    sampling.start()
    assert process.stdout
    lines, ended = [], []
    for line in process.stdout:
        lines.append(line)
        if found := _DONE.match(line):
            ended.append((found[1], time.perf_counter() - started, float(found[2])))
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    stop.set()
    sampling.join()
    if process.returncode:
        raise CommandFailedError(f"{' '.join(command)} ended with {process.returncode}:\n{''.join(lines[-20:])}")
    cpu = max(samples[-1].cpu, usage.ru_utime + usage.ru_stime)
    peak = max(sample.memory for sample in samples)
    return Watched(seconds, cpu, peak, tuple(steps_of([*samples, Sample(seconds, cpu, 0)], ended)))


def steps_of(samples: Sequence[Sample], ended: Sequence[tuple[str, float, float]]) -> Iterator[Step]:
    """Yield the steps, of which `ended` has the name, the moment of the end and the seconds."""
    spans = [(name, max(0.0, end - seconds), end) for name, end, seconds in ended]
    borders = sorted({moment for _, *span in spans for moment in span})
    pieces = list(pairwise(borders))
    for name, start, end in spans:
        cpu = 0.0
        for first, last in pieces:
            if start <= first and last <= end:
                beside = sum(other <= first and last <= until for _, other, until in spans)
                cpu += (_cpu_at(samples, last) - _cpu_at(samples, first)) / beside
        yield Step(name, end - start, cpu)


def _cpu_at(samples: Sequence[Sample], moment: float) -> float:
    """Return the processor seconds until a moment, on the line between the samples around it."""
    place = bisect([sample.at for sample in samples], moment)
    if place in (0, len(samples)):
        return samples[min(place, len(samples) - 1)].cpu
    before, after = samples[place - 1], samples[place]
    return before.cpu + (after.cpu - before.cpu) * (moment - before.at) / (after.at - before.at)


def _sample(process: int, home: Path, started: float, samples: list[Sample], stop: threading.Event) -> None:
    server_before: dict[int, float] | None = None
    while not stop.wait(INTERVAL):
        present = _processes()
        family = _family(present, process)
        server = _family(present, _server(home)) - family
        if server_before is None:
            server_before = {one: present[one].cpu for one in server}
        of_server = sum(present[one].cpu - server_before.get(one, 0.0) for one in server)
        cpu = of_server + sum(present[one].cpu for one in family)
        memory = sum(_memory(one) for one in family | server)
        # What ended since the last sample and nobody has waited for yet is in no sum for a moment.
        samples.append(Sample(time.perf_counter() - started, max(samples[-1].cpu, cpu), memory))


@dataclass(frozen=True)
class _Process:
    parent: int
    cpu: float
    """Processor seconds of a process, and of the children that it has waited for."""


def _processes() -> dict[int, _Process]:
    """Return all processes of the machine, by their number."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended
            # The name is in brackets and may hold anything; the state follows.
            fields = path.read_text(errors="replace").rpartition(")")[2].split()
            found[int(path.parent.name)] = _Process(int(fields[1]), sum(map(int, fields[11:15])) / _TICKS)
    return found


def _family(present: Mapping[int, _Process], root: int) -> set[int]:
    """Return a process with all its descendants; nobody where it is not there."""
    children: dict[int, list[int]] = {}
    for number, one in present.items():
        children.setdefault(one.parent, []).append(number)
    family: set[int] = set()
    left = [root] if root in present else []
    while left:
        family.add(member := left.pop())
        left += children.get(member, [])
    return family


def _server(home: Path) -> int:
    """Return the number of the embedded server's first process, 0 where it does not run."""
    try:
        return int((home / "postgres" / "postmaster.pid").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return 0


def _memory(process: int) -> int:
    """Return the proportional set size of a process in bytes, 0 where it has ended."""
    with suppress(OSError):
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0
