"""Parquet parts as text: what a CSV file of the same rows would say.

What belongs here: writing them, and refusing what no cell can say. What does not: which parts a table has (`parts`).

A sentence names the row of the Parquet file: nobody sees the lines of the text that is made of it.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from datetime import datetime
from pathlib import Path

import polars as pl
from polars.datatypes import DataTypeClass

from olist_pipeline.dialect.dialect import CELL_BYTES, RECORD_BYTES
from olist_pipeline.dialect.pages import refuse_damage, refuse_other_kind
from olist_pipeline.errors import OlistError
from olist_pipeline.files import is_of_system
from olist_pipeline.near import listed, visible_name

_MOMENT, _TIME = "%Y-%m-%d %H:%M:%S", "%H:%M:%S%.f"
_EARLIEST, _LATEST = datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59, 999999)
"""The dates that have a year of four digits. A file may hold others, for which Polars has no text and panics."""
_LAST_NANOSECOND = 2**63 - 1
_DIGITS = 38
"""So many digits of a decimal can Polars read."""
_LONG = 4
"""A text is measured closely from this share of what is allowed on: its quotes are doubled when it is written."""

# An interval, as DuckDB writes them, is nested then: else Polars panics at a file that has one.
os.environ["POLARS_IMPORT_INTERVAL_AS_STRUCT"] = "1"
pl.Config.reload_env_vars()


def write_as_text(path: Path, target: Path, wanted: Collection[str] | None = None) -> None:
    """Write the rows of a Parquet file as landing writes them; raises OlistError for what a cell cannot say.

    Of other columns than those that are `wanted`, such ones are left out; None: all are wanted. Raises OSError where
    the system refuses to read or to write.
    """
    name = f"{path.parent.name}/{path.name}"
    refuse_other_kind(name, path)
    try:
        rows = _with_long_decimals(path, _with_late_moments(path, _scan(path)))
        kinds = rows.collect_schema()
        if wanted is not None:
            known = {column: kind for column, kind in kinds.items() if column in wanted or not _unsayable(kind)}
            kinds = pl.Schema(known or kinds)
        _refuse_names(name, kinds)
        refuse_damage(name, path, kinds)
        _refuse_long_times(name, path, rows.select(column for column, kind in kinds.items() if kind == pl.Time))
        texts = rows.select(_as_text(name, column, kind) for column, kind in kinds.items())
        _refuse_texts(name, texts, [column for column, kind in kinds.items() if _is_text(kind)])
        texts.sink_csv(target)
        [expected, written] = [rows.select(pl.len()).collect().item(), _records(target)]
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        if is_of_system(error):
            raise OSError(str(error)) from error
        raise OlistError(f"{name} cannot be read: {str(error).splitlines()[0]}; write it again.") from error
    if expected != written:
        raise OlistError(f"{name} has {expected:,} rows, of which {written:,} could be written as text; run again.")


def _scan(path: Path, schema: pl.Schema | None = None) -> pl.LazyFrame:
    cast = pl.ScanCastOptions(datetime_cast="nanosecond-downcast") if schema else None
    return pl.scan_parquet(path, glob=False, hive_partitioning=False, schema=schema, cast_options=cast)


def _with_late_moments(path: Path, rows: pl.LazyFrame) -> pl.LazyFrame:
    """Return the rows of a file, with moments beyond 1677 to 2262 as it says them.

    Spark, Hive and Impala write moments as INT96. Polars reads these as nanoseconds, and cuts each one that those do
    not reach to the last; as microseconds it reads them whole. All others keep their nanoseconds.
    """
    kinds = rows.collect_schema()
    fine = [name for name, kind in kinds.items() if kind == pl.Datetime("ns")]
    cut = [name for name in fine if rows.select(_is_last(name).any()).collect().item()]
    if not cut:
        return rows
    whole = _scan(path, pl.Schema({**kinds, **dict.fromkeys(cut, pl.Datetime("us"))}))
    beside = {name: f"{name}, whole" for name in cut}
    both = pl.concat([rows, whole.select(pl.col(name).alias(beside[name]) for name in cut)], how="horizontal")
    return both.select(_either(name, beside[name]) if name in beside else pl.col(name) for name in kinds)


def _with_long_decimals(path: Path, rows: pl.LazyFrame) -> pl.LazyFrame:
    """Return the rows of a file, with decimals of more digits than Polars has as text."""
    kinds = rows.collect_schema()
    long = [name for name, kind in kinds.items() if isinstance(kind, pl.Decimal) and kind.precision > _DIGITS]
    if not long:
        return rows
    import pyarrow.parquet as pq  # a tenth of a second, for what hardly any file has

    found: dict[str, list[str | None]] = {name: [] for name in long}
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(columns=long):
            for name in long:
                values = batch.column(name).to_pylist()
                found[name] += [None if value is None else format(value, "f") for value in values]
    texts = pl.LazyFrame(found, schema=dict.fromkeys(long, pl.String))
    return pl.concat([rows.drop(long), texts], how="horizontal").select(kinds.names())


def _either(name: str, whole: str) -> pl.Expr:
    """Return a moment of nanoseconds as text, or what is whole where that was cut."""
    exact, late = _moment_text(pl.col(name), "ns"), _moment_text(pl.col(whole), "us")
    return pl.when(_is_last(name)).then(late).otherwise(exact).alias(name)


def _is_last(name: str) -> pl.Expr:
    return pl.col(name).to_physical() == _LAST_NANOSECOND


def _refuse_names(name: str, columns: Collection[str]) -> None:
    if not columns:
        raise OlistError(f"{name} has no columns; write it again.")
    for column in columns:
        if not column.strip() or any(char in column for char in "\0\r\n"):
            raise OlistError(
                f"{name} has a column that is called {listed([column])}; give it a name, without line breaks and NULs."
            )


def _refuse_long_times(name: str, path: Path, times: pl.LazyFrame) -> None:
    """Raise OlistError for times of 24 hours, which PostgreSQL and DuckDB know: Polars reads them as missing."""
    if not (columns := times.collect_schema().names()):
        return
    import pyarrow.parquet as pq

    table, missing = pq.read_table(path, columns=columns), times.null_count().collect().row(0, named=True)
    for column in columns:
        if table[column].null_count < missing[column]:
            raise OlistError(f"{name} has times of 24 hours or more in {visible_name(column)}; write it as text.")


def _refuse_texts(name: str, texts: pl.LazyFrame, columns: Collection[str]) -> None:
    """Raise OlistError, with its row, for the first of these texts that the dialect of landing has no room for."""
    words = pl.col(columns)
    found = texts.select(
        words.str.contains("\0", literal=True).any().name.prefix("0"),
        words.str.len_bytes().max().name.prefix("1"),
        pl.sum_horizontal(words.str.len_bytes()).max().alias("record"),
    )
    suspects = found.collect().row(0, named=True) if columns else {}
    for column in columns:
        if suspects[f"0{column}"]:
            row = _first_row(texts, pl.col(column).str.contains("\0", literal=True))
            raise OlistError(
                f"{name} has a NUL byte in {visible_name(column)} of row {row}; text holds none: write it without."
            )
        is_long = (suspects[f"1{column}"] or 0) > CELL_BYTES // _LONG
        if is_long and (row := _first_row(texts, _written_bytes(column) > CELL_BYTES)):
            raise OlistError(
                f"{name} has a text of more than {CELL_BYTES:,} bytes in {visible_name(column)} of row {row}; cut it."
            )
    is_long = (suspects.get("record") or 0) > RECORD_BYTES // _LONG
    if is_long and (row := _first_row(texts, pl.sum_horizontal(map(_written_bytes, columns)) > RECORD_BYTES)):
        raise OlistError(f"{name} has texts of more than {RECORD_BYTES:,} bytes in row {row}; cut them.")


def _written_bytes(column: str) -> pl.Expr:
    """Return how many bytes a text has as a cell, with what quotes it."""
    text = pl.col(column)
    quotes = pl.when(text.str.contains('[,"\r\n]')).then(2 + text.str.count_matches('"')).otherwise(0)
    return text.str.len_bytes() + quotes


def _first_row(texts: pl.LazyFrame, condition: pl.Expr) -> int:
    """Return the number of the first row that meets a condition, 0 where none does."""
    rows = texts.select(condition.alias("met")).with_row_index("row", offset=1).filter("met").select("row").head(1)
    return int(rows.collect()["row"].sum())


def _as_text(name: str, column: str, kind: DataTypeClass | pl.DataType, value: pl.Expr | None = None) -> pl.Expr:
    """Return a column as text; `value` is what it is made of, where that is not the column as it stands."""
    value = pl.col(column) if value is None else value
    if isinstance(kind, pl.BaseExtension):
        return _as_text(name, column, kind.ext_storage(), value.ext.storage())
    if reason := _unsayable(kind):
        raise OlistError(f"{name} has {reason.format(column)}.")
    if isinstance(kind, pl.Datetime):
        return _moment_text(value, kind.time_unit).alias(column)
    if kind == pl.Date:
        dated = pl.when(value.is_between(_EARLIEST.date(), _LATEST.date())).then(value)
        return dated.cast(pl.String).fill_null(_undated(value, "days"))
    if kind == pl.Time:
        return value.dt.to_string(_TIME)
    return value.cast(pl.String)


def _unsayable(kind: DataTypeClass | pl.DataType) -> str:
    """Return why no cell can say a value of a type, and what to do, with {} for its column; '' where one can."""
    if isinstance(kind, pl.BaseExtension):
        return _unsayable(kind.ext_storage())
    if isinstance(kind, pl.Datetime) and kind.time_zone:
        return "moments with a time zone in {}; write them without, in local time"
    if kind.is_nested() or kind in (pl.Binary, pl.Object, pl.Duration):
        shown = str(kind).replace("{", "{{").replace("}", "}}")
        return f"{shown} in {{}}, which no cell can say; write it as text, or leave the column out"
    return ""


def _is_text(kind: pl.DataType) -> bool:
    return kind in (pl.String, pl.Categorical, pl.Enum) or isinstance(kind, pl.BaseExtension)


def _moment_text(moment: pl.Expr, unit: str) -> pl.Expr:
    dated = pl.when(moment.is_between(_EARLIEST, _LATEST)).then(moment)
    is_whole = dated.dt.truncate("1s") == dated
    text = pl.when(is_whole).then(dated.dt.to_string(_MOMENT)).otherwise(dated.cast(pl.String))
    return text.fill_null(_undated(moment, unit))


def _undated(value: pl.Expr, unit: str) -> pl.Expr:
    return pl.format(f"{{}} {unit} since 1970", value.to_physical())


def _records(path: Path) -> int:
    return int(pl.scan_csv(path, infer_schema=False, glob=False).select(pl.len()).collect().item())
