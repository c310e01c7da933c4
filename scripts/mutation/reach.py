"""Which tests a mutant is tried with: those that reach its line, those that are likely to notice it first.

What belongs here: the choice, from what `recording.py` wrote. What does not: running the tests.
"""

import ast
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

NO_TEST = ""
LIKELY = 5
"""So many tests that noticed the last mutants of the same statement, and of the same module, are tried first."""


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


def statement(module: Path, line: int) -> range:
    """Return the lines of the statement that a line belongs to."""
    return min((lines for lines in statements(module) if line in lines), key=len, default=range(line, line + 1))


@dataclass(frozen=True)
class Reach:
    """What one run of a part's tests has shown, and which of them have noticed mutants since."""

    part: Part
    seconds: dict[str, float]
    lines: dict[str, dict[str, list[str]]]
    noticed: dict[object, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def read(cls, part: Part, recording: Path) -> "Reach":
        """Return what is recorded in a file."""
        content = json.loads(recording.read_text())
        return cls(part, content["seconds"], content["lines"])

    def reaching(self, module: Path, line: int) -> set[str]:
        """Return the tests that reach a line's statement; all of them where it runs before any test does."""
        contexts = self.lines.get(str(module), {})
        tests = {test for each in statement(module, line) for test in contexts.get(str(each), [])}
        return set(self.seconds) if NO_TEST in tests else tests

    def batches(self, module: Path, line: int) -> Iterator[list[str]]:
        """Yield the tests to run, batch by batch until one notices.

        First those that have noticed mutants of the statement or of the module, then those of the module's own file, of
        its own folder, and all others, quick ones first.
        """
        left = self.reaching(module, line)
        alike = (*self.noticed.get((module, statement(module, line)), ()), *self.noticed.get(module, ()))
        if likely := [test for test in dict.fromkeys(alike) if test in left]:
            left -= set(likely)
            yield likely
        own_folder = Path(self.part.tests, *module.parent.relative_to(self.part.code).parts)
        for place in (f"{own_folder}/test_{module.stem}.py::", f"{own_folder}/", ""):
            batch = sorted((test for test in left if test.startswith(place)), key=self.seconds.__getitem__)
            left -= set(batch)
            if batch:
                yield batch

    def notice(self, module: Path, line: int, test: str) -> None:
        """Keep that a test has noticed a mutant: it is likely to notice others there."""
        for place in ((module, statement(module, line)), module):
            self.noticed[place] = tuple(dict.fromkeys((test, *self.noticed.get(place, ()))))[:LIKELY]

    def seconds_of(self, tests: list[str]) -> float:
        """Return how long tests took."""
        return sum(self.seconds[test] for test in tests)
