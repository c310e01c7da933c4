"""Troubles: the sentences that a person reads of an error of the disk, a file or a server, wherever it is raised.

What belongs here: the sentences of errors that are nobody's mistake in the code, and of modules that cannot be
imported. What does not: other errors of the code, which keep their traceback, and mending anything.
"""

from __future__ import annotations

import linecache
import os
import re
import sys
import sysconfig
import tempfile
import traceback
from collections.abc import Iterable, Iterator
from contextlib import suppress
from importlib import import_module
from itertools import takewhile
from pathlib import Path
from typing import Any

from olist_domain import kernel
from olist_pipeline.errors import OlistError
from olist_pipeline.files import files_left, in_words, is_of_space, is_of_system, remedy_for
from olist_pipeline.settings import Settings

_HELD = re.compile(r'Could not set lock on file "(.+)": Conflicting lock is held .*\(PID (\d+)\)')
_OF_FILES = re.compile(r"Corrupt database file|Could not \w+ file")
"""What DuckDB says of files in errors of any kind: a commit that finds the disk full is one of transactions."""
_OF_ROWS = (
    *(f"polars.exceptions.{kind}" for kind in ("ComputeError", "SchemaError", "ColumnNotFoundError")),
    "pyo3_runtime.PanicException",
)
"""What Polars raises where files hold other rows than they should, or none."""
_FRAME = re.compile(r'File "(.+)", line (\d+)')
_MADE = "<string>"
"""The file that Python names for the `__init__` of a dataclass; below it stands what the class asks of its fields."""
LITTLE_BYTES = 64 * 2**20
"""A step that found a disk full has removed again what it was writing."""
NO_MEMORY = "There is not enough memory for {}; end other programs or take a larger machine, and run again."
_NO_SERVER = "PostgreSQL does not answer any more; start it and run again: what was finished is kept."


def sentence_of(error: BaseException) -> str | None:
    """Return what a person reads of an error, or of the one that it came from; None where the code is wrong."""
    for one in _chain(error):
        if sentence := _sentence(one):
            return sentence
    return None


def place_of(error: BaseException, *, of_import: bool = False) -> str:
    """Return the file and line that caused an error; '' where it is none of ours or, `of_import`, no import failed.

    Python, packages and the kernel only raise what somebody else caused, and so does a declaration that refuses itself.
    """
    if isinstance(error, SyntaxError) and error.filename and not error.filename.startswith("<"):
        return f"{error.filename}:{error.lineno}"
    if isinstance(error, SyntaxError) and (file := _file_with_nuls(error)):
        return file
    frames = takewhile(lambda frame: frame.filename != _MADE, traceback.extract_tb(error.__traceback__)[1:])
    ours = [frame for frame in frames if _is_ours(frame.filename)]
    if not ours or (of_import and ours[-1].name != "<module>"):
        return ""
    return f"{ours[-1].filename}:{ours[-1].lineno}"


def _file_with_nuls(error: SyntaxError) -> str:
    """Return the file that was imported where the error names none, as of one with NULs (UTF-16); '' where it is not.

    Python tells no more of it than the line that imports it.
    """
    places = [place for place in traceback.walk_tb(error.__traceback__) if place[0].f_code.co_filename[:1] != "<"]
    if not places:
        return ""
    frame, line = places[-1]
    words = re.findall(r"[.\w]+", linecache.getline(frame.f_code.co_filename, line))
    # What stands behind `from`, and each name of it: the longest first, for a name alone may be another module.
    names = [*(f"{words[1].removesuffix('.')}.{word}" for word in words[2:]), *words]
    if frame.f_code.co_name == import_module.__name__:
        names = [str(frame.f_locals["name"])]
    for name in names:
        parts = _absolute(name, frame.f_globals.get("__package__") or "")
        with suppress(OSError, ValueError):
            # Looked for and not imported: that would fail once more.
            modules = [Path(root, *parts[:size]) for root in sys.path for size in range(len(parts), 0, -1)]
            files = [file for one in modules for file in (one.with_name(f"{one.name}.py"), one / "__init__.py")]
            if found := next((file for file in files if file.is_file() and b"\0" in file.read_bytes()), None):
                return str(found)
    return ""


def _absolute(name: str, package: str) -> list[str]:
    """Return the parts of a module's name, which may begin with dots, as in an import within `package`."""
    own = name.lstrip(".")
    level = len(name) - len(own)
    above = package.split(".")[: len(package.split(".")) - level + 1] if level else []
    return [*above, *own.split(".")]


def place_among(stack: Iterable[str]) -> str:
    """Return the last file and line of ours among the lines of a traceback; '' where there is none."""
    places = [found for line in stack if (found := _FRAME.search(line)) and _is_ours(found[1])]
    return f"{places[-1][1]}:{places[-1][2]}" if places else ""


def _is_ours(file: str) -> bool:
    elsewhere = (*(sysconfig.get_path(kind) for kind in ("stdlib", "purelib")), str(Path(kernel.__file__).parent))
    return not file.startswith(("<", *elsewhere))


def damaged_file(folders: list[Path]) -> Path | None:
    """Return the first Parquet file below `folders` that cannot be read to its end; None where all can."""
    import polars as pl

    for path in sorted(path for folder in folders for path in folder.rglob("*.parquet")):
        try:
            pl.read_parquet(path, glob=False, hive_partitioning=False)
        except (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException):
            return path
    return None


