"""A server that runs tests with a mutant: it has imported what no mutant changes, and forks once for each.

    python -m scripts.mutation.server RECORDING FOLDER

RECORDING is what `recording.py` wrote, FOLDER what tests may fill. A request and its answer are a line of JSON each:

    {"module": NAME, "path": FILE, "source": TEXT, "tests": [ID, ...], "seconds": NUMBER}
    {"outcome": "passed" | "failed" | "hung" | "unknown", "test": the one that failed or hung, "output": TEXT}

The tests of a request run in their order until one fails; `seconds` is the time after which the process is given up.
What belongs here: putting a mutant in the place of its module, and running tests. What does not: which mutant, and
which tests.
"""

import gc
import importlib
import json
import os
import resource
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import pytest

from scripts.mutation.testing import PYTEST

MEMORY_BYTES = 4 << 30
LEAST_CPU_SECONDS, TIMES_AS_LONG = 5, 20
"""A test hangs when it computes for this long, and for this many times as long as it took. Other processes that keep
the machine busy do not count; that a test waits forever is for `seconds` to end."""
IMPORT_CPU_SECONDS = 30
NOT_RUN = 70
FAILED = {pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERRUPTED, pytest.ExitCode.USAGE_ERROR}
"""An error while tests or their conftest.py are imported ends with the second and the third status."""


class Mutant(MetaPathFinder, SourceFileLoader):
    """Finder and loader of one module, whose source is another than its file's."""

    def __init__(self, module: str, path: str, source: str) -> None:
        super().__init__(module, path)
        self.source = source

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return that the module is loaded from here; None for any other."""
        return spec_from_file_location(fullname, self.path, loader=self) if fullname == self.name else None

    def get_code(self, fullname: str) -> CodeType:
        """Compile the mutant; no file of it is left."""
        return compile(self.source, self.path, "exec")


class Chosen:
    """A plugin of pytest that runs some tests in their order, and ends the process when one computes for ever.

    seconds: how long each test of the part took. running: a file that has the name of the test that runs.
    """

    def __init__(self, tests: Sequence[str], seconds: dict[str, float], running: Path) -> None:
        self.places = {test: place for place, test in enumerate(tests)}
        self.seconds = seconds
        self.running = running

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave out what was not chosen."""
        # A mutant may give tests other names, which nobody has recorded.
        chosen = [item for item in items if item.nodeid in self.places or item.nodeid not in self.seconds]
        items[:] = sorted(chosen, key=lambda item: self.places.get(item.nodeid, len(self.places)))

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Begin to count the time that the test computes."""
        self.running.write_text(item.nodeid)
        seconds = TIMES_AS_LONG * self.seconds.get(item.nodeid, 0)
        signal.setitimer(signal.ITIMER_PROF, max(LEAST_CPU_SECONDS, seconds))


def run_tests(request: dict[str, Any], seconds: dict[str, float], folder: Path) -> None:
    """Run the tests of a request in this process, and end it with pytest's status."""
    status: int = NOT_RUN
    try:
        os.setsid()
        output = os.open(folder / "output", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        for standard in (1, 2):
            os.dup2(output, standard)
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))
        signal.setitimer(signal.ITIMER_PROF, IMPORT_CPU_SECONDS)
        sys.meta_path.insert(0, Mutant(request["module"], request["path"], request["source"]))
        files = dict.fromkeys(test.partition("::")[0] for test in request["tests"])
        arguments = [*PYTEST, f"--basetemp={folder / 'tmp'}", *files]
        status = pytest.main(arguments, plugins=[Chosen(request["tests"], seconds, folder / "running")])
    finally:
        sys.stdout.flush()
        os._exit(status)


def outcome_of(process: int, seconds: float) -> str:
    """Wait for a process, at most for `seconds`, and return how its tests ended."""
    deadline = time.monotonic() + seconds
    while (ended := os.waitpid(process, os.WNOHANG))[0] == 0:
        if time.monotonic() > deadline:
            os.killpg(process, signal.SIGKILL)
            os.waitpid(process, 0)
            return "hung"
        time.sleep(0.005)
    status = os.waitstatus_to_exitcode(ended[1])
    if status == -signal.SIGPROF:
        return "hung"
    if status == pytest.ExitCode.OK:
        return "passed"
    return "failed" if status < 0 or status in FAILED else "unknown"


def main() -> None:
    """Answer requests until there are no more."""
    recording = json.loads(Path(sys.argv[1]).read_text())
    folder = Path(sys.argv[2])
    folder.mkdir()
    for name in recording["modules"]:
        # Some can be imported only after another, or once.
        with suppress(Exception):
            importlib.import_module(name)
    gc.freeze()
    for line in sys.stdin:
        request = json.loads(line)
        for name in ("output", "running"):
            (folder / name).write_text("")
        process = os.fork()
        if process == 0:
            run_tests(request, recording["seconds"], folder)
        answer = {
            "outcome": outcome_of(process, request["seconds"]),
            "test": (folder / "running").read_text(),
            "output": (folder / "output").read_text(errors="replace")[-2000:],
        }
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
