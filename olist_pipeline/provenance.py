"""The fingerprint of a run: what its result depends on.

What belongs here: hashing landing, code and SQL, so that a run with nothing changed can say so. What does
not: fingerprints of tables (see `tablediff.fingerprint`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from contextlib import suppress

from olist_pipeline.errors import OlistError
from olist_pipeline.files import content_hash, tree_hash
from olist_pipeline.landing.folder import landing_hash, readable_landing
from olist_pipeline.migration.load import load_migration, present_migration
from olist_pipeline.migration.model import Migration
from olist_pipeline.migration.project import project_hash
from olist_pipeline.registry import LANDING
from olist_pipeline.settings import PROJECT_DIR, Settings

BESIDE = ("*.py", "*/*.py", "*/*/*.py")
"""Where the module of contexts and its packages may be, beside the migration file."""


def landing_hashes(settings: Settings, tables: Iterable[str] = tuple(LANDING)) -> dict[str, str]:
    """Return the content hash of each landing table that is there and whole, by table: of `tables`, or of all."""
    found = {}
    for table in (LANDING[name] for name in tables):
        with suppress(OlistError):
            found[table.name] = landing_hash(readable_landing(settings, [table]), table)
    return found


def code_hash(migration: Migration | None = None) -> str:
    """Return one hash over the code, the SQL of both projects and the migration file: what makes a release."""
    migration = migration or present_migration()
    code = tree_hash(PROJECT_DIR / "olist_domain", PROJECT_DIR / "olist_pipeline", suffixes=(".py", ".sql"))
    models = [project_hash(folder) for folder in sorted({migration.old_folder, migration.new_folder})]
    beside = [content_hash(path) for depth in BESIDE for path in sorted(migration.path.parent.glob(depth))]
    parts = [code, *models, content_hash(migration.path), *beside]
    return hashlib.blake2b(":".join(parts).encode(), digest_size=16).hexdigest()


def run_fingerprint(settings: Settings, landing: Mapping[str, str]) -> str:
    """Return one hash over the landing files, the code and the SQL.

    Routes are not in it: a release has the tables of both sides, so another route needs no run.
    """
    migration = load_migration(settings.migration)
    files = [settings.landing / file for file in sorted(migration.landing.files)]
    unvalidated = [(path.name, content_hash(path)) for path in files if path.is_file()]
    parts = [code_hash(migration), settings.engine, sorted(landing.items()), unvalidated]
    return hashlib.blake2b(repr(parts).encode(), digest_size=16).hexdigest()
