"""Writing a first migration file: parsing the old project, running it once, auditing it.

What belongs here: the order of these steps. What does not: any of them.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from olist_pipeline.audit.audit import audit, by_context
from olist_pipeline.drafts.landing import guessed_landing
from olist_pipeline.drafts.migration_file import first_text, whole_text
from olist_pipeline.errors import OlistError
from olist_pipeline.migration.load import load_migration
from olist_pipeline.migration.model import OLD
from olist_pipeline.orchestration.dbt_projects import ensure_manifest
from olist_pipeline.orchestration.old_alone import run_old
from olist_pipeline.settings import Settings
from olist_pipeline.warehouse import load_manifest


def write_first_file(settings: Settings, old: Path, new: str, variables: Mapping[str, Any], *, is_run: bool) -> str:
    """Return the text of the first migration file, whose path `settings` have; a smaller one is left in its place.

    Raises OlistError where the old project does not parse.
    """
    path = settings.migration
    relative = Path(os.path.relpath(old, path.parent))
    profile = str(relative / "profiles.yml") if (old / "profiles.yml").is_file() else ""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(first_text(relative, {"variable": "landing"}, new, variables, profile), "utf-8")
    with tempfile.TemporaryDirectory(prefix="olist-init-") as folder:
        aside = replace(settings, home=Path(folder))
        manifest = load_manifest(ensure_manifest(aside, OLD))
        landing = guessed_landing(old, manifest)
        path.write_text(first_text(relative, landing, new, variables, profile), "utf-8")
        load_migration.cache_clear()
        database, notes = None, []
        if is_run and settings.landing.is_dir():
            try:
                database = run_old(aside, Path(folder) / "once", date.today())
            except OlistError as error:
                notes = [f"old did not run, so keys are those of tests alone: {error}"[:300]]
        migration = load_migration(path)
        models = _models_of(path.parent / new)
        return whole_text(migration, manifest, landing, models, database, [*notes, *_audited(old)])


def _models_of(project: Path) -> list[str]:
    return [file.stem for file in project.rglob("*.sql")] if project.is_dir() else []


def _audited(project: Path) -> list[str]:
    """Return a line for each context of the audit: what hides in its SQL."""
    try:
        found = audit(project)
    except OlistError as error:
        return [f"olist audit: {error}"]
    return [
        f"{context}: {len(entries)} findings in SQL, e.g. {entries[0].finding.place} "
        f"({entries[0].finding.kind}); `olist scaffold {context}` drafts their rules"
        for context, entries in by_context(found).items()
        if entries
    ]