def _unlike_file(staging: Path) -> Path | None:
    """Return the first staging file whose columns are not those of its table; None where all are alike."""
    import polars as pl

    from olist_pipeline.staging import staged_files

    for folder in sorted(staging.glob("*/*")):
        schemas = {path: pl.read_parquet_schema(path) for path in staged_files(staging, *folder.parts[-2:])}
        first = next(iter(schemas.values()), None)
        if unlike := [path for path, columns in schemas.items() if columns != first]:
            return unlike[0]
    return None


def _sentence(error: BaseException) -> str | None:
    if isinstance(error, OlistError):
        return str(error)
    if isinstance(error, FileNotFoundError) and error.filename is None and not _has_folder():
        return "The folder that this shell is in is not there any more; change to one that is."
    if isinstance(error, FileNotFoundError) and "No usable temporary directory" in str(error):
        return "No folder for temporary files can be written to; set TMPDIR to one that can, and run again."
    if isinstance(error, OSError) and str(error):
        return f"{in_words(error)}{_full_places(error)}."
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryException":
        return NO_MEMORY.format("this")
    if type(error) is RuntimeError:  # there is no thread any more
        return _of_machine(error)
    if (psycopg2 := sys.modules.get("psycopg2")) and isinstance(error, psycopg2.Error):
        from olist_pipeline.stores.server_errors import trouble

        known = trouble(error)
        return str(known) if known else None
    name = f"{type(error).__module__}.{type(error).__name__}"
    if name in ("sqlalchemy.exc.TimeoutError", "dagster_postgres.utils.DagsterPostgresException"):
        return _NO_SERVER
    if name.startswith("polars.exceptions.") and is_of_system(error):
        return _sentence(OSError(str(error)))
    if name.startswith(_OF_ROWS):
        return _of_machine(error) or _of_files(error)
    if name.startswith("_duckdb."):
        return _of_duckdb(error)
    if isinstance(error, ImportError) and (remedy := remedy_for(str(error))):
        said = str(error).strip().splitlines()[-1].rstrip(".")  # NumPy says on many lines what it may be
        return f"A library cannot be loaded ({said}); {remedy} and run again."
    if place := place_of(error, of_import=True):
        return f"{place} cannot be imported ({type(error).__name__}: {_first_line(error)}); mend it there."
    return None


def _full_places(error: OSError) -> str:
    """Return which of our folders are on a disk with hardly any room, where an error of a full one names no file.

    A disk may have room for bytes, and none for one more file.
    """
    if error.filename or not is_of_space(error):
        return ""
    places = [Settings.from_env().home]
    with suppress(OSError):  # there may be none that can be written to
        places.append(Path(tempfile.gettempdir()))
    full = [f"{place} has {left}" for place in places if (left := _left_at(place))]
    return f": {', and '.join(full)}" if full else ""


def _left_at(place: Path) -> str:
    """Return what is left on a disk where that is little; '' where it is much, or nobody knows."""
    if (files := files_left(place)) is not None:
        return f"{files} files left"
    with suppress(OSError):
        found = os.statvfs(place)
        if found.f_bavail * found.f_frsize < LITTLE_BYTES:
            return f"{found.f_bavail * found.f_frsize // 2**20} MB left"
    return ""


def _has_folder() -> bool:
    with suppress(FileNotFoundError):
        return bool(Path.cwd())
    return False


def _of_files(error: BaseException) -> str | None:
    """Return what is said where Polars cannot read a file of ours, which it does not name."""
    settings = Settings.from_env()
    damaged = damaged_file([settings.intake, settings.staging])
    if damaged:
        return f"{damaged} is damaged ({_first_line(error)}); `olist run --force` makes it anew."
    unlike = _unlike_file(settings.staging)
    return (
        f"{unlike} has other columns than the files beside it; `olist run --force` makes them anew." if unlike else None
    )


def _of_machine(error: BaseException) -> str | None:
    """Return what is said where another program hands on what the system says, in words alone."""
    remedy = remedy_for(str(error))
    return f"{_first_line(error)}; {remedy} and run again." if remedy else None


def _of_duckdb(error: BaseException) -> str | None:
    """Return what is said where DuckDB cannot read or write a file; it names the file itself."""
    if held := _HELD.search(str(error)):
        return f"{held[1]} is in use by process {held[2]}; let it end, or end it, and run again."
    if said := _of_machine(error):
        return said
    kind = type(error).__name__
    if _OF_FILES.search(str(error)):
        kind = "IOException"  # whatever it was that found it
    files = ("IOException", "SerializationException", "FatalException", "InternalException", "InvalidInputException")
    if kind not in files:
        return None
    return _of_files(error) or f"{_first_line(error)}; free space or repair the file, then `olist run --force`."


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and those that it came from, each once."""
    seen: list[Any] = []
    one: BaseException | None = error
    while one is not None and one not in seen:
        seen.append(one)
        yield one
        # SQLAlchemy keeps the driver's error aside.
        origin = getattr(one, "orig", None)
        one = origin if isinstance(origin, BaseException) else one.__cause__


def _first_line(error: BaseException) -> str:
    with suppress(IndexError):
        return str(error).strip().splitlines()[0].rstrip(".")
    return type(error).__name__
