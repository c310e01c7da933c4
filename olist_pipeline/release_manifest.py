"""The manifest of a release: what it says of itself, in the file beside its database.

What belongs here: its types, and reading and writing the file. What does not: where releases lie (`serving.release`),
which side of a table is served (`serving.routing`), and what is in the database.

Dashboards read it as well, so this module knows nothing of how a release is made.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields, is_dataclass, replace
from datetime import date, datetime
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from olist_pipeline.errors import OlistError
from olist_pipeline.files import flush

DATABASE = "serving.duckdb"
MANIFEST = "manifest.json"

Route = Literal["old", "shadow", "new", "retired"]
"""What a context is served from, and whether its new tables are compared."""
Side = Literal["old", "new"]
"""A schema of a release's database that holds tables; the schema main shows each of them from one side."""
OLD: Literal["old"] = "old"
NEW: Literal["new"] = "new"
ABOUT = "about"
"""The schema of what a release says of the migration, whichever warehouse it is of."""


def no_release(serving: Path) -> OlistError:
    """Return what is said where nothing is served: no run has published, or OLIST_HOME names another folder."""
    return OlistError(
        f"There is no release in {serving} yet; `olist run` makes the first, or set OLIST_HOME to where it is."
    )


@dataclass(frozen=True)
class Content:
    """What one side of a table holds: its number of rows, and a digest of all of them (see `tablediff.fingerprint`).

    `parts` are the digests of the data files that its rows are in (`serving.data_files`); none where they are in the
    database of the release, as in those of earlier versions.
    """

    rows: int
    digest: str
    parts: tuple[str, ...] = ()


@dataclass(frozen=True)
class ReleasedTable:
    """A table of a release: what it holds of each side, and which side (`schema`, with its `rows`) it shows.

    `needs` are the contexts that must be on new before the table is served from new. A dimension is not served from
    another side than a table that refers to it, as long as a reference would be lost by that.
    """

    schema: Side
    rows: int
    context: str
    key: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    sources: Mapping[Side, Content] = field(default_factory=dict)
    is_dimension: bool = False

    @property
    def is_paired(self) -> bool:
        """Whether there is a new table that may take its place: without one it is served from old for good."""
        return not self.sources or NEW in self.sources


@dataclass(frozen=True)
class Key:
    """A column of `child` whose values are those of the column `key` of `parent`."""

    child: str
    column: str
    parent: str
    key: str


@dataclass(frozen=True)
class Reference(Key):
    """A key whose references were counted in a release.

    `lost` counts by the child's side the references that find their row on that side of the parent and none on the
    other.
    """

    lost: Mapping[Side, int]


@dataclass(frozen=True)
class Release:
    """What a release says of itself.

    `tables` are by name. `fingerprint` is of landing and `code`, `landing` has the content hash of each file;
    `parity_runs` names by context the run whose verdicts let it pass. `based_on` is the release whose data it has
    under other routes, None where it was built from the warehouse. `unchecked` has a sentence for each check that
    could not be made of it.
    """

    number: int
    made_at: str
    run_id: str
    fingerprint: str
    as_of: str
    routes: Mapping[str, Route]
    landing: Mapping[str, str]
    tables: Mapping[str, ReleasedTable]
    code: str = ""
    parity_runs: Mapping[str, str] = field(default_factory=dict)
    references: tuple[Reference, ...] = ()
    based_on: int | None = None
    unchecked: tuple[str, ...] = ()

    def sources(self, table: str) -> Mapping[Side, Content]:
        """Return the sides of a table that the release holds; raises OlistError where its version kept one alone."""
        if not self.tables[table].sources:
            raise OlistError(
                f"Release {self.number} holds one side of each table only; `olist run --force` makes one of both."
            )
        return self.tables[table].sources

    def schemas(self) -> dict[str, Side]:
        """Return the side that each table is shown from."""
        return {name: table.schema for name, table in self.tables.items()}

    def showing(self, schemas: Mapping[str, Side]) -> Release:
        """Return the release with each table shown from this side, which it must hold."""
        tables = {
            name: replace(table, schema=schemas[name], rows=self.sources(name)[schemas[name]].rows)
            for name, table in self.tables.items()
        }
        return replace(self, tables=tables)


def read_manifest(folder: Path) -> Release:
    """Return the manifest of a release's folder; raises OlistError when there is none, or it cannot be read."""
    try:
        values = json.loads((folder / MANIFEST).read_text("utf-8"))
        release: Release = _typed(Release, values, "")
        _check(release)
    except (OSError, ValueError, RecursionError) as error:
        raise OlistError(
            f"The release in {folder} has no readable {MANIFEST} ({error}); `olist run --force` makes another one."
        ) from error
    return release


def _check(release: Release) -> None:
    """Raise ValueError for dates that are none, and references of tables that are not there: readers count on both."""
    date.fromisoformat(release.as_of)
    if datetime.fromisoformat(release.made_at).tzinfo is None:
        raise ValueError(f"made_at, {release.made_at}, has no time zone")
    for reference in release.references:
        if missing := {reference.child, reference.parent} - release.tables.keys():
            raise ValueError(f"references name {', '.join(sorted(missing))}, which is no table of it")


def write_manifest(folder: Path, release: Release) -> None:
    """Write a release's manifest and wait until its folder is on the disk."""
    (folder / MANIFEST).write_text(json.dumps(asdict(release), indent=2) + "\n", "utf-8")
    for name in (DATABASE, MANIFEST):
        flush(folder / name)
    flush(folder)


def _typed(kind: Any, value: Any, where: str) -> Any:
    """Return a value of JSON as a `kind` of the types above; raises ValueError that says where it is none.

    Fields that a dataclass does not have are left out: a later version may have written them.
    """
    inner = get_args(kind)
    if get_origin(kind) is UnionType:
        return None if value is None else _typed(inner[0], value, where)
    if get_origin(kind) is Literal and value in inner:
        return value
    if get_origin(kind) is tuple and isinstance(value, list):
        return tuple(_typed(inner[0], one, where) for one in value)
    if get_origin(kind) is Mapping and isinstance(value, dict):
        return {_typed(inner[0], name, where): _typed(inner[1], one, f"{where}.{name}") for name, one in value.items()}
    if is_dataclass(kind) and isinstance(value, dict):
        return _dataclass(kind, value, where)
    if kind in (bool, int, str) and type(value) is kind:
        return value
    raise ValueError(f"{where.lstrip('.') or 'it'} cannot be {json.dumps(value)[:40]}")


def _dataclass(kind: Any, values: Mapping[str, Any], where: str) -> Any:
    for one in fields(kind):
        if one.name not in values and one.default is MISSING and one.default_factory is MISSING:
            raise ValueError(f"it lacks {f'{where}.{one.name}'.lstrip('.')}")
    hints = _hints(kind)
    return kind(**{name: _typed(hints[name], values[name], f"{where}.{name}") for name in hints.keys() & values.keys()})


_hints = cache(get_type_hints)
