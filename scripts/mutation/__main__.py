"""Try the mutants, print each that no test notices, and the score.

    python -m scripts.mutation PYTHON [--part FOLDER]... [--sample N] [--seed N] [--at-least PERCENT] [--workers N]

Started by `make mutants` with the Python of a throw-away environment that has Cosmic Ray; the tests run with PYTHON.
Everything happens in a copy of the tree, so that nobody's work is in the way. A run that was interrupted goes on when
the same is asked again of the same tree.
"""

import argparse
import difflib
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.progress import track

from scripts.mutation.kept import Fates
from scripts.mutation.making import Mutant, drawn_from, mutants_of
from scripts.mutation.reach import Part, Reach

PROJECT = Path(__file__).parents[2]
PARTS = (Part("olist_domain", "tests/domain"), Part("olist_pipeline/tablediff", "tests/pipeline/tablediff"))
FATES = PROJECT / "build" / "mutants"
LEAST_SECONDS, TIMES_AS_LONG = 120, 20
"""When tests that wait count as hanging: this long, and this many times as long as without a mutant."""
ENVIRONMENT = {
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    "PYTHONDONTWRITEBYTECODE": "",
    "PYTHONHASHSEED": "0",
    # A fork has none of the threads that a library starts when it is imported.
    "OPENBLAS_NUM_THREADS": "1",
    "POLARS_MAX_THREADS": "1",
    "_RJEM_MALLOC_CONF": "background_thread:false",
}
KILLED, SURVIVED, NOT_TRIED, NO_PYTHON = "killed", "survived", "not tried", "no Python"


@dataclass(frozen=True)
class Tried:
    """What became of a mutant: its fate, and of a survivor or one not tried the reason or the change."""

    mutant: Mutant
    fate: str
    shown: Sequence[str] = ()


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


def recorded(python: str, part: Part, file: Path) -> Reach:
    """Run a part's tests without a mutant and return what they reach; exits where they fail."""
    done = subprocess.run(
        [python, "-m", "scripts.mutation.recording", part.code, part.tests, str(file)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **ENVIRONMENT},
    )
    if done.returncode:
        sys.exit(f"The tests {part.tests} fail without any mutant:\n{done.stdout}{done.stderr}")
    return Reach.read(part, file)


@contextmanager
def servers(python: str, recording: Path, count: int) -> Iterator["queue.Queue[subprocess.Popen[str]]"]:
    """Yield servers that run tests, one mutant each at a time."""
    idle: queue.Queue[subprocess.Popen[str]] = queue.Queue()
    started = []
    for number in range(count):
        command = [python, "-m", "scripts.mutation.server", str(recording), f"{recording}.{number}"]
        started.append(
            subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env={**os.environ, **ENVIRONMENT},
            )
        )
        idle.put(started[-1])
    try:
        yield idle
    finally:
        for server in started:
            server.communicate()


def answer_of(server: "subprocess.Popen[str]", request: dict[str, Any]) -> dict[str, str]:
    """Return a server's answer to a request (see `server.py`)."""
    assert server.stdin
    assert server.stdout
    server.stdin.write(json.dumps(request) + "\n")
    server.stdin.flush()
    answer: dict[str, str] = json.loads(server.stdout.readline())
    return answer


def module_name(module: Path) -> str:
    """Return the name by which a module is imported."""
    parts = module.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def change(mutant: Mutant) -> list[str]:
    """Return the lines that a mutant changes, before and after."""
    before, after = mutant.module.read_text().splitlines(), (mutant.source or "").splitlines()
    return list(difflib.unified_diff(before, after, n=0, lineterm=""))[2:]


def tried(mutant: Mutant, reach: Reach, server: "subprocess.Popen[str]") -> Tried:
    """Run the tests that reach a mutant until one notices it."""
    if mutant.source is None:
        return Tried(mutant, NO_PYTHON)
    for tests in reach.batches(mutant.module, mutant.line):
        request = {
            "module": module_name(mutant.module),
            "path": str(mutant.module.absolute()),
            "source": mutant.source,
            "tests": tests,
            "seconds": max(LEAST_SECONDS, TIMES_AS_LONG * reach.seconds_of(tests)),
        }
        answer = answer_of(server, request)
        if answer["outcome"] == "unknown":
            return Tried(mutant, NOT_TRIED, answer["output"].splitlines())
        if answer["outcome"] != "passed":
            if answer["test"] in reach.seconds:
                reach.notice(mutant.module, mutant.line, answer["test"])
            return Tried(mutant, KILLED)
    return Tried(mutant, SURVIVED, change(mutant))


