"""The landing folder: where the file of a table is, and what stands there instead of one that is missing.

What belongs here: names and places of landing files. What does not: their contents.

All readers read one folder: landing itself, or, where files of it are packed or in parts, a folder below the project's
home with those unpacked and links to the others.
"""

from __future__ import annotations

import hashlib
import os
import unicodedata
from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from olist_pipeline.errors import OlistError
from olist_pipeline.files import beside, content_hash, reading, size_and_time
from olist_pipeline.landing.packed import packed_form, unpack
from olist_pipeline.landing.parts import (
    folder_name,
    is_in_parts,
    landed_parts,
    no_file,
    part_hash,
    plain_parts,
    prepare_parts,
    remove_parts,
)
from olist_pipeline.landing.table import Landed
from olist_pipeline.near import visible_name
from olist_pipeline.settings import Settings

WORKBOOKS = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")


def path_of(landing: Path, table: Landed) -> Path:
    """Return the path of a table's plain file; raises OlistError when landing or the file is not there.

    The sentence names what seems to be the file under another name.
    """
    if landing.is_file():
        raise OlistError(f"Landing {landing} is a file; set OLIST_DATA_DIR to the folder that holds the CSV files.")
    if not landing.is_dir():
        raise OlistError(f"Landing folder {landing} does not exist; create it or set OLIST_DATA_DIR to another.")
    path = landing / table.file
    if path.is_file():
        return path
    if path.is_dir():
        raise OlistError(
            f"{table.file} in {landing} is a folder; call it {folder_name(table)} where it holds parts of the table, "
            "else put the file in its place."
        )
    if found := no_file(path):
        raise OlistError(f"{table.file} in {landing} {found}.")
    raise OlistError(f"{table.file} is missing in {landing}; {_remedy(landing, table.file)}.")


def has_landed(landing: Path, table: Landed) -> bool:
    """Whether a readable landing has a table: its plain file, or a folder of parts."""
    return (landing / table.file).is_file() or is_in_parts(landing, table)


def files_of(landing: Path, table: Landed) -> tuple[Path, ...]:
    """Return the paths of a table's plain file, or of its parts in their order, in a readable landing.

    Raises OlistError where there is neither.
    """
    if is_in_parts(landing, table):
        return tuple(plain_parts(landing / folder_name(table)))
    return (path_of(landing, table),)


def landing_hash(landing: Path, table: Landed) -> str:
    """Return the hash of the content of a table, and of the names of its parts; raises OlistError where it has none."""
    if not is_in_parts(landing, table):
        path = path_of(landing, table)
        with reading(path.name):
            return _content_hash(path, tuple(size_and_time(path)))
    parts = [(path.stem, part_hash(path)) for path in files_of(landing, table)]
    return hashlib.blake2b(repr(parts).encode(), digest_size=16).hexdigest()


@lru_cache(maxsize=64)
def _content_hash(path: Path, state: tuple[int, ...]) -> str:
    """Return the hash of one state of a file: all steps of a run ask for it."""
    return content_hash(path)


def readable_landing(settings: Settings, tables: Iterable[Landed]) -> Path:
    """Return the folder in which all files of `tables` that landing has can be read plain.

    Raises OlistError for a packed file that cannot be unpacked, for parts that do not belong together, and for what the
    system refuses.
    """
    with reading(f"Landing {settings.landing}"):
        return _readable(settings, tuple(tables))


def _readable(settings: Settings, known: tuple[Landed, ...]) -> Path:
    landing = settings.landing
    if not landing.is_dir():
        return landing
    in_parts = [table for table in known if is_in_parts(landing, table)]
    missing = [table.file for table in known if table not in in_parts and not (landing / table.file).exists()]
    packed = {file: form for file in missing if (form := packed_form(landing, file))}
    if not packed and not in_parts:
        return landing
    folder = settings.unpacked / hashlib.blake2b(os.fsencode(landing), digest_size=6).hexdigest()
    folder.mkdir(parents=True, exist_ok=True)
    for table in known:
        if table in in_parts:
            (folder / table.file).unlink(missing_ok=True)
            prepare_parts(landing, folder / folder_name(table), table)
            continue
        remove_parts(folder / folder_name(table))
        if table.file not in packed:
            _link(folder / table.file, landing / table.file)
    for file, form in packed.items():
        unpack(form, folder / file)
    return folder


def state_of(landing: Path, table: Landed) -> list[Any] | None:
    """Return size and time of change of a table's file, or of what it is packed in, or of each part by its name.

    None where there is nothing.
    """
    try:
        if is_in_parts(landing, table):
            return [[path.name, *size_and_time(path)] for path in landed_parts(landing, table).values()]
        path = landing / table.file
        if path.is_file():
            return size_and_time(path)
        packed = packed_form(landing, table.file) if landing.is_dir() else None
    except (OSError, OlistError):
        return None
    return size_and_time(packed.path) if packed else None


def unread_form(landing: Path, table: Landed) -> str:
    """Return the name of a packed form that is not read, because the plain file is there, too; else nothing."""
    try:
        packed = packed_form(landing, table.file) if (landing / table.file).is_file() else None
    except (OSError, OlistError):
        return ""
    return packed.path.name if packed else ""


def _link(link: Path, file: Path) -> None:
    """Make a link to a plain file, or remove what is left of one that is there no more."""
    link.parent.mkdir(parents=True, exist_ok=True)
    if not file.exists():
        link.unlink(missing_ok=True)
    elif not link.is_symlink() or link.readlink() != file:
        with beside(link) as made:
            made.symlink_to(file)


def _remedy(landing: Path, file: str) -> str:
    """Say what to do about a missing file, naming what seems to be it: under another name, or one folder deeper."""
    entries = sorted(landing.iterdir())
    stem = _letters(file.removesuffix(".csv"))
    if similar := [path for path in entries if stem in _letters(path.name) and not path.name.startswith(".")]:
        first, shown = similar[0], [visible_name(path.name) for path in similar[:3]]
        if not first.is_dir() and (found := no_file(first)):
            return f"{shown[0]} {found}"
        if first.name.lower().endswith(WORKBOOKS):
            return f"there is {shown[0]}: save its table as {file}"
        if first.name.endswith(".parquet"):
            return f"there is {shown[0]}: put it into the folder {file.removesuffix('.csv')}, as a part"
        return f"there is {' and '.join(shown)}: rename it, or unpack it, and run again"
    if folders := [path for path in entries if _holds(path, file)]:
        return f"it is in {folders[0]}: set OLIST_DATA_DIR to that folder, or move the files"
    return "put the file there and run again"


def _holds(folder: Path, file: str) -> bool:
    with suppress(OSError):  # what the system refuses to look at
        return (folder / file).is_file()
    return False


def _letters(name: str) -> str:
    """Return a name's letters and digits, whatever their case and form."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", name).casefold()))
