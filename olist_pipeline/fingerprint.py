"""The fingerprint of a run: what its result depends on.

What belongs here: hashing landing, code and SQL, so that a run with nothing changed can say so. What does
not: fingerprints of tables (see `parity.fingerprint`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from olist_pipeline.files import content_hash, tree_hash
from olist_pipeline.registry import LANDING
from olist_pipeline.settings import DBT_DIR, PROJECT_DIR, Settings


def landing_hashes(settings: Settings) -> dict[str, str]:
    """Return the content hash of each landing file that is there, by table."""
    paths = {name: settings.landing / table.file for name, table in LANDING.items()}
    return {name: content_hash(path) for name, path in paths.items() if path.is_file()}


def run_fingerprint(settings: Settings, landing: Mapping[str, str], routes: Mapping[str, str]) -> str:
    """Return one hash over the landing files, the code, the SQL and the routes."""
    code = tree_hash(PROJECT_DIR / "olist_domain", PROJECT_DIR / "olist_pipeline", suffixes=(".py", ".sql"))
    models = tree_hash(DBT_DIR / "models", DBT_DIR / "macros", suffixes=(".sql", ".yml"))
    parts = [code, models, settings.engine, sorted(landing.items()), sorted(routes.items())]
    return hashlib.blake2b(repr(parts).encode(), digest_size=16).hexdigest()