def all_tried(python: str, mutants: list[Mutant], reach: Reach, recording: Path, workers: int) -> Iterator[Tried]:
    """Try mutants of one part, some at once, and yield what becomes of each, as it does."""
    pool = ThreadPoolExecutor(workers)
    with servers(python, recording, workers) as idle:

        def one(mutant: Mutant) -> Tried:
            server = idle.get()
            try:
                return tried(mutant, reach, server)
            finally:
                idle.put(server)

        try:
            for done in as_completed([pool.submit(one, mutant) for mutant in mutants]):
                yield done.result()
        finally:
            pool.shutdown(cancel_futures=True)


def show(each: Tried) -> None:
    """Print what is shown of a mutant, if anything."""
    if each.shown:
        print(f"{each.fate}: {each.mutant.module}:{each.mutant.line}", *each.shown, sep="\n  ", flush=True)


def arguments() -> argparse.Namespace:
    """Return what the command asks for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("python")
    parser.add_argument("--part", action="append", help="a folder or module; all of PARTS without")
    parser.add_argument("--sample", type=int, help="so many mutants, drawn at random; all without")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--at-least", type=float, default=0, help="fail below this score, in percent")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="so many at once; one a core without")
    return parser.parse_args()


def main() -> None:
    """Mutate, and print each survivor and the score."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("Stopped."))
    warnings.simplefilter("ignore", SyntaxWarning)  # of mutants: `is 0` for `== 0`
    asked = arguments()
    folders = asked.part or [part.code for part in PARTS]
    parts = {folder: part_of(folder) for folder in folders}
    python = str(Path(asked.python).absolute())
    fates: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="olist-mutants-") as copy:
        tree, recordings = Path(copy, "tree"), Path(copy, "recordings")
        recordings.mkdir()
        copy_tree(tree)
        os.chdir(tree)
        made = [mutant for folder in folders for mutant in mutants_of(folder)]
        drawn = drawn_from(made, asked.sample, asked.seed) if asked.sample else made
        if not drawn:
            sys.exit(f"{', '.join(folders)}: nothing here can be mutated.")
        print(f"{len(made)} mutants of {', '.join(folders)}; {len(drawn)} are tried (seed {asked.seed})", flush=True)
        kept = Fates.of(tree, FATES)
        before = [Tried(mutant, *kept.known[mutant.name]) for mutant in drawn if mutant.name in kept.known]
        if before:
            print(f"{len(before)} of them were tried by a run that was interrupted", flush=True)
        for each in before:
            fates[each.fate] += 1
            show(each)
        left = [mutant for mutant in drawn if mutant.name not in kept.known]
        for number, part in enumerate(dict.fromkeys(parts.values())):
            mutants = [mutant for mutant in left if part_of(mutant.module) == part]
            if not mutants:
                continue
            recording = recordings / f"{number}.json"
            reach = recorded(python, part, recording)
            results = all_tried(python, mutants, reach, recording, asked.workers)
            for each in track(results, part.code, len(mutants), disable=not sys.stdout.isatty()):
                if each.fate != NOT_TRIED:
                    kept.keep(each.mutant.name, each.fate, each.shown)
                fates[each.fate] += 1
                show(each)
                if not fates.total() % 100:
                    print(f"{fates.total()} of {len(drawn)}", file=sys.stderr, flush=True)
        kept.forget()
    score = 100 * fates[KILLED] / max(1, fates[KILLED] + fates[SURVIVED])
    print(f"{fates[KILLED]} killed, {fates[SURVIVED]} survived, {fates[NOT_TRIED]} not tried: {score:.1f} %")
    if fates[NOT_TRIED] or score < asked.at_least:
        sys.exit(f"The score is below {asked.at_least:g} %: add tests that notice the survivors.")


if __name__ == "__main__":
    main()
