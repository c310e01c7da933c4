"""The two dbt projects of a migration as dbt is started on them: folder, profile, variables, environment, manifest.

What belongs here: what an invocation of dbt needs for a tree, and parsing. What does not: the assets (`dbt`), and what
a profile holds (`migration.profiles`).

Nothing is written into a project: target, logs, profiles and databases are below OLIST_HOME.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import date
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from threading import RLock
from typing import TYPE_CHECKING

from olist_pipeline.dbt_process import CALLS, KILLED, WAS_KILLED, without_colours
from olist_pipeline.errors import OlistError
from olist_pipeline.file_locks import alone
from olist_pipeline.files import content_hash, remedy_for, replacing
from olist_pipeline.landing.folder import readable_landing
from olist_pipeline.landing.packed import packed_form
from olist_pipeline.landing.parts import is_in_parts, landed_parts
from olist_pipeline.landing.table import Landed
from olist_pipeline.migration.load import load_migration
from olist_pipeline.migration.model import AS_OF, NEW, OLD, Migration
from olist_pipeline.migration.profiles import project_folder, write_profile
from olist_pipeline.migration.project import project_hash
from olist_pipeline.orchestration.forked_dbt import ASKING, ensure_server
from olist_pipeline.registry import DATED, FIRST_MONTH, LANDING, unvalidated
from olist_pipeline.settings import Settings
from olist_pipeline.spark.trees import environment_of_spark, is_on_spark, write_spark_profile
from olist_pipeline.warehouse import is_of_new, manifest_folder

if TYPE_CHECKING:
    # Elsewhere only by what runs dbt in Dagster: who asks for a manifest does not wait seconds for both.
    from dagster_dbt import DbtProject

    from olist_pipeline.orchestration.internals.dbt_cli import OwnDbt

_FILE_OF_MODEL = re.compile(r"\(([^()]+\.(?:sql|py))\)")
"""How dbt names the file of a model."""

PARTS_VARIABLE = "OLIST_LANDING_PARTS"
"""The environment variable that says which landing tables are folders of parts."""

AS_OF_VARIABLE = "OLIST_AS_OF"

_SAYS_NOTHING = re.compile(
    r"""Encountered an error|\d+ of \d+ ERROR|Candidate (functions|macros):|("[^"]+"|\w+)\(.*\) -> """
)
"""Lines of dbt that say of an error that there is one, and all functions that DuckDB has of a name."""

_exporting = RLock()

KEPT_PARSE = "partial_parse.msgpack"
"""dbt's file of what it has parsed, in a target folder."""
_OF_OTHER_WORK = (
    *("EMPTY", "SAMPLE", "EVENT_TIME_START", "EVENT_TIME_END", "FULL_REFRESH", "DEFER", "DEFER_TO_STATE"),
    *("DEFER_STATE", "STATE", "ARTIFACT_STATE_PATH", "FAVOR_STATE", "FAVOR_STATE_MODE", "RESOURCE_TYPES"),
    *("EXCLUDE_RESOURCE_TYPES", "INDIRECT_SELECTION", "STORE_FAILURES", "FAIL_FAST", "WARN_ERROR"),
    *("WARN_ERROR_OPTIONS", "WRITE_JSON", "INTROSPECT", "LOG_LEVEL", "LOG_FORMAT", "QUIET"),
)
_GIVEN = ("PROJECT_DIR", "PROFILES_DIR", "PROFILE", "TARGET", "TARGET_PATH", "LOG_PATH")
"""What each invocation is given, under the older name or as an argument; dbt prefers the newer name of a variable."""
OWN_OPTIONS = {
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    **{f"DBT_{name}": "" for name in _OF_OTHER_WORK},
    **{f"DBT_ENGINE_{name}": "" for name in (*_OF_OTHER_WORK, *_GIVEN)},
}
"""Variables of dbt's own: what a shell has for its other work would change what is built, as DBT_EMPTY does.

For dbt one that is empty is not set.
"""


