"""Parquet parts as text: what a CSV file of the same rows would say.

What belongs here: writing them, and refusing what no cell can say. What does not: which parts a table has (`parts`).
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from olist_pipeline.errors import OlistError

_MOMENT = "%Y-%m-%d %H:%M:%S"


def write_as_text(path: Path, target: Path) -> None:
    """Write the rows of a Parquet file as landing writes them; raises OlistError for what a cell cannot say.

    Raises OSError where the system refuses to read or to write.
    """
    name = f"{path.parent.name}/{path.name}"
    try:
        rows = pl.scan_parquet(path, glob=False, hive_partitioning=False)
        _refuse_nul(name, rows)
        cells = [_as_text(name, column, kind) for column, kind in rows.collect_schema().items()]
        rows.select(cells).sink_csv(target)
        [expected, written] = [rows.select(pl.len()).collect().item(), _records(target)]
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise OlistError(f"{name} cannot be read: {str(error).splitlines()[0]}; write it again.") from error
    if expected != written:
        raise OlistError(f"{name} has {expected:,} rows, of which {written:,} could be written as text; run again.")


def _refuse_nul(name: str, rows: pl.LazyFrame) -> None:
    found = rows.select(pl.col(pl.String).str.contains("\0", literal=True).any()).collect()
    if columns := [column.name for column in found if column.any()]:
        raise OlistError(f"{name} has a NUL byte in {columns[0]}; text holds none: write it again without.")


def _as_text(name: str, column: str, kind: pl.DataType) -> pl.Expr:
    value = pl.col(column)
    if isinstance(kind, pl.Datetime):
        if kind.time_zone:
            raise OlistError(f"{name} has moments with a time zone in {column}; write them without, in local time.")
        is_whole = value.dt.truncate("1s") == value
        return pl.when(is_whole).then(value.dt.to_string(_MOMENT)).otherwise(value.cast(pl.String)).alias(column)
    if kind.is_nested() or kind in (pl.Binary, pl.Object, pl.Duration):
        raise OlistError(f"{name} has {kind} in {column}, which no cell can say; write it as text.")
    return value.cast(pl.String)


def _records(path: Path) -> int:
    return int(pl.scan_csv(path, infer_schema=False, glob=False).select(pl.len()).collect().item())
