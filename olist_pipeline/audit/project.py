"""What a dbt project says of itself, and which files are audited.

What belongs here: dbt_project.yml, profiles.yml, properties of models, the manifest, and the walk over folders.
What does not: rendering Jinja and parsing SQL.

Somebody else wrote all of it: what has not the shape that dbt gives it counts as not there, and nothing outside of
the project's folder is read, whatever its files and links name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeGuard

from olist_pipeline.audit.dialects import Spoken, dialect_of
from olist_pipeline.audit.manifest import read_manifest
from olist_pipeline.audit.model_settings import along, context_in, enabled_in, is_layer, versions_of
from olist_pipeline.audit.profiles import PROD, Target, targets_of
from olist_pipeline.audit.project_files import folders_like, read_yaml, walk
from olist_pipeline.audit.relations import unversioned
from olist_pipeline.errors import OlistError
from olist_pipeline.yaml_text import YamlError

PROJECT_FILE = "dbt_project.yml"
SKIPPED = frozenset({"target", "dbt_packages", "dbt_modules", "logs", "node_modules", "venv", "__pycache__"})
PACKAGE_FOLDERS = ("dbt_packages", "dbt_modules")
MODEL_PATHS = ("model-paths", "source-paths", "models")
SNAPSHOT_PATHS = ("snapshot-paths", "", "snapshots")
MACRO_PATHS = ("macro-paths", "", "macros")
TEST_PATHS = ("test-paths", "", "tests")
SEED_PATHS = ("seed-paths", "data-paths", "seeds")
FUNCTION_PATHS = ("function-paths", "", "functions")
ALL_PATHS = (MODEL_PATHS, SNAPSHOT_PATHS, MACRO_PATHS, TEST_PATHS, SEED_PATHS, FUNCTION_PATHS)
"""Settings that name folders: the key, an older one, and the folder where neither is there."""
SETTINGS_BY_FOLDER = (
    (("models",), MODEL_PATHS),
    (("snapshots",), SNAPSHOT_PATHS),
    (("functions",), FUNCTION_PATHS),
    (("tests", "data_tests"), TEST_PATHS),
)
"""Which keys of dbt_project.yml say something of the files in which folders."""

PROPERTIES = ("models", "snapshots", "functions")
YAML = (".yml", ".yaml")
NO_SQL = (*YAML, ".py", ".ipynb", ".csv", ".tsv", ".json", ".md", ".html", ".toml", ".parquet", ".duckdb", ".db")
"""Endings of files that are no SQL when one is named; all others are read as SQL."""


@dataclass(frozen=True)
class Package:
    """Where macros come from: their namespace, and files with their text, or the text alone from a manifest."""

    name: str
    files: tuple[Path, ...]
    texts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Project:
    """A dbt project, or a folder of SQL files that is none (`name` is '' then).

    root: the folder of dbt_project.yml, or the folder that is audited. chosen: what the person named. targets: that of
    each profile, the nearest first, or the one that templates are rendered for where no profile says any. flaws: what
    cannot be read of dbt_project.yml and the manifest, a sentence each.
    """

    root: Path
    chosen: Path
    name: str
    settings: Mapping[str, Any]
    manifest: Mapping[str, Any]
    targets: tuple[Target, ...]
    flaws: tuple[str, ...] = ()

    @property
    def is_dbt(self) -> bool:
        """Whether there is a dbt_project.yml."""
        return (self.root / PROJECT_FILE).is_file()

    @property
    def variables(self) -> dict[str, Any]:
        """The variables of the project, as dbt_project.yml gives them."""
        given = _mapping(self.settings.get("vars"))
        # Macros of packages read those that stand under a package's own name.
        of_packages = {name: value for part in given.values() for name, value in _mapping(part).items()}
        return {**of_packages, **given, **_mapping(given.get(self.name))}

    @cached_property
    def spoken(self) -> Spoken:
        """The dialect that the project says it is in, and where it says so."""
        files = self.model_files() or self.sql_files()
        return dialect_of(self.root, self.settings, self.manifest, files, self.packages()[0].files, self.targets)

    @property
    def target(self) -> Target:
        """The target that templates are rendered for: the one that was named, else that of the profile, else `prod`."""
        return self.targets[0]

    @cached_property
    def outside(self) -> dict[str, str]:
        """The folders that the settings name outside of the project, which are not looked into, with the setting."""
        named = ((name, keys[0]) for keys in ALL_PATHS if self.is_dbt for name in self._named(*keys))
        return {name: key for name, key in named if not self._is_inside(name)}

    def sql_files(self) -> list[Path]:
        """Return the files to audit, in the order of their paths: models, snapshots and functions of a dbt project."""
        if self.chosen.is_file():
            return [] if self.chosen.suffix.lower() in NO_SQL else [self.chosen]
        folders, functions = [self.chosen], frozenset[Path]()
        if self.is_dbt and self.chosen == self.root:
            named = [*self._paths(*MODEL_PATHS), *self._paths(*SNAPSHOT_PATHS)]
            folders = [self.root / name for name in named]
            functions = frozenset(path for path in self.functions if path.suffix != ".py")
        return sorted(functions.union(path for folder in folders for path in _walk(folder, (".sql",))))

    def model_files(self, ending: str = ".sql") -> list[Path]:
        """Return the models of the whole project, whatever part of it is audited."""
        folders = [self.root / name for name in self._paths(*MODEL_PATHS)] if self.is_dbt else [self.root]
        return sorted(path for folder in folders for path in _walk(folder, (ending,)))

    @cached_property
    def functions(self) -> frozenset[Path]:
        """The files of user-defined functions: those that properties beside them name, for dbt builds no others."""
        folders = [self.root / name for name in self._paths(*FUNCTION_PATHS)] if self.is_dbt else []
        said = (_mapping(self._yaml(file)).get("functions") for folder in folders for file in _walk(folder, YAML))
        names = {str(entry.get("name")) for entries in said for entry in _mappings(entries)}
        return frozenset(path for folder in folders for path in _walk(folder, (".sql", ".py")) if path.stem in names)

    def test_files(self) -> list[Path]:
        """Return the singular tests of a dbt project that is audited as a whole; generic ones are macros."""
        if not self.is_dbt or self.chosen != self.root:
            return []
        folders = [self.root / name for name in self._paths(*TEST_PATHS)]
        found = (path for folder in folders for path in _walk(folder, (".sql",)))
        return sorted(path for path in found if "generic" not in path.relative_to(self.root).parts[:-1])

    def property_files(self) -> list[Path]:
        """Return the YAML files that lie beside what is audited: the properties of models, and their tests."""
        if self.chosen.is_file():
            return [self.chosen] if self.chosen.suffix.lower() in YAML else []
        folders = [self.chosen]
        if self.is_dbt and self.chosen == self.root:
            keys = (MODEL_PATHS, SNAPSHOT_PATHS, SEED_PATHS)
            folders = [self.root / name for paths in keys for name in self._paths(*paths)]
        return sorted({path for folder in folders for path in _walk(folder, YAML)})

    def packages(self) -> list[Package]:
        """Return the packages that macros come from, the project's own first."""
        if not self.is_dbt:
            return [Package("", tuple(_walk(self.root, (".sql",))))]
        own = [path for name in self._paths(*MACRO_PATHS) for path in _walk(self.root / name, (".sql",))]
        found = [Package(self.name, tuple(own))]
        for folder in PACKAGE_FOLDERS:
            for settings in sorted((self.root / folder).glob(f"*/{PROJECT_FILE}")):
                name = str(_mapping(self._yaml(settings)).get("name") or settings.parent.name)
                found.append(Package(name, tuple(_walk(settings.parent / "macros", (".sql",)))))
        return [*found, *self._packages_of_manifest({package.name for package in found})]

    def compiled(self, path: Path, text: str) -> str | None:
        """Return the compiled SQL of a model by the manifest; None where there is none of just this text."""
        node = self._nodes.get(path.relative_to(self.root).as_posix()) if path.is_relative_to(self.root) else None
        if node is None:
            return None
        raw = node.get("raw_code") or node.get("raw_sql")
        compiled = node.get("compiled_code") or node.get("compiled_sql")
        if not isinstance(raw, str) or not isinstance(compiled, str):
            return None
        return compiled if raw.strip() == text.strip() else None

    def context_of(self, path: Path, contexts: Mapping[str, str]) -> str:
        """Return the bounded context of a model: what `contexts` or dbt_project.yml says, else its folder."""
        named = contexts.get(path.stem) or contexts.get(unversioned(path.stem)) or self._context_by_folder(path)
        if named:
            return named
        base = self.chosen if self.chosen.is_dir() else self.chosen.parent
        folders = [part for part in path.relative_to(base).parts[:-1] if not is_layer(part)]
        return folders[0] if folders else "none"

    def contexts(self) -> dict[str, str]:
        """Return the bounded contexts that the manifest and properties name, by model."""
        nodes = {str(node.get("name")): node for node in self._nodes.values()}
        said = [(name, _context_of_entry(entry)) for part in (nodes, self._properties) for name, entry in part.items()]
        return {name: context for name, context in said if context}

    def enabled(self, path: Path) -> Any:
        """Return what properties or dbt_project.yml say of whether a file is switched on, None where nothing does.

        It may be a template.
        """
        for name in (path.stem, unversioned(path.stem)) if self._is_model(path) else ():
            said = enabled_in(_mapping(self._properties.get(name, {}).get("config")))
            if said is not None:
                return said
        said_of_folders = [enabled_in(settings) for settings in self._by_folder(path)]
        return next((said for said in reversed(said_of_folders) if said is not None), None)

    def _is_model(self, path: Path) -> bool:
        return not any(path.is_relative_to(self.root / name) for name in self._paths(*TEST_PATHS))

    def _context_by_folder(self, path: Path) -> str:
        """Return what dbt_project.yml says of the folders of a model, the innermost first."""
        named = [context_in(settings) for settings in self._by_folder(path)]
        return next(filter(None, reversed(named)), "")

    def _by_folder(self, path: Path) -> list[Mapping[str, Any]]:
        """Return what dbt_project.yml says of the folders of a file, the innermost last, those of the project's own."""
        for keys, paths in SETTINGS_BY_FOLDER:
            for name in self._paths(*paths) if self.is_dbt else ():
                folder = self.root / name
                if path.is_relative_to(folder):
                    parts = (*path.relative_to(folder).parts[:-1], path.stem)
                    tops = [_mapping(self.settings.get(key)) for key in keys]
                    starts = [*tops, *(_mapping(top.get(self.name)) for top in tops)]
                    return [settings for start in starts for settings in along(start, parts)]
        return []

    @cached_property
    def _properties(self) -> dict[str, Mapping[str, Any]]:
        """What properties say of each model and snapshot."""
        base = self.root if self.is_dbt else self.chosen
        files = [_mapping(self._yaml(file)) for file in (_walk(base, YAML) if base.is_dir() else ())]
        entries = [entry for file in files for key in PROPERTIES for entry in _mappings(file.get(key))]
        versions = (pair for entry in entries for pair in versions_of(entry))
        return {**{str(entry.get("name")): entry for entry in entries}, **dict(versions)}

    @cached_property
    def _nodes(self) -> dict[str, Mapping[str, Any]]:
        nodes = _mappings(_mapping(self.manifest.get("nodes")).values())
        return {str(node.get("original_file_path", "")).replace("\\", "/"): node for node in nodes}

    def _packages_of_manifest(self, known: set[str]) -> list[Package]:
        texts: dict[str, dict[str, str]] = {}
        for macro in _mappings(_mapping(self.manifest.get("macros")).values()):
            package, name, text = (str(macro.get(key) or "") for key in ("package_name", "name", "macro_sql"))
            # dbt's own macros and those of an adapter are known, or need a database.
            if package not in known and package != "dbt" and (not package.startswith("dbt_") or package == "dbt_utils"):
                texts.setdefault(package, {})[name] = text
        return [Package(name, (), macros) for name, macros in texts.items()]

    def _paths(self, key: str, old_key: str, default: str) -> list[str]:
        """Return the folders inside of the project that a setting names; a template in one stands for any name."""
        if key not in self._folders:
            named = [name for name in self._named(key, old_key, default) if self._is_inside(name)]
            self._folders[key] = [
                folder for name in named for folder in (folders_like(self.root, _any(name)) if "{{" in name else [name])
            ]
        return self._folders[key]

    @cached_property
    def _folders(self) -> dict[str, list[str]]:
        return {}

    def _named(self, key: str, old_key: str, default: str) -> list[str]:
        named = self.settings.get(key) or self.settings.get(old_key)
        return list(named) if _are_folders(named) else [default]

    def _is_inside(self, name: str) -> bool:
        return (self.root / _any(name)).resolve().is_relative_to(self.root)

    def _yaml(self, path: Path) -> Any:
        """Return the value of a YAML file, None where it cannot be read: dbt itself says what is wrong with it."""
        try:
            return read_yaml(path, self.root)
        except YamlError:
            return None


