"""Inspection: what is in a folder of landing files, without running anything.

What belongs here: one report a file. What does not: judging rows (intake does).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from olist_pipeline.dialect.check import check
from olist_pipeline.errors import OlistError
from olist_pipeline.landing.catalogue import LandingTable
from olist_pipeline.landing.csv_file import read_text
from olist_pipeline.landing.folder import path_of, readable_landing, unread_form
from olist_pipeline.landing.packed import packed_form
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

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON-ready values."""
        return asdict(self)


def inspect_landing(settings: Settings, tables: Iterable[LandingTable]) -> list[FileReport]:
    """Return a report on the landing file of each of `tables`; raises OlistError when landing is no folder."""
    folder = settings.landing
    if not folder.is_dir():
        kind = "is a file" if folder.is_file() else "does not exist"
        raise OlistError(f"{folder} {kind}; name the folder that holds the CSV files.")
    return [_inspect(settings, table) for table in tables]


def _inspect(settings: Settings, table: LandingTable) -> FileReport:
    folder = settings.landing
    try:
        path = path_of(readable_landing(settings, [table]), table)
        text, report = read_text(path, table), check(path)
    except OlistError as error:
        size = (folder / table.file).stat().st_size if (folder / table.file).is_file() else None
        return FileReport(table.file, None, size, (), "", str(error), "")
    packed = packed_form(folder, table.file) if path.parent != folder else None
    remarks = [
        f"{text.malformed.height} malformed records" if text.malformed.height else "",
        f"{len(report.empty_lines)} empty lines" if len(report.empty_lines) else "",
        f"unpacked from {packed.path.name}" if packed else "",
        f"{unread} beside it is not read" if (unread := unread_form(folder, table)) else "",
        f"unexpected columns: {', '.join(text.extra)}" if text.extra else "",
    ]
    return FileReport(
        file=table.file,
        rows=text.rows.height + text.malformed.height,
        bytes=path.stat().st_size,
        columns=(*table.columns, *text.extra),
        encoding="UTF-8 with BOM" if report.has_bom else "UTF-8",
        problem="",
        remark="; ".join(remark for remark in remarks if remark),
    )