def dbt_of(settings: Settings, tree: str, *, on_spark: bool = False) -> OwnDbt:
    """Return the dbt of a tree, with its project and its profile: of DuckDB, or of Spark."""
    from olist_pipeline.orchestration.internals.dbt_cli import OwnDbt

    migration = load_migration(settings.migration)
    profile = (write_spark_profile if on_spark else write_profile)(settings, migration, tree)
    return OwnDbt(
        project_dir=str(project_folder(settings, migration, tree)),
        profiles_dir=str(profile.folder),
        profile=profile.name,
        target=profile.target,
        dbt_executable=ASKING[0],
        # Each invocation costs two seconds less without its debug log, without artifacts that nothing reads
        # (the manifest is parsed once, see `ensure_manifest`), and looking at its own relations alone.
        global_config_flags=[*ASKING[1:], "--log-level-file", "info", "--no-write-json", "--cache-selected-only"],
        # It must leave the manifest alone, by whose content `ensure_manifest` knows it.
        parse=["--no-write-json", *parse_arguments(settings, tree)],
    )


def begin_with_dbt(settings: Settings) -> None:
    """Let dbt be imported, and parse the old project, beside what follows here: a run begins with dbt old.

    A project that cannot be parsed is no trouble yet.
    """
    with suppress(OlistError, OSError):
        environment = environment_of(settings, OLD, settings.landing, _likely_today(settings))
        with exported(environment):
            folder = project_folder(settings, load_migration(settings.migration), OLD)
            ensure_server(folder, ["--no-write-json", *parse_arguments(settings, OLD)])


def dbt_project(settings: Settings, tree: str) -> DbtProject:
    """Return the dbt project of a tree, with its target folder below OLIST_HOME.

    Its folder is where dagster-dbt runs an invocation that has a context, whatever the resource says.
    """
    from dagster_dbt import DbtProject

    migration = load_migration(settings.migration)
    profiles = write_profile(settings, migration, tree).folder
    folder = project_folder(settings, migration, tree)
    return DbtProject(project_dir=folder, profiles_dir=profiles, target_path=manifest_folder(settings, tree))


def as_of_variables(day: date) -> dict[str, str]:
    """Return the environment variable that tells dbt which day is today (see dbt/macros/as_of.sql).

    It is no variable of dbt's, which parses the whole project anew when one changes: this one does with each delivery.
    """
    return {AS_OF_VARIABLE: day.isoformat()}


def variables_of(settings: Settings, tree: str, landing: Path, day: date) -> list[str]:
    """Return the `--vars` of a tree that reads `landing` on the day that is taken for today."""
    migration = load_migration(settings.migration)
    if tree == NEW:
        return []
    found = {
        name: value.replace(AS_OF, day.isoformat()) if isinstance(value, str) else value
        for name, value in migration.old.vars.items()
    }
    if migration.landing.variable:
        found[migration.landing.variable] = str(landing)
    return ["--vars", json.dumps(found)] if found else []


def environment_of(settings: Settings, tree: str, landing: Path, day: date) -> dict[str, str]:
    """Return what the environment of dbt has besides its own for a tree that reads `landing` on a day."""
    migration = load_migration(settings.migration)
    on_spark = environment_of_spark(settings, tree) if is_on_spark(settings, migration, tree) else {}
    if tree == NEW:
        return {**OWN_OPTIONS, "DBT_PROJECT_DIR": str(migration.new_folder), **on_spark, **as_of_variables(day)}
    given = {name: value.replace(AS_OF, day.isoformat()) for name, value in migration.old.environment.items()}
    named = {migration.landing.environment: str(landing)} if migration.landing.environment else {}
    in_parts = [one.name for one in _landed(migration) if is_in_parts(landing, one)]
    own = {**OWN_OPTIONS, "DBT_PROJECT_DIR": str(migration.old_folder), PARTS_VARIABLE: ",".join(in_parts)}
    return {**own, **on_spark, **given, **named}


