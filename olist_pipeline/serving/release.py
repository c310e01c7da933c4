"""Releases: immutable, numbered databases, of which `current` points to one.

What belongs here: building a release aside, auditing it and publishing it by one rename. What does not:
whether it may be published (see `gate`).

    serving/releases/00007/serving.duckdb   the tables, schema main; what is said of the migration, schema about
    serving/releases/00007/manifest.json    what it was made of
    serving/current -> releases/00007

A reader that has opened `current/serving.duckdb` keeps its release for as long as it holds the file open.
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from olist_pipeline.errors import OlistError
from olist_pipeline.parity.fingerprint import fingerprint
from olist_pipeline.parity.sql import literal, quote
from olist_pipeline.serving.about import write
from olist_pipeline.stores.routes import Route
from olist_pipeline.warehouse import NEW, OLD, WarehouseTable

DATABASE = "serving.duckdb"
MANIFEST = "manifest.json"
KEPT_RELEASES = 10
_BUILDING = ".building-"


@dataclass(frozen=True)
class Release:
    """What a release says of itself. `tables` has rows and source schema by table name."""

    number: int
    made_at: str
    run_id: str
    fingerprint: str
    as_of: str
    routes: dict[str, str]
    landing: dict[str, str]
    tables: dict[str, dict[str, Any]]


def source_schema(table: WarehouseTable, routes: Mapping[str, Route]) -> str:
    """Return the schema that serving reads a table from: the control serves until the context is cut over."""
    return NEW if routes[table.context] in ("new", "retired") else OLD


def current_release(serving: Path) -> Release | None:
    """Return the release that `current` points to; None before the first."""
    manifest = serving / "current" / MANIFEST
    if not manifest.exists():
        return None
    return Release(**json.loads(manifest.read_text("utf-8")))


def publish(
    serving: Path,
    warehouse: Path,
    tables: Iterable[WarehouseTable],
    routes: Mapping[str, Route],
    *,
    run_id: str,
    code_and_data: str,
    as_of: str,
    landing: Mapping[str, str],
    about: Mapping[str, pl.DataFrame] | None = None,
) -> Release:
    """Build the next release of `tables` from `warehouse`, audit it and let `current` point to it.

    `about` are the tables that it says of the migration (see the module `about`). A crash before the last rename leaves
    the former release serving. Raises OlistError when a table of the release is not what stands in the warehouse.
    """
    releases = serving / "releases"
    releases.mkdir(parents=True, exist_ok=True)
    _remove_unfinished(releases)
    building = releases / f"{_BUILDING}{uuid.uuid4().hex}"
    building.mkdir()
    try:
        copied = _copy_tables(building / DATABASE, warehouse, tables, routes)
        with duckdb.connect(str(building / DATABASE)) as connection:
            write(connection, about or {})
        release = Release(
            number=_next_number(releases),
            made_at=datetime.now(UTC).isoformat(timespec="seconds"),
            run_id=run_id,
            fingerprint=code_and_data,
            as_of=as_of,
            routes=dict(routes),
            landing=dict(landing),
            tables=copied,
        )
        (building / MANIFEST).write_text(json.dumps(asdict(release), indent=2) + "\n", "utf-8")
        for name in (DATABASE, MANIFEST):
            _flush(building / name)
        building.rename(releases / f"{release.number:05d}")
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise
    point_to(serving, release.number)
    _remove_old(releases, release.number)
    return release


def point_to(serving: Path, number: int) -> None:
    """Let `current` point to a release, in one atomic step; raises OlistError when there is none of that number."""
    target = Path("releases") / f"{number:05d}"
    if not (serving / target / DATABASE).exists():
        raise OlistError(f"There is no release {number} in {serving / 'releases'}.")
    link = serving / f".current-{uuid.uuid4().hex}"
    link.symlink_to(target)
    link.replace(serving / "current")


def _copy_tables(
    database: Path, warehouse: Path, tables: Iterable[WarehouseTable], routes: Mapping[str, Route]
) -> dict[str, dict[str, Any]]:
    """Copy each table from the schema that its route names, and prove that the copy is whole."""
    copied = {}
    with duckdb.connect(str(database)) as connection:
        connection.execute(f"ATTACH {literal(str(warehouse))} AS warehouse (READ_ONLY)")
        for table in tables:
            schema = source_schema(table, routes)
            source = f"warehouse.{schema}.{quote(table.name)}"
            connection.execute(f"CREATE TABLE {quote(table.name)} AS FROM {source}")
            before, after = fingerprint(connection, source), fingerprint(connection, f"main.{quote(table.name)}")
            if before.digest != after.digest:
                raise OlistError(f"The copy of {table.name} is not what the warehouse holds; run again.")
            copied[table.name] = {"schema": schema, "rows": after.rows, "context": table.context}
        connection.execute("DETACH warehouse")
    return copied


def _next_number(releases: Path) -> int:
    return max((int(path.name) for path in releases.glob("[0-9]*")), default=0) + 1


def _remove_unfinished(releases: Path) -> None:
    for leftover in releases.glob(f"{_BUILDING}*"):
        shutil.rmtree(leftover, ignore_errors=True)


def _remove_old(releases: Path, newest: int) -> None:
    for path in releases.glob("[0-9]*"):
        if int(path.name) <= newest - KEPT_RELEASES:
            shutil.rmtree(path, ignore_errors=True)


def _flush(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
