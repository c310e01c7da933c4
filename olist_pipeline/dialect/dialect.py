"""The dialect itself, and the options with which DuckDB guesses nothing.

What belongs here: the definition that every reader of CSV files shares. What does not: looking at a file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from olist_pipeline.errors import OlistError
from olist_pipeline.paths import duckdb_path

ENCODINGS = ("utf-8", "latin-1")
CELL_BYTES = 131_072
"""The longest cell: four times what a cell of Excel holds."""

RECORD_BYTES = 1_000_000
"""The longest record, in bytes: half of what DuckDB takes for a line."""


def _is_one_byte(text: str) -> bool:
    return len(text) == 1 and text.isascii()


@dataclass(frozen=True)
class Dialect:
    """How a CSV file is written.

    `quote` is empty where cells are never quoted; a quote within quotes is doubled. Lines end in LF or in CRLF, one of
    them throughout the file. The header is the first line, and there are no comments. UTF-8 may begin with a BOM.
    Raises OlistError for what no reader could tell apart.
    """

    delimiter: str = ","
    quote: str = '"'
    encoding: str = "utf-8"

    def __post_init__(self) -> None:
        if not _is_one_byte(self.delimiter) or self.delimiter in "\r\n\0\ufeff":
            raise OlistError(f"The delimiter {self.delimiter!r} cannot be read; give one ASCII character.")
        if self.quote and (not _is_one_byte(self.quote) or self.quote in "\r\n\0" or self.quote == self.delimiter):
            raise OlistError(f"The quote {self.quote!r} cannot be read; give one ASCII character, or none.")
        if self.encoding not in ENCODINGS:
            raise OlistError(f"The encoding {self.encoding!r} cannot be read; give one of: {', '.join(ENCODINGS)}.")


LANDING = Dialect()
"""The dialect of landing, and what is assumed of any other CSV file."""


def duckdb_options(dialect: Dialect = LANDING) -> str:
    """Return the options of DuckDB's `read_csv` for a dialect: all but the header and the columns.

    Nothing is left to be guessed. A record that is too short is filled up with nulls and one that is too long is cut,
    so that each remains one row; a line that is empty is none. An empty cell is null, quoted or not.
    """
    return ", ".join(
        (
            "auto_detect = false",
            f"delim = {_literal(dialect.delimiter)}",
            f"quote = {_literal(dialect.quote)}",
            f"escape = {_literal(dialect.quote)}",
            "comment = ''",
            "nullstr = ''",
            f"encoding = {_literal(dialect.encoding)}",
            "max_line_size = 2000000",
            "null_padding = true",
            "strict_mode = false",
            # Padding together with line breaks in quotes needs a single reader.
            "parallel = false",
            "hive_partitioning = false",
        )
    )


def duckdb_relation(
    files: Path | Sequence[Path], names: Sequence[str], dialect: Dialect = LANDING, *, options: str = ""
) -> str:
    """Return the SQL relation of the records of a file, or of files in their order, every cell as text.

    `names` are those of the header, in its order and without repetition in any case. `options` are appended to the
    dialect's.
    """
    columns = ", ".join(f"{_literal(name)}: 'VARCHAR'" for name in names)
    extra = f", {options}" if options else ""
    paths = [files] if isinstance(files, Path) else files
    listed = ", ".join(_literal(duckdb_path(path)) for path in paths)
    return f"read_csv([{listed}], header = true, columns = {{{columns}}}, {duckdb_options(dialect)}{extra})"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
