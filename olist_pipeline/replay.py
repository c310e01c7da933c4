"""Replay's landing: the landing files written anew, of the rows alone that validation accepted.

What belongs here: which file has which rows, and writing them in landing's dialect with the very text of each cell.
What does not: running the old project on them (`orchestration`), and keeping it from others (`migration.barrier`).

A file that a context has taken over is written of its accepted rows. One that the old project needs beside these
(`landing.files` of the migration file), which nobody validates yet, is copied. There is no other file, so a model that
reads one finds nothing. What landed in parts is in such parts here, too.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import polars as pl

from olist_pipeline.errors import OlistError
from olist_pipeline.files import content_hash, replacing, tree_hash
from olist_pipeline.landing.csv_file import SOURCE_ROW, read_records, windows_of
from olist_pipeline.landing.folder import files_of, has_landed, landing_hash, readable_landing
from olist_pipeline.landing.packed import changed_meanwhile
from olist_pipeline.landing.parts import folder_name, is_in_parts, remove_parts
from olist_pipeline.landing.table import Landed, LandingTable, OtherFile
from olist_pipeline.migration.model import Migration
from olist_pipeline.registry import LANDING, unvalidated
from olist_pipeline.settings import Settings
from olist_pipeline.staging import is_staged, scan_staging, staged_hash

STAMPS = "replay_landing.json"
"""The file beside the folder that says what each file was made of, and its content: one that would be the same, and is
whole, is not written again."""


class Stamp(NamedTuple):
    """What a file was made of, the hash of its content, and its rows."""

    made_of: str
    content: str
    rows: int


def write_replay_landing(settings: Settings, migration: Migration) -> dict[str, int]:
    """Write the landing folder of replay; return the accepted rows of each file that a context has taken over.

    Files of contexts that were never validated are left out. Raises OlistError for a landing file that is not there.
    """
    folder = settings.replay_landing
    folder.mkdir(parents=True, exist_ok=True)
    stamps = _stamps(settings.home / STAMPS)
    made = {
        table.file: _written(settings, folder, table, stamps)
        for table in LANDING.values()
        if is_staged(settings.staging, table.context, table.name)
    }
    others = unvalidated(migration)
    for one in others:
        _copy(settings, folder, one)
    kept = {folder / file for file in (*made, *(one.file for one in others))}
    kept |= {path.with_name(path.name.removesuffix(".csv")) for path in kept}
    for path in folder.rglob("*"):
        if not path.is_dir() and kept.isdisjoint((path, path.parent)):
            path.unlink()
    with replacing(settings.home / STAMPS) as temporary:
        temporary.write_text(json.dumps(made), "utf-8")
    return {file: stamp.rows for file, stamp in made.items()}


def _written(settings: Settings, folder: Path, table: LandingTable, stamps: Mapping[str, Stamp]) -> Stamp:
    """Write the accepted rows of a table's file, where it is not there and whole; return its stamp."""
    landing = readable_landing(settings, [table])
    hash_read = landing_hash(landing, table)
    made_of = f"{hash_read}:{staged_hash(settings.staging, table.asset)}"
    place, before = _place(landing, folder, table), stamps.get(table.file)
    if before and before.made_of == made_of and _content(place) == before.content:
        return before
    _make_room(folder, table)
    accepted = scan_staging(settings.staging, table.context, table.name).select(SOURCE_ROW).collect().to_series()
    rows = _write(landing, table, accepted.sort(), place)
    if landing_hash(landing, table) != hash_read:
        raise changed_meanwhile(table.file)
    if rows != len(accepted):
        raise OlistError(
            f"{table.file} has changed since its rows were accepted: {len(accepted):,} were, and {rows:,} of them "
            "are found; `olist run --force` validates them again."
        )
    return Stamp(made_of, _content(place), rows)


def _place(landing: Path, folder: Path, one: Landed) -> Path:
    """Return where a table is written anew: a file, or a folder of parts, as it landed."""
    return folder / (folder_name(one) if is_in_parts(landing, one) else one.file)


def _content(place: Path) -> str:
    """Return the hash of what is written anew; nothing where it is not there."""
    if place.is_dir():
        return tree_hash(place, suffixes=(".csv",))
    return content_hash(place) if place.is_file() else ""


def _make_room(folder: Path, one: Landed) -> None:
    """Remove what was written of a table: it may be in parts now, or in others, or in none."""
    remove_parts(folder / folder_name(one))
    (folder / one.file).unlink(missing_ok=True)


def _write(landing: Path, table: LandingTable, accepted: pl.Series, place: Path) -> int:
    """Write the accepted records of a table's file, or of its parts, which intake numbers through; return how many.

    `accepted` is sorted. A large file is read and written window by window.
    """
    rows = offset = 0
    for file in files_of(landing, table):
        path = place / file.name if is_in_parts(landing, table) else place
        with replacing(path) as temporary, temporary.open("wb") as written:
            for window in windows_of(file, table):
                records, numbers, count = read_records(file, table, window)
                found = records.filter(_among(numbers + offset, accepted))
                found.write_csv(written, include_header=not written.tell())
                rows += found.height
        offset += count
    return rows


def _among(numbers: pl.Series, accepted: pl.Series) -> pl.Series:
    """Return which of some numbers are among those in a long sorted series; both ascend."""
    if numbers.is_empty():
        return numbers.cast(pl.Boolean)
    ends = accepted.search_sorted(pl.Series([numbers[0], numbers[-1] + 1]))
    return numbers.is_in(accepted[ends[0] : ends[1]].implode())


def _copy(settings: Settings, folder: Path, one: OtherFile) -> None:
    landing = readable_landing(settings, [one])
    if not has_landed(landing, one):
        raise OlistError(f"{one.file}, which the old project reads, is missing in {settings.landing}; put it there.")
    place = _place(landing, folder, one)
    _make_room(folder, one)
    for source in files_of(landing, one):
        with replacing(place / source.name if is_in_parts(landing, one) else place) as temporary:
            shutil.copyfile(source, temporary)


def _stamps(path: Path) -> dict[str, Stamp]:
    with suppress(OSError, ValueError, TypeError, AttributeError):
        return {file: Stamp(*fields) for file, fields in json.loads(path.read_text("utf-8")).items()}
    return {}
