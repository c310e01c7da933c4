"""Releases: immutable, numbered databases, of which `current` points to one.

What belongs here: what a release says of itself, where it lies, pointing to it, and how many are kept. What does not:
what is in its database (see `build` and `compose`), and whether it may be published (see `gate`).

    serving/releases/00007/serving.duckdb   schema main: what dashboards read; old and new: what main shows; about:
                                            what is said of the migration
    serving/releases/00007/manifest.json    what it was made of
    serving/current -> releases/00007

A reader that has opened `current/serving.duckdb` keeps its release for as long as it holds the file open.
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from olist_pipeline.errors import OlistError
from olist_pipeline.stores.routes import Route

DATABASE = "serving.duckdb"
MANIFEST = "manifest.json"
KEPT_RELEASES = 10
CLOCK_TOLERANCE = timedelta(hours=1)
"""The clocks of machines that take turns need not agree better than that."""
_BUILDING = ".building-"


@dataclass(frozen=True)
class Release:
    """What a release says of itself.

    `tables` has by name: the served `schema` and its `rows`, `context`, `key`, the contexts that it `needs` on new,
    and by schema in `sources` the rows and the digest of each side that the release holds. `references` are the keys
    by which its tables refer to each other (see `routing.Reference`). `fingerprint` is of landing and `code`;
    `parity_runs` names by context the run whose verdicts let it pass. `based_on` is the release whose data it has
    under other routes, None where it was built from the warehouse.
    """

    number: int
    made_at: str
    run_id: str
    fingerprint: str
    as_of: str
    routes: dict[str, Route]
    landing: dict[str, str]
    tables: dict[str, dict[str, Any]]
    code: str = ""
    parity_runs: dict[str, str] = field(default_factory=dict)
    references: list[dict[str, Any]] = field(default_factory=list)
    based_on: int | None = None

    def sources(self, table: str) -> Mapping[str, Mapping[str, Any]]:
        """Return the sides of a table by schema; raises OlistError for a release of a version that kept one alone."""
        sources: Mapping[str, Mapping[str, Any]] = self.tables[table].get("sources", {})
        if not sources:
            raise OlistError(
                f"Release {self.number} holds one side of each table only; `olist run --force` makes one of both."
            )
        return sources


def read_manifest(folder: Path) -> Release:
    """Return the manifest of a release's folder; raises OlistError when there is none, or it cannot be read."""
    try:
        values = json.loads((folder / MANIFEST).read_text("utf-8"))
        known = {field.name for field in fields(Release)}
        return Release(**{name: value for name, value in values.items() if name in known})
    except (OSError, ValueError, TypeError) as error:
        raise OlistError(
            f"The release in {folder} has no readable {MANIFEST} ({error}); `olist run --force` makes another one."
        ) from error


def write_manifest(folder: Path, release: Release) -> None:
    """Write a release's manifest and wait until its folder is on the disk."""
    (folder / MANIFEST).write_text(json.dumps(asdict(release), indent=2) + "\n", "utf-8")
    for name in (DATABASE, MANIFEST):
        _flush(folder / name)
    _flush(folder)


def current_release(serving: Path) -> Release | None:
    """Return the release that `current` points to; None before the first."""
    return read_manifest(serving / "current") if (serving / "current" / MANIFEST).exists() else None


def last_readable(serving: Path) -> Release | None:
    """Return the release that `current` points to, else the latest kept one whose manifest can be read."""
    for folder in (serving / "current", *(release_folder(serving, kept) for kept in reversed(kept_numbers(serving)))):
        with suppress(OlistError):
            return read_manifest(folder)
    return None


def refuse_past(serving: Path, now: datetime) -> None:
    """Raise OlistError where the clock is before the last release: later orders would be rejected."""
    release = last_readable(serving)
    if release is None:
        return
    made_at = datetime.fromisoformat(release.made_at)
    if now < made_at - CLOCK_TOLERANCE:
        raise OlistError(
            f"The clock of this machine says {now:%Y-%m-%d %H:%M} UTC, but release {release.number} was made at "
            f"{made_at:%Y-%m-%d %H:%M}; set the clock and run again."
        )


