"""The fingerprint of a run: what its result depends on.

What belongs here: hashing landing, code and SQL, so that a run with nothing changed can say so, and keeping what old
was made of. What does not: fingerprints of tables (see `tablediff.fingerprint`).

A release says of what landing its tables were made, not what is there when it is published: a file that is replaced in
the middle of a run is new to the next one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from olist_pipeline.errors import OlistError
from olist_pipeline.files import content_hash, replacing
from olist_pipeline.landing.folder import landing_hash, readable_landing
from olist_pipeline.landing.table import Landed
from olist_pipeline.migration.code import python_hash
from olist_pipeline.migration.load import load_migration
from olist_pipeline.migration.model import OLD, Migration
from olist_pipeline.migration.project import project_hash
from olist_pipeline.registry import LANDING, unvalidated
from olist_pipeline.settings import Settings

OTHERS = ""
"""In the place of a file's hash where old and intake did not read the same: no file has this one."""


def landing_hashes(settings: Settings, tables: Iterable[str] = tuple(LANDING)) -> dict[str, str]:
    """Return the content hash of each landing table that is there and whole, by table: of `tables`, or of all."""
    return _hashes(settings, {name: LANDING[name] for name in tables})


def present_inputs(settings: Settings) -> dict[str, str]:
    """Return the content hash of all that a run would read now: of landing tables by name, of other files by theirs."""
    return {**landing_hashes(settings), **_unvalidated(settings)}


def released_inputs(settings: Settings, *, has_old: bool) -> dict[str, str]:
    """Return the same of what the present tables were made of: what intake read, and old, where it is built, too."""
    # Commands that only ask what the code is do not wait for Polars.
    from olist_pipeline.steps import landing_hash_of

    taken = {name: landing_hash_of(settings, name) for name in LANDING}
    if not has_old:
        return {**taken, **_unvalidated(settings)}
    read = _read_by_old(settings)
    same = {name: found if read.get(name) == found else OTHERS for name, found in taken.items()}
    return {**read, **same}


def old_begins(settings: Settings) -> dict[str, str]:
    """Return what old will read; what is kept of an earlier time is forgotten where it read something else."""
    inputs = present_inputs(settings)
    if _read_by_old(settings) != inputs:
        _kept(settings).unlink(missing_ok=True)
    return inputs


def old_was_made_of(settings: Settings, inputs: Mapping[str, str]) -> None:
    """Keep what all old tables were made of, as `old_begins` gave it; nothing where any of it was replaced since."""
    if present_inputs(settings) != inputs:
        _kept(settings).unlink(missing_ok=True)
        return
    with replacing(_kept(settings)) as temporary:
        temporary.write_text(json.dumps(inputs), "utf-8")


def code_hash(migration: Migration) -> str:
    """Return one hash over the code, the SQL of both projects and the migration file: what makes a release."""
    models = [project_hash(folder) for folder in sorted({migration.old_folder, migration.new_folder})]
    parts = [python_hash(migration), *models, content_hash(migration.path)]
    return hashlib.blake2b(":".join(parts).encode(), digest_size=16).hexdigest()


def run_fingerprint(settings: Settings, inputs: Mapping[str, str], code: str) -> str:
    """Return one hash over the inputs of a run, its code (see `code_hash`) and its engine.

    Routes are not in it: a release has the tables of both sides, so another route needs no run.
    """
    parts = [code, settings.engine, sorted(inputs.items())]
    return hashlib.blake2b(repr(parts).encode(), digest_size=16).hexdigest()


def _unvalidated(settings: Settings) -> dict[str, str]:
    return _hashes(settings, {one.file: one for one in unvalidated(load_migration(settings.migration))})


def _hashes(settings: Settings, named: Mapping[str, Landed]) -> dict[str, str]:
    """Return the content hash, by name, of what is there and whole: plain, packed or in parts."""
    found = {}
    for name, one in named.items():
        with suppress(OlistError):
            found[name] = landing_hash(readable_landing(settings, [one]), one)
    return found


def _kept(settings: Settings) -> Path:
    return settings.home / OLD / "made_of.json"


def _read_by_old(settings: Settings) -> dict[str, str]:
    with suppress(OSError, ValueError, TypeError):
        return dict(json.loads(_kept(settings).read_text("utf-8")))
    return {}
