"""How an old project finds landing, guessed from its sources and its SQL.

What belongs here: the guess, and the files that it names. What does not: whether it is right: `olist migration check`
and the first replay tell.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import duckdb

from olist_pipeline.drafts.columns import types_of
from olist_pipeline.errors import OlistError
from olist_pipeline.landing.folder import files_of, readable_landing, state_of
from olist_pipeline.landing.table import OtherFile
from olist_pipeline.migration.model import is_inside
from olist_pipeline.migration.project import project_settings, said_of_source, schema_and_name
from olist_pipeline.settings import Settings

_VARIABLE = re.compile(r"""\bvar\(\s*['"](\w+)['"]""")
_ENVIRONMENT = re.compile(r"""\benv_var\(\s*['"](\w+)['"]""")
_FILE = re.compile(r"""([^/\\'"\n]+\.csv)\b""")
"""A file may be called anything (`Orders Export (1).csv`): its name begins behind a folder or a quote."""
_FOLDER = re.compile(r"""([\w. /-]+/)[^/'"\n]+\.csv""")
_TYPE = re.compile(r"\w[\w ]*(\(\s*\d+\s*(,\s*\d+\s*)?\))?(\[\])?")
_TEXT = re.compile(r"""'(?:\{\{.*?\}\}|[^'\n])*\.csv[^'\n]*'""")
"""A text of SQL that names a file; Jinja within it may have quotes of its own."""


_COMPARED_WITH_EMPTY = re.compile(r"""(?:"([^"\n]+)"|(\w+))\)*\s*(?:,|=|<>|!=)\s*''(?!')""")
"""A column that SQL takes for text, for it may be empty: `nullif(returned, '')`."""


class FileName(NamedTuple):
    """Something that names files of landing: as it is written, as dbt renders it, and of which source."""

    written: str
    rendered: str
    source: str = ""
    name: str = ""
    identifier: str = ""


def guessed_landing(project: Path, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part `landing` of a migration file: the way, and each file with the source table that it is."""
    places = list(_places(project, manifest))
    files = {
        file: ({"source": place.source} if place.source else {})
        for place in places
        for file in _files(place.rendered, place.name, place.identifier)
    }
    for pattern, way in ((_VARIABLE, "variable"), (_ENVIRONMENT, "environment")):
        if found := next(filter(None, (pattern.search(place.written) for place in places)), None):
            return {way: found[1], "files": files}
    folders = (_FOLDER.search(place.rendered) for place in places)
    if inside := next((found[1] for found in folders if found and is_inside(found[1])), ""):
        return {"folder": inside.rstrip("/"), "files": files}
    nodes = (node for node in manifest["nodes"].values() if node.get("resource_type") in ("model", "snapshot"))
    own = {schema_and_name(node, "alias") for node in nodes}
    sources = (source for source in manifest["sources"].values() if not _location(source))
    tables = [source for source in sources if schema_and_name(source, "identifier") not in own]
    schemas = [str(source["schema"]) for source in tables]
    if not schemas:
        return (not places and _seeds(project, manifest)) or {"variable": "landing", "files": files}
    [(schema, _)] = Counter(schemas).most_common(1)
    several = Counter(map(_loaded_file, tables))
    return {
        "raw_schema": schema,
        "files": {
            (f"{source['schema']}/" if several[_loaded_file(source)] > 1 else "") + _loaded_file(source): {
                "source": f"{source['source_name']}.{source['name']}",
                **_types(source),
            }
            for source in tables
        },
    }


def with_types(guessed: Mapping[str, Any], settings: Settings, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part `landing` with the types that all rows of a file fit, for columns of which nobody says one.

    Those of a raw schema have types, but for columns that SQL of the project takes for text. A file that is not there,
    or cannot be read, tells none.
    """
    files = dict(guessed["files"])
    code = (str(node.get("raw_code") or "") for node in manifest["nodes"].values())
    texts = {"".join(names).lower() for text in code for names in _COMPARED_WITH_EMPTY.findall(text)}
    for file, said in guessed["files"].items() if "raw_schema" in guessed else ():
        with suppress(OlistError):
            landed = OtherFile(file)
            found = types_of(files_of(readable_landing(settings, [landed]), landed)).items()
            if types := {**{n: kind for n, kind in found if n.lower() not in texts}, **said.get("types", {})}:
                files[file] = {**said, "types": types}
    return {**guessed, "files": files}


def landed_seeds(landing: Path, manifest: Mapping[str, Any]) -> list[str]:
    """Return the files of landing that are called like a seed (`shops.csv`), whether plain, packed or in parts."""
    seeds = (f"{node['name']}.csv" for node in manifest["nodes"].values() if node["resource_type"] == "seed")
    return [file for file in seeds if state_of(landing, OtherFile(file))]


def _seeds(project: Path, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return the way to the seeds of a project that reads nothing else, as examples do.

    Nothing where it has none, or has them in folders that only the project itself has in common.
    """
    name = project_settings(project)["name"]
    nodes = (node for node in manifest["nodes"].values() if node["resource_type"] == "seed")
    paths = [PurePosixPath(node["original_file_path"]) for node in nodes if node["package_name"] == name]
    folder = os.path.commonpath([path.parent for path in paths]) if paths else ""
    if not is_inside(folder):
        return {}
    return {"folder": folder, "files": {str(path.relative_to(folder)): {} for path in sorted(paths)}}


def _places(project: Path, manifest: Mapping[str, Any]) -> Iterator[FileName]:
    """Yield what names files of landing."""
    for source in manifest["sources"].values():
        if location := _location(source):
            written = f"{location}\n{_written_locations(project, source)}"
            name = str(source["name"])
            yield FileName(written, location, f"{source['source_name']}.{name}", name, str(source["identifier"]))
    for node in manifest["nodes"].values():
        for found in _TEXT.findall(str(node.get("raw_code") or "")):
            yield FileName(found, found)


def _files(text: str, name: str, identifier: str) -> list[str]:
    """Return the files that a text names, where the name of its table may stand for a part of one."""
    found = (file.strip().replace("{name}", name).replace("{identifier}", identifier) for file in _FILE.findall(text))
    return [file for file in found if not any(mark in file for mark in "{}*?[")]


def _loaded_file(source: Mapping[str, Any]) -> str:
    """Return the file that is loaded as a table: the package dbt_external_tables has it said, dbt-duckdb reads none."""
    said = str((source.get("external") or {}).get("location") or "")
    return next(iter(_files(said, source["name"], source["identifier"])), f"{source['identifier']}.csv")


def _location(source: Mapping[str, Any]) -> str:
    return str(said_of_source(source).get("external_location") or "")


def _written_locations(project: Path, source: Mapping[str, Any]) -> str:
    """Return the lines of a source's YAML that may say where it is, before Jinja: the manifest has them rendered."""
    path = project / str(PurePosixPath(source["original_file_path"]))
    text = path.read_text("utf-8") if path.is_file() else ""
    # Within double quotes YAML writes a quote as \".
    return "\n".join(line.replace('\\"', '"') for line in text.splitlines() if "location" in line or "var(" in line)


def _types(source: Mapping[str, Any]) -> dict[str, Any]:
    types = {name: str(column["data_type"]) for name, column in source["columns"].items() if column.get("data_type")}
    known = {name: said for name, said in types.items() if _is_known(said)}
    return {"types": known} if known else {}


@lru_cache(maxsize=1000)
def _is_known(type_name: str) -> bool:
    """Return whether DuckDB has a type: one of another database is text, until somebody says what it is."""
    if not _TYPE.fullmatch(type_name):
        return False
    try:
        with duckdb.connect() as connection:
            connection.execute(f"CREATE TABLE t (c {type_name})")
    except duckdb.Error:
        return False
    return True
