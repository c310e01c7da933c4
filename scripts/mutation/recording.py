"""Which test reaches which line, how long it takes, and what the tests import: one run with the project's Python.

    python -m scripts.mutation.recording CODE TESTS FILE

What belongs here: the run that is recorded, as JSON in FILE. What does not: what follows from it (`reach.py`).
Exits with pytest's status where the tests fail.
"""

import json
import sys
from collections import defaultdict
from collections.abc import Generator
from pathlib import Path
from typing import Any

import coverage
import pytest

from scripts.mutation.testing import PYTEST

PROJECT = Path.cwd()
NO_TEST = ""
"""The context of a line that runs before any test, as modules do, or for many tests."""


class Recorder:
    """A plugin of pytest that tells coverage which test runs."""

    def __init__(self, measured: coverage.Coverage) -> None:
        self.measured = measured
        self.seconds: dict[str, float] = defaultdict(float)
        self._test = NO_TEST

    def _switch(self, test: str) -> None:
        self._test = test
        self.measured.switch_context(test)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Have what runs from here on counted to the test."""
        self._switch(item.nodeid)
        try:
            return (yield)
        finally:
            self._switch(NO_TEST)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Generator[None, Any, Any]:
        """What is made once for many tests is reached by all of them, not by the first alone."""
        test = self._test
        if fixturedef.scope != "function":
            self._switch(NO_TEST)
        try:
            return (yield)
        finally:
            self._switch(test)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add up how long a test and its fixtures take."""
        self.seconds[report.nodeid] += report.duration


def third_party_modules() -> list[str]:
    """Return the modules that were imported from outside the project, in that order."""
    files = {name: getattr(module, "__file__", None) for name, module in sys.modules.items()}
    return [name for name, file in files.items() if file and not Path(file).is_relative_to(PROJECT) and "<" not in name]


def main() -> None:
    """Run the tests, and write what they reach."""
    code, tests, target = sys.argv[1:]
    measured = coverage.Coverage(data_file=None, source=[code], config_file=False)
    recorder = Recorder(measured)
    measured.start()
    status = pytest.main([*PYTEST, tests], plugins=[recorder])
    measured.stop()
    data = measured.get_data()
    lines = {
        str(Path(file).relative_to(PROJECT)): data.contexts_by_lineno(file) for file in sorted(data.measured_files())
    }
    content = {"seconds": recorder.seconds, "lines": lines, "modules": third_party_modules()}
    Path(target).write_text(json.dumps(content))
    sys.exit(status)


if __name__ == "__main__":
    main()
