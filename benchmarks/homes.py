"""Homes for faults: prepared ones, copies of them, and commands in them that are cheap to start.

What belongs here: what a fault needs around it. What does not: the faults (`faults`) and the proof (`proof`).
"""

from __future__ import annotations

import json
import os
import pickle
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.warm import Warm, fork
from olist_pipeline.synthetic import generate
from tests.environment import bare

SWITCHED = "sales"
PATIENCE = 900.0
"""Seconds after which a command counts as hanging."""


@dataclass(frozen=True)
class Place:
    """A home and its landing, in a folder of their own."""

    folder: Path

    @property
    def home(self) -> Path:
        """OLIST_HOME."""
        return self.folder / "home"

    def environment(self) -> dict[str, str]:
        """Return an environment that knows nothing but this place, and whose gate asks for no streak."""
        own = {"OLIST_HOME": str(self.home), "OLIST_DATA_DIR": str(self.folder / "landing"), "COLUMNS": "200"}
        return {**bare(), **own, "OLIST_CUTOVER_STREAK": "0", "OLIST_QUARANTINE_LIMIT": "1"}


class Homes:
    """The prepared homes, and what is done in copies of them.

    `changed` has a release of former files, `finished` one of the present ones, `switched` one with a context on new.
    `seconds` says how long each of `commands`, by name, takes undisturbed: a prepared home and arguments.
    """

    def __init__(self, folder: Path, seed: int, orders: int, commands: Mapping[str, tuple[str, Sequence[str]]]) -> None:
        self.folder, self.warm = folder, Warm()
        self._undisturbed = folder / "undisturbed.pickle"
        self._prepare(seed, orders)
        self.seconds = {name: self._measured(start, arguments) for name, (start, arguments) in commands.items()}

    def _prepare(self, seed: int, orders: int) -> None:
        first = Place(self.folder / "first")
        # Polars writes it: not in this process, which forks.
        in_process(first, lambda settings: generate(settings.landing, orders=orders, seed=seed))
        present = {path.name: path.read_text("utf-8") for path in (first.folder / "landing").glob("*.csv")}
        for name, cut in (("olist_order_reviews_dataset.csv", 9), ("olist_order_items_dataset.csv", 3)):
            lines = present[name].splitlines(keepends=True)[:-cut]
            while "".join(lines).count('"') % 2:  # a comment has several lines
                lines.pop()
            (first.folder / "landing" / name).write_text("".join(lines), "utf-8")
        self._must(first, ["run"])
        for name, text in present.items():
            (first.folder / "landing" / name).write_text(text, "utf-8")
        first.folder.rename(self.folder / "changed")
        finished = self.copy("changed", "finished")
        self._must(finished, ["run"])
        in_process(finished, lambda settings: _keep_outcome(settings, self._undisturbed))
        self._must(self.copy("finished", "switched"), ["cutover", SWITCHED])

    def _measured(self, start: str, arguments: Sequence[str]) -> float:
        place = self.copy(start)
        began = time.perf_counter()
        self._must(place, arguments)
        seconds = time.perf_counter() - began
        remove(place)
        return seconds

    def copy(self, name: str, to: str = "") -> Place:
        """Return a copy of a prepared home, which nobody works in."""
        target = self.folder / (to or f"{name}-{time.monotonic_ns()}")
        _await_server(Place(self.folder / name))
        subprocess.run(["cp", "-a", "--reflink=auto", str(self.folder / name), str(target)], check=True)
        return Place(target)

    def _must(self, place: Place, arguments: Sequence[str]) -> None:
        code, output = self.run(place, arguments)
        if code:
            raise RuntimeError(f"olist {' '.join(arguments)} failed without a fault: {output[-2000:]}")

    def run(self, place: Place, arguments: Sequence[str]) -> tuple[int, str]:
        """Run `olist` to its end; return its exit code and what it said."""
        output = place.folder / "output"
        code = wait(self.warm.start(arguments, place.environment(), output))
        return code, output.read_text("utf-8", "replace")

    def prove(self, place: Place, *, same: bool) -> list[str]:
        """Return what is wrong with a home (see `proof.problems_of`)."""
        said = place.folder / "problems.json"
        said.unlink(missing_ok=True)
        code = in_process(place, lambda settings: _write_problems(settings, self._undisturbed, said, same=same))
        problems: list[str] = json.loads(said.read_text("utf-8")) if said.exists() else [f"the proof ended with {code}"]
        return problems


def wait(process: int) -> int:
    """Return the exit code of a process; one that hangs is killed."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        ended, status = os.waitpid(process, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    os.killpg(process, signal.SIGABRT)
    os.waitpid(process, 0)
    return -signal.SIGABRT


def in_process(place: Place, function: Callable[[Any], object]) -> int:
    """Run a function of the settings of a place in a process of its own, to its end."""

    def run() -> None:
        from olist_pipeline.settings import Settings

        os.environ.update(place.environment())
        function(Settings.from_env())

    _, status = os.waitpid(fork(run), 0)
    return os.waitstatus_to_exitcode(status)


def _keep_outcome(settings: Any, path: Path) -> None:
    from benchmarks.proof import outcome_of

    path.write_bytes(pickle.dumps(outcome_of(settings)))


def _write_problems(settings: Any, undisturbed: Path, said: Path, *, same: bool) -> None:
    from benchmarks.proof import problems_of

    found = problems_of(settings, pickle.loads(undisturbed.read_bytes()), same_release=same)
    said.write_text(json.dumps(found), "utf-8")


def server_of(place: Place) -> int | None:
    try:
        return int((place.home / "postgres" / "postmaster.pid").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return None


def _await_server(place: Place) -> None:
    """Wait until the server of a place has ended, so that its files may be copied or removed."""
    deadline = time.monotonic() + 30
    while (place.home / "postgres" / "postmaster.pid").exists() and time.monotonic() < deadline:
        time.sleep(0.05)


def remove(place: Place) -> None:
    _await_server(place)
    shutil.rmtree(place.folder, ignore_errors=True)