def is_sound(serving: Path, release: Release) -> bool:
    """Return whether a release's database can be opened; whether it is what it was, `olist release verify` says."""
    import duckdb  # a rollback does not wait for it

    try:
        with duckdb.connect(str(release_folder(serving, release.number) / DATABASE), read_only=True) as connection:
            found = {name for (name,) in connection.execute("SELECT view_name FROM duckdb_views()").fetchall()}
    except duckdb.Error:
        return False
    return release.tables.keys() <= found


def current_number(serving: Path) -> int | None:
    """Return the number of the release that `current` points to; None before the first."""
    try:
        return int((serving / "current").readlink().name)
    except (OSError, ValueError):
        return None


def release_folder(serving: Path, number: int) -> Path:
    """Return where release `number` lies."""
    return serving / "releases" / f"{number:05d}"


def find_release(serving: Path, number: int) -> Release:
    """Return release `number`; raises OlistError when it is not kept."""
    folder = release_folder(serving, number)
    if not (folder / DATABASE).exists():
        kept = ", ".join(str(release) for release in kept_numbers(serving)) or "none"
        raise OlistError(f"There is no release {number} in {serving / 'releases'}; kept are: {kept}.")
    return read_manifest(folder)


def kept_numbers(serving: Path) -> list[int]:
    """Return the numbers of the kept releases, oldest first."""
    return sorted(int(path.name) for path in (serving / "releases").glob("[0-9]*"))


def next_number(serving: Path) -> int:
    """Return the number of the next release."""
    return max(kept_numbers(serving), default=0) + 1


def hidden_path(serving: Path) -> Path:
    """Return where this process may build a release; what it leaves there when it is killed is removed by others."""
    return serving / "releases" / f"{_BUILDING}{os.getpid()}-{uuid.uuid4().hex}"


def new_folder(serving: Path) -> Path:
    """Return an empty hidden folder to build a release in."""
    folder = hidden_path(serving)
    folder.mkdir(parents=True)
    return folder


def put_in_place(serving: Path, folder: Path, number: int) -> None:
    """Give a finished folder its number, in one step; nobody reads it before `point_to`."""
    folder.rename(release_folder(serving, number))
    _flush(serving / "releases")


def point_to(serving: Path, number: int) -> None:
    """Let `current` point to a release, in one atomic step; raises OlistError when there is none of that number."""
    if not (release_folder(serving, number) / DATABASE).exists():
        raise OlistError(f"There is no release {number} in {serving / 'releases'}.")
    for leftover in serving.glob(".current-*"):
        leftover.unlink(missing_ok=True)
    link = serving / f".current-{uuid.uuid4().hex}"
    link.symlink_to(Path("releases") / f"{number:05d}")
    current = serving / "current"
    if current.is_dir() and not current.is_symlink():
        current.rename(serving / f"current.damaged-{uuid.uuid4().hex}")
    link.replace(current)
    _flush(serving)


def remove_unneeded(serving: Path) -> None:
    """Remove what killed builders left, and all but the last ten releases and the current one."""
    for leftover in (serving / "releases").glob(f"{_BUILDING}*"):
        if not _is_alive(leftover):
            shutil.rmtree(leftover, ignore_errors=True)
    numbers = kept_numbers(serving)
    for number in _superfluous(numbers, current_number(serving)):
        shutil.rmtree(release_folder(serving, number), ignore_errors=True)


def _superfluous(numbers: Sequence[int], current: int | None) -> list[int]:
    return [number for number in numbers[:-KEPT_RELEASES] if number != current]


def _is_alive(building: Path) -> bool:
    """Whether the process that builds in this folder lives; a folder without a process of its name is a leftover."""
    process = building.name.removeprefix(_BUILDING).partition("-")[0]
    if not process.isdigit():
        return False
    with suppress(ProcessLookupError):
        try:
            os.kill(int(process), 0)
        except PermissionError:
            return True
        return True
    return False


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
