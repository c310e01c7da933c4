"""What dbt's manifests say of the old and the new project: which nodes are of which, their contexts, their relations.

What belongs here: reading a manifest in the light of the migration file. What does not: making a manifest, which
`orchestration` does, and what the tables hold.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from olist_pipeline import yaml_text
from olist_pipeline.errors import OlistError
from olist_pipeline.files import content_hash, tree_hash
from olist_pipeline.migration.model import Migration
from olist_pipeline.tablediff.names import joined_names, nearest, split_names
from olist_pipeline.tablediff.sql import relation_name

if TYPE_CHECKING:
    import duckdb

DbtNode = Mapping[str, Any]
FOLDERS = ("models", "macros", "tests", "seeds", "snapshots", "dbt_packages")
"""The folders of a dbt project that does not say others."""
SUFFIXES = (".sql", ".yml", ".yaml", ".csv", ".md", ".py")
ASKING = (".sql", ".yml", ".yaml", ".py")
"""The endings of those of them that may ask for a variable."""
NOT_OF_PROJECT = ("target", "logs", "venv", "node_modules")
"""Folders that stand in that of a project and are none of it, like all hidden ones."""

RELATIONS = ("model", "seed", "snapshot")
"""The kinds of nodes that dbt makes relations of."""


@dataclass(frozen=True)
class ProjectPart:
    """A part of a dbt project: the nodes whose fqn begins with `prefix` (package, folders); all where it is empty."""

    folder: Path
    prefix: tuple[str, ...]

    @property
    def select(self) -> str:
        """The selection of these nodes, as dbt writes it."""
        return f"fqn:{'.'.join(self.prefix) or '*'}"

    @property
    def select_with_ancestors(self) -> str:
        """The selection of these nodes with what they are made of: seeds and snapshots lie in folders of their own."""
        return f"+{self.select}" if self.prefix else self.select

    def holds(self, node: DbtNode) -> bool:
        """Whether a node is one of them."""
        return tuple(node["fqn"][: len(self.prefix)]) == self.prefix


def old_part(migration: Migration) -> ProjectPart:
    """Return the old project's part; raises OlistError where there is no such project."""
    return _part(migration.old_folder, migration.old.folder, migration)


def new_part(migration: Migration) -> ProjectPart:
    """Return the new project's part; raises OlistError where there is no such project."""
    return _part(migration.new_folder, migration.new.folder, migration)


def project_settings(folder: Path) -> Mapping[str, Any]:
    """Return what dbt_project.yml of a folder says; raises OlistError where it cannot be read."""
    path = folder / "dbt_project.yml"
    try:
        settings = _parsed(path.read_text("utf-8"))
    except OSError as error:
        raise OlistError(
            f"{folder} is no dbt project: {path.name} cannot be read ({error.strerror}); write it there, or name "
            "another folder."
        ) from error
    except (UnicodeDecodeError, yaml_text.YamlError) as error:
        why = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else error
        raise OlistError(f"{path} is not YAML: {why}.") from error
    if not isinstance(settings, dict) or not isinstance(settings.get("name"), str):
        raise OlistError(f"{path} does not name its project; add `name:`.")
    return settings


def project_hash(folder: Path) -> str:
    """Return one hash over all of a dbt project that decides what it makes, its packages included."""
    said = project_settings(folder)
    named = [said.get(f"{kind}-paths") for kind in ("model", "macro", "test", "seed", "snapshot", "analysis")]
    names = {*FOLDERS, *(name for several in named for name in several or ()), said.get("packages-install-path") or ""}
    found = [folder / name for name in sorted(names - {""})]
    return tree_hash(*found, suffixes=SUFFIXES) + content_hash(folder / "dbt_project.yml")


def unasked_landing(migration: Migration) -> str:
    """Return what is wrong with the variable that `landing` names, '' where something of the old project asks for it.

    Without that old would read the files that it always reads, and replay would be refused to.
    """
    landing, folder = migration.landing, migration.old_folder
    what, name = ("variable", landing.variable) if landing.variable else ("environment", landing.environment)
    asked = re.compile(rf"""['"]{re.escape(name)}\\?['"]""")
    if not name or any(map(asked.search, _texts(folder))):
        return ""
    return (
        f"landing.{what} is {name}, which nothing in {folder} asks for; name what holds the folder of its files, or "
        "say folder or raw_schema (a path that leads out of the project can be no other for replay: let a variable "
        "hold it)"
    )


