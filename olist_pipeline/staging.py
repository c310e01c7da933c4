"""Parquet files between the steps: intake (a file a table) and staging (a file a context, table and month).

What was too large for one unit of work has a file for each part: `2017-10.1of3.parquet`, `snapshot.1of3.parquet`.

What belongs here: layout, atomic writes and reads of these files. What does not: what is in them.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Generic, TypeVar

import polars as pl

from olist_domain.kernel.records import Record
from olist_pipeline.errors import OlistError
from olist_pipeline.files import in_words, replacing, tree_hash
from olist_pipeline.months import MONTH, month_text

RecordT = TypeVar("RecordT", bound=Record)
AcceptedT = TypeVar("AcceptedT")

WRITERS = 4
"""So many months of a table are written at a time."""

SNAPSHOT = "snapshot"
"""The file name of a table that has no months, without the part."""

_FILE = re.compile(rf"(?:((?!0000)[0-9]{{4}}-(?:0[1-9]|1[0-2]))|{SNAPSHOT})(\.[0-9]+of[0-9]+)?\.parquet")


def write_frame(frame: pl.DataFrame, path: Path) -> None:
    """Write `frame` as one Parquet file, whole or not at all; raises OlistError when the disk refuses."""
    with refused_in_words(path), replacing(path) as temporary:
        frame.write_parquet(temporary, compression="lz4")


def write_rows(rows: pl.LazyFrame, path: Path, metadata: dict[str, str] | None = None) -> None:
    """Write rows as `write_frame` does, in their order; they need not fit into memory."""
    with refused_in_words(path), replacing(path) as temporary:
        rows.sink_parquet(temporary, compression="lz4", metadata=metadata)


@contextmanager
def refused_in_words(path: Path) -> Iterator[None]:
    """Raise OlistError when the disk refuses what the block writes to `path`, whoever says it."""
    try:
        yield
    except (OSError, pl.exceptions.ComputeError) as error:
        # Polars may wrap what the disk says.
        said = error if isinstance(error, OSError) else OSError(str(error).rpartition(": ")[2])
        raise OlistError(f"{path} cannot be written: {in_words(said)}.") from error


def intake_path(intake: Path, table: str) -> Path:
    """Return the intake file of a table."""
    return intake / f"{table}.parquet"


def scan_intake(intake: Path, table: str, months: Iterable[date] | None = None) -> pl.LazyFrame:
    """Return the intake rows of a table, of all months or of some; raises OlistError before the first intake."""
    path = intake_path(intake, table)
    if not path.exists():
        raise OlistError(f"Intake of {table} is missing ({path}); materialise intake/{table} first.")
    rows = scan_files(path)
    return rows if months is None else rows.filter(pl.col(MONTH).is_in(list(months)))


def staging_path(staging: Path, context: str, table: str, month: date | None, part: str = "") -> Path:
    """Return the staging file of a table's month or of its snapshot, or of a part of it."""
    name = SNAPSHOT if month is None else month_text(month)
    return staging / context / table / f"{name}{part}.parquet"


def write_months(
    frame: pl.DataFrame, staging: Path, context: str, table: str, months: Iterable[date], part: str = ""
) -> None:
    """Write each of `months` of `frame`, months without rows included: what was there before is replaced.

    `part` is added to the names of their files; the other parts stay as they are. What is no month's goes: what the
    table left when it had none, and copies that somebody made, whose rows would count twice.
    """
    by_month = {key[0]: rows for key, rows in frame.partition_by(MONTH, as_dict=True).items()}
    empty = frame.clear()
    # Taking a file's place waits for the disk: some do while others are written.
    with ThreadPoolExecutor(WRITERS) as pool:
        written = [
            pool.submit(write_frame, by_month.get(month, empty), staging_path(staging, context, table, month, part))
            for month in months
        ]
    for one in written:
        one.result()
    for other in (staging / context / table).glob("*.parquet"):
        if _month_of(other) is None:
            other.unlink(missing_ok=True)


def staged_months(staging: Path, context: str, table: str) -> list[date]:
    """Return the months that a table has a staging file for, oldest first."""
    found = map(_month_of, staged_files(staging, context, table))
    return sorted({month for month in found if month})


