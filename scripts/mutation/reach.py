"""Which tests a mutant is tried with: those that reach its line, nearest first.

What belongs here: the choice, from what `recording.py` wrote. What does not: running the tests.
"""

import ast
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

NO_TEST = ""


@dataclass(frozen=True)
class Part:
    """Code that is mutated, and the tests that must notice."""

    code: str
    tests: str


@cache
def statements(module: Path) -> list[range]:
    """Return the lines of each statement of a module; of a compound one those before its body."""
    found = []
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.stmt | ast.ExceptHandler):
            first = min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", []))])
            body = getattr(node, "body", None)
            last = max(node.lineno, body[0].lineno - 1) if body else node.end_lineno or first
            found.append(range(first, last + 1))
    return found


@dataclass(frozen=True)
class Reach:
    """What one run of a part's tests has shown."""

    part: Part
    seconds: dict[str, float]
    lines: dict[str, dict[str, list[str]]]

    @classmethod
    def read(cls, part: Part, recording: Path) -> "Reach":
        """Return what is recorded in a file."""
        content = json.loads(recording.read_text())
        return cls(part, content["seconds"], content["lines"])

    def reaching(self, module: Path, line: int) -> set[str]:
        """Return the tests that reach a line's statement; all of them where it runs before any test does."""
        contexts = self.lines.get(str(module), {})
        around = min((lines for lines in statements(module) if line in lines), key=len, default=range(line, line + 1))
        tests = {test for each in around for test in contexts.get(str(each), [])}
        return set(self.seconds) if NO_TEST in tests else tests

    def batches(self, module: Path, line: int) -> Iterator[list[str]]:
        """Yield the tests to run one after the other: of the module's own file, of its own folder, and all others."""
        left = self.reaching(module, line)
        own_folder = Path(self.part.tests, *module.parent.relative_to(self.part.code).parts)
        for place in (f"{own_folder}/test_{module.stem}.py::", f"{own_folder}/", ""):
            batch = sorted(test for test in left if test.startswith(place))
            left -= set(batch)
            if batch:
                yield batch

    def seconds_of(self, tests: list[str]) -> float:
        """Return how long tests took."""
        return sum(self.seconds[test] for test in tests)
