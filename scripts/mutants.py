"""Mutation testing: change one operator or number of the code at a time, and see whether its tests notice.

    mutants.py PYTHON [--part FOLDER]... [--sample N] [--seed N] [--at-least PERCENT]

Started by `make mutants` with the Python of a throw-away environment that has Cosmic Ray, which makes the mutants; the
tests run with PYTHON. Everything happens in a copy of the tree, so that a stop in the middle leaves no mutant behind.

Left out is what is no change of behaviour: see `changes_nothing`. A sample is drawn of places, one mutant each, for a
single `+` has eleven mutants that fail alike.
"""

import argparse
import ast
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cosmic_ray.commands import init
from cosmic_ray.mutating import mutate_and_test, mutate_code
from cosmic_ray.plugins import get_operator
from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import MutationSpec, TestOutcome, WorkerOutcome

PROJECT = Path(__file__).parents[1]
PYTEST = "-m pytest -x -q -n 0 -p no:cacheprovider -p no:randomly --hypothesis-seed=0"
LEAST_SECONDS, TIMES_AS_LONG = 120, 10
"""When tests count as hanging: this long, and this many times as long as without a mutant."""
SAME = re.compile(r"_(Is_Eq|IsNot_NotEq)$")
"""Equality in the place of identity, which the code asks of None, truth values and members alone: there they are one.
The reverse is a change, for equal amounts, moments and texts need not be one object, and so is every other."""
PASSIVE_DECORATORS = ("abstractmethod", "cache", "lru_cache", "overload", "override")


@dataclass(frozen=True)
class Part:
    """Code that is mutated, and the tests that must notice."""

    code: str
    tests: str

    def nearest_tests(self, module: Path) -> str:
        """Return all tests of this part, those of the module's own folder and name first: most mutants end there."""
        own_folder = self.tests / Path(*module.parent.relative_to(self.code).parts)
        own_file = own_folder / f"test_{module.stem}.py"
        nearest = [str(path) for path in (own_file, own_folder) if path.exists()]
        return " ".join(dict.fromkeys([*nearest, self.tests]))


PARTS = (Part("olist_domain", "tests/domain"), Part("olist_pipeline/tablediff", "tests/pipeline/tablediff"))


def part_of(folder: str | Path) -> Part:
    """Return the part that a folder or module lies in; exits where there is none."""
    for part in PARTS:
        if Path(folder).is_relative_to(part.code) and (PROJECT / folder).exists():
            return part
    sys.exit(f"PART={folder} is no folder or module of {' or '.join(part.code for part in PARTS)}.")


def copy_tree(target: Path) -> None:
    """Copy what Git knows and what it does not ignore, as it lies in the working tree."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=PROJECT,
        check=True,
        capture_output=True,
        text=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (PROJECT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(PROJECT / name, target / name)


def passive(tree: ast.Module) -> Iterator[ast.expr]:
    """Yield the annotations and decorators of a module that do nothing when it runs."""
    for node in ast.walk(tree):
        if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation:
            yield node.annotation
        if isinstance(node, ast.FunctionDef) and node.returns:
            yield node.returns
        if isinstance(node, ast.FunctionDef):
            yield from (each for each in node.decorator_list if ast.unparse(each) in PASSIVE_DECORATORS)


def changes_nothing(mutation: MutationSpec, places: list[ast.expr]) -> bool:
    """Return whether a mutant is known to behave as the code does."""
    if SAME.search(mutation.operator_name):
        return True
    row, column = mutation.start_pos
    if mutation.operator_name == "core/RemoveDecorator":
        column += 1  # the `@` is no part of the expression
    return any(
        (node.lineno, node.col_offset) <= (row, column) < (node.end_lineno, node.end_col_offset) for node in places
    )


def is_python(mutation: MutationSpec) -> bool:
    """Return whether a mutant can be compiled: `**rows` has none that can, but is taken for a power."""
    operator = get_operator(mutation.operator_name)(**mutation.operator_args)
    try:
        compile(mutate_code(mutation.module_path.read_text(), operator, mutation.occurrence), "mutant", "exec")
    except SyntaxError:
        return False
    return True


def mutants_of(folder: str) -> list[MutationSpec]:
    """Return all mutants of a folder or module, in a fixed order."""
    path = Path(folder)
    modules = sorted(path.rglob("*.py")) if path.is_dir() else [path]
    found = []
    for module in modules:
        places = list(passive(ast.parse(module.read_text())))
        with use_db(":memory:", WorkDB.Mode.create) as database:
            init([module], database, {})
            made = [mutation for item in database.work_items for mutation in item.mutations]
        found += [mutation for mutation in made if not changes_nothing(mutation, places)]
    return sorted(found, key=lambda mutation: (str(mutation.module_path), mutation.operator_name, mutation.occurrence))


def drawn_from(mutants: list[MutationSpec], count: int | None, seed: int) -> list[MutationSpec]:
    """Return one mutant each of `count` places, drawn at random; all mutants where there is no count."""
    if count is None:
        return [mutation for mutation in mutants if is_python(mutation)]
    shuffled = random.Random(seed).sample(mutants, len(mutants))
    drawn: dict[tuple[Path, tuple[int, int]], MutationSpec] = {}
    for mutation in shuffled:
        place = mutation.module_path, mutation.start_pos
        if place not in drawn and is_python(mutation):
            drawn[place] = mutation
        if len(drawn) == count:
            break
    return list(drawn.values())


def seconds_unchanged(python: str, part: Part) -> float:
    """Return how long a part's tests take without a mutant; exits where they fail."""
    started = time.monotonic()
    done = subprocess.run([python, *PYTEST.split(), part.tests], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"The tests {part.tests} fail without any mutant:\n{done.stdout}")
    return time.monotonic() - started