def has_months(staging: Path, context: str, table: str) -> bool:
    """Return whether a table is staged by months: there is no snapshot of it, and no part of one."""
    return not any(path.name.partition(".")[0] == SNAPSHOT for path in staged_files(staging, context, table))


def staged_files(staging: Path, context: str, table: str) -> list[Path]:
    """Return the staging files of a table; what somebody laid beside them goes when the table is validated again."""
    return sorted(path for path in (staging / context / table).glob("*.parquet") if _FILE.fullmatch(path.name))


def staged_hash(staging: Path, asset: str) -> str:
    """Return a hash of the names and contents of all staging files of `context/table`."""
    return tree_hash(staging / asset, suffixes=(".parquet",))


def month_files(staging: Path, context: str, table: str, month: date) -> list[Path]:
    """Return the staging files of a table's month: one, or one for each part that it was cut into."""
    return [path for path in staged_files(staging, context, table) if _month_of(path) == month]


def _month_of(path: Path) -> date | None:
    """Return the month that a staging file is of, or a part of; None for any other file."""
    named = _FILE.fullmatch(path.name)
    return date.fromisoformat(f"{named[1]}-01") if named and named[1] else None


def write_snapshot(frame: pl.DataFrame, staging: Path, context: str, table: str) -> None:
    """Write the whole of a table that has no months, in place of what was there before, months too."""
    path = staging_path(staging, context, table, None)
    write_frame(frame, path)
    _remove_all_but([path])


def take_place(parts: Sequence[Path], staging: Path, context: str, table: str) -> None:
    """Let files, the parts of a table without months, take the place of all that was there before.

    A crash in the middle leaves rows out, which is seen; it leaves none twice.
    """
    paths = [staging / context / table / path.name for path in parts]
    paths[0].parent.mkdir(parents=True, exist_ok=True)
    _remove_all_but(paths)
    for part, path in zip(parts, paths, strict=True):
        part.replace(path)


def _remove_all_but(paths: Sequence[Path]) -> None:
    for other in paths[0].parent.glob("*.parquet"):
        if other not in paths:
            other.unlink(missing_ok=True)


def is_staged(staging: Path, context: str, table: str) -> bool:
    """Return whether a table has any staging file."""
    return bool(staged_files(staging, context, table))


def scan_staging(staging: Path, context: str, table: str, months: Iterable[date] | None = None) -> pl.LazyFrame:
    """Return the accepted rows of a table, of some months or all; raises OlistError before their validation.

    A table without months is returned whole, whatever `months` says.
    """
    if not (found := staged_files(staging, context, table)):
        folder = staging / context / table
        raise OlistError(f"Staging of {context}/{table} is empty ({folder}); materialise {context}/{table} first.")
    if months is None or not has_months(staging, context, table):
        return scan_files(found)
    paths = {month: month_files(staging, context, table, month) for month in months}
    for month, files in paths.items():
        if not files:
            raise OlistError(
                f"Staging of {context}/{table} has no {month_text(month)}; materialise that month of it first."
            )
    return scan_files([path for files in paths.values() for path in files])


def scan_files(paths: Path | list[Path]) -> pl.LazyFrame:
    """Return the rows of Parquet files, whose paths are no patterns and hold no columns (`a=b`)."""
    return pl.scan_parquet(paths, glob=False, hive_partitioning=False)


class Staged(Generic[AcceptedT]):
    """What is accepted in a staging folder, as a context's port asks for it.

    What is added is kept in memory, in front of staging: a unit of work that ends with the object.
    """

    def __init__(self, staging: Path) -> None:
        self._staging = staging
        self._added: dict[Hashable, AcceptedT] = {}


def find_records(staging: Path, asset: str, record: type[RecordT], **wanted: Sequence[object]) -> list[RecordT]:
    """Return the accepted rows of `context/table` whose column has one of the values, as records.

    `wanted` is one column with its values, e.g. `ride_id=["r1"]`. Raises OlistError before the validation.
    """
    [(column, values)] = wanted.items()
    known = [value for value in values if value is not None]
    if not known:
        return []
    context, _, table = asset.partition("/")
    rows = scan_staging(staging, context, table).filter(pl.col(column).is_in(known)).select(*record.model_fields)
    return [record.model_validate(row) for row in rows.collect().iter_rows(named=True)]