def old_relations(manifest: DbtNode, migration: Migration) -> dict[str, str]:
    """Return the unique ids of the old project's relations by name: `name`, or `schema.name` where names repeat.

    Names with a dot in them stand in double quotes, as the migration file has them.
    """
    part = old_part(migration)
    loaded = loaded_seeds(manifest, migration)
    nodes = {
        uid: node
        for uid, node in manifest["nodes"].items()
        if is_relation(node) and part.holds(node) and uid not in loaded
    }
    names = Counter(_relation(node) for node in nodes.values())
    return {
        joined_names(*([str(node["schema"])] if names[_relation(node)] > 1 else []), _relation(node)): uid
        for uid, node in nodes.items()
    }


def found_old(manifest: DbtNode, migration: Migration, named: str) -> list[DbtNode]:
    """Return the nodes of old that have a relation of this name: one, if all is well."""
    part, names = old_part(migration), split_names(named, ".")
    return [
        node
        for node in manifest["nodes"].values()
        if is_relation(node) and part.holds(node) and (str(node["schema"]), _relation(node))[-len(names) :] == names
    ]


def find_old(manifest: DbtNode, migration: Migration, named: str) -> DbtNode:
    """Return the node of an old relation, as the file names it; raises OlistError where there is none, or several."""
    found = found_old(manifest, migration, named)
    if len(found) == 1:
        return found[0]
    said = f"{len(found)} relations {named}: name it schema.name." if found else f"no relation {named};"
    meant = "" if found else f" {nearest(named, old_relations(manifest, migration))}"
    raise OlistError(f"{migration.path.name}: the old project {migration.old_folder} has {said}{meant}")


def is_relation(node: DbtNode) -> bool:
    """Whether dbt makes a relation of a node."""
    return node["resource_type"] in RELATIONS and node["config"].get("materialized") != "ephemeral"


def loaded_sources(manifest: DbtNode, migration: Migration) -> dict[str, DbtNode]:
    """Return the source that each file of landing is loaded as, by file; none where old finds landing by itself."""
    if not migration.landing.raw_schema:
        return {}
    sources = {f"{source['source_name']}.{source['name']}": source for source in manifest["sources"].values()}
    files = migration.landing.files
    return {file: sources[said.source] for file, said in files.items() if said.source in sources}


def loaded_seeds(manifest: DbtNode, migration: Migration) -> set[str]:
    """Return the unique ids of the seeds whose tables are loaded from landing: dbt must not put its own rows there."""
    tables = {schema_and_name(source, "identifier") for source in loaded_sources(manifest, migration).values()}
    seeds = {uid: node for uid, node in manifest["nodes"].items() if tables and node["resource_type"] == "seed"}
    return {uid for uid, node in seeds.items() if schema_and_name(node, "alias") in tables}


def schema_and_name(node: DbtNode, name: str) -> tuple[str, str]:
    """Return the schema and the name of a node's `alias`, or of a source's `identifier`, as DuckDB tells them apart."""
    return str(node.get("schema")).casefold(), str(node.get(name)).casefold()


def landing_file(node: DbtNode, migration: Migration) -> str:
    """Return the file of landing that a seed of the old project is, '' for all else.

    It lies in the folder of landing, and the migration file names it there: replay finds it written anew.
    """
    folder = migration.landing.folder
    if node.get("resource_type") != "seed" or not folder:
        return ""
    path = PurePosixPath(node["original_file_path"])
    is_own = node["package_name"] == project_settings(migration.old_folder)["name"] and path.is_relative_to(folder)
    file = str(path.relative_to(folder)) if is_own else ""
    return file if file in migration.landing.files else ""


def database_name(connection: duckdb.DuckDBPyConnection) -> str:
    """Return the name of the database that a connection was opened on."""
    [(name,)] = connection.execute("SELECT current_database()").fetchall()
    return str(name)


