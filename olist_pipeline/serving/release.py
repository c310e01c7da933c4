"""Releases: immutable, numbered databases over shared data files, of which `current` points to one.

What belongs here: where a release lies, and pointing to it. What does not: what it says of itself (`release_manifest`),
what is in its database (see `build` and `compose`), whether it may be published (see `gate`), and how many are kept
(`pruning`).

    serving/releases/00007/serving.duckdb   schema main: what dashboards read; old and new: what main shows, views of
                                            data files; about: what is said of the migration
    serving/releases/00007/manifest.json    what it was made of
    serving/current -> releases/00007
    serving/data/<digest>.parquet           rows, see `data_files`

A release that is being made has a hidden folder beside them, and a lock, until it gets its number.

A reader that has opened `current/serving.duckdb` keeps its release for as long as it holds the file open: no release
that somebody reads is removed.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path

from olist_pipeline.errors import OlistError
from olist_pipeline.file_locks import lock_file
from olist_pipeline.files import flush, in_words
from olist_pipeline.release_manifest import DATABASE, MANIFEST, Release, read_manifest

CLOCK_TOLERANCE = timedelta(hours=1)
"""The clocks of machines that take turns need not agree better than that."""
_BUILDING = ".building-"


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
            f"{made_at:%Y-%m-%d %H:%M}; set the clock and run again. If it is right, and was ahead then, write the "
            f"right time as `made_at` into {release_folder(serving, release.number) / MANIFEST}."
        )


def is_intact(serving: Path, release: Release) -> bool:
    """Return whether a release's database can be opened and its data files are there.

    Whether it is what it was, `olist release verify` says.
    """
    import duckdb  # a rollback does not wait for it

    from olist_pipeline.serving.data_files import data_file, parts_of

    if not all(data_file(serving, part).is_file() for part in parts_of(release)):
        return False
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
    """Return the numbers of the kept releases, oldest first; a folder of another name is somebody's own."""
    return sorted(int(path.name) for path in (serving / "releases").glob("[0-9]*") if path.name.isdecimal())


def next_number(serving: Path) -> int:
    """Return the number of the next release."""
    return max(kept_numbers(serving), default=0) + 1


@contextmanager
def building(serving: Path) -> Iterator[Path]:
    """Yield where a hidden folder may be made to build a release in; what is left there afterwards is removed.

    Nobody else removes it before: its lock is held, beside it, and goes with this process. Raises OlistError where
    nothing can be written.
    """
    folder = serving / "releases" / f"{_BUILDING}{uuid.uuid4().hex}"
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        lock = lock_file(_lock_of(folder), seconds=None)
    except OSError as error:
        raise OlistError(f"No release can be written in {serving}: {in_words(error)}.") from error
    with lock:
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            _lock_of(folder).unlink(missing_ok=True)


def put_in_place(serving: Path, folder: Path, number: int) -> None:
    """Give a finished folder its number, in one step; nobody reads it before `point_to`."""
    folder.rename(release_folder(serving, number))
    flush(serving / "releases")


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
    flush(serving)


def remove(serving: Path, number: int) -> None:
    """Remove a release: who looks at this moment, or after a kill, sees all of it or nothing."""
    folder = release_folder(serving, number)
    aside = folder.with_name(f"{_BUILDING}{uuid.uuid4().hex}")
    with suppress(OSError):  # a lower layer of an overlay gives no folder away
        folder.rename(aside)
    for left in (aside, folder):
        shutil.rmtree(left, ignore_errors=True)


def remove_abandoned(serving: Path) -> None:
    """Remove what killed builders left, and what a killed `remove` did."""
    for folder in {leftover.with_suffix("") for leftover in (serving / "releases").glob(f"{_BUILDING}*")}:
        with suppress(OSError), lock_file(_lock_of(folder)):
            shutil.rmtree(folder, ignore_errors=True)
            _lock_of(folder).unlink(missing_ok=True)


def _lock_of(folder: Path) -> Path:
    return folder.with_suffix(".lock")
