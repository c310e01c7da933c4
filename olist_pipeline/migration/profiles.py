"""Profiles: with which database, and with which files in reach, dbt runs each tree.

What belongs here: writing the profiles.yml of a tree below OLIST_HOME. What does not: the arguments of dbt
(`orchestration.dbt_build`).

The old project's own profile is taken over as far as it is about DuckDB: extensions, settings, its schema. Its file is
ours, so that nothing of its own is written, with the same name, for SQL may name the database; what it attaches is read
only. Replay gets it without all that could reach data elsewhere: attached databases, secrets, plugins, file systems.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import yaml
from jinja2 import TemplateError
from jinja2.sandbox import SandboxedEnvironment

from olist_pipeline import yaml_text
from olist_pipeline.errors import OlistError
from olist_pipeline.files import replacing
from olist_pipeline.machine import memory_of_duckdb, queries_at_once
from olist_pipeline.migration.mirror import make_mirror
from olist_pipeline.migration.model import NEW, OLD, REPLAY, Migration
from olist_pipeline.migration.project import project_settings
from olist_pipeline.settings import Settings

TARGET = "olist"
"""The name of the target where the old project's own profile does not name one."""
SPILLS = "temp_directory"
LIMIT_NAMES = {"memory_limit", "max_memory"}
BARRIER = "olist_pipeline.migration.barrier"
REACHING_OUT = (
    "attach",
    "secrets",
    "plugins",
    "filesystems",
    "remote",
    "use_credential_provider",
    "motherduck_token",
    "flights",
)
"""What a profile of dbt-duckdb reaches data by that is neither in its file nor in files that its SQL names."""


THROUGH_DUCKDB = frozenset(
    {"autocomplete", "avro", "aws", "azure", "core_functions", "ducklake", "encodings", "excel", "fts", "httpfs"}
    | {"iceberg", "icu", "inet", "jemalloc", "json", "parquet", "tpcds", "tpch", "vss"}
)
"""Extensions that open files by DuckDB alone, or none. Others may open files and servers by themselves, so that the
barrier does not see what they read: replay has those for which somebody vouches."""


def database_of(settings: Settings, migration: Migration, tree: str) -> Path:
    """Return the DuckDB file that dbt writes for a tree: the warehouse for new, a file of its own for the others."""
    if tree == NEW:
        return settings.warehouse
    own = str(_own_output(migration)[1].get("path") or "") if migration.old.profile else ""
    name = Path(own).name if own and not own.startswith((":", "md:")) else settings.warehouse.name
    return settings.home / tree / name


@dataclass(frozen=True)
class WrittenProfile:
    """A profiles.yml: its folder, and its one profile and target.

    dbt is given both: it would else take those that the environment of whoever runs it names, for their own profiles.
    """

    folder: Path
    name: str
    target: str

    @property
    def arguments(self) -> list[str]:
        """The arguments of dbt that name all of it."""
        return ["--profiles-dir", str(self.folder), "--profile", self.name, "--target", self.target]


def write_profile(settings: Settings, migration: Migration, tree: str) -> WrittenProfile:
    """Write the profiles.yml of a tree.

    Raises OlistError for a profile of the old project that is not there, or not of DuckDB.
    """
    folder = settings.dbt_target / "profiles" / tree
    # Where a project holds more than the new models, these name their schema themselves, and the others have another.
    is_all_new = tree == NEW and not migration.new.folder
    target, output = TARGET, _ours(NEW if is_all_new else OLD)
    if tree != NEW and migration.old.profile:
        target, output = _own_output(migration)
    database = database_of(settings, migration, tree)
    database.parent.mkdir(parents=True, exist_ok=True)
    output = {**_bounded(output), "type": "duckdb", "path": str(database)}
    if extensions := output.get("extensions"):
        within = _within_duckdb()
        output["extensions"] = [one for one in extensions if _name_of(one) not in within]
    if tree != NEW:
        output["external_root"] = str(external_of(database))
        external_of(database).mkdir(exist_ok=True)
    if tree == OLD and output.get("attach"):
        output["attach"] = [_read_only(one) if isinstance(one, Mapping) else one for one in output["attach"]]
    if tree == REPLAY:
        output = {key: value for key, value in output.items() if key not in REACHING_OUT}
        known = THROUGH_DUCKDB | migration.extensions
        output["extensions"] = [one for one in output.get("extensions") or [] if _name_of(one) in known]
        output["plugins"] = [{"module": BARRIER, "config": reach(settings, migration)}]
        # This one DuckDB takes only before it is closed off.
        if folder_of_spills := (output.get("settings") or {}).get(SPILLS):
            output["settings"] = {name: value for name, value in output["settings"].items() if name != SPILLS}
            output["config_options"] = {**(output.get("config_options") or {}), SPILLS: folder_of_spills}
    name = project_settings(migration.new_folder if tree == NEW else migration.old_folder).get("profile") or "olist"
    with replacing(folder / "profiles.yml") as temporary:
        temporary.write_text(yaml.safe_dump({name: {"target": target, "outputs": {target: output}}}), "utf-8")
    return WrittenProfile(folder, name, target)


