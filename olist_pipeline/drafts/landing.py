"""How an old project finds landing, guessed from its sources and its SQL.

What belongs here: the guess, and the files that it names. What does not: whether it is right: `olist migration check`
and the first replay tell.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

import duckdb

from olist_pipeline.migration.model import is_inside
from olist_pipeline.migration.project import said_of_source

_VARIABLE = re.compile(r"""\bvar\(\s*['"](\w+)['"]""")
_ENVIRONMENT = re.compile(r"""\benv_var\(\s*['"](\w+)['"]""")
_FILE = re.compile(r"""([\w.{}-]+\.csv)\b""")
_LITERAL = re.compile(r"""['"]([\w./-]+/)[\w{}*-]+\.csv""")
_TYPE = re.compile(r"\w[\w ]*(\(\s*\d+\s*(,\s*\d+\s*)?\))?(\[\])?")
_READER = re.compile(r"\bread_csv(?:_auto)?\s*\((.*?)\)", re.DOTALL | re.IGNORECASE)


def guessed_landing(project: Path, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part `landing` of a migration file: the way, and each file with the source table that it is."""
    places = list(_places(project, manifest))
    files = {
        file: ({"source": source} if source else {})
        for text, source, name in places
        for file in (found.replace("{name}", name).replace("{identifier}", name) for found in _FILE.findall(text))
        if "{" not in file
    }
    for pattern, way in ((_VARIABLE, "variable"), (_ENVIRONMENT, "environment"), (_LITERAL, "folder")):
        for text, _, _ in places:
            if (found := pattern.search(text)) and (way != "folder" or is_inside(found[1])):
                return {way: found[1].rstrip("/"), "files": files}
    tables = [source for source in manifest["sources"].values() if not _location(source)]
    schemas = [str(source["schema"]) for source in tables]
    if not schemas:
        return {"variable": "landing", "files": files}
    [(schema, _)] = Counter(schemas).most_common(1)
    return {
        "raw_schema": schema,
        "files": {
            f"{source['identifier']}.csv": {"source": f"{source['source_name']}.{source['name']}", **_types(source)}
            for source in tables
            if source["schema"] == schema
        },
    }


def _places(project: Path, manifest: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield each text that names files of landing, with the source that it is of, if any, and its name."""
    for source in manifest["sources"].values():
        if location := _location(source):
            raw = _raw_location(project, source) or location
            yield raw, f"{source['source_name']}.{source['name']}", str(source["name"])
    for node in manifest["nodes"].values():
        for found in _READER.finditer(str(node.get("raw_code") or "")):
            yield found[1], "", ""


def _location(source: Mapping[str, Any]) -> str:
    return str(said_of_source(source).get("external_location") or (source.get("external") or {}).get("location") or "")


def _raw_location(project: Path, source: Mapping[str, Any]) -> str:
    """Return the lines of a source's YAML that say where it is, before Jinja: the manifest has them rendered."""
    path = project / str(PurePosixPath(source["original_file_path"]))
    text = path.read_text("utf-8") if path.is_file() else ""
    return "\n".join(line for line in text.splitlines() if "location" in line or "var(" in line)


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
