"""Inspection: what is in a folder of landing files, without running anything.

What belongs here: one report a table. What does not: validating rows (intake does).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from olist_pipeline.errors import OlistError
from olist_pipeline.files import reading
from olist_pipeline.landing.csv_file import check_file, read_text, windows_of
from olist_pipeline.landing.folder import files_of, readable_landing, unread_form
from olist_pipeline.landing.packed import packed_form
from olist_pipeline.landing.parts import folder_name, is_in_parts
from olist_pipeline.landing.table import LandingTable
from olist_pipeline.near import listed
from olist_pipeline.settings import Settings


@dataclass(frozen=True)
class FileReport:
    """What a file is: `problem` says why it cannot be used, `remark` what is unusual about it."""

    file: str
    rows: int | None
    bytes: int | None
    columns: tuple[str, ...]
    encoding: str
    problem: str
    remark: str


def inspect_landing(settings: Settings, tables: Iterable[LandingTable]) -> list[FileReport]:
    """Return a report on the landing file of each of `tables`; raises OlistError when landing is no folder."""
    folder = settings.landing
    with reading(f"Landing {folder}"):
        if not folder.is_dir():
            kind = "is a file" if folder.is_file() else "does not exist"
            raise OlistError(f"{folder} {kind}; name the folder that holds the CSV files.")
    return [_inspect(settings, table) for table in tables]


def _inspect(settings: Settings, table: LandingTable) -> FileReport:
    path, is_parts, size = settings.landing / table.file, False, None
    try:
        with reading(f"Landing {settings.landing}"):
            is_parts = is_in_parts(settings.landing, table)
            size = path.stat().st_size if path.is_file() else None
            return _report(settings, table)
    except OlistError as error:
        name = f"{folder_name(table)}/" if is_parts else table.file
        return FileReport(name, None, size, (), "", str(error), "")


def _report(settings: Settings, table: LandingTable) -> FileReport:
    folder = settings.landing
    in_parts = is_in_parts(folder, table)
    files = files_of(readable_landing(settings, [table]), table)
    reports, extras = zip(*(check_file(path, table) for path in files), strict=True)
    counts = [_counts(path, table, window) for path in files for window in windows_of(path, table)]
    rows, malformed = map(sum, zip(*counts, strict=True))
    packed = packed_form(folder, table.file) if files[0].parent != folder and not in_parts else None
    empty = sum(len(report.empty_lines) for report in reports)
    counted = ((len(files) * in_parts, "part"), (malformed, "malformed record"), (empty, "empty line"))
    remarks = [
        *(f"{count} {what}{'s' * (count != 1)}" for count, what in counted if count),
        f"unpacked from {packed.path.name}" if packed else "",
        f"{unread} beside it is not read" if (unread := unread_form(folder, table)) else "",
        f"unexpected columns: {listed(extras[0])}" if extras[0] else "",
    ]
    return FileReport(
        file=f"{folder_name(table)}/" if in_parts else table.file,
        rows=malformed + rows,
        bytes=sum(path.stat().st_size for path in files),
        columns=(*table.headers.values(), *extras[0]),
        encoding="UTF-8 with BOM" if any(report.has_bom for report in reports) else "UTF-8",
        problem="",
        remark="; ".join(remark for remark in remarks if remark),
    )


def _counts(path: Path, table: LandingTable, window: int) -> tuple[int, int]:
    """Return how many records of a window have the right length, and how many are malformed."""
    text = read_text(path, table, window)
    return text.rows.height, text.malformed.height