def relation_of(node: DbtNode, database: str) -> str:
    """Return the relation of a node in a DuckDB database, in full: a database may have the name of a schema in it."""
    return relation_name(database, node["schema"], node["alias"])


def said_of_source(source: DbtNode) -> dict[str, Any]:
    """Return what dbt-duckdb reads a source with (`plugin`, `external_location`): of its meta, and of its config."""
    config = source.get("config") or {}
    return {**(source.get("meta") or {}), **(config.get("meta") or {}), **config}


def ancestors(manifest: DbtNode, unique_ids: Iterable[str]) -> set[str]:
    """Return nodes and sources with all that they are made of."""
    waiting, found = list(unique_ids), set[str]()
    while waiting:
        uid = waiting.pop()
        if uid not in found:
            found.add(uid)
            waiting += manifest["nodes"].get(uid, {}).get("depends_on", {}).get("nodes", [])
    return found


def relations_among(manifest: DbtNode, unique_ids: Iterable[str]) -> list[DbtNode]:
    """Return the nodes, out of nodes and sources, of which dbt makes relations."""
    nodes = (manifest["nodes"].get(uid) for uid in unique_ids)
    return [node for node in nodes if node is not None and is_relation(node)]


def read_by_hooks(manifest: DbtNode) -> list[str]:
    """Return the unique ids of what hooks of a run refer to: these run whatever is selected, so it must be there."""
    hooks = [node for node in manifest["nodes"].values() if node["resource_type"] == "operation"]
    return [uid for node in hooks for uid in node["depends_on"]["nodes"]]


def selection(nodes: Iterable[DbtNode]) -> str:
    """Return the selection of these nodes and no others, as dbt writes it.

    A name alone would select all that is in a folder of that name, too.
    """
    return " ".join(sorted(_selected(node) for node in nodes))


def _selected(node: DbtNode) -> str:
    path = ".".join(node["fqn"])
    return f"fqn:{path}" if re.fullmatch(r"[\w.-]+", path) else str(node["name"])


def context_of_old(node: DbtNode, migration: Migration) -> str:
    """Return the bounded context of a node of old: what the file says, its meta or group, else its folder."""
    config = node["config"]
    said = migration.context_of(node["name"]) or (config.get("meta") or {}).get("context") or config.get("group")
    return str(said or (folders_of(node) or [node["package_name"]])[-1])


def context_of_new(node: DbtNode) -> str | None:
    """Return the bounded context of a new model, which its meta says."""
    context: str | None = (node["config"].get("meta") or {}).get("context")
    return context


def folders_of(node: DbtNode) -> list[str]:
    """Return the folders of a node; a snapshot that stands in YAML has its file among them, for dbt."""
    return [part for part in PurePosixPath(node["path"]).parts[:-1] if not part.endswith((".yml", ".yaml"))]


@lru_cache(maxsize=8)
def _parsed(text: str) -> Any:
    """Return what a YAML text says. The graph asks for the same two hundreds of times; nobody may change it."""
    return yaml_text.parse(text)


def _texts(folder: Path) -> Iterator[str]:
    """Yield the texts of a dbt project that may ask for a variable."""
    for root, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in NOT_OF_PROJECT and not name.startswith(".")]
        for name in files:
            if name.endswith(ASKING) and (Path(root) / name).is_file():
                yield (Path(root) / name).read_text("utf-8", errors="replace")


def _relation(node: DbtNode) -> str:
    return str(node.get("alias") or node["name"])


def _part(folder: Path, models: str, migration: Migration) -> ProjectPart:
    settings = project_settings(folder)
    if not models:
        return ProjectPart(folder, ())
    roots = settings.get("model-paths") or ["models"]
    for root in roots:
        if PurePosixPath(models).is_relative_to(root):
            inner = PurePosixPath(models).relative_to(root).parts
            return ProjectPart(folder, (settings["name"], *inner))
    raise OlistError(f"{migration.path.name}: {models} is no folder of models of {folder}: those are below {roots[0]}.")
