"""The pages of a Parquet file: whether they are the bytes that were written.

What belongs here: damage that no reader of ours sees by itself. What does not: what the rows say
(`landing.parquet_text`, `tablediff.files`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from pathlib import Path

from olist_pipeline.errors import OlistError


def refuse_damage(name: str, path: Path, columns: Collection[str] | None = None) -> None:
    """Raise OlistError for a file that cannot be read to its end, or has a page that is not that of its checksum.

    Neither Polars nor DuckDB asks for checksums, which Spark and Hive write, and Polars prints what it stumbles over.
    columns: those that are read, all where None. Raises OSError where the system refuses to read.
    """
    import pyarrow as pa  # a tenth of a second, for those who have such files
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            deque(file.iter_batches(columns=None if columns is None else list(columns)), maxlen=0)
    except pa.ArrowNotImplementedError:
        return  # what Arrow has no type for, others may have
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno:
            raise
        raise OlistError(f"{name} cannot be read: {str(error).splitlines()[0].rstrip('.')}; write it again.") from error
