"""Writing a first migration file: parsing the old project, running it once, auditing it.

What belongs here: the order of these steps. What does not: any of them.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from textwrap import shorten
from typing import Any

from olist_pipeline.audit.audit import audit, by_context
from olist_pipeline.audit.model import Entry
from olist_pipeline.audit.relations import unversioned
from olist_pipeline.drafts.landing import guessed_landing, landed_seeds, with_types
from olist_pipeline.drafts.migration_file import contexts_of, first_text, whole_text
from olist_pipeline.errors import OlistError
from olist_pipeline.migration.load import load_migration
from olist_pipeline.migration.model import OLD, Migration
from olist_pipeline.migration.profiles import write_profile
from olist_pipeline.migration.project import unasked_landing
from olist_pipeline.orchestration.dbt_projects import ensure_manifest
from olist_pipeline.orchestration.old_alone import run_old
from olist_pipeline.settings import Settings
from olist_pipeline.warehouse import load_manifest

MOST_OF_ERROR = 700
TYPED = "types of raw tables are guessed from all rows: compare them with what your loader makes, and say others"


@dataclass(frozen=True)
class FirstFile:
    """A first migration file; `notes` are what a person has to know before anything runs, a sentence each."""

    text: str
    notes: tuple[str, ...]


def write_first_file(
    settings: Settings, old: Path, new: str, variables: Mapping[str, Any], *, is_run: bool
) -> FirstFile:
    """Return the first migration file, whose path `settings` have; a smaller one is left in its place.

    Its folder is there. Raises OlistError where the old project does not parse.
    """
    path = settings.migration
    relative = Path(os.path.relpath(old, path.parent))

    def left(landing: Mapping[str, Any], profile: str) -> Migration:
        path.write_text(first_text(relative, landing, new, variables, profile), "utf-8")
        load_migration.cache_clear()
        return load_migration(path)

    with tempfile.TemporaryDirectory(prefix="olist-init-") as folder:
        aside = replace(settings, home=Path(folder))
        anywhere = {"variable": "landing"}
        profile = str(relative / "profiles.yml") if (old / "profiles.yml").is_file() else ""
        why = _what_is_wrong(aside, left(anywhere, profile))
        profile = "" if why else profile
        notes = [f"its own profile is not used: {why}"] if why else []
        left(anywhere, profile)
        manifest = load_manifest(ensure_manifest(aside, OLD))
        landing, typed = guessed_landing(old, manifest), []
        if is_run and settings.landing.is_dir():
            landing, without = with_types(landing, aside, manifest), landing
            typed = [TYPED] if landing != without else []
        migration = left(landing, profile)
        database = None
        if is_run and settings.landing.is_dir():
            try:
                database = run_old(aside, Path(folder) / "once", date.today())
            except OlistError as error:
                said = shorten(str(error), MOST_OF_ERROR, placeholder=" ...")
                notes.append(f"old did not run, so keys are those of tests alone: {said}")
        contexts = contexts_of(manifest, migration)
        dialect, found = _audited(migration, contexts)
        notes += dialect
        models = _models_of(path.parent / new)
        todo = [
            *notes,
            *typed,
            *filter(None, [unasked_landing(migration)]),
            *what_is_missing(landing, path.parent / new),
            *found,
        ]
        seeds = landed_seeds(settings.landing, manifest)
        text = whole_text(migration, manifest, landing, contexts, models, database, todo, seeds)
        return FirstFile(text, tuple(notes))


def _what_is_wrong(settings: Settings, migration: Migration) -> str:
    """Return why old cannot run with its own profile, '' where it can."""
    try:
        write_profile(settings, migration, OLD)
    except OlistError as error:
        return str(error)
    return ""


def what_is_missing(landing: Mapping[str, Any], new: Path) -> list[str]:
    """Return what nobody could guess, a line each."""
    missing = []
    if not landing["files"]:
        missing.append("no landing files were found: say in `landing` how old finds them; they are CSV")
    if not (new / "dbt_project.yml").is_file():
        missing.append(f"{new.name} is no dbt project yet: `olist migration check` says so until it is written")
    return missing


def _models_of(project: Path) -> list[str]:
    return [file.stem for file in project.rglob("*.sql")] if project.is_dir() else []


def _audited(migration: Migration, contexts: Mapping[str, list[str]]) -> tuple[list[str], list[str]]:
    """Return what the dialect of a project says of running it, and a line a context: what hides in its SQL."""
    try:
        found = audit(migration.old_folder, target=migration.old_target, variables=migration.old_variables)
    except OlistError as error:
        return [], [f"olist audit: {error}"]
    named = {model: context for context, models in contexts.items() for model in models}
    by_name: dict[str, list[Entry]] = {}
    for of_context in by_context(found).values():
        for entry in of_context:
            model = entry.finding.model
            by_name.setdefault(named.get(model) or named.get(unversioned(model), ""), []).append(entry)
    lines = [
        f"{context}: {_findings(entries)} in SQL, e.g. {entries[0].finding.place} "
        f"({entries[0].finding.kind}); `olist scaffold {context}` drafts their rules"
        for context, entries in by_name.items()
        if context
    ]
    if "" in by_name:
        lines.append(f"of no model: {_findings(by_name[''])}, e.g. {by_name[''][0].finding.place}; see `olist audit`")
    note = f"its SQL is {found.dialect} ({found.why}), and old runs on DuckDB: port what DuckDB does not read first"
    return ([] if found.dialect == "duckdb" else [note]), lines


def _findings(entries: Sequence[Entry]) -> str:
    return f"{len(entries)} finding{'s' * (len(entries) != 1)}"