def parse_arguments(settings: Settings, tree: str) -> list[str]:
    """Return the arguments of the dbt invocation that makes the manifest of a tree's project.

    The variables are those of a build, as far as they are known: it then need not parse once more.
    """
    migration = load_migration(settings.migration)
    paths = ["--target-path", str(manifest_folder(settings, tree)), "--log-path", str(settings.dbt_target / "logs")]
    profile = write_profile(settings, migration, tree)
    variables = variables_of(settings, tree, settings.landing, _likely_today(settings))
    return ["--quiet", "parse", *profile.arguments, *paths, *variables]


def landing_of(settings: Settings) -> Path:
    """Return the folder in which old reads landing; raises OlistError where its project reads another one."""
    migration = load_migration(settings.migration)
    if not migration.landing.folder:
        return readable_landing(settings, _landed(migration))
    own = (migration.old_folder / migration.landing.folder).resolve()
    if own != settings.landing.resolve():
        raise OlistError(
            f"The old project reads landing in {own} (landing.folder), and landing is {settings.landing}; set "
            "OLIST_DATA_DIR to that folder."
        )
    if packed := [path for one in _landed(migration) for path in _packed(settings.landing, one)]:
        raise OlistError(
            f"{packed[0].relative_to(settings.landing)} is no plain CSV file, and the old project reads landing where "
            "it is (landing.folder), where replay can give it plain CSV alone; unpack it, or let a variable hold the "
            "folder (landing.variable)."
        )
    return settings.landing


def _landed(migration: Migration) -> list[Landed]:
    return [*LANDING.values(), *unvalidated(migration)]


def _packed(landing: Path, one: Landed) -> list[Path]:
    """Return the files of a table that are packed, or of another form than CSV."""
    if is_in_parts(landing, one):
        return [path for path in landed_parts(landing, one).values() if path.suffix != ".csv"]
    form = None if (landing / one.file).exists() else packed_form(landing, one.file)
    return [form.path] if form else []


def today_of(settings: Settings) -> date:
    """Return the day that builds take for today; raises OlistError where landing does not tell."""
    # Landing is read with Polars, which whoever asks for a manifest that is kept does without.
    from olist_pipeline.intake.span import as_of

    return as_of(readable_landing(settings, [DATED] if DATED else []), DATED)


@contextmanager
def exported(variables: Mapping[str, str]) -> Iterator[None]:
    """Let a process that is started in the block have `variables`, too; no other thread exports its own meanwhile."""
    with _exporting:
        before = {name: os.environ.get(name) for name in variables}
        os.environ.update(variables)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value


def ensure_manifest(settings: Settings, tree: str = NEW) -> Path:
    """Return the path of the manifest of a tree's project, parsing it when a file of it or its profile has changed.

    Where the project or the home was moved it is parsed with nothing kept: dbt keeps where a seed's file was.
    """
    migration, folder = load_migration(settings.migration), manifest_folder(settings, tree)
    manifest, stamp = folder / "manifest.json", folder / "parsed"
    project = migration.new_folder if is_of_new(migration, tree) else migration.old_folder
    profile = write_profile(settings, migration, NEW if is_of_new(migration, tree) else OLD)
    read = [content_hash(migration.path), content_hash(profile.folder / "profiles.yml"), version("dbt-core")]
    place = f"{project} for {settings.home.resolve()}\n"
    state = "".join([place, project_hash(project), *read])
    # A run, and a code server that is loaded meanwhile, would take each other's half-written manifest for damaged.
    with alone(settings.home / "locks" / "parse.lock"):
        said = ""
        with suppress(OSError, ValueError):
            said = stamp.read_text("utf-8")
            if said == state + content_hash(manifest):
                return manifest
        if said.startswith(state):
            # The project is as it was, and what dbt made of it is not: whatever has become of that, dbt makes it again.
            shutil.rmtree(settings.dbt_target, ignore_errors=True)
        if said and not said.startswith(place):
            for kept in settings.dbt_target.glob(f"*/{KEPT_PARSE}"):
                kept.unlink()
        _parse(settings, migration, tree, folder, project)
        with replacing(stamp) as temporary:
            temporary.write_text(state + content_hash(manifest), "utf-8")
    return manifest