def project_folder(settings: Settings, migration: Migration, tree: str) -> Path:
    """Return the folder in which dbt runs a tree: the project's own.

    Where landing is a folder inside of the old project, replay runs in a mirror of that (see `mirror`).
    """
    if tree == NEW:
        return migration.new_folder
    if tree != REPLAY or not migration.landing.folder:
        return migration.old_folder
    mirror = _mirror(settings)
    make_mirror(mirror, migration, settings.replay_landing)
    return mirror


def _mirror(settings: Settings) -> Path:
    return settings.home / REPLAY / "project"


def external_of(database: Path) -> Path:
    """Return the folder to which models of a tree write files."""
    return database.parent / "external"


def landing_of_spark(settings: Settings, tree: str) -> Path:
    """Return the folder in which a tree finds landing as Parquet where Spark builds it. DuckDB writes it."""
    return settings.on_spark / tree / "landing"


def reach(settings: Settings, migration: Migration) -> dict[str, list[str]]:
    """Return what replay may read: landing written anew, what it wrote itself, and what the file allows by name."""
    external = external_of(database_of(settings, migration, REPLAY))
    named = [(migration.path.parent / one.path).resolve() for one in migration.besides if one.path]
    folders = [settings.replay_landing.resolve(), external.resolve(), *(path for path in named if path.is_dir())]
    if settings.engine == "spark":
        folders.append(landing_of_spark(settings, REPLAY).resolve())
    if migration.landing.folder:
        # A pattern is asked for where it stands, a file where it leads to.
        folders.append(_mirror(settings).resolve() / migration.landing.folder)
    files = [*(path for path in named if not path.is_dir()), *_seed_files(migration)]
    return {"folders": [str(path) for path in folders], "files": [str(path) for path in files]}


def _seed_files(migration: Migration) -> list[Path]:
    """Return the files of the seeds that replay may read: dbt lets DuckDB read them where the project has them."""
    said = project_settings(migration.old_folder)
    packages = (migration.old_folder / (said.get("packages-install-path") or "dbt_packages")).glob("*/dbt_project.yml")
    projects = [migration.old_folder, *(path.parent for path in packages)]
    return [
        file
        for project in projects
        for folder in project_settings(project).get("seed-paths") or ["seeds"]
        for file in (project / folder).rglob("*.csv")
        if file.stem in migration.seeds
    ]


def attach(connection: duckdb.DuckDBPyConnection, migration: Migration) -> None:
    """Attach, to be read alone, what the old project's own profile attaches: views that it made may read there.

    What cannot be attached here is left out: a view that reads it says so itself.
    """
    if not migration.old.profile:
        return
    from dbt.adapters.duckdb.credentials import Attachment

    for one in _own_output(migration)[1].get("attach") or ():
        said = _read_only(one if isinstance(one, Mapping) else {"path": str(one)})
        path = _rendered(str(said["path"]), (migration.path.parent / migration.old.profile.file), migration)
        # dbt runs in the folder of the project, and paths are relative to that.
        place = path if ":" in path else str((migration.old_folder / Path(path).expanduser()).resolve())
        with suppress(duckdb.Error):
            connection.execute(Attachment(**{**said, "path": place}).to_sql())


