"""Parts: a landing table that is a folder of files, to which every delivery adds one.

What belongs here: which files of such a folder are parts, their order, and making plain CSV files of packed ones and of
Parquet. What does not: reading records (`csv_file`), and keeping what was read (`intake.parts`).

    landing/rides/2018-10-16.csv            parts, in the order of their names without the ending
    landing/rides/2018-10-17.csv.gz
    landing/rides/2018-10-18.parquet

All readers take them from a folder below the project's home: links to the plain ones, the others unpacked.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
from contextlib import suppress
from functools import partial
from pathlib import Path

from olist_pipeline.errors import OlistError
from olist_pipeline.files import beside, content_hash, reading, size_and_time
from olist_pipeline.landing.packed import Packed, called, unpack
from olist_pipeline.landing.table import Landed, LandingTable
from olist_pipeline.near import visible_name
from olist_pipeline.paths import forbidden_in

KEPT = ".kept"
"""The folder beside the parts for what is known of them."""
ENDINGS = (".csv", ".csv.gz", ".parquet")
NAME_BYTES = 200
"""The longest name of a part: what is kept of it, and written aside at first, is named after it."""
HEADER_BYTES = 1 << 20
"""So much of a part's first line is compared: a longer one is refused by its reader."""


def folder_name(table: Landed) -> str:
    """Return the name of the folder that may stand in landing in the place of a table's file."""
    return table.file.removesuffix(".csv")


def is_in_parts(landing: Path, table: Landed) -> bool:
    """Return whether a table is a folder of parts."""
    return (landing / folder_name(table)).is_dir()


def landed_parts(landing: Path, table: Landed) -> dict[str, Path]:
    """Return the parts of a table as they landed, by their names without the ending, in their order.

    Hidden files are none, nor are the marks that Spark leaves (`_SUCCESS`). Raises OlistError for a folder without
    parts, for what is no part, for a part that is there in two forms, for one whose name not every reader can open, and
    where the plain file is there, too.
    """
    folder = landing / folder_name(table)
    for other in (table.file, f"{table.file}.gz"):
        if (landing / other).exists():
            raise OlistError(f"{landing} has the file {other} and the folder {folder.name} of its parts; keep one.")
    found: dict[str, Path] = {}
    for path in sorted(path for path in folder.iterdir() if not _is_mark(path)):
        if forbidden_in(path.name) or len(os.fsencode(path.name)) > NAME_BYTES:
            raise OlistError(
                f"{folder.name} has the part {path.name!r}, which not every reader could open: give it a name in UTF-8 "
                f"of at most {NAME_BYTES} bytes, without backslashes and control characters."
            )
        if path.is_dir():
            remedy = "put its files beside the other parts, and move it away"
            if path.name.startswith("_"):
                remedy = "where a program is still writing parts, wait for its end, else move it away"
            raise OlistError(f"{folder.name}/{path.name} is a folder; {remedy}.")
        if found_instead := no_file(path):
            raise OlistError(f"{folder.name}/{path.name} {found_instead}.")
        ending = _ending_of(path)
        if ending is None:
            raise OlistError(
                f"{visible_name(f'{folder.name}/{path.name}')} is no part of {table.name}: parts are files that end in "
                f"{', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}; give it its ending, or move it away."
            )
        name = path.name.removesuffix(ending)
        if name in found:
            raise OlistError(f"{folder.name} has the part {name} as {found[name].name} and as {path.name}; keep one.")
        found[name] = path
    if not found:
        raise OlistError(f"{folder.name} in {landing} has no parts; put the files there and run again.")
    return dict(sorted(found.items()))


def no_file(path: Path) -> str:
    """Return what stands in the place of a file, and what to do; nothing where a file does, or nothing at all."""
    if path.is_file():
        return ""
    if path.is_dir():
        return "is a folder; put the file in its place and run again"
    if path.is_symlink() and not path.exists():
        return f"links to {path.readlink()}, which is not there; mend the link"
    return "is a pipe or a device; put a file in its place and run again" if path.exists() else ""


def _is_mark(path: Path) -> bool:
    """Return whether a name is hidden, or is of a file that programs leave beside parts, as Hive and Spark name it."""
    return path.name.startswith(".") or (path.name.startswith("_") and not _ending_of(path) and path.is_file())


