"""The bytes of a Parquet file: whether it is one, and whether its pages are the bytes that were written.

What belongs here: what no reader of ours sees by itself, or says so that a person can mend it. What does not: what the
rows say (`landing.parquet_text`, `tablediff.files`).
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from olist_pipeline.errors import OlistError

if TYPE_CHECKING:
    import pyarrow.parquet as pq

_MARK, _ENCRYPTED = b"PAR1", b"PARE"
"""What a Parquet file begins and ends with."""


def refuse_other_kind(name: str, path: Path) -> None:
    """Raise OlistError for a file that its name alone calls Parquet, or that is not whole; OSError as the system."""
    with path.open("rb") as file:
        first = file.read(len(_MARK))
        file.seek(-len(first), os.SEEK_END)
        last = file.read()
    if last != first or first != _MARK:
        found = {_MARK: "its end is missing; fetch it again", _ENCRYPTED: "it is encrypted; write it without a key"}
        other = "it is no Parquet file; give it the ending of what it is, or write it again"
        raise OlistError(f"{name} cannot be read as Parquet: {found.get(first, other)}.")


def refuse_damage(name: str, path: Path, columns: Collection[str] | None = None) -> None:
    """Raise OlistError for a file that cannot be read to its end, or has a page that is not that of its checksum.

    Neither Polars nor DuckDB asks for checksums, which Spark and Hive write, and Polars prints what it stumbles over.
    columns: those that are read, all where None. Raises OSError where the system refuses to read.
    """
    import pyarrow as pa  # a tenth of a second, for those who have such files
    import pyarrow.parquet as pq

    # What Arrow has no type for, or takes for inconsistent, others may read: a missing ARRAY of DuckDB's.
    beyond_arrow = pa.ArrowNotImplementedError, pa.ArrowInvalid
    try:
        with suppress(*beyond_arrow), pq.ParquetFile(path, page_checksum_verification=True) as file:
            wanted = file.schema_arrow.names if columns is None else list(columns)
            try:
                _read(file, wanted)
            except beyond_arrow:
                for column in wanted:
                    with suppress(*beyond_arrow):
                        _read(file, [column])
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno:
            raise
        raise OlistError(f"{name} cannot be read: {str(error).splitlines()[0].rstrip('.')}; write it again.") from error


def _read(file: pq.ParquetFile, columns: Sequence[str]) -> None:
    deque(file.iter_batches(columns=list(columns)), maxlen=0)