def survives(python: str, mutation: MutationSpec, limits: dict[Part, float]) -> bool | None:
    """Return whether the tests pass with a mutant, which is then shown; None where it or they could not be started."""
    part = part_of(mutation.module_path)
    tests = part.nearest_tests(mutation.module_path)
    result = mutate_and_test([mutation], f"{python} {PYTEST} {tests}", limits[part])
    if result.worker_outcome is not WorkerOutcome.NORMAL or result.test_outcome is TestOutcome.INCOMPETENT:
        print(f"not tried: {mutation.operator_name} in {mutation.module_path}: {result.output}", flush=True)
        return None
    survived = result.test_outcome is TestOutcome.SURVIVED
    if survived:
        changed = [line for line in result.diff.splitlines() if line.startswith(("-", "+", "@@"))][3:]
        print(f"survived: {mutation.module_path}:{mutation.start_pos[0]}", *changed, sep="\n  ", flush=True)
    return survived


def main() -> None:
    """Mutate, and print each survivor and the score."""
    parser = argparse.ArgumentParser()
    parser.add_argument("python")
    parser.add_argument("--part", action="append", help="a folder or module; all of PARTS without")
    parser.add_argument("--sample", type=int, help="so many mutants, drawn at random; all without")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--at-least", type=float, default=0, help="fail below this score, in percent")
    asked = parser.parse_args()
    folders = asked.part or [part.code for part in PARTS]
    parts = {folder: part_of(folder) for folder in folders}
    python = str(Path(asked.python).absolute())
    with tempfile.TemporaryDirectory(prefix="olist-mutants-") as copy:
        copy_tree(Path(copy))
        os.chdir(copy)
        mutants = [mutation for folder in folders for mutation in mutants_of(folder)]
        drawn = drawn_from(mutants, asked.sample, asked.seed)
        if not drawn:
            sys.exit(f"{', '.join(folders)}: nothing here can be mutated.")
        limits = {
            part: max(LEAST_SECONDS, TIMES_AS_LONG * seconds_unchanged(python, part)) for part in set(parts.values())
        }
        print(f"{len(mutants)} mutants of {', '.join(folders)}; {len(drawn)} are tried (seed {asked.seed})", flush=True)
        fates = []
        for mutation in drawn:
            fates.append(survives(python, mutation, limits))
            print(f"{len(fates)} of {len(drawn)}", end="\r", file=sys.stderr, flush=True)
    killed, survived = fates.count(False), fates.count(True)
    score = 100 * killed / max(1, killed + survived)
    print(f"{killed} killed, {survived} survived: {score:.1f} %")
    if score < asked.at_least:
        sys.exit(f"The score is below {asked.at_least:g} %: add tests that notice the survivors.")


if __name__ == "__main__":
    main()
