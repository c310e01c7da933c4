"""`make fuzz EXAMPLES=5000 SEED=1`: mutants on their whole way, on both cores, with progress.

What belongs here: the processes and what they tell. What does not: the mutants and their laws.
"""

import argparse
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from contextlib import closing
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings

from olist_pipeline.settings import Settings
from olist_pipeline.stores import postgres, schema
from tests.fuzz.compiled import compiled_manifest
from tests.fuzz.mutants import mutants
from tests.fuzz.trees import load_trees
from tests.fuzz.way import place, whole_way

BATCH = 25
"""So many mutants have a seed of their own: a bad one does not end the search."""


def main() -> int:
    """Run the mutants and return 1 if any was bad."""
    arguments = argparse.ArgumentParser(prog="make fuzz")
    arguments.add_argument("--examples", type=int, default=1000)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    chosen = arguments.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="olist-fuzz-"))
    folder.chmod(0o755)
    batches = [(chosen.seed * 1_000_000 + number, folder) for number in range(-(-chosen.examples // BATCH))]
    print(f"{len(batches) * BATCH:,} mutants, seed {chosen.seed}, {chosen.workers} processes", flush=True)
    outcomes, bad, begun = Counter[str](), [], time.monotonic()
    try:
        compiled_manifest(folder / "compiled")
        with multiprocessing.get_context("spawn").Pool(chosen.workers) as pool:
            for done, (found, problem) in enumerate(pool.imap_unordered(run_batch, batches), start=1):
                outcomes += found
                bad += [problem] if problem else []
                if problem:
                    print(problem, flush=True)
                seconds = time.monotonic() - begun
                print(f"{done * BATCH:>6,}  {seconds:>5.0f} s  {len(bad)} bad  {dict(outcomes)}", flush=True)
    finally:
        _stop(folder)
    print(f"{len(bad)} bad")
    return 1 if bad else 0


def run_batch(batch: tuple[int, Path]) -> tuple[Counter[str], str]:
    """Return the outcomes of a batch of mutants, and what is wrong with the smallest bad one."""
    number, folder = batch
    place_of = folder / f"worker-{os.getpid()}"
    trees, url = _tools(folder, place_of)
    outcomes: Counter[str] = Counter()
    last: list[str] = []

    @seed(number)
    @settings(
        max_examples=BATCH,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
        print_blob=False,
    )
    @given(mutants())
    def law(mutant):
        files, done = mutant
        last[:] = done
        landing = place(files, place_of / "landing")
        outcome = whole_way(Settings(place_of / "home", landing, url), trees)
        outcomes["refused" if outcome.refused else "agreed"] += 1

    try:
        law()
    except BaseException as error:
        kept = folder.parent / f"{folder.name}-bad-{number}"
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(place_of / "landing", kept)
        trace = "".join(traceback.format_exception(error)[-6:])
        return outcomes, f"BAD seed {number}, {last}, files in {kept}\n{trace}"
    return outcomes, ""


_KEPT: list = []


def _tools(folder: Path, place_of: Path) -> tuple:
    """Return the trees and the server of this process."""
    if not _KEPT:
        place_of.mkdir()
        place_of.chmod(0o755)
        url = postgres.server_url(Settings(place_of / "server", Path("unused"), None))
        with closing(postgres.connect(url)) as connection, connection.cursor() as cursor:
            connection.autocommit = True
            cursor.execute("ALTER SYSTEM SET fsync = off")
            cursor.execute("SELECT pg_reload_conf()")
        schema.migrate(url)
        _KEPT.extend([load_trees(compiled_manifest(folder / "compiled")), url])
    return tuple(_KEPT)


def _stop(folder: Path) -> None:
    """Stop the servers, which end with their last user, and remove what was made."""
    import signal
    from contextlib import suppress

    for lock in folder.rglob("postmaster.pid"):
        with suppress(ProcessLookupError, ValueError):
            os.kill(int(lock.read_text().split()[0]), signal.SIGINT)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
