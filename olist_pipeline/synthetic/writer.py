"""The nine files: their columns, and how the real set writes them down.

What belongs here: names, headers, quoting, line ends, and the care that nobody ever sees half a set. What does
not: what stands in the rows.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, NamedTuple

import polars as pl

from olist_pipeline.errors import OlistError
from olist_pipeline.file_locks import is_held, lock_file
from olist_pipeline.files import in_words

_GENERATING, _GENERATED, _LOCK = ".generating-", ".generated-", ".lock"
"""What the names of folders begin with, whose set is being made or is complete, and the file that their maker locks."""


class Layout(NamedTuple):
    """How one file is written; its columns are those of the frames that are appended to it."""

    line_end: str = "\n"
    prefix: bytes = b""
    quoted_header: bool = True
    quoted_columns: frozenset[str] = frozenset()
    """Columns that are always quoted; a text is also quoted where it begins with a digit or needs it."""
    decimals: int | None = None
    """Digits after the point of every fraction; None: as many as tell the number from its neighbours."""


ORDERS = "olist_orders_dataset.csv"
ITEMS = "olist_order_items_dataset.csv"
PAYMENTS = "olist_order_payments_dataset.csv"
REVIEWS = "olist_order_reviews_dataset.csv"
CUSTOMERS = "olist_customers_dataset.csv"
SELLERS = "olist_sellers_dataset.csv"
PRODUCTS = "olist_products_dataset.csv"
GEOLOCATION = "olist_geolocation_dataset.csv"
TRANSLATION = "product_category_name_translation.csv"

LAYOUTS = {
    ORDERS: Layout(),
    ITEMS: Layout(decimals=2),
    PAYMENTS: Layout(decimals=2),
    REVIEWS: Layout(line_end="\r\n", quoted_columns=frozenset({"review_id", "order_id"})),
    CUSTOMERS: Layout(),
    SELLERS: Layout(),
    PRODUCTS: Layout(),
    GEOLOCATION: Layout(),
    TRANSLATION: Layout(line_end="\r\n", prefix=b"\xef\xbb\xbf", quoted_header=False),
}


class FileSet:
    """The nine files under construction, in a folder of their own inside `out` until all are complete.

    Used as a context: leaving it puts the files in place, an error inside removes them instead. What a process leaves
    that is killed, `finish_killed` finishes or removes. Raises `OlistError` when the disk refuses, and while another
    process is making a set there.
    """

    def __init__(self, out: Path) -> None:
        self._out = out
        self._files: dict[str, BinaryIO] = {}
        self.rows = dict.fromkeys(LAYOUTS, 0)
        """Rows appended so far, by file name."""

    def __enter__(self) -> FileSet:
        with _writing_to(self._out):
            self._out.mkdir(parents=True, exist_ok=True)
            for name in LAYOUTS:
                if (self._out / name).is_dir():
                    raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(self._out / name))
            finish_killed(self._out)
            self._folder = Path(tempfile.mkdtemp(prefix=_GENERATING, dir=self._out))
            self._lock = lock_file(self._folder / _LOCK)
            self._files = {name: (self._folder / name).open("wb") for name in LAYOUTS}
        return self

    def append(self, name: str, frame: pl.DataFrame) -> None:
        """Writes the rows of a frame, which has the file's columns; the first one brings the header."""
        layout, file = LAYOUTS[name], self._files[name]
        written = frame.select(_quoted(column, kind, layout) for column, kind in frame.schema.items())
        with _writing_to(self._out):
            if not file.tell():
                file.write(layout.prefix + _header(frame.columns, layout).encode())
            written.write_csv(
                file,
                include_header=False,
                quote_style="never",
                line_terminator=layout.line_end,
                datetime_format="%Y-%m-%d %H:%M:%S",
                float_precision=layout.decimals,
            )
        self.rows[name] += len(frame)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            try:
                with _writing_to(self._out):
                    for file in self._files.values():
                        file.close()
                    if kind is None:
                        self._folder = self._folder.rename(_as_complete(self._folder))
                        _put_in_place(self._folder, self._out)
            finally:
                shutil.rmtree(self._folder, ignore_errors=True)


def finish_killed(out: Path) -> None:
    """Put in place what a killed process had completed in `out`, and remove what it had not; raises OSError.

    What a living one makes is left to it: raises OlistError, for nobody means a second set, or a run on half of one.
    """
    for folder in sorted([*out.glob(f"{_GENERATED}*"), *out.glob(f"{_GENERATING}*")]):
        if is_held(folder / _LOCK):
            raise OlistError(f"Another command is generating a set in {out}; wait for its end.")
        if folder.name.startswith(_GENERATED):
            _put_in_place(folder, out)
        shutil.rmtree(folder, ignore_errors=True)


def _as_complete(folder: Path) -> Path:
    return folder.with_name(f"{_GENERATED}{folder.name.removeprefix(_GENERATING)}")


def _put_in_place(folder: Path, out: Path) -> None:
    """Move the files of a complete set; of two sets there are never files at once, though some may be missing."""
    names = [name for name in LAYOUTS if (folder / name).exists()]
    for name in names:
        (out / name).unlink(missing_ok=True)
    for name in names:
        with suppress(FileNotFoundError):  # another process has finished it meanwhile
            (folder / name).rename(out / name)


@contextmanager
def _writing_to(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OlistError(f"The synthetic set cannot be written to {out}: {in_words(error)}.") from error


def _header(columns: list[str], layout: Layout) -> str:
    quote = '"' if layout.quoted_header else ""
    return ",".join(f"{quote}{column}{quote}" for column in columns) + layout.line_end


def _quoted(column: str, kind: pl.DataType, layout: Layout) -> pl.Expr:
    text = pl.col(column)
    if kind != pl.String:
        return text
    quoted = pl.format('"{}"', text.str.replace_all('"', '""', literal=True)).alias(column)
    if column in layout.quoted_columns:
        return quoted
    return pl.when(text.str.contains(r'^\d|[",\r\n]')).then(quoted).otherwise(text).alias(column)
