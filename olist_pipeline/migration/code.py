"""The Python that makes the tables of a migration, as one hash: ours, that of its contexts, and the frames' libraries.

What belongs here: which code this is. What does not: SQL (`project.project_hash`), and the version of the program.

Who runs has read these files at its start: they are hashed once a process, so that what is made is never taken for the
work of code that was edited since.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from olist_pipeline.files import content_hash, tree_hash
from olist_pipeline.migration.load import present_migration
from olist_pipeline.migration.model import Migration
from olist_pipeline.settings import PROJECT_DIR

BESIDE = ("*.py", "*/*.py", "*/*/*.py")
"""Where the module of contexts and its packages may be, beside the migration file."""

LIBRARIES = ("polars", "narwhals")
"""What rows are read, validated and hashed with, besides our own code."""


@cache
def own_python_hash() -> str:
    """Return one hash over all Python of this project, and the versions of `LIBRARIES`."""
    own = tree_hash(PROJECT_DIR / "olist_domain", PROJECT_DIR / "olist_pipeline", suffixes=(".py",))
    return hashlib.blake2b(" ".join([own, *map(version, LIBRARIES)]).encode(), digest_size=16).hexdigest()


def python_hash(migration: Migration | None = None) -> str:
    """Return `own_python_hash` with the Python of the contexts of a migration: beside its file, or installed."""
    migration = migration or present_migration()
    return _hash(migration.path.parent, migration.contexts.partition(".")[0])


@cache
def _hash(folder: Path, module: str) -> str:
    digest = hashlib.blake2b(own_python_hash().encode(), digest_size=16)
    for path in sorted({*(path for depth in BESIDE for path in folder.glob(depth)), *_installed(module)}):
        digest.update(f"\0{path.name}\0{content_hash(path)}".encode())
    return digest.hexdigest()


def _installed(module: str) -> Iterator[Path]:
    """Yield the files of a module, or of all of its package; none of ours, or where there is none of that name."""
    spec = find_spec(module)
    if spec is None or not spec.origin or Path(spec.origin).is_relative_to(PROJECT_DIR / "olist_pipeline"):
        return
    yield Path(spec.origin)
    for folder in spec.submodule_search_locations or ():
        yield from Path(folder).rglob("*.py")
