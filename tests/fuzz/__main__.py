"""`make fuzz EXAMPLES=5000 SEED=1`: mutants on their whole way, on all cores, with progress.

What belongs here: the processes and what they tell. What does not: what one of them does (see `batches`).
"""

import argparse
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

from tests.fuzz.batches import BATCH, run_batch
from tests.fuzz.compiled import compiled_manifest


def main() -> int:
    """Run the mutants and return 1 if any was bad."""
    arguments = argparse.ArgumentParser(prog="make fuzz")
    arguments.add_argument("--examples", type=int, default=1000)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    chosen = arguments.parse_args()
    # Nobody needs the stores of a mutant on a disk.
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="olist-fuzz-", dir=memory if memory.is_dir() else None))
    folder.chmod(0o755)
    batches = [(chosen.seed * 1_000_000 + number, folder) for number in range(-(-chosen.examples // BATCH))]
    print(f"{len(batches) * BATCH:,} mutants, seed {chosen.seed}, {chosen.workers} processes", flush=True)
    outcomes, bad, begun = Counter[str](), [], time.monotonic()
    try:
        compiled_manifest(folder / "compiled", {})
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


def _stop(folder: Path) -> None:
    """Stop the servers, which end with their last user, and remove what was made."""
    for lock in folder.rglob("postmaster.pid"):
        with suppress(ProcessLookupError, ValueError):
            os.kill(int(lock.read_text().split()[0]), signal.SIGINT)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
