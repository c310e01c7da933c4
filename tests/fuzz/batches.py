"""A batch of mutants in a process of `make fuzz`, with a server of its own.

What belongs here: running them, and keeping the files of a bad one. What does not: the mutants and their laws.
"""

import os
import shutil
import tempfile
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
        kept = Path(tempfile.gettempdir()) / f"olist-fuzz-bad-{number}"
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
        _KEPT.extend([load_trees(compiled_manifest(folder / "compiled", {})), url])
    return tuple(_KEPT)