def open_project(path: Path, manifest: Path | None = None, target: str = "") -> Project:
    """Return the project around a path: the nearest folder upwards with a dbt_project.yml, else the path itself.

    `target` is the one that it is read for, '' for that of its profile.
    """
    if not path.exists():
        raise OlistError(f"There is nothing at {path}; name a dbt project, a folder of SQL files or one SQL file.")
    chosen = path.resolve()
    start = chosen if chosen.is_dir() else chosen.parent
    root = next((folder for folder in (start, *start.parents) if (folder / PROJECT_FILE).is_file()), None)
    if root is None:
        return Project(start, chosen, "", {}, {}, _targets(start, {}, target))
    settings, flaws = _read_settings(root)
    found, more = read_manifest(root, settings, manifest)
    targets = _targets(root, settings, target)
    return Project(root, chosen, str(settings.get("name") or ""), settings, found, targets, (*flaws, *more))


def _targets(root: Path, settings: Mapping[str, Any], named: str) -> tuple[Target, ...]:
    return tuple(targets_of(root, settings, named)) or (Target(named or PROD),)


def _read_settings(root: Path) -> tuple[Mapping[str, Any], list[str]]:
    """Return what dbt_project.yml says, and what is wrong with it: its models are read all the same."""
    why = "it holds no settings"
    try:
        settings = read_yaml(root / PROJECT_FILE, root)
    except YamlError as error:
        settings, why = None, str(error)
    if not isinstance(settings, Mapping):
        return {}, [
            f"It cannot be read as YAML ({why}): models and macros are looked for in the folders of these names."
        ]
    keys = [
        key
        for key, old_key, _ in ALL_PATHS
        if (named := settings.get(key) or settings.get(old_key)) and not _are_folders(named)
    ]
    return settings, [f"Its {key} is no list of folders: dbt's default is taken." for key in keys]


def _are_folders(named: Any) -> TypeGuard[list[str]]:
    return isinstance(named, list) and all(isinstance(name, str) and "\0" not in name for name in named) and bool(named)


def _context_of_entry(entry: Mapping[str, Any]) -> str:
    return context_in(_mapping(entry.get("config"))) or context_in(entry)


def _any(name: str) -> str:
    """Return the name of a folder with `*` in place of its templates: nobody knows here what they say."""
    return re.sub(r"\*+", "*", re.sub(r"\{\{.*?\}\}", "*", name))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _mappings(values: Any) -> list[Mapping[str, Any]]:
    """Return those of some values that are mappings; none where it is no collection."""
    return [value for value in values if isinstance(value, Mapping)] if isinstance(values, Iterable) else []


def _walk(folder: Path, endings: tuple[str, ...]) -> Iterator[Path]:
    return walk(folder, endings, SKIPPED)
