"""Old by itself: running the old project outside of the graph, to look at it before anything is compared.

What belongs here: a run of old into a database aside. What does not: the runs that are compared (`dbt_build`).
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from textwrap import shorten

from olist_pipeline.errors import OlistError
from olist_pipeline.migration.load import load_migration
from olist_pipeline.migration.model import OLD
from olist_pipeline.migration.profiles import database_of, write_profile
from olist_pipeline.migration.project import loaded_seeds, selection
from olist_pipeline.old_tables import load_raw
from olist_pipeline.orchestration.dbt_build import NO_TESTS
from olist_pipeline.orchestration.dbt_projects import (
    KEPT_PARSE,
    dbt_alone,
    ensure_manifest,
    environment_of,
    in_one_line,
    landing_of,
    target_path,
    variables_of,
)
from olist_pipeline.settings import DBT, Settings
from olist_pipeline.warehouse import load_manifest

MOST_OF_ERROR = 1500


def run_old(settings: Settings, folder: Path, day: date, select: Sequence[str] = ()) -> Path:
    """Run the old project, or `select` of it, into a database below `folder`; return its path.

    Raises OlistError with dbt's own words where a model fails.
    """
    migration, landing = load_migration(settings.migration), landing_of(settings)
    aside = replace(settings, home=folder, engine="polars")
    shutil.rmtree(folder, ignore_errors=True)
    profile = write_profile(aside, migration, OLD)
    manifest = load_manifest(ensure_manifest(settings, OLD))
    load_raw(aside, migration, manifest, OLD, landing)
    chosen = ["--select", *select] if select else []
    if loaded := loaded_seeds(manifest, migration):
        chosen += ["--exclude", selection(manifest["nodes"][uid] for uid in loaded)]
    paths = ["--target-path", str(_with_parse(settings, aside)), "--log-path", str(folder / "logs")]
    selected = [*NO_TESTS, *chosen, *variables_of(settings, OLD, landing, day), *paths, *profile.arguments]
    command = [*DBT, "--quiet", "--no-write-json", "build", *selected]
    result = dbt_alone(command, migration.old_folder, environment_of(settings, OLD, landing, day))
    if result.returncode:
        # The first error is the cause of the others.
        said = shorten(in_one_line(result.stdout or result.stderr), MOST_OF_ERROR, placeholder=" ...")
        raise OlistError(f"The old project {migration.old_folder} does not run: {said}")
    return database_of(aside, migration, OLD)


def _with_parse(settings: Settings, aside: Settings) -> Path:
    """Return the target folder of a run aside, with what dbt parsed before: it need not parse all of it again."""
    target = target_path(aside, OLD)
    target.mkdir(parents=True, exist_ok=True)
    parsed = settings.dbt_target / OLD / KEPT_PARSE
    if parsed.is_file():
        shutil.copy(parsed, target)
    return target