def _ending_of(path: Path) -> str | None:
    return next((ending for ending in reversed(ENDINGS) if path.name.endswith(ending)), None)


def prepare_parts(landing: Path, folder: Path, table: Landed) -> None:
    """Make `folder` the parts of a table as plain CSV files, and nothing else; what is there as it was stays.

    Raises OlistError for a part that cannot be unpacked, and for parts whose headers differ.
    """
    landed = landed_parts(landing, table)
    folder.mkdir(parents=True, exist_ok=True)
    for stale in folder.glob("[!.]*.csv*"):  # hidden ones are what another process is unpacking
        if stale.name.removesuffix(".json").removesuffix(".csv") not in landed:
            stale.unlink(missing_ok=True)
    for name, path in landed.items():
        _prepare(path, folder / f"{name}.csv", table)
    first, *others = parts = [folder / f"{name}.csv" for name in landed]
    for part in parts:
        if not part.stat().st_size:
            raise OlistError(
                f"{called(part)} is empty; take it away where it has no rows, else replace it with the complete file."
            )
    expected = _header(first)
    for part in others:
        if (header := _header(part)) != expected:
            _refuse_foreign(first, part)
            raise OlistError(
                f"{called(part)} has the header {_shortened(header)}, and {landed[first.stem].name} has "
                f"{_shortened(expected)}; all parts must have the same columns in the same order."
            )


def _refuse_foreign(*parts: Path) -> None:
    """Raise OlistError for a part that is no CSV file at all: that has no header to speak of."""
    from olist_pipeline.dialect.check import check  # arrays, which commands that only ask do not wait for

    for part in parts:
        check(part, name=called(part))


def plain_parts(folder: Path) -> list[Path]:
    """Return the parts in a prepared folder, in their order."""
    return sorted(folder.glob("*.csv"), key=lambda path: path.stem)


def part_hash(path: Path) -> str:
    """Return the content hash of a part in a prepared folder; the same state of a file is read once.

    Raises OlistError where it cannot be read: it may have been taken away meanwhile.
    """
    known = path.parent / KEPT / f"{path.stem}.json"
    with reading(called(path)):
        state = size_and_time(path)
        with suppress(OSError, ValueError, TypeError, KeyError):
            said = json.loads(known.read_text("utf-8"))
            if said["state"] == state:
                return str(said["hash"])
        found = content_hash(path)
    with beside(known) as temporary:
        temporary.write_text(json.dumps({"state": state, "hash": found}), "utf-8")
    return found


def remove_parts(folder: Path) -> None:
    """Remove a prepared folder of a table that has no parts any more."""
    if folder.is_dir():
        shutil.rmtree(folder, ignore_errors=True)


def _prepare(path: Path, target: Path, table: Landed) -> None:
    """Make a plain file of a part: a link to one that is plain, else what is in it, once for each state of it."""
    if path.name.endswith(".csv"):
        if not target.is_symlink() or target.readlink() != path:
            with beside(target) as link:
                link.symlink_to(path)
        return
    if target.is_symlink():
        target.unlink()
    if not path.name.endswith(".parquet"):
        unpack(Packed.of(path), target)
        return
    # Frames, for those who have such parts.
    from olist_pipeline.landing.parquet_text import write_as_text
    from olist_pipeline.migration.code import own_python_hash

    # What no context has taken over is read by whoever wants any column of it.
    wanted = tuple(table.headers.values()) if isinstance(table, LandingTable) else None
    code = f"{own_python_hash()} {wanted}"
    unpack(Packed.of(path, code=code), target, partial(write_as_text, wanted=wanted))


def _header(path: Path) -> list[str]:
    """Return the names in the first line; whether the file can be read at all is not said here."""
    # What the system says names the file that landed.
    plain = path.readlink() if path.is_symlink() else path
    with plain.open(encoding="utf-8-sig", errors="replace", newline="") as file, suppress(csv.Error):
        return next(csv.reader([file.readline(HEADER_BYTES)]), [])
    return []


def _shortened(header: list[str]) -> str:
    text = ",".join(header)
    return repr(text if len(text) <= 400 else f"{text[:400]}...")
