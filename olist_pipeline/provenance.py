"""The fingerprint of a run: what its result depends on.

What belongs here: hashing landing, code and SQL, so that a run with nothing changed can say so. What does
not: fingerprints of tables (see `tablediff.fingerprint`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from contextlib import suppress

from olist_pipeline.errors import OlistError
from olist_pipeline.files import tree_hash
from olist_pipeline.landing.folder import landing_hash, readable_landing
from olist_pipeline.registry import LANDING
from olist_pipeline.settings import DBT_DIR, PROJECT_DIR, Settings


def landing_hashes(settings: Settings, tables: Iterable[str] = tuple(LANDING)) -> dict[str, str]:
    """Return the content hash of each landing table that is there and whole, by table: of `tables`, or of all."""
    found = {}
    for table in (LANDING[name] for name in tables):
        with suppress(OlistError):
            found[table.name] = landing_hash(readable_landing(settings, [table]), table)
    return found


def code_hash() -> str:
    """Return one hash over the code and the SQL: the version of what makes a release."""
    code = tree_hash(PROJECT_DIR / "olist_domain", PROJECT_DIR / "olist_pipeline", suffixes=(".py", ".sql"))
    models = tree_hash(DBT_DIR / "models", DBT_DIR / "macros", suffixes=(".sql", ".yml"))
    return hashlib.blake2b(f"{code}:{models}".encode(), digest_size=16).hexdigest()


def run_fingerprint(settings: Settings, landing: Mapping[str, str]) -> str:
    """Return one hash over the landing files, the code and the SQL.

    Routes are not in it: a release has the tables of both sides, so another route needs no run.
    """
    parts = [code_hash(), settings.engine, sorted(landing.items())]
    return hashlib.blake2b(repr(parts).encode(), digest_size=16).hexdigest()