def _read_only(attached: Mapping[str, Any]) -> dict[str, Any]:
    """Return a database that a profile attaches, to be read alone: it is that of the company, and not ours to write."""
    options = {name: value for name, value in (attached.get("options") or {}).items() if name != "read_only"}
    return {**attached, "read_only": True, "options": options or None}


def unloaded(migration: Migration) -> list[str]:
    """Return the extensions of the old project's own profile that replay does not load."""
    extensions = _own_output(migration)[1].get("extensions") if migration.old.profile else None
    return sorted({_name_of(one) for one in extensions or ()} - THROUGH_DUCKDB - migration.extensions)


def _within_duckdb() -> set[str]:
    """Return the extensions that DuckDB holds itself; to install one it would ask the network all the same."""
    with duckdb.connect() as connection:
        found = connection.execute("SELECT extension_name FROM duckdb_extensions() WHERE loaded").fetchall()
    return {name for (name,) in found}


def _name_of(extension: Any) -> str:
    """Return the name of an extension of a profile, which may say its repository, too."""
    return str(extension.get("name") if isinstance(extension, Mapping) else extension).lower()


def _ours(schema: str) -> dict[str, Any]:
    return {"schema": schema, "threads": queries_at_once(), "config_options": {"autoinstall_known_extensions": False}}


def _bounded(output: Mapping[str, Any]) -> dict[str, Any]:
    """Return an output with our limit of memory, where it does not set one itself."""
    options = output.get("config_options") or {}
    if LIMIT_NAMES & {str(name).lower() for name in (*options, *(output.get("settings") or {}))}:
        return dict(output)
    return {**output, "config_options": {**options, "memory_limit": memory_of_duckdb()}}


def _own_output(migration: Migration) -> tuple[str, dict[str, Any]]:
    """Return the target and the output of the old project's own profile."""
    profile = migration.old.profile
    assert profile is not None, "asked for only where there is one"
    path = (migration.path.parent / Path(profile.file).expanduser()).resolve()
    try:
        values = yaml_text.parse(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml_text.YamlError) as error:
        raise OlistError(f"{migration.path.name}: old.profile.file {path} cannot be read as YAML: {error}.") from error
    name = profile.name or project_settings(migration.old_folder).get("profile") or ""
    named = values.get(name) if isinstance(values, Mapping) else None
    if not isinstance(named, Mapping) or not isinstance(named.get("outputs"), Mapping):
        raise OlistError(f"{path} has no profile {name!r} with outputs; name one in old.profile.name.")
    target = profile.target or _rendered(str(named.get("target") or "default"), path, migration)
    output = named["outputs"].get(target)
    if not isinstance(output, Mapping):
        known = ", ".join(map(str, named["outputs"]))
        raise OlistError(f"The profile {name} in {path} has no target {target!r}; there are: {known}.")
    kind, database = (_rendered(str(output.get(key) or ""), path, migration) for key in ("type", "path"))
    if kind != "duckdb":
        raise OlistError(
            f"The target {target} in {path} is of {kind!r}, and old runs on DuckDB; leave old.profile "
            "out, and it gets a profile of ours."
        )
    return target, {**output, "path": database}


def _rendered(text: str, path: Path, migration: Migration) -> str:
    """Return a text of a profile with what its environment and the file's variables say, as dbt reads it."""
    known = {**os.environ, **migration.old.environment}

    def looked_up(values: Mapping[str, Any], what: str) -> Callable[..., Any]:
        def value_of(name: str, default: Any = None) -> Any:
            if (value := values.get(name, default)) is None:
                raise OlistError(f"{path} asks for the {what} {name}, which nothing says; add it in {migration.path}.")
            return value

        return value_of

    names = {"env_var": looked_up(known, "environment variable"), "var": looked_up(migration.old.vars, "variable")}
    try:
        return SandboxedEnvironment().from_string(text).render(names)
    except TemplateError as error:
        raise OlistError(f"{path}: {text} cannot be rendered: {error}.") from error
