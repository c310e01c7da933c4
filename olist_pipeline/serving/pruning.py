"""Pruning: removing the releases, and the data files, that nobody needs any more.

What belongs here: how many releases are kept, and what may go. What does not: who decides on a release (`build`,
`switch`), and how data files are named (`data_files`).

A kill half-way leaves nothing but what the next pruning removes: a release goes before the files that it alone had.
"""

from __future__ import annotations

import fcntl
import logging
import os
import struct
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from olist_pipeline.errors import OlistError
from olist_pipeline.release_manifest import DATABASE, read_manifest
from olist_pipeline.serving import data_files
from olist_pipeline.serving.release import current_number, kept_numbers, release_folder, remove, remove_abandoned

KEPT_RELEASES = 10

# The struct flock that asks whether the whole file could be locked for writing: of Linux, and of macOS and the BSDs.
if sys.platform == "linux":
    _LAYOUT, _MAY_WRITE, _KIND = "hhqqi4x", (fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0), 0
else:
    _LAYOUT, _MAY_WRITE, _KIND = "qqihh", (0, 0, 0, fcntl.F_WRLCK, os.SEEK_SET), 3

_log = logging.getLogger("olist.serving")


def remove_unneeded(serving: Path) -> None:
    """Remove what killed builders left, and all releases but the last ten, the current one and those that are read.

    Then the data files that none of the others has. Hold the lock of serving.
    """
    remove_abandoned(serving)
    for number in _superfluous(kept_numbers(serving), current_number(serving)):
        if not is_read(release_folder(serving, number) / DATABASE):
            remove(serving, number)
    _remove_unused_data(serving)


@dataclass(frozen=True)
class Size:
    """The bytes of a release on the disk: of all that it reads, and of what goes with it when it is removed."""

    total: int
    alone: int


def sizes(serving: Path) -> dict[int, Size]:
    """Return the size of each kept release that says what it reads, by its number."""
    parts = _known_parts(serving)
    users = Counter(part for used in parts.values() for part in used)
    found = {}
    for number, used in parts.items():
        with suppress(FileNotFoundError):  # somebody removes it meanwhile
            own = sum(_bytes(path) for path in release_folder(serving, number).iterdir())
            of_part = {part: _bytes(data_files.data_file(serving, part)) for part in used}
            alone = sum(size for part, size in of_part.items() if users[part] == 1)
            found[number] = Size(own + sum(of_part.values()), own + alone)
    return found


def releases_with(serving: Path, part: str) -> list[int]:
    """Return the numbers of the kept releases that say that they have a data file."""
    return [number for number, used in _known_parts(serving).items() if part in used]


def is_read(database: Path) -> bool:
    """Return whether another process has a database open: DuckDB locks it (POSIX record locks) while it does."""
    with suppress(OSError), database.open("rb") as file:
        answer = fcntl.fcntl(file, fcntl.F_GETLK, struct.pack(_LAYOUT, *_MAY_WRITE))
        return bool(struct.unpack(_LAYOUT, answer)[_KIND] != fcntl.F_UNLCK)
    return False


def _superfluous(numbers: Sequence[int], current: int | None) -> list[int]:
    return [number for number in numbers[:-KEPT_RELEASES] if number != current]


def _remove_unused_data(serving: Path) -> None:
    """Remove the data files that no kept release has; none where one of them does not say which it has.

    A standby has those of the release that it is based on, and is of no use without it.
    """
    try:
        used = {part for number in kept_numbers(serving) for part in _parts(serving, number)}
    except OlistError as error:
        _log.warning("No data file is removed: %s", error)
        return
    data_files.remove_unused(serving, used)


def _known_parts(serving: Path) -> dict[int, set[str]]:
    """Return the data files of each kept release whose manifest can be read, by its number."""
    found = {}
    for number in kept_numbers(serving):
        with suppress(OlistError):
            found[number] = _parts(serving, number)
    return found


def _parts(serving: Path, number: int) -> set[str]:
    return data_files.parts_of(read_manifest(release_folder(serving, number)))


def _bytes(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0