def target_path(settings: Settings, tree: str, *, on_spark: bool = False) -> Path:
    """Return the folder of artifacts of a tree's invocations; each engine has one, for dbt parses for one alone."""
    return settings.dbt_target / f"run_{tree}{'_on_spark' if on_spark else ''}"


def _parse(settings: Settings, migration: Migration, tree: str, parsed: Path, project: Path) -> None:
    """Run `dbt parse`; raises OlistError with dbt's own words when the project does not parse."""
    made_with = NEW if is_of_new(migration, tree) else OLD
    today = _likely_today(settings)
    # The project's own flags may say otherwise.
    command = [*ASKING, "--write-json", *parse_arguments(settings, made_with)]
    result = dbt_alone(command, project, environment_of(settings, made_with, settings.landing, today))
    if result.returncode:
        said = WAS_KILLED if result.returncode in KILLED else in_one_line(result.stdout or result.stderr)[-2000:]
        raise OlistError(f"dbt cannot parse {project}: {said.rstrip('.')}{_what_to_do(said, project, migration)}")
    build = target_path(settings, made_with)
    build.mkdir(exist_ok=True)
    shutil.copy(parsed / KEPT_PARSE, build)


def dbt_alone(
    command: Sequence[str], project: Path, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run dbt outside of Dagster to its end; what it says is in the result."""
    given = {**os.environ, **environment}
    return subprocess.run(command, cwd=project, env=given, capture_output=True, text=True, check=False)


def in_one_line(output: str) -> str:
    """Return what dbt says of an error, without times, colours and calls, and the functions that DuckDB offers."""
    # A colour may stand before the time.
    said, _, calls = without_colours(output).partition(CALLS)
    plain = re.sub(r"^\d\d:\d\d:\d\d(\.\d+)?\s+", "", said, flags=re.MULTILINE)
    lines = [line for line in map(str.strip, plain.splitlines()) if line and not _SAYS_NOTHING.match(line)]
    return " ".join(lines or calls.strip().splitlines()[-1:])


def _what_to_do(said: str, project: Path, migration: Migration) -> str:
    """Return how to mend what dbt misses, where it does not say so itself."""
    folders = [folder for folder in (migration.old.folder, migration.new.folder) if folder]
    if "identical database representation" in said and len(folders) > 1:
        for file in map(PurePosixPath, _FILE_OF_MODEL.findall(said)):
            if not any(map(file.is_relative_to, folders)):
                return f"; {file} is in neither of {' and '.join(folders)}, which have the settings: move it into one."
    if "codec can't decode" in said and (path := _no_text(project)):
        return f"; {path} is not UTF-8; save it so."
    if "Env var required" in said:
        return "; export it, or give it in old.environment of the migration file."
    if "Required var" in said:
        return "; give it in old.vars of the migration file (`olist migration init --vars` for the first one)."
    return f"; {remedy} and run again." if (remedy := remedy_for(said)) else "."


def _no_text(project: Path) -> Path | None:
    """Return the first file of a project that is no UTF-8, which dbt does not name."""
    for path in sorted(path for path in project.rglob("*") if path.suffix in (".sql", ".yml", ".yaml", ".md", ".csv")):
        try:
            with suppress(OSError):  # a folder of such a name, or a link to what is gone
                path.read_text("utf-8")
        except UnicodeDecodeError:
            return path
    return None


def _likely_today(settings: Settings) -> date:
    """Return the day of a build; any date where landing has none yet: models then need no landing."""
    try:
        return today_of(settings)
    except (OlistError, OSError):
        return FIRST_MONTH
